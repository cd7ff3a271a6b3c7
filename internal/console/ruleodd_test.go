package console

import (
	"html"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stillcast/stillcast"
)

// oddNames are names of apps and streams that somebody's encoder may send.
func oddNames() []string {
	return []string{
		"two words", " x ", "房间 一", "it's", `say "hi"`, "100%", "%2F", "%252F..%2f", ".", "..", "a/b", "a?b", "a&b=c", "a#b", "a+b", "*", `back\slash`,
		"<b>bold</b>", "{{.}}", "$HOME `id`", "-x", "🎥", strings.Repeat("x", stillcast.MaxNamePart), strings.Repeat("直", stillcast.MaxNamePart/3),
	}
}

// hrefs are the links of a page that begin with a prefix, as a browser follows them.
func hrefs(page, prefix string) (all []string) {
	for part := range strings.SplitSeq(page, ` href="`) {
		href, _, _ := strings.Cut(part, `"`)
		if href = html.UnescapeString(href); strings.HasPrefix(href, prefix) {
			all = append(all, strings.TrimPrefix(href, Path))
		}
	}
	return all
}

// TestRulesForOddNames makes, opens by its link, changes, moves and deletes a rule for
// each odd name, by the forms alone.
func TestRulesForOddNames(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("admin", r.admin)
	d.live = nil // nothing is to be confirmed
	byLink := func(kind string) string {
		t.Helper()
		for _, link := range hrefs(b.get("rules").body, Path+"rules/"+kind+"?") {
			if strings.Contains(link, "domain=%2A") {
				return link
			}
		}
		t.Fatalf("no link leads to the %s", kind)
		return ""
	}
	for i, name := range oddNames() {
		other := oddNames()[(i+1)%len(oddNames())]
		b.wantTo(b.post("rules/snapshot-rule", "step", "save", "DomainName", "*", "AppName", name, "StreamName", other, "TemplateId", "1"), Path+"rules?done=done.rules")
		b.wantTo(b.post("rules/callback-rule", "step", "save", "DomainName", "*", "AppName", name, "TemplateId", "1"), Path+"rules?done=done.rules")
		snapshot, callback := byLink("snapshot-rule"), byLink("callback-rule")
		page := b.get(snapshot)
		keepsValues(t, page.body, []string{"", "", "DomainName", "*", "AppName", name, "StreamName", other, "TemplateId", "1"})
		if !strings.Contains(html.UnescapeString(page.body), ">*/"+name+"/"+other+"</span>") {
			t.Errorf("the page of %q/%q is headed otherwise", name, other)
		}
		keepsValues(t, b.get(callback).body, []string{"", "", "DomainName", "*", "AppName", name, "TemplateId", "1"})

		b.wantTo(b.save(snapshot, "TemplateId", "2"), Path+"rules?done=done.rules")
		b.wantTo(b.save(snapshot, "AppName", other, "StreamName", name), Path+"rules?done=done.rules")
		b.wantTo(b.save(callback, "AppName", other, "TemplateId", "2"), Path+"rules?done=done.rules")
		rules, hooks := d.Resources().SnapshotRules(), d.Resources().CallbackRules()
		rule, hook := rules[len(rules)-1], hooks[len(hooks)-1]
		if len(rules) != 3 || rule.App != other || rule.Stream != name || rule.TemplateID != 2 || len(hooks) != 2 || hook.App != other || hook.TemplateID != 2 {
			t.Fatalf("%q: after the changes there are %+v and %+v", name, rules, hooks)
		}
		for _, kind := range []string{"snapshot-rule", "callback-rule"} {
			ask := hrefs(b.get(byLink(kind)).body, Path+"rules/"+kind+"/delete?")
			if len(ask) != 1 {
				t.Fatalf("%q: links to delete it: %q", name, ask)
			}
			page := b.get(ask[0])
			_, action, _ := strings.Cut(page.body, `<form method="post" action="`+Path+"rules/")
			action, _, _ = strings.Cut(action, `" class="sheet"`)
			b.wantTo(b.post("rules/"+html.UnescapeString(action), "version", hiddenField(page.body, "version")), Path+"rules?done=done.rules_deleted")
		}
	}
}

// TestTesterOfOddNames has the tester read what the generator made for odd names.
func TestTesterOfOddNames(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("admin", r.admin)
	for i, name := range oddNames() {
		if strings.ContainsAny(name, "?/") || strings.TrimSpace(name) != name {
			continue // no push URL holds them
		}
		app := oddNames()[(i+3)%len(oddNames())]
		if strings.Contains(app, "?") || strings.TrimSpace(app) != app {
			app = "live"
		}
		rule, err := d.AddSnapshotRule(t.Context(), stillcast.SnapshotRule{Domain: "push.example.com", App: app, Stream: name, TemplateID: 2})
		if err != nil {
			t.Fatal(err)
		}
		page := b.post("rules/push-url", "domain", "push.example.com", "app", app, "stream", name, "count", "1", "unit", "hours")
		b.want(page, http.StatusOK)
		a := b.post("rules/tester", "url", made(page.body, "made-url"), "size", "1280x720")
		b.want(a, http.StatusOK, "The push is accepted.")
		if !strings.Contains(html.UnescapeString(a.body), `<dd class="mono">push.example.com/`+app+"/"+name+"</dd>") {
			t.Errorf("%q and %q: the tester takes it for another stream\n%s", app, name, a.body)
		}
		links := hrefs(a.body, Path+"rules/snapshot-rule?")
		if len(links) == 0 {
			t.Fatalf("%q: the tester names no rule", name)
		}
		keepsValues(t, b.get(links[0]).body, []string{"", "", "AppName", app, "StreamName", name})
		if _, err := d.DeleteSnapshotRule(t.Context(), rule.Domain, rule.App, rule.Stream); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTemplatesWithOddNames: what the API lets templates be called has links that lead
// to them, and stands in lists to choose from as it is.
func TestTemplatesWithOddNames(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("admin", r.admin)
	d.live = nil
	for i, name := range []string{"模板", "_", "-", strings.Repeat("模", 85)} {
		b.wantTo(b.post("rules/snapshot-template", "step", "save", "TemplateName", name), Path+"rules?done=done.rules")
		b.wantTo(b.post("rules/callback-template", "step", "save", "TemplateName", name, "SnapshotNotifyUrl", "http://example.com/"), Path+"rules?done=done.rules")
		id := strconv.Itoa(i + 3)
		for _, kind := range []string{"snapshot", "callback"} {
			b.want(b.get("rules/"+kind+"-template?id="+id), http.StatusOK, `value="`+name+`"`)
			b.want(b.get("rules/"+kind+"-rule"), http.StatusOK, ">"+name+"</option>")
		}
	}
	// Those that a configuration file declares may hold more.
	const odd = `it's "wide" <b>&amp; %2F`
	if _, _, err := d.EditSnapshotTemplate(t.Context(), 0, func(s *stillcast.SnapshotTemplate) error { s.Name = odd; return nil }); err != nil {
		t.Fatal(err)
	}
	b.want(b.get("rules/snapshot-rule"), http.StatusOK, ">"+html.EscapeString(odd)+"</option>")
	b.want(b.get("rules"), http.StatusOK, ">"+html.EscapeString(odd)+"</a>")
}
