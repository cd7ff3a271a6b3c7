package resource

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/stillcast/stillcast"
)

// Document is what a server is set up with, in the form of a configuration file.
// Its keys are in plain text: it is meant to be applied again.
type Document struct {
	Resources Resources `yaml:"resources" json:"resources"`
}

// Resources are the lists of a [Document]; one that is nil is left out.
type Resources struct {
	Domains           *[]domain           `yaml:"domains,omitempty" json:"domains,omitempty"`
	SnapshotTemplates *[]snapshotTemplate `yaml:"snapshot_templates,omitempty" json:"snapshot_templates,omitempty"`
	SnapshotRules     *[]snapshotRule     `yaml:"snapshot_rules,omitempty" json:"snapshot_rules,omitempty"`
	CallbackTemplates *[]callbackTemplate `yaml:"callback_templates,omitempty" json:"callback_templates,omitempty"`
	CallbackRules     *[]callbackRule     `yaml:"callback_rules,omitempty" json:"callback_rules,omitempty"`
}

type domain struct {
	Name string `yaml:"name" json:"name"`
	Auth auth   `yaml:"auth" json:"auth"`
}

type auth struct {
	Enabled   bool   `yaml:"enabled" json:"enabled"`
	Key       string `yaml:"key,omitempty" json:"key,omitempty"`
	BackupKey string `yaml:"backup_key,omitempty" json:"backup_key,omitempty"`
	Delta     string `yaml:"delta,omitempty" json:"delta,omitempty"`
}

type snapshotTemplate struct {
	Name          string `yaml:"name" json:"name"`
	Description   string `yaml:"description,omitempty" json:"description,omitempty"`
	Interval      string `yaml:"interval,omitempty" json:"interval,omitempty"`
	Width         int    `yaml:"width,omitempty" json:"width,omitempty"`
	Height        int    `yaml:"height,omitempty" json:"height,omitempty"`
	Fit           string `yaml:"fit,omitempty" json:"fit,omitempty"`
	Format        string `yaml:"format,omitempty" json:"format,omitempty"`
	Quality       int    `yaml:"quality,omitempty" json:"quality,omitempty"`
	Progressive   bool   `yaml:"progressive,omitempty" json:"progressive,omitempty"`
	EXIF          bool   `yaml:"exif,omitempty" json:"exif,omitempty"`
	Bucket        string `yaml:"bucket,omitempty" json:"bucket,omitempty"`
	AppID         int64  `yaml:"app_id,omitempty" json:"app_id,omitempty"`
	Region        string `yaml:"region,omitempty" json:"region,omitempty"`
	Prefix        string `yaml:"prefix,omitempty" json:"prefix,omitempty"`
	FileName      string `yaml:"file_name,omitempty" json:"file_name,omitempty"`
	Renditions    []size `yaml:"renditions,omitempty" json:"renditions,omitempty"`
	Accuracy      string `yaml:"accuracy,omitempty" json:"accuracy,omitempty"`
	SkipBlack     bool   `yaml:"skip_black,omitempty" json:"skip_black,omitempty"`
	SkipUnchanged bool   `yaml:"skip_unchanged,omitempty" json:"skip_unchanged,omitempty"`
	Heartbeat     string `yaml:"heartbeat,omitempty" json:"heartbeat,omitempty"`
	Facts         bool   `yaml:"facts,omitempty" json:"facts,omitempty"`
	Mirror        string `yaml:"mirror,omitempty" json:"mirror,omitempty"`
}

type size struct {
	Width  int `yaml:"width" json:"width"`
	Height int `yaml:"height" json:"height"`
}

type snapshotRule struct {
	Domain   string `yaml:"domain" json:"domain"`
	App      string `yaml:"app,omitempty" json:"app,omitempty"`
	Stream   string `yaml:"stream,omitempty" json:"stream,omitempty"`
	Template string `yaml:"template" json:"template"`
}

type callbackTemplate struct {
	Name             string `yaml:"name" json:"name"`
	Description      string `yaml:"description,omitempty" json:"description,omitempty"`
	Key              string `yaml:"key,omitempty" json:"key,omitempty"`
	SnapshotURL      string `yaml:"snapshot_url,omitempty" json:"snapshot_url,omitempty"`
	StreamBeginURL   string `yaml:"stream_begin_url,omitempty" json:"stream_begin_url,omitempty"`
	StreamEndURL     string `yaml:"stream_end_url,omitempty" json:"stream_end_url,omitempty"`
	PushExceptionURL string `yaml:"push_exception_url,omitempty" json:"push_exception_url,omitempty"`
	Profile          string `yaml:"profile,omitempty" json:"profile,omitempty"`
	SigningSecret    string `yaml:"signing_secret,omitempty" json:"signing_secret,omitempty"`
	PreviousSecret   string `yaml:"previous_secret,omitempty" json:"previous_secret,omitempty"`
	Extras           bool   `yaml:"extras,omitempty" json:"extras,omitempty"`
	RedactParam      bool   `yaml:"redact_param,omitempty" json:"redact_param,omitempty"`
	RateLimit        int    `yaml:"rate_limit,omitempty" json:"rate_limit,omitempty"`
}

type callbackRule struct {
	Domain   string `yaml:"domain" json:"domain"`
	App      string `yaml:"app,omitempty" json:"app,omitempty"`
	Template string `yaml:"template" json:"template"`
}

// Kind is the list of a file that a word of the command line stands for; "" for
// "all".
func Kind(word string) string {
	if word == "all" {
		return ""
	}
	return strings.ReplaceAll(word, "-", "_")
}

// NewDocument returns what a server is set up with, of one kind or, with "", of all.
func NewDocument(set stillcast.ResourceSet, kind string) Document {
	d := Declare(set)
	var doc Document
	r := &doc.Resources
	if kind == "" || kind == "domains" {
		r.Domains = listOf(d.Domains, documentDomain)
	}
	if kind == "" || kind == "snapshot_templates" {
		r.SnapshotTemplates = listOf(d.SnapshotTemplates, documentSnapshotTemplate)
	}
	if kind == "" || kind == "snapshot_rules" {
		r.SnapshotRules = listOf(d.SnapshotRules, func(r stillcast.DeclaredRule) snapshotRule { return snapshotRule(r) })
	}
	if kind == "" || kind == "callback_templates" {
		r.CallbackTemplates = listOf(d.CallbackTemplates, documentCallbackTemplate)
	}
	if kind == "" || kind == "callback_rules" {
		r.CallbackRules = listOf(d.CallbackRules, func(r stillcast.DeclaredRule) callbackRule {
			return callbackRule{Domain: r.Domain, App: r.App, Template: r.Template}
		})
	}
	return doc
}

func listOf[T, D any](all []T, document func(T) D) *[]D {
	list := make([]D, len(all))
	for i, one := range all {
		list[i] = document(one)
	}
	return &list
}

func documentDomain(d stillcast.Domain) domain {
	return domain{Name: d.Name, Auth: auth{
		Enabled: !d.Auth.Disabled, Key: d.Auth.Key.Reveal(), BackupKey: d.Auth.BackupKey.Reveal(), Delta: duration(d.Auth.Delta),
	}}
}

func documentSnapshotTemplate(t stillcast.SnapshotTemplate) snapshotTemplate {
	doc := snapshotTemplate{
		Name: t.Name, Description: t.Description, Interval: duration(t.Interval), Width: t.Width, Height: t.Height,
		Fit: string(t.Fit), Format: string(t.Format), Quality: t.Quality, Progressive: t.Progressive, EXIF: t.EXIF,
		Bucket: t.Bucket, AppID: t.AppID, Region: t.Region, Prefix: t.Prefix, FileName: t.FileName,
		Accuracy: string(t.Accuracy), SkipBlack: t.SkipBlack, SkipUnchanged: t.SkipUnchanged, Heartbeat: duration(t.Heartbeat), Facts: t.Facts,
		Mirror: t.Mirror,
	}
	for _, s := range t.Renditions.Sizes() {
		doc.Renditions = append(doc.Renditions, size(s))
	}
	return doc
}

func documentCallbackTemplate(t stillcast.CallbackTemplate) callbackTemplate {
	return callbackTemplate{
		Name: t.Name, Description: t.Description, Key: t.Key.Reveal(),
		SnapshotURL: t.SnapshotURL, StreamBeginURL: t.StreamBeginURL, StreamEndURL: t.StreamEndURL, PushExceptionURL: t.PushExceptionURL,
		Profile: string(t.Profile), SigningSecret: t.SigningSecret.Reveal(), PreviousSecret: t.PreviousSecret.Reveal(),
		Extras: t.Extras, RedactParam: t.RedactParam, RateLimit: t.RateLimit,
	}
}

// duration writes a duration as a file has it; "" for none.
func duration(d interface{ String() string }) string {
	if text := d.String(); text != "0s" {
		return text
	}
	return ""
}

// YAML writes a document as a configuration file.
func (d Document) YAML() ([]byte, error) {
	b, err := yaml.MarshalWithOptions(d, yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return b, nil
}

// JSON writes a document as JSON, which is YAML too.
func (d Document) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return append(b, '\n'), nil
}
