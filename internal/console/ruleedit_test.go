package console

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
)

func TestRuleGetsAnotherTemplate(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("admin", r.admin)
	const rule = "rules/snapshot-rule?app=live&domain=push.example.com&stream=a"
	b.wantTo(b.save(rule, "TemplateId", "1"), Path+"rules?done=done.rules")
	of := func() string {
		t, _ := d.Resources().SnapshotTemplate("push.example.com", stillcast.Stream{Domain: "push.example.com", App: "live", Name: "a"})
		return t.Name
	}
	if of() != "wide" {
		t.Errorf("the template is %s", of())
	}
	// Where it fails, the rule of before is there.
	page := b.get(rule)
	a := b.post(rule, append(filled(page.body), "step", "ask", "version", hiddenField(page.body, "version"), "TemplateId", "2")...)
	d.mu.Lock()
	d.fail = errors.New("the disk is full")
	d.mu.Unlock()
	b.want(b.post(rule, append(filled(a.body), "step", "save", "version", hiddenField(a.body, "version"), "seen", hiddenField(a.body, "seen"))...),
		http.StatusInternalServerError, "Something went wrong on the server.")
	if of() != "wide" || len(d.Resources().SnapshotRules()) != 2 {
		t.Errorf("the template is %s, of %v", of(), d.Resources().SnapshotRules())
	}
	const hooks = "rules/callback-rule?app=&domain=push.example.com&stream="
	b.wantTo(b.save(hooks, "TemplateId", "2"), Path+"rules?done=done.rules")
	if got, _ := d.Resources().CallbackTemplate("push.example.com", stillcast.Stream{}); got.Name != "others" {
		t.Errorf("the callback template is %s", got.Name)
	}
}

// TestRuleIsChangedInOneStep: one call, one line in the audit log; and what is refused
// leaves the rule as it was, and the form as it was typed.
func TestRuleIsChangedInOneStep(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("admin", r.admin)
	const rule = "rules/snapshot-rule?app=live&domain=push.example.com&stream=a"
	before := d.Resources().SnapshotRules()
	for _, test := range []struct{ field, value, says string }{
		{"AppName", letters(256), "AppName has 256 bytes; at most 255 are allowed"},
		{"StreamName", letters(256), "StreamName has 256 bytes; at most 255 are allowed"},
		{"TemplateId", "99", "TemplateId: there is no"},
		{"TemplateId", "", "TemplateId is ; allowed is an integer"},
		{"DomainName", "none.example.com", "DomainName: there is no domain"},
	} {
		a := b.save(rule, test.field, test.value)
		if said := saidAt(a.body, test.field); !strings.HasPrefix(said, test.says) {
			t.Errorf("%s=%.20s: the field says %q, want %q", test.field, test.value, said, test.says)
		}
		keepsValues(t, a.body, []string{"", "", test.field, test.value})
	}
	a := b.save(rule, "AppName", "", "StreamName", "", "TemplateId", "1")
	b.want(a, http.StatusConflict, "there is a snapshot rule for domain &#34;push.example.com&#34;, app &#34;&#34; and stream &#34;&#34; already")
	keepsValues(t, a.body, []string{"", "", "AppName", "", "StreamName", "", "TemplateId", "1"})
	if diff := cmp.Diff(before, d.Resources().SnapshotRules()); diff != "" {
		t.Errorf("what was refused changed the rules (-was +is):\n%s", diff)
	}

	logged := len(r.log.String())
	b.wantTo(b.save(rule, "StreamName", "b", "TemplateId", "1"), Path+"rules?done=done.rules")
	log := r.log.String()[logged:]
	if strings.Count(log, "audit=true") != 1 || !strings.Contains(log, "action=StillcastModifySnapshotRule") ||
		!strings.Contains(log, "App:live Stream:a TemplateID:2") || !strings.Contains(log, "App:live Stream:b TemplateID:1") {
		t.Errorf("the change is in the log as\n%s", log)
	}
	if rules := d.Resources().SnapshotRules(); len(rules) != 2 || rules[1].Stream != "b" || rules[1].TemplateID != 1 || !rules[1].Created.Equal(before[1].Created) {
		t.Errorf("after the change there are %+v", rules)
	}
	// It is not there any more under its old name, and nothing is saved where nothing was changed.
	b.want(b.get(rule), http.StatusNotFound)
	logged = len(r.log.String())
	b.wantTo(b.save("rules/snapshot-rule?app=live&domain=push.example.com&stream=b"), Path+"rules?done=done.rules")
	if log := r.log.String()[logged:]; strings.Contains(log, "audit=true") {
		t.Errorf("nothing was changed, but the log has\n%s", log)
	}
}
