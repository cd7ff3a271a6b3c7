package resource

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const declared = `
resources:
  domains:
    - {name: a.example.com, auth: {key: 0123}}
    - {name: b.example.com, auth: {enabled: false, backup_key: "odd: {key}", delta: 30s}}
  snapshot_templates:
    - {name: t, interval: 10s, bucket: shots, app_id: 1250000000, region: ap-guangzhou}
    - {name: all, accuracy: exact, format: webp, fit: cover, exif: true, renditions: [{width: 320}, {width: 160, height: 90}], skip_black: true, skip_unchanged: true, heartbeat: 1h, facts: true, mirror: second}
  snapshot_rules:
    - {domain: a.example.com, app: live, stream: 001, template: all}
    - {domain: a.example.com, template: t}
  callback_templates:
    - {name: hooks, description: to us, key: k, snapshot_url: "http://a.example.com/"}
    - {name: strict, push_exception_url: "http://c.example.com/x", profile: standard, signing_secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, previous_secret: whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX, extras: true, redact_param: true, rate_limit: 5}
  callback_rules:
    - {domain: a.example.com, app: "", template: hooks}
`

func declaration(t *testing.T, text string) stillcast.Declaration {
	t.Helper()
	c, err := config.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c.Resources.Declaration()
}

// made returns the resources that a declaration asks for.
func made(d stillcast.Declaration) stillcast.ResourceSet {
	set := stillcast.ResourceSet{Domains: d.Domains, SnapshotTemplates: d.SnapshotTemplates, CallbackTemplates: d.CallbackTemplates}
	ids := map[string]int64{}
	for i := range set.SnapshotTemplates {
		set.SnapshotTemplates[i].ID = int64(i + 1)
		ids[set.SnapshotTemplates[i].Name] = int64(i + 1)
	}
	for i := range set.CallbackTemplates {
		set.CallbackTemplates[i].ID = int64(i + 1)
		ids[set.CallbackTemplates[i].Name] = int64(i + 1)
	}
	for _, r := range d.SnapshotRules {
		set.SnapshotRules = append(set.SnapshotRules, stillcast.SnapshotRule{Domain: r.Domain, App: r.App, Stream: r.Stream, TemplateID: ids[r.Template]})
	}
	for _, r := range d.CallbackRules {
		set.CallbackRules = append(set.CallbackRules, stillcast.CallbackRule{Domain: r.Domain, App: r.App, TemplateID: ids[r.Template]})
	}
	return set
}

func plan(t *testing.T, now stillcast.ResourceSet, want stillcast.Declaration, prune bool) []string {
	t.Helper()
	changes, err := Plan(now, want, prune)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range changes {
		lines = append(lines, fmt.Sprintf("%s %s %s [%s]", c.Verb, c.Kind, c.Name, strings.Join(c.Details, ", ")))
	}
	return lines
}

func TestPlanOfAnEmptyServerMakesEverythingInOrder(t *testing.T) {
	want := []string{
		"create domain a.example.com []", "create domain b.example.com []", "create snapshot_template t []", "create snapshot_template all []",
		"create callback_template hooks []", "create callback_template strict []", "create snapshot_rule a.example.com/live/001 []", "create snapshot_rule a.example.com// []",
		"create callback_rule a.example.com/ []",
	}
	if diff := cmp.Diff(want, plan(t, stillcast.ResourceSet{}, declaration(t, declared), true)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}

func TestPlanOfWhatIsThereIsEmpty(t *testing.T) {
	if got := plan(t, made(declaration(t, declared)), declaration(t, declared), true); got != nil {
		t.Errorf("plan %q, want none", got)
	}
}

// A rule gets another template in one call, so that no stream is without a rule in between.
func TestPlanChangesARuleInOneCall(t *testing.T) {
	changed := strings.NewReplacer("stream: 001, template: all", "stream: 001, template: t", `app: "", template: hooks`, `app: "", template: strict`).Replace(declared)
	changes, err := Plan(made(declaration(t, declared)), declaration(t, changed), true)
	if err != nil || len(changes) != 2 {
		t.Fatalf("changes %v, %v; want two", changes, err)
	}
	for i, want := range []call{
		{action: "StillcastModifySnapshotRule", params: map[string]any{"DomainName": "a.example.com", "AppName": "live", "StreamName": "001"}, kind: kindSnapshotTemplate, template: "t"},
		{action: "StillcastModifyCallbackRule", params: map[string]any{"DomainName": "a.example.com", "AppName": ""}, kind: kindCallbackTemplate, template: "strict"},
	} {
		if diff := cmp.Diff([]call{want}, changes[i].calls, cmp.AllowUnexported(call{})); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	}
}

func TestPlanSaysWhatDiffersButNoKeys(t *testing.T) {
	changed := strings.NewReplacer("0123", "hushhush", "interval: 10s", "interval: 2s, width: 640", "key: k", "key: hushhush",
		"http://a.example.com/", "http://b.example.com/", "stream: 001, template: all", "stream: 001, template: t",
		"{width: 320}, ", "", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_hushhushhushhushhushhushhushhush", "rate_limit: 5", "rate_limit: 6").Replace(declared)
	want := []string{
		"update domain a.example.com [auth.key changed]",
		"update snapshot_template t [interval 10s → 2s, width 0 → 640]",
		"update snapshot_template all [renditions [320x0 160x90] → [160x90]]",
		"update callback_template hooks [key changed, snapshot_url http://a.example.com/ → http://b.example.com/]",
		"update callback_template strict [signing_secret changed, rate_limit 5 → 6]",
		"update snapshot_rule a.example.com/live/001 [template all → t]",
	}
	if diff := cmp.Diff(want, plan(t, made(declaration(t, declared)), declaration(t, changed), false)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}

func TestPruneDeletesRulesBeforeWhatTheyName(t *testing.T) {
	now := made(declaration(t, declared))
	if got := plan(t, now, stillcast.Declaration{}, false); got != nil {
		t.Errorf("without prune: %q", got)
	}
	want := []string{
		"delete snapshot_rule a.example.com/live/001 []", "delete snapshot_rule a.example.com// []", "delete callback_rule a.example.com/ []",
		"delete domain a.example.com []", "delete domain b.example.com []", "delete snapshot_template t []", "delete snapshot_template all []",
		"delete callback_template hooks []", "delete callback_template strict []",
	}
	if diff := cmp.Diff(want, plan(t, now, stillcast.Declaration{}, true)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}

func TestPlanRefusesWhatCannotBe(t *testing.T) {
	now := made(declaration(t, declared))
	rule := stillcast.Declaration{SnapshotRules: []stillcast.DeclaredRule{{Domain: "a.example.com", Template: "t"}}}
	if _, err := Plan(now, rule, false); err != nil {
		t.Errorf("a rule of what is on the server: %v", err)
	}
	for name, test := range map[string]struct {
		want  stillcast.Declaration
		prune bool
	}{
		"resources.snapshot_rules[0].template": {rule, true},
		"resources.callback_rules[0].domain": {stillcast.Declaration{
			CallbackRules: []stillcast.DeclaredRule{{Domain: "c.example.com", Template: "hooks"}},
		}, false},
		"resources.domains[0].auth.delta": {stillcast.Declaration{
			Domains: []stillcast.Domain{{Name: "d", Auth: stillcast.PushAuth{Delta: 1500 * time.Millisecond}}},
		}, false},
	} {
		if _, err := Plan(now, test.want, test.prune); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("error %v, want one about %s", err, name)
		}
	}
}

func TestDocumentsAreConfigurationFiles(t *testing.T) {
	want := declaration(t, declared)
	doc := NewDocument(made(declaration(t, declared)), "")
	for name, write := range map[string]func() ([]byte, error){"yaml": doc.YAML, "json": doc.JSON} {
		text, err := write()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, declaration(t, string(text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%s", name, diff, text)
		}
	}
	one, err := NewDocument(made(want), "callback_rules").YAML()
	if want := "resources:\n  callback_rules:\n    - domain: a.example.com\n      template: hooks\n"; err != nil || string(one) != want {
		t.Errorf("%v, %q, want %q", err, one, want)
	}
}
