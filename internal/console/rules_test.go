package console

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/state/sqlite"
)

// desk is the server behind the pages of rules: a real state and a real gate, with
// the live pushes that a test says there are.
type desk struct {
	api.Control // nil: what else there is is not called

	t     *testing.T
	store *sqlite.Store
	gate  *ingest.Gate

	mu      sync.Mutex
	live    []stillcast.Push
	dropped []string
	tasks   []stillcast.Task // in force
	fail    error            // of the next rule that is changed
}

func newDesk(t *testing.T, o *Options) *desk {
	t.Helper()
	d := &desk{t: t, store: o.Accounts.(*sqlite.Store)}
	d.gate = ingest.NewGate(ingest.GateOptions{
		Resources: d.Resources, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	t.Cleanup(func() {
		if err := d.gate.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	o.Rules = d
	return d
}

// ruleRig is a console with some resources and a live push of each of three streams.
func ruleRig(t *testing.T) (*rig, *desk) {
	t.Helper()
	var d *desk
	r := newRig(t, func(o *Options) { d = newDesk(t, o) })
	_, err := r.store.ApplyDeclaration(t.Context(), stillcast.Declaration{
		Domains: []stillcast.Domain{
			{Name: "push.example.com", Auth: stillcast.PushAuth{Key: "master-key", BackupKey: "backup-key", Delta: time.Minute}},
			{Name: "*", Auth: stillcast.PushAuth{Disabled: true}},
		},
		SnapshotTemplates: []stillcast.SnapshotTemplate{{Name: "wide", Interval: 10 * time.Second}, {Name: "fast", Interval: 2 * time.Second}},
		CallbackTemplates: []stillcast.CallbackTemplate{
			{Name: "hooks", SnapshotURL: "http://example.com/hook?token=hush", Key: "sign-key"},
			{Name: "others", StreamEndURL: "http://example.com/end"},
		},
		SnapshotRules: []stillcast.DeclaredRule{{Domain: "push.example.com", Template: "wide"}, {Domain: "push.example.com", App: "live", Stream: "a", Template: "fast"}},
		CallbackRules: []stillcast.DeclaredRule{{Domain: "push.example.com", Template: "hooks"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		d.live = append(d.live, stillcast.Push{ID: name, Domain: "push.example.com", Stream: stillcast.Stream{Domain: "push.example.com", App: "live", Name: name}})
	}
	d.live = append(d.live, stillcast.Push{ID: "c", Domain: "*", Stream: stillcast.Stream{Domain: "other.example.com", App: "live", Name: "c"}})
	return r, d
}

func (d *desk) Resources() *stillcast.Resources {
	set, err := d.store.Resources(context.Background())
	if err != nil {
		d.t.Error(err)
	}
	return stillcast.NewResources(set)
}

func (d *desk) Live() []stillcast.Push {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.live)
}

func (d *desk) DropDomain(name string, _ stillcast.PushEnd) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dropped = append(d.dropped, name)
	return 0
}

func (d *desk) EditDomain(ctx context.Context, name string, create bool, edit func(*stillcast.Domain) error) (before, after stillcast.Domain, err error) {
	return d.store.EditDomain(ctx, name, create, api.MaxDomains, edit)
}

func (d *desk) DeleteDomain(ctx context.Context, name string) (stillcast.Domain, error) {
	return d.store.DeleteDomain(ctx, name)
}

func (d *desk) EditSnapshotTemplate(ctx context.Context, id int64, edit func(*stillcast.SnapshotTemplate) error) (before, after stillcast.SnapshotTemplate, err error) {
	return d.store.EditSnapshotTemplate(ctx, id, api.MaxTemplates, edit)
}

func (d *desk) DeleteSnapshotTemplate(ctx context.Context, id int64) (stillcast.SnapshotTemplate, error) {
	return d.store.DeleteSnapshotTemplate(ctx, id)
}

func (d *desk) AddSnapshotRule(ctx context.Context, rule stillcast.SnapshotRule) (stillcast.SnapshotRule, error) {
	return d.store.AddSnapshotRule(ctx, rule)
}

func (d *desk) EditSnapshotRule(
	ctx context.Context, domain, app, stream string, edit func(*stillcast.SnapshotRule) error,
) (before, after stillcast.SnapshotRule, err error) {
	d.mu.Lock()
	err, d.fail = d.fail, nil
	d.mu.Unlock()
	if err != nil {
		return before, after, err
	}
	return d.store.EditSnapshotRule(ctx, domain, app, stream, edit)
}

func (d *desk) EditCallbackRule(
	ctx context.Context, domain, app string, edit func(*stillcast.CallbackRule) error,
) (before, after stillcast.CallbackRule, err error) {
	return d.store.EditCallbackRule(ctx, domain, app, edit)
}

func (d *desk) DeleteSnapshotRule(ctx context.Context, domain, app, stream string) (stillcast.SnapshotRule, error) {
	return d.store.DeleteSnapshotRule(ctx, domain, app, stream)
}

func (d *desk) EditCallbackTemplate(ctx context.Context, id int64, edit func(*stillcast.CallbackTemplate) error) (before, after stillcast.CallbackTemplate, err error) {
	return d.store.EditCallbackTemplate(ctx, id, api.MaxTemplates, edit)
}

func (d *desk) DeleteCallbackTemplate(ctx context.Context, id int64) (stillcast.CallbackTemplate, error) {
	return d.store.DeleteCallbackTemplate(ctx, id)
}

func (d *desk) AddCallbackRule(ctx context.Context, rule stillcast.CallbackRule) (stillcast.CallbackRule, error) {
	return d.store.AddCallbackRule(ctx, rule)
}

func (d *desk) DeleteCallbackRule(ctx context.Context, domain, app string) (stillcast.CallbackRule, error) {
	return d.store.DeleteCallbackRule(ctx, domain, app)
}

func (d *desk) CheckMirror(name string) error {
	if name == "" || name == "second" {
		return nil
	}
	return stillcast.Errorf(stillcast.CodeInvalid, "mirror", "is %q; allowed are second", name)
}

func (d *desk) TasksOf(p stillcast.Push) (all []stillcast.Task) {
	for _, task := range d.tasks {
		if task.Stream == p.Stream {
			all = append(all, task)
		}
	}
	return all
}

func (d *desk) Node() string { return "127.0.0.1:1936" }

func (d *desk) Ask(u ingest.PushURL, now time.Time) (stillcast.Domain, *ingest.Refusal) {
	return d.gate.Ask(u, now)
}

func (d *desk) SampleShot(stillcast.Push, time.Time, stillcast.Size) (shot stillcast.Shot, url string, err error) {
	return stillcast.Shot{Key: "2026-11-26/a.jpg", Bucket: "pictures-1"}, "http://example.com/a.jpg?sign=x", nil
}

func (d *desk) SampleRequest(p stillcast.Push, _ stillcast.EventType, _ stillcast.Shot, _ time.Time) (SampleRequest, error) {
	return SampleRequest{
		URL: "http://example.com/hook?token=hush", Header: http.Header{"Webhook-Signature": {"v1,secret"}, "Content-Type": {"application/json"}},
		Body: []byte(`{"sign":"5ec7e7","stream_param":"` + p.Param + `"}`), Sign: "5ec7e7",
	}, nil
}

// hidden returns the value of a hidden field of a page.
func hiddenField(page, name string) string {
	_, rest, _ := strings.Cut(page, `<input type="hidden" name="`+name+`" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// save opens the form at a path, fills in fields, given as name and value by turns,
// and saves it, whatever it touches.
func (b *browser) save(path string, fields ...string) answered {
	b.t.Helper()
	page := b.get(path)
	return b.saveFrom(page, path, fields...)
}

func (b *browser) saveFrom(page answered, path string, fields ...string) answered {
	b.t.Helper()
	all := append(filled(page.body), "step", "save", "version", hiddenField(page.body, "version"))
	all = append(all, fields...)
	a := b.post(path, all...)
	if a.status == http.StatusOK && strings.Contains(a.body, `id="touched"`) {
		a = b.post(path, append(all, "seen", hiddenField(a.body, "seen"))...)
	}
	return a
}

func TestPagesOfRulesInBothLanguages(t *testing.T) {
	r, _ := ruleRig(t)
	admin, viewer := r.as("admin", r.admin), r.as("viewer", r.viewer)
	for _, language := range []string{"en", "zh-CN"} {
		admin.header.Set("Accept-Language", language)
		viewer.header.Set("Accept-Language", language)
		for path, viewers := range map[string]bool{
			"rules": true, "rules/domain": false, "rules/domain?name=push.example.com": true, "rules/domain?name=*": true,
			"rules/snapshot-template": false, "rules/snapshot-template?id=1": true, "rules/callback-template": false, "rules/callback-template?id=1": true,
			"rules/snapshot-rule": false, "rules/snapshot-rule?app=&domain=push.example.com&stream=": true,
			"rules/callback-rule": false, "rules/callback-rule?app=&domain=push.example.com&stream=": true,
			"rules/domain/delete?name=push.example.com": false, "rules/callback-rule/delete?app=&domain=push.example.com&stream=": false,
			"rules/tester": true, "rules/push-url": false,
		} {
			status := http.StatusForbidden
			if viewers {
				status = http.StatusOK
			}
			admin.want(admin.get(path), http.StatusOK, `<html lang="`+language+`"`)
			viewer.want(viewer.get(path), status)
		}
		admin.want(admin.get("rules/domain?name=none"), http.StatusNotFound)
		admin.want(admin.get("rules/nothing"), http.StatusNotFound)
	}
}

func TestWordsOfFields(t *testing.T) {
	r, d := ruleRig(t)
	for _, w := range r.pages.languages {
		v := &view{Console: r.Console, words: w}
		for _, k := range kinds(d.Resources()) {
			for _, f := range k.fields {
				if _, ok := w.texts["rules.f."+f.Name]; !ok {
					t.Errorf("%s: the field %s of %s has no label", w.tag, f.Name, k.name)
				}
				for _, c := range v.choicesOf(f) {
					if c.Label == "" {
						t.Errorf("%s: the choice %q of %s has no label", w.tag, c.Value, f.Name)
					}
				}
				if _, ok := k.param(f.Name); !ok && f.Name != domainOff {
					t.Errorf("%s: the API has no parameter %s", k.name, f.Name)
				}
			}
		}
	}
}

// filled are the names and values of the fields of a form, as a browser sends them.
func filled(page string) (fields []string) {
	_, form, _ := strings.Cut(page, `id="rule">`)
	form, _, _ = strings.Cut(form, "</form>")
	for tag := range strings.SplitSeq(form, "<") {
		switch {
		case strings.HasPrefix(tag, "input") && strings.Contains(tag, `type="checkbox"`):
			if strings.Contains(tag, " checked") && !strings.Contains(tag, " disabled") {
				fields = append(fields, attribute(tag, "name"), "1")
			}
		case strings.HasPrefix(tag, "input") && !strings.Contains(tag, `type="hidden"`):
			fields = append(fields, attribute(tag, "name"), attribute(tag, "value"))
		case strings.HasPrefix(tag, "select"):
			fields = append(fields, attribute(tag, "name"), "")
		case strings.HasPrefix(tag, "option") && strings.Contains(tag, " selected"):
			fields[len(fields)-1] = attribute(tag, "value")
		}
	}
	return fields
}

func attribute(tag, name string) string {
	_, rest, _ := strings.Cut(tag, " "+name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return unescape(value)
}

func unescape(text string) string {
	return strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&#43;", "+", "&amp;", "&").Replace(text)
}
