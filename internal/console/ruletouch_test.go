package console

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stillcast/stillcast"
)

// touchedBy reads from a page which live streams a change touches, and how many it
// says there are.
func touchedBy(t *testing.T, page string) (streams []string, said string) {
	t.Helper()
	_, section, ok := strings.Cut(page, `id="touched"`)
	if !ok {
		t.Fatalf("the page does not say what is touched:\n%s", page)
	}
	section, _, _ = strings.Cut(section, "</section>")
	_, said, _ = strings.Cut(section, `<p role="status">`)
	said, _, _ = strings.Cut(said, "</p>")
	for part := range strings.SplitSeq(section, `class="mono">`) {
		if name, _, ok := strings.Cut(part, "</td>"); ok && strings.Contains(name, "/live/") {
			streams = append(streams, html.UnescapeString(name))
		}
	}
	return streams, html.UnescapeString(said)
}

// ask sends a form as it is with fields changed, and asks what that would touch.
func (b *browser) ask(path string, fields ...string) answered {
	b.t.Helper()
	page := b.get(path)
	return b.post(path, slices.Concat(filled(page.body), []string{"step", "ask", "version", hiddenField(page.body, "version")}, fields)...)
}

// TestWhatEachChangeTouches asks what is touched by making, changing and deleting each
// kind of resource, where live are push.example.com/live/a and b, and c of the domain *.
func TestWhatEachChangeTouches(t *testing.T) {
	const (
		a, b2, c  = "push.example.com/live/a", "push.example.com/live/b", "other.example.com/live/c"
		ruleOfAll = "rules/snapshot-rule?app=&domain=push.example.com&stream="
		ruleOfA   = "rules/snapshot-rule?app=live&domain=push.example.com&stream=a"
		hooks     = "rules/callback-rule?app=&domain=push.example.com&stream="
	)
	for name, test := range map[string]struct {
		path   string
		fields []string // nil for a path that deletes
		want   []string
		says   []string
	}{
		"make a domain": {"rules/domain", []string{"DomainName", "other.example.com", "Enable", "1"}, nil, nil},
		"keys of a domain": {
			"rules/domain?name=push.example.com", []string{"MasterAuthKey", "another-key", "AuthDelta", "9", "clear.BackupAuthKey", "1"}, nil, nil,
		},
		"disable a domain":  {"rules/domain?name=push.example.com", []string{"Disabled", "1"}, []string{a, b2}, []string{"<td>ends</td>"}},
		"disable all":       {"rules/domain?name=*", []string{"Disabled", "1"}, []string{c}, []string{"<td>ends</td>"}},
		"delete a domain":   {"rules/domain/delete?name=*", nil, []string{c}, []string{"<td>ends</td>"}},
		"make a template":   {"rules/snapshot-template", []string{"TemplateName", "new", "SnapshotInterval", "5"}, nil, nil},
		"name a template":   {"rules/snapshot-template?id=1", []string{"TemplateName", "new", "Description", "x", "PornFlag", "1"}, nil, nil},
		"change a template": {"rules/snapshot-template?id=1", []string{"Width", "320"}, []string{b2}, []string{"<td>320</td>"}},
		"change the other":  {"rules/snapshot-template?id=2", []string{"Width", "320"}, []string{a}, []string{"<td>320</td>"}},
		"make a rule": {
			"rules/snapshot-rule",
			[]string{"DomainName", "push.example.com", "AppName", "live", "TemplateId", "2"},
			[]string{b2},
			[]string{"<td>wide</td><td>fast</td>"},
		},
		"make a rule that loses": {"rules/snapshot-rule", []string{"DomainName", "push.example.com", "AppName", "", "StreamName", "a", "TemplateId", "1"}, nil, nil},
		"make the first rule": {
			"rules/snapshot-rule", []string{"DomainName", "*", "AppName", "", "TemplateId", "1"}, []string{c}, []string{"<td>not captured</td><td>wide</td>"},
		},
		"change a rule":    {ruleOfAll, []string{"TemplateId", "2"}, []string{b2}, []string{"<td>wide</td><td>fast</td>", "<td>10</td><td>2</td>"}},
		"move a rule away": {ruleOfAll, []string{"DomainName", "*"}, []string{b2, c}, []string{"<td>wide</td><td>not captured</td>", "<td>not captured</td><td>wide</td>"}},
		"move a rule to b": {ruleOfA, []string{"StreamName", "b"}, []string{a, b2}, []string{"<td>fast</td><td>wide</td>", "<td>wide</td><td>fast</td>"}},
		"delete a rule": {
			"rules/snapshot-rule/delete?app=live&domain=push.example.com&stream=a", nil, []string{a}, []string{"<td>fast</td><td>wide</td>"},
		},
		"make a callback template": {"rules/callback-template", []string{"TemplateName", "new", "SnapshotNotifyUrl", "http://example.com/"}, nil, nil},
		"change a callback template": {
			"rules/callback-template?id=1", []string{"SnapshotNotifyUrl", "http://example.com/new"}, []string{a, b2}, []string{"<td>http://example.com/new</td>"},
		},
		"change one that none uses": {"rules/callback-template?id=2", []string{"StreamEndNotifyUrl", "http://example.com/new"}, nil, nil},
		"make a callback rule": {
			"rules/callback-rule", []string{"DomainName", "*", "AppName", "live", "TemplateId", "2"}, []string{c}, []string{"<td>no events</td><td>others</td>"},
		},
		"change a callback rule": {hooks, []string{"TemplateId", "2"}, []string{a, b2}, []string{"<td>hooks</td><td>others</td>"}},
		"delete a callback rule": {
			"rules/callback-rule/delete?app=&domain=push.example.com&stream=", nil, []string{a, b2}, []string{"<td>hooks</td><td>no events</td>"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, d := ruleRig(t)
			b := r.as("admin", r.admin)
			before := fmt.Sprintf("%+v", d.Resources().Set())
			page := answered{}
			if test.fields == nil {
				page = b.get(test.path)
			} else {
				page = b.ask(test.path, test.fields...)
			}
			b.want(page, http.StatusOK, test.says...)
			streams, said := touchedBy(t, page.body)
			want := slices.Sorted(slices.Values(test.want))
			if !slices.Equal(streams, want) {
				t.Errorf("touched are %q, want %q", streams, want)
			}
			if len(want) > 0 && !strings.HasSuffix(said, fmt.Sprintf(": %d", len(want))) || len(want) == 0 && said != "No live stream is touched." {
				t.Errorf("it says %q of %d", said, len(want))
			}
			if after := fmt.Sprintf("%+v", d.Resources().Set()); after != before {
				t.Errorf("asking changed\n%s\nto\n%s", before, after)
			}
		})
	}
}

// TestWhatCannotBeDoneTouchesNothing: who asks for what the store would refuse is told
// that at once.
func TestWhatCannotBeDoneTouchesNothing(t *testing.T) {
	r, _ := ruleRig(t)
	b := r.as("admin", r.admin)
	for _, test := range []struct {
		path   string
		fields []string
		status int
		says   string
	}{
		{"rules/snapshot-rule", []string{"DomainName", "push.example.com", "TemplateId", "2"}, http.StatusConflict, `there is a snapshot rule for domain "push.example.com", app "" and stream "" already`},
		{"rules/callback-rule", []string{"DomainName", "push.example.com", "TemplateId", "2"}, http.StatusConflict, `there is a callback rule for domain "push.example.com" and app "" already`},
		{"rules/snapshot-rule?app=live&domain=push.example.com&stream=a", []string{"AppName", "", "StreamName", ""}, http.StatusConflict, "there is a snapshot rule for domain"},
		{"rules/snapshot-template?id=1", []string{"TemplateName", "fast"}, http.StatusConflict, `"fast" is the name of snapshot template 2; names must differ`},
		{"rules/callback-template", []string{"TemplateName", "hooks", "SnapshotNotifyUrl", "http://example.com/"}, http.StatusConflict, `"hooks" is the name of callback template 1; names must differ`},
		{"rules/domain/delete?name=push.example.com", nil, http.StatusOK, "has 2 snapshot rules and 1 callback rules; delete them first"},
		{"rules/snapshot-template/delete?id=1", nil, http.StatusOK, `snapshot template "wide" is used by 1 snapshot rules; delete them first`},
		{"rules/callback-template/delete?id=1", nil, http.StatusOK, `callback template "hooks" is used by 1 callback rules; delete them first`},
	} {
		page := answered{}
		if test.fields == nil {
			page = b.get(test.path)
		} else {
			page = b.ask(test.path, test.fields...)
		}
		b.want(page, test.status, html.EscapeString(test.says))
		if strings.Contains(page.body, `id="touched"`) {
			t.Errorf("%s: it says what is touched by what cannot be done", test.path)
		}
	}
}

// TestTemplateOfSeveralRulesTouchesAllTheirStreams, those of tasks too, and no others;
// of many the first are shown, with how many there are.
func TestTemplateOfSeveralRulesTouchesAllTheirStreams(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("admin", r.admin)
	stream := func(app string, i int) stillcast.Stream {
		return stillcast.Stream{Domain: "push.example.com", App: app, Name: fmt.Sprintf("s%03d", i)}
	}
	d.live = nil
	for i := range 500 {
		for _, app := range []string{"live", "other"} {
			d.live = append(d.live, stillcast.Push{ID: fmt.Sprint(app, i), Domain: "push.example.com", Stream: stream(app, i)})
		}
	}
	for _, rule := range []stillcast.SnapshotRule{
		{Domain: "push.example.com", App: "live", TemplateID: 2}, {Domain: "push.example.com", App: "other", Stream: "s007", TemplateID: 2},
	} {
		if _, err := d.AddSnapshotRule(t.Context(), rule); err != nil {
			t.Fatal(err)
		}
	}
	d.tasks = []stillcast.Task{{ID: "17", Stream: stream("other", 8), TemplateID: 2}, {ID: "18", Stream: stream("other", 9), TemplateID: 1}}
	page := b.ask("rules/snapshot-template?id=2", "Width", "320")
	b.want(page, http.StatusOK, "The first 100 are shown.")
	streams, said := touchedBy(t, page.body)
	if len(streams) != 100 || streams[0] != "push.example.com/live/s000" || streams[99] != "push.example.com/live/s099" || !strings.HasSuffix(said, ": 502") {
		t.Errorf("%d streams, from %q; it says %q", len(streams), streams[:min(1, len(streams))], said)
	}
	// The others: those of the rule for one stream, and of the task.
	d.live = slices.DeleteFunc(d.live, func(p stillcast.Push) bool { return p.Stream.App == "live" })
	b.want(b.ask("rules/snapshot-template?id=2", "Width", "320"), http.StatusOK, "at once: 2",
		"push.example.com/other/s007", "push.example.com/other/s008", "<td>Task 17: ")
	// A template that only a task uses may be deleted.
	if _, _, err := d.EditSnapshotTemplate(t.Context(), 0, func(s *stillcast.SnapshotTemplate) error { s.Name = "tasks"; return nil }); err != nil {
		t.Fatal(err)
	}
	d.tasks[0].TemplateID = 3
	b.want(b.get("rules/snapshot-template/delete?id=3"), http.StatusOK, "at once: 1", "push.example.com/other/s008", "<td>tasks</td><td>not captured</td>")
}
