package config

import (
	"errors"
	"fmt"
	"time"

	"github.com/stillcast/stillcast"
)

// Resources is what the file declares. At start and at reload it is created or
// updated by name; what was made elsewhere is left alone.
type Resources struct {
	Domains           []Domain           `yaml:"domains"`
	SnapshotTemplates []SnapshotTemplate `yaml:"snapshot_templates"`
	SnapshotRules     []SnapshotRule     `yaml:"snapshot_rules"`
	CallbackTemplates []CallbackTemplate `yaml:"callback_templates"`
	CallbackRules     []CallbackRule     `yaml:"callback_rules"`
}

// Domain is a [stillcast.Domain] as written in the file.
type Domain struct {
	Name string `yaml:"name"`
	Auth Auth   `yaml:"auth"`
}

// Auth is a [stillcast.PushAuth] as written in the file.
type Auth struct {
	Enabled   bool             `yaml:"enabled"` // default true
	Key       stillcast.Secret `yaml:"key"`
	BackupKey stillcast.Secret `yaml:"backup_key"`
	Delta     time.Duration    `yaml:"delta"`
}

// SetDefaults makes what is not written down safe: pushes need a key.
func (d *Domain) SetDefaults() { d.Auth.Enabled = true }

// SnapshotTemplate is a [stillcast.SnapshotTemplate] as written in the file.
type SnapshotTemplate struct {
	Name        string        `yaml:"name"`
	Description string        `yaml:"description"`
	Interval    time.Duration `yaml:"interval"`
	Width       int           `yaml:"width"`
	Height      int           `yaml:"height"`
	Quality     int           `yaml:"quality"`
	Bucket      string        `yaml:"bucket"`
	AppID       int64         `yaml:"app_id"`
	Region      string        `yaml:"region"`
	Prefix      string        `yaml:"prefix"`
	FileName    string        `yaml:"file_name"`

	Accuracy      stillcast.Accuracy `yaml:"accuracy"`
	Format        stillcast.Format   `yaml:"format"`
	Fit           stillcast.Fit      `yaml:"fit"`
	Progressive   bool               `yaml:"progressive"`
	EXIF          bool               `yaml:"exif"`
	Renditions    []Size             `yaml:"renditions"`
	SkipBlack     bool               `yaml:"skip_black"`
	SkipUnchanged bool               `yaml:"skip_unchanged"`
	Heartbeat     time.Duration      `yaml:"heartbeat"`
	Facts         bool               `yaml:"facts"`
	Mirror        string             `yaml:"mirror"`
}

// Size is a [stillcast.Size] as written in the file.
type Size struct {
	Width  int `yaml:"width"`
	Height int `yaml:"height"`
}

// SnapshotRule is a [stillcast.DeclaredRule] as written in the file.
type SnapshotRule struct {
	Domain   string `yaml:"domain"`
	App      string `yaml:"app"`
	Stream   string `yaml:"stream"`
	Template string `yaml:"template"`
}

// CallbackTemplate is a [stillcast.CallbackTemplate] as written in the file.
type CallbackTemplate struct {
	Name             string           `yaml:"name"`
	Description      string           `yaml:"description"`
	Key              stillcast.Secret `yaml:"key"`
	SnapshotURL      string           `yaml:"snapshot_url"`
	StreamBeginURL   string           `yaml:"stream_begin_url"`
	StreamEndURL     string           `yaml:"stream_end_url"`
	PushExceptionURL string           `yaml:"push_exception_url"`

	Profile        stillcast.Profile `yaml:"profile"`
	SigningSecret  stillcast.Secret  `yaml:"signing_secret"`
	PreviousSecret stillcast.Secret  `yaml:"previous_secret"`
	Extras         bool              `yaml:"extras"`
	RedactParam    bool              `yaml:"redact_param"`
	RateLimit      int               `yaml:"rate_limit"`
}

// CallbackRule is a [stillcast.DeclaredRule] as written in the file.
type CallbackRule struct {
	Domain   string `yaml:"domain"`
	App      string `yaml:"app"`
	Template string `yaml:"template"`
}

// Declaration returns the resources in the words of package stillcast.
func (r Resources) Declaration() stillcast.Declaration {
	var d stillcast.Declaration
	for _, v := range r.Domains {
		d.Domains = append(d.Domains, v.domain())
	}
	for _, v := range r.SnapshotTemplates {
		d.SnapshotTemplates = append(d.SnapshotTemplates, v.template())
	}
	for _, v := range r.SnapshotRules {
		d.SnapshotRules = append(d.SnapshotRules, stillcast.DeclaredRule(v))
	}
	for _, v := range r.CallbackTemplates {
		d.CallbackTemplates = append(d.CallbackTemplates, v.template())
	}
	for _, v := range r.CallbackRules {
		d.CallbackRules = append(d.CallbackRules, v.rule())
	}
	return d
}

func (d Domain) domain() stillcast.Domain {
	return stillcast.Domain{Name: d.Name, Auth: stillcast.PushAuth{
		Disabled: !d.Auth.Enabled, Key: d.Auth.Key, BackupKey: d.Auth.BackupKey, Delta: d.Auth.Delta,
	}}
}

// template leaves out renditions that are not allowed, see validate.
func (t SnapshotTemplate) template() stillcast.SnapshotTemplate {
	renditions, _ := t.renditions()
	return stillcast.SnapshotTemplate{
		Name: t.Name, Description: t.Description, Interval: t.Interval,
		Width: t.Width, Height: t.Height, Quality: t.Quality,
		Bucket: t.Bucket, AppID: t.AppID, Region: t.Region, Prefix: t.Prefix, FileName: t.FileName,
		Accuracy: t.Accuracy, Format: t.Format, Fit: t.Fit, Progressive: t.Progressive, EXIF: t.EXIF,
		Renditions: renditions, SkipBlack: t.SkipBlack, SkipUnchanged: t.SkipUnchanged, Heartbeat: t.Heartbeat, Facts: t.Facts,
		Mirror: t.Mirror,
	}
}

func (t SnapshotTemplate) renditions() (stillcast.Renditions, error) {
	sizes := make([]stillcast.Size, len(t.Renditions))
	for i, s := range t.Renditions {
		sizes[i] = stillcast.Size(s)
	}
	return stillcast.NewRenditions(sizes)
}

func (t SnapshotTemplate) validate() error {
	if _, err := t.renditions(); err != nil {
		return err
	}
	return t.template().Validate()
}

func (t CallbackTemplate) template() stillcast.CallbackTemplate {
	return stillcast.CallbackTemplate{
		Name: t.Name, Description: t.Description, Key: t.Key,
		SnapshotURL: t.SnapshotURL, StreamBeginURL: t.StreamBeginURL, StreamEndURL: t.StreamEndURL, PushExceptionURL: t.PushExceptionURL,
		Profile: t.Profile, SigningSecret: t.SigningSecret, PreviousSecret: t.PreviousSecret,
		Extras: t.Extras, RedactParam: t.RedactParam, RateLimit: t.RateLimit,
	}
}

func (r CallbackRule) rule() stillcast.DeclaredRule {
	return stillcast.DeclaredRule{Domain: r.Domain, App: r.App, Template: r.Template}
}

// Validate reports what is not allowed, one fault for each element. That a rule
// names a template which is not declared here is no fault: it may have been made
// elsewhere.
func (r Resources) Validate() []error {
	var c checker
	for i, v := range r.Domains {
		c.check("domains", i, v.Name, v.domain().Validate())
	}
	for i, v := range r.SnapshotTemplates {
		c.check("snapshot_templates", i, v.Name, v.validate())
	}
	for i, v := range r.SnapshotRules {
		rule := stillcast.DeclaredRule(v)
		c.check("snapshot_rules", i, ruleName(rule), validateRule(rule))
	}
	for i, v := range r.CallbackTemplates {
		c.check("callback_templates", i, v.Name, v.template().Validate())
	}
	for i, v := range r.CallbackRules {
		c.check("callback_rules", i, ruleName(v.rule()), validateRule(v.rule()))
	}
	return c.faults
}

// checker collects the faults of lists whose elements are told apart by name.
type checker struct {
	faults []error
	seen   map[[2]string]int // index by list and name
}

func (c *checker) check(list string, i int, name string, err error) {
	if c.seen == nil {
		c.seen = make(map[[2]string]int)
	}
	first, double := c.seen[[2]string{list, name}]
	switch path := fmt.Sprintf("%s[%d]", list, i); {
	case err != nil:
		c.faults = append(c.faults, stillcast.Within(path, err))
	case double:
		c.faults = append(c.faults, stillcast.Errorf(stillcast.CodeConflict, path,
			"%s is declared already, by resources.%s[%d]", name, list, first))
	default:
		c.seen[[2]string{list, name}] = i
	}
}

func ruleName(r stillcast.DeclaredRule) string {
	return fmt.Sprintf("the rule for domain %q, app %q, stream %q", r.Domain, r.App, r.Stream)
}

func validateRule(r stillcast.DeclaredRule) error {
	if r.Template == "" {
		return stillcast.Errorf(stillcast.CodeInvalid, "template", "is empty; expected the name of a template")
	}
	if r.Domain == "" {
		return stillcast.Errorf(stillcast.CodeInvalid, "domain", "is empty; expected the name of a push domain, or %q", stillcast.AnyDomain)
	}
	for _, part := range []struct{ field, value string }{{"domain", r.Domain}, {"app", r.App}, {"stream", r.Stream}} {
		if err := validateNamePart(part.field, part.value); err != nil {
			return err
		}
	}
	return nil
}

// validateNamePart has a stream checked that has the value as its name; "" is
// the wildcard.
func validateNamePart(field, value string) error {
	if value == "" {
		return nil
	}
	err := stillcast.Stream{Domain: "d", App: "a", Name: value}.Validate()
	if e, ok := errors.AsType[*stillcast.Error](err); ok {
		return &stillcast.Error{Code: e.Code, Field: field, Message: e.Message}
	}
	return err
}
