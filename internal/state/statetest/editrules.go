package statetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stillcast/stillcast"
)

// editedRules are a domain with two templates of each kind, and two rules of each
// that use the first of them: for everything, and for the app "live".
func editedRules(t *testing.T, s Store) (snapshot, callback [2]int64) {
	t.Helper()
	addDomain(t, s, editedDomain)
	for i, name := range []string{"a", "b"} {
		snapshot[i], callback[i] = addSnapshotTemplate(t, s, name), addCallbackTemplate(t, s, name)
	}
	for _, app := range []string{"", "live"} {
		_, err := s.AddSnapshotRule(t.Context(), stillcast.SnapshotRule{Domain: editedDomain, App: app, TemplateID: snapshot[0]})
		check(t, err)
		_, err = s.AddCallbackRule(t.Context(), stillcast.CallbackRule{Domain: editedDomain, App: app, TemplateID: callback[0]})
		check(t, err)
	}
	return snapshot, callback
}

func (c suite) editSnapshotRule(t *testing.T) {
	s := c.open(t)
	templates, _ := editedRules(t, s)
	addDomain(t, s, "other.example.com")
	rules := resources(t, s).SnapshotRules
	was := rules[1]

	// Another template.
	before, after, err := s.EditSnapshotRule(t.Context(), editedDomain, "live", "", func(r *stillcast.SnapshotRule) error {
		same(t, "the rule that is edited", was, *r)
		r.TemplateID = templates[1]
		r.Created, r.Updated = start(), start() // not for edit to change
		return nil
	})
	check(t, err)
	same(t, "the rule before", was, before)
	recent(t, "change", after.Updated)
	if after.Updated.Before(was.Updated) {
		t.Errorf("it was changed at %s, before it was made at %s", after.Updated, was.Updated)
	}
	was.TemplateID, was.Updated = templates[1], after.Updated
	same(t, "the rule after", was, after)
	same(t, "rules", []stillcast.SnapshotRule{rules[0], was}, resources(t, s).SnapshotRules)

	// Other streams, and another template with it; its place in the list stays.
	before, after, err = s.EditSnapshotRule(t.Context(), editedDomain, "", "", func(r *stillcast.SnapshotRule) error {
		r.Domain, r.App, r.Stream, r.TemplateID = "other.example.com", "房间 '1'", `%2F.. "x"`, templates[1]
		return nil
	})
	check(t, err)
	same(t, "the rule before", rules[0], before)
	moved := stillcast.SnapshotRule{
		Domain: "other.example.com", App: "房间 '1'", Stream: `%2F.. "x"`, TemplateID: templates[1],
		Created: rules[0].Created, Updated: after.Updated,
	}
	same(t, "the rule after", moved, after)
	same(t, "rules", []stillcast.SnapshotRule{moved, was}, resources(t, s).SnapshotRules)

	// Nothing.
	_, after, err = s.EditSnapshotRule(t.Context(), editedDomain, "live", "", func(*stillcast.SnapshotRule) error { return nil })
	check(t, err)
	same(t, "the rule after nothing", was, after)
	same(t, "rules", []stillcast.SnapshotRule{moved, was}, resources(t, s).SnapshotRules)
	// What it was for is free, and the templates know who uses them.
	_, err = s.AddSnapshotRule(t.Context(), stillcast.SnapshotRule{Domain: editedDomain, TemplateID: templates[1]})
	check(t, err)
	_, err = s.DeleteSnapshotTemplate(t.Context(), templates[1])
	refused(t, err, stillcast.CodeConflict, "id")
	_, err = s.DeleteSnapshotTemplate(t.Context(), templates[0])
	check(t, err)
}

func (c suite) editCallbackRule(t *testing.T) {
	s := c.open(t)
	_, templates := editedRules(t, s)
	rules := resources(t, s).CallbackRules
	was := rules[1]
	before, after, err := s.EditCallbackRule(t.Context(), editedDomain, "live", func(r *stillcast.CallbackRule) error {
		same(t, "the rule that is edited", was, *r)
		r.TemplateID = templates[1]
		r.Created, r.Updated = start(), start() // not for edit to change
		return nil
	})
	check(t, err)
	same(t, "the rule before", was, before)
	recent(t, "change", after.Updated)
	was.TemplateID, was.Updated = templates[1], after.Updated
	same(t, "the rule after", was, after)

	_, after, err = s.EditCallbackRule(t.Context(), editedDomain, "live", func(r *stillcast.CallbackRule) error {
		r.App = "房间 '1'"
		return nil
	})
	check(t, err)
	was.App, was.Updated = "房间 '1'", after.Updated
	same(t, "the rule after", was, after)
	_, after, err = s.EditCallbackRule(t.Context(), editedDomain, was.App, func(*stillcast.CallbackRule) error { return nil })
	check(t, err)
	same(t, "the rule after nothing", was, after)
	same(t, "rules", []stillcast.CallbackRule{rules[0], was}, resources(t, s).CallbackRules)
}

// editRuleRefuses: a change that is refused leaves the rule as it was.
func (c suite) editRuleRefuses(t *testing.T) {
	s := c.open(t)
	snapshot, callback := editedRules(t, s)
	callbackOnly := addCallbackTemplate(t, s, "c") // an id that is none of a snapshot template
	set := resources(t, s)
	errEdit := errors.New("changed my mind")
	for _, test := range []struct {
		app         string // of the rule
		name        func(domain, app *string)
		template    func(*int64)
		code        stillcast.Code
		field       string
		errOf       error
		alsoRewrite bool // the edit changed the template, too
	}{
		{app: "other", code: stillcast.CodeNotFound, field: "rule"},
		{app: "live", name: func(_, app *string) { *app = "" }, code: stillcast.CodeConflict, field: "rule", alsoRewrite: true},
		{app: "live", name: func(domain, _ *string) { *domain = "other.example.com" }, code: stillcast.CodeNotFound, field: "domain", alsoRewrite: true},
		{app: "live", name: func(domain, _ *string) { *domain = "" }, code: stillcast.CodeNotFound, field: "domain"},
		{app: "live", name: func(_, app *string) { *app = "a\nb" }, code: stillcast.CodeInvalid, field: "app", alsoRewrite: true},
		{app: "live", name: func(_, app *string) { *app = strings.Repeat("x", stillcast.MaxNamePart+1) }, code: stillcast.CodeInvalid, field: "app"},
		{app: "live", template: func(id *int64) { *id = callbackOnly + 1 }, code: stillcast.CodeNotFound, field: "template"},
		{app: "live", template: func(id *int64) { *id = 0 }, code: stillcast.CodeNotFound, field: "template"},
		{app: "live", alsoRewrite: true, errOf: errEdit},
	} {
		edit := func(domain, app *string, id *int64, other int64) error {
			if test.alsoRewrite {
				*id = other
			}
			if test.name != nil {
				test.name(domain, app)
			}
			if test.template != nil {
				test.template(id)
			}
			return test.errOf
		}
		check := func(err error) {
			t.Helper()
			if test.errOf == nil {
				refused(t, err, test.code, test.field)
			} else if !errors.Is(err, test.errOf) {
				t.Errorf("an edit that failed gave %v, want its error", err)
			}
		}
		before, after, err := s.EditSnapshotRule(t.Context(), editedDomain, test.app, "", func(r *stillcast.SnapshotRule) error {
			return edit(&r.Domain, &r.App, &r.TemplateID, snapshot[1])
		})
		check(err)
		same(t, "rules of an edit that was refused", [2]stillcast.SnapshotRule{}, [2]stillcast.SnapshotRule{before, after})
		hookBefore, hookAfter, err := s.EditCallbackRule(t.Context(), editedDomain, test.app, func(r *stillcast.CallbackRule) error {
			return edit(&r.Domain, &r.App, &r.TemplateID, callback[1])
		})
		check(err)
		same(t, "rules of an edit that was refused", [2]stillcast.CallbackRule{}, [2]stillcast.CallbackRule{hookBefore, hookAfter})
	}
	for _, id := range []int64{callbackOnly, -1} {
		_, _, err := s.EditSnapshotRule(t.Context(), editedDomain, "live", "", func(r *stillcast.SnapshotRule) error {
			r.TemplateID = id
			return nil
		})
		refused(t, err, stillcast.CodeNotFound, "template")
	}
	_, _, err := s.EditSnapshotRule(t.Context(), editedDomain, "live", "", func(r *stillcast.SnapshotRule) error {
		r.Stream = "a\x00b"
		return nil
	})
	refused(t, err, stillcast.CodeInvalid, "stream")
	same(t, "resources", set, resources(t, s))
}

// editRuleIsOneStep: who reads while rules are changed sees each rule once, as it
// was before or as it is after.
func (c suite) editRuleIsOneStep(t *testing.T) {
	s := c.open(t)
	snapshot, callback := editedRules(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		defer cancel()
		const changes = 100
		app := "live"
		for i := range changes {
			next := []string{"live", "moved"}[(i+1)%2]
			if _, _, err := s.EditSnapshotRule(t.Context(), editedDomain, app, "", func(r *stillcast.SnapshotRule) error {
				r.App, r.TemplateID = next, snapshot[(i+1)%2]
				return nil
			}); err != nil {
				t.Error(err)
			}
			if _, _, err := s.EditCallbackRule(t.Context(), editedDomain, app, func(r *stillcast.CallbackRule) error {
				r.App, r.TemplateID = next, callback[(i+1)%2]
				return nil
			}); err != nil {
				t.Error(err)
			}
			app = next
		}
	})
	seen := map[string]bool{}
	for ctx.Err() == nil {
		set := resources(t, s)
		if len(set.SnapshotRules) != 2 || len(set.CallbackRules) != 2 {
			t.Errorf("in a change there are the rules %+v and %+v, want two of each", set.SnapshotRules, set.CallbackRules)
			break
		}
		rule, hooks := set.SnapshotRules[1], set.CallbackRules[1]
		seen[rule.App] = true
		if (rule.App == "moved") != (rule.TemplateID == snapshot[1]) || (hooks.App == "moved") != (hooks.TemplateID == callback[1]) {
			t.Errorf("half of a change is seen: %+v, %+v", rule, hooks)
			break
		}
	}
	group.Wait()
	if !seen["live"] || !seen["moved"] {
		t.Logf("the reader saw only %v", seen)
	}
}
