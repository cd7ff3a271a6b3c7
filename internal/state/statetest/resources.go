package statetest

import (
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// declaration uses every field.
func declaration() stillcast.Declaration {
	return stillcast.Declaration{
		Domains: []stillcast.Domain{
			{Name: "push.example.com", Auth: stillcast.PushAuth{Key: "k1", BackupKey: "k2", Delta: 90 * time.Second}},
			{Name: "*", Auth: stillcast.PushAuth{Disabled: true}},
		},
		SnapshotTemplates: []stillcast.SnapshotTemplate{
			{
				Name: "every10s", Description: "of all", Interval: 10 * time.Second, Width: 640, Height: 360,
				Bucket: "shots", AppID: 1250000000, Region: "ap-guangzhou", Prefix: "/{Year}", FileName: "{StreamID}{Ext}", Quality: 80,
				Accuracy: stillcast.AccuracyExact, Format: stillcast.FormatWebP, Fit: stillcast.FitContain, EXIF: true,
				Renditions: stillcast.Renditions{{Width: 320}, {Height: 90}}, SkipBlack: true, SkipUnchanged: true,
				Heartbeat: time.Hour, Facts: true,
			},
			{Name: "progressive", Progressive: true},
			{Name: "defaults"},
		},
		SnapshotRules: []stillcast.DeclaredRule{
			{Domain: "push.example.com", App: "live", Stream: "cam", Template: "every10s"},
			{Domain: "*", Template: "defaults"},
		},
		CallbackTemplates: []stillcast.CallbackTemplate{{
			Name: "hooks", Description: "to us", Key: "secret", SnapshotURL: "https://example.com/s",
			StreamBeginURL: "https://example.com/b", StreamEndURL: "https://example.com/e",
		}},
		CallbackRules: []stillcast.DeclaredRule{{Domain: "push.example.com", App: "live", Template: "hooks"}},
	}
}

// ruleOf is a snapshot rule that was never updated, created when got was.
func ruleOf(got stillcast.SnapshotRule, domain, app, stream string, template int64) stillcast.SnapshotRule {
	return stillcast.SnapshotRule{
		Domain: domain, App: app, Stream: stream, TemplateID: template, Created: got.Created, Updated: got.Created,
	}
}

func declare(t *testing.T, s Store, d stillcast.Declaration) []state.Change {
	t.Helper()
	changes, err := s.ApplyDeclaration(t.Context(), d)
	check(t, err)
	return changes
}

func resources(t *testing.T, s Store) stillcast.ResourceSet {
	t.Helper()
	set, err := s.Resources(t.Context())
	check(t, err)
	return set
}

func (c suite) declareCreates(t *testing.T) {
	s := c.open(t)
	same(t, "resources of an empty state", stillcast.ResourceSet{}, resources(t, s))
	d := declaration()
	same(t, "changes", []state.Change{
		{Kind: "domain", Name: "push.example.com", Created: true},
		{Kind: "domain", Name: "*", Created: true},
		{Kind: "snapshot_template", Name: "every10s", Created: true},
		{Kind: "snapshot_template", Name: "progressive", Created: true},
		{Kind: "snapshot_template", Name: "defaults", Created: true},
		{Kind: "snapshot_rule", Name: "push.example.com/live/cam", Created: true},
		{Kind: "snapshot_rule", Name: "*//", Created: true},
		{Kind: "callback_template", Name: "hooks", Created: true},
		{Kind: "callback_rule", Name: "push.example.com/live/", Created: true},
	}, declare(t, s, d))

	got := resources(t, s)
	for i := range got.Domains {
		d.Domains[i].ID = got.Domains[i].ID
		recent(t, "creation of a domain", got.Domains[i].Created)
		d.Domains[i].Created = got.Domains[i].Created
	}
	for _, r := range got.SnapshotRules {
		recent(t, "creation of a snapshot rule", r.Created)
	}
	recent(t, "creation of a callback rule", got.CallbackRules[0].Created)
	for i := range got.SnapshotTemplates {
		d.SnapshotTemplates[i].ID = got.SnapshotTemplates[i].ID
	}
	for i := range got.CallbackTemplates {
		d.CallbackTemplates[i].ID = got.CallbackTemplates[i].ID
	}
	same(t, "resources", stillcast.ResourceSet{
		Domains:           d.Domains,
		SnapshotTemplates: d.SnapshotTemplates,
		SnapshotRules: []stillcast.SnapshotRule{
			ruleOf(got.SnapshotRules[0], "push.example.com", "live", "cam", got.SnapshotTemplates[0].ID),
			ruleOf(got.SnapshotRules[1], "*", "", "", got.SnapshotTemplates[2].ID),
		},
		CallbackTemplates: d.CallbackTemplates,
		CallbackRules: []stillcast.CallbackRule{
			{
				Domain: "push.example.com", App: "live", TemplateID: got.CallbackTemplates[0].ID,
				Created: got.CallbackRules[0].Created, Updated: got.CallbackRules[0].Created,
			},
		},
	}, got)
	if a, b := got.SnapshotTemplates[0].ID, got.SnapshotTemplates[1].ID; a < 1 || b <= a {
		t.Errorf("the templates have the ids %d and %d, want ascending ones from 1 on", a, b)
	}
}

func (c suite) declareUpdates(t *testing.T) {
	s := c.open(t)
	declare(t, s, declaration())
	before := resources(t, s)
	if again := declare(t, s, declaration()); len(again) != 0 {
		t.Errorf("declaring the same again changed %+v", again)
	}
	same(t, "resources after the same declaration", before, resources(t, s))

	d := declaration()
	d.Domains = d.Domains[:1]
	d.Domains[0].Auth.BackupKey = "rotated"
	changed := stillcast.SnapshotTemplate{ // in every field, against what was stored
		Name: "every10s", Description: "of some", Interval: 5 * time.Second, Width: 1, Height: 2, Bucket: "b", AppID: 3, Region: "r",
		Prefix: "p", FileName: "f", Quality: 4, Accuracy: stillcast.AccuracyKeyframe, Format: stillcast.FormatJPEG, Fit: stillcast.FitCover,
		Progressive: true, Renditions: stillcast.Renditions{{Width: 5, Height: 6}}, Heartbeat: 2 * time.Hour,
	}
	d.SnapshotTemplates[0] = changed
	d.SnapshotTemplates = d.SnapshotTemplates[:1]
	d.SnapshotRules[0].Template = "defaults"
	d.SnapshotRules = d.SnapshotRules[:1]
	d.CallbackTemplates[0].StreamEndURL = ""
	d.CallbackRules = append(d.CallbackRules, stillcast.DeclaredRule{Domain: "*", Template: "hooks"})
	same(t, "changes", []state.Change{
		{Kind: "domain", Name: "push.example.com"},
		{Kind: "snapshot_template", Name: "every10s"},
		{Kind: "snapshot_rule", Name: "push.example.com/live/cam"},
		{Kind: "callback_template", Name: "hooks"},
		{Kind: "callback_rule", Name: "*//", Created: true},
	}, declare(t, s, d))

	want := before
	want.Domains[0].Auth.BackupKey = "rotated"
	changed.ID = want.SnapshotTemplates[0].ID
	want.SnapshotTemplates[0] = changed
	want.SnapshotRules[0].TemplateID = want.SnapshotTemplates[2].ID
	want.CallbackTemplates[0].StreamEndURL = ""
	got := resources(t, s)
	added := got.CallbackRules[1]
	recent(t, "creation of a callback rule", added.Created)
	want.CallbackRules = append(want.CallbackRules, stillcast.CallbackRule{
		Domain: "*", TemplateID: want.CallbackTemplates[0].ID, Created: added.Created, Updated: added.Created,
	})
	updated := got.SnapshotRules[0]
	if !updated.Updated.After(updated.Created) {
		t.Errorf("the rule with another template was updated at %s, want a time after its creation, %s", updated.Updated, updated.Created)
	}
	want.SnapshotRules[0].Updated = updated.Updated
	same(t, "resources", want, got)
}

// declareLeavesTheRest: what a configuration file cannot say is neither a change
// nor changed.
func (c suite) declareLeavesTheRest(t *testing.T) {
	s := c.open(t)
	d := declaration()
	declare(t, s, d)
	set := resources(t, s)
	_, _, err := s.EditDomain(t.Context(), "*", false, 0, func(d *stillcast.Domain) error {
		d.Disabled, d.PlayType, d.DelayLive, d.MiniProgram = true, 3, true, true
		return nil
	})
	check(t, err)
	_, _, err = s.EditSnapshotTemplate(t.Context(), set.SnapshotTemplates[0].ID, 0, func(t *stillcast.SnapshotTemplate) error {
		t.PornFlag = true
		return nil
	})
	check(t, err)
	_, _, err = s.EditCallbackTemplate(t.Context(), set.CallbackTemplates[0].ID, 0, func(t *stillcast.CallbackTemplate) error {
		t.Kept = keptCallbacks()
		return nil
	})
	check(t, err)

	before := resources(t, s)
	if changes := declare(t, s, d); len(changes) != 0 {
		t.Errorf("declaring the same again changed %+v", changes)
	}
	same(t, "resources after the same declaration", before, resources(t, s))

	d.Domains[1].Auth.Delta = time.Minute
	d.SnapshotTemplates[0].Quality = 1
	d.CallbackTemplates[0].Description = "other"
	if changes := declare(t, s, d); len(changes) != 3 {
		t.Errorf("the changes are %+v, want three", changes)
	}
	before.Domains[1].Auth.Delta = time.Minute
	before.SnapshotTemplates[0].Quality = 1
	before.CallbackTemplates[0].Description = "other"
	same(t, "resources after another declaration", before, resources(t, s))
}

func (c suite) declareRefersToStored(t *testing.T) {
	s := c.open(t)
	declare(t, s, declaration())
	rules := stillcast.Declaration{
		SnapshotRules: []stillcast.DeclaredRule{{Domain: "push.example.com", App: "other", Template: "every10s"}},
		CallbackRules: []stillcast.DeclaredRule{{Domain: "*", App: "other", Template: "hooks"}},
	}
	same(t, "changes", []state.Change{
		{Kind: "snapshot_rule", Name: "push.example.com/other/", Created: true},
		{Kind: "callback_rule", Name: "*/other/", Created: true},
	}, declare(t, s, rules))
}

func (c suite) declareRefuses(t *testing.T) {
	s := c.open(t)
	declare(t, s, declaration())
	before := resources(t, s)
	tests := []struct {
		field string
		spoil func(d *stillcast.Declaration)
	}{
		{"domains[1].name", func(d *stillcast.Declaration) { d.Domains[1].Name = "UPPER" }},
		{"domains[0].auth.key", func(d *stillcast.Declaration) { d.Domains[0].Auth.Key = "" }},
		{"domains[1].name", func(d *stillcast.Declaration) { d.Domains[1].Name = d.Domains[0].Name }},
		{"snapshot_templates[1].interval", func(d *stillcast.Declaration) { d.SnapshotTemplates[1].Interval = time.Second }},
		{"snapshot_templates[1].name", func(d *stillcast.Declaration) { d.SnapshotTemplates[1].Name = "every10s" }},
		{"snapshot_rules[0].template", func(d *stillcast.Declaration) { d.SnapshotRules[0].Template = "missing" }},
		{"snapshot_rules[1].template", func(d *stillcast.Declaration) { d.SnapshotRules[1].Template = "hooks" }},
		{"snapshot_rules[1].template", func(d *stillcast.Declaration) { d.SnapshotRules[1].Template = "" }},
		{"snapshot_rules[0].domain", func(d *stillcast.Declaration) { d.SnapshotRules[0].Domain = "other.example.com" }},
		{"snapshot_rules[0].domain", func(d *stillcast.Declaration) { d.SnapshotRules[0].Domain = "" }},
		{"snapshot_rules[0].app", func(d *stillcast.Declaration) { d.SnapshotRules[0].App = "a\x00b" }},
		{"snapshot_rules[0].stream", func(d *stillcast.Declaration) { d.SnapshotRules[0].Stream = "a\nb" }},
		{"snapshot_rules[2]", func(d *stillcast.Declaration) { d.SnapshotRules = append(d.SnapshotRules, d.SnapshotRules[0]) }},
		{"callback_templates[0].snapshot_url", func(d *stillcast.Declaration) { d.CallbackTemplates[0].SnapshotURL = "ftp://x" }},
		{"callback_templates[1].name", func(d *stillcast.Declaration) {
			d.CallbackTemplates = append(d.CallbackTemplates, d.CallbackTemplates[0])
		}},
		{"callback_rules[0].stream", func(d *stillcast.Declaration) { d.CallbackRules[0].Stream = "cam" }},
		{"callback_rules[0].template", func(d *stillcast.Declaration) { d.CallbackRules[0].Template = "every10s" }},
		{"callback_rules[0].domain", func(d *stillcast.Declaration) { d.CallbackRules[0].Domain = "other.example.com" }},
		{"callback_rules[1]", func(d *stillcast.Declaration) { d.CallbackRules = append(d.CallbackRules, d.CallbackRules[0]) }},
	}
	for _, test := range tests {
		d := declaration()
		test.spoil(&d)
		_, err := s.ApplyDeclaration(t.Context(), d)
		refused(t, err, stillcast.CodeInvalid, test.field)
	}
	same(t, "resources", before, resources(t, s))
}

func (c suite) declareIsOneStep(t *testing.T) {
	s := c.open(t)
	d := declaration()
	d.CallbackRules[0].Template = "missing"
	_, err := s.ApplyDeclaration(t.Context(), d)
	refused(t, err, stillcast.CodeInvalid, "callback_rules[0].template")
	same(t, "resources", stillcast.ResourceSet{}, resources(t, s))
}
