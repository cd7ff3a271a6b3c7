package statetest

import (
	"testing"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

func (c suite) snapshotRules(t *testing.T) {
	s := c.open(t)
	addDomain(t, s, editedDomain)
	template := addSnapshotTemplate(t, s, "a")
	addCallbackTemplate(t, s, "a")
	callbackOnly := addCallbackTemplate(t, s, "b") // an id that is none of a snapshot template
	var rules []stillcast.SnapshotRule
	for _, names := range [][2]string{{"", ""}, {"live", ""}, {"", "cam"}, {"live", "cam"}} {
		wanted := stillcast.SnapshotRule{Domain: editedDomain, App: names[0], Stream: names[1], TemplateID: template, Created: start()}
		rule, err := s.AddSnapshotRule(t.Context(), wanted)
		check(t, err)
		recent(t, "creation", rule.Created)
		same(t, "rule", ruleOf(rule, editedDomain, names[0], names[1], template), rule)
		rules = append(rules, rule)
		_, err = s.AddSnapshotRule(t.Context(), wanted)
		refused(t, err, stillcast.CodeConflict, "rule")
	}
	for _, test := range []struct {
		rule  stillcast.SnapshotRule
		code  stillcast.Code
		field string
	}{
		{stillcast.SnapshotRule{Domain: "other.example.com", TemplateID: template}, stillcast.CodeNotFound, "domain"},
		{stillcast.SnapshotRule{TemplateID: template}, stillcast.CodeNotFound, "domain"},
		{stillcast.SnapshotRule{Domain: editedDomain, App: "x", TemplateID: callbackOnly}, stillcast.CodeNotFound, "template"},
		{stillcast.SnapshotRule{Domain: editedDomain, App: "a\nb", TemplateID: template}, stillcast.CodeInvalid, "app"},
		{stillcast.SnapshotRule{Domain: editedDomain, Stream: "a\nb", TemplateID: template}, stillcast.CodeInvalid, "stream"},
	} {
		rule, err := s.AddSnapshotRule(t.Context(), test.rule)
		refused(t, err, test.code, test.field)
		same(t, "refused rule", stillcast.SnapshotRule{}, rule)
	}
	same(t, "rules", rules, resources(t, s).SnapshotRules)

	_, err := s.DeleteSnapshotRule(t.Context(), editedDomain, "live", "other")
	refused(t, err, stillcast.CodeNotFound, "rule")
	deleted, err := s.DeleteSnapshotRule(t.Context(), editedDomain, "live", "")
	check(t, err)
	same(t, "deleted rule", rules[1], deleted)
	same(t, "rules", []stillcast.SnapshotRule{rules[0], rules[2], rules[3]}, resources(t, s).SnapshotRules)
}

func (c suite) callbackRules(t *testing.T) {
	s := c.open(t)
	addDomain(t, s, editedDomain)
	template := addCallbackTemplate(t, s, "a")
	var rules []stillcast.CallbackRule
	for _, app := range []string{"", "live"} {
		wanted := stillcast.CallbackRule{Domain: editedDomain, App: app, TemplateID: template, Created: start()}
		rule, err := s.AddCallbackRule(t.Context(), wanted)
		check(t, err)
		recent(t, "creation", rule.Created)
		wanted.Created, wanted.Updated = rule.Created, rule.Created
		same(t, "rule", wanted, rule)
		rules = append(rules, rule)
		_, err = s.AddCallbackRule(t.Context(), wanted)
		refused(t, err, stillcast.CodeConflict, "rule")
	}
	for _, test := range []struct {
		rule  stillcast.CallbackRule
		code  stillcast.Code
		field string
	}{
		{stillcast.CallbackRule{Domain: "other.example.com", TemplateID: template}, stillcast.CodeNotFound, "domain"},
		{stillcast.CallbackRule{Domain: editedDomain, App: "x", TemplateID: template + 1}, stillcast.CodeNotFound, "template"},
		{stillcast.CallbackRule{Domain: editedDomain, App: "a\nb", TemplateID: template}, stillcast.CodeInvalid, "app"},
	} {
		rule, err := s.AddCallbackRule(t.Context(), test.rule)
		refused(t, err, test.code, test.field)
		same(t, "refused rule", stillcast.CallbackRule{}, rule)
	}
	same(t, "rules", rules, resources(t, s).CallbackRules)

	_, err := s.DeleteCallbackRule(t.Context(), editedDomain, "other")
	refused(t, err, stillcast.CodeNotFound, "rule")
	deleted, err := s.DeleteCallbackRule(t.Context(), editedDomain, "live")
	check(t, err)
	same(t, "deleted rule", rules[1], deleted)
	same(t, "rules", rules[:1], resources(t, s).CallbackRules)
}

// deletedTemplateIsOwed: what is owed to a template that is deleted stays, and
// nobody inherits it.
func (c suite) deletedTemplateIsOwed(t *testing.T) {
	s := c.open(t)
	id := addCallbackTemplate(t, s, "a")
	stored(t, s, newShot("e1", hook(id)), newShot("e2", hook(id)))
	claimed := claim(t, s, hook(id), state.LaneFresh, soon())
	end(t, s, claimed[0], state.OutcomeParked)
	end(t, s, claimed[1], state.OutcomeRetry)
	_, err := s.DeleteCallbackTemplate(t.Context(), id)
	check(t, err)
	if heir := addCallbackTemplate(t, s, "a"); heir == id {
		t.Errorf("another template got the id %d", id)
	}
	list, err := s.Deliveries(t.Context(), state.DeliveryFilter{})
	check(t, err)
	if len(list) != 2 || list[0].State != state.StateParked || list[1].State != state.StatePending {
		t.Errorf("the deliveries are %+v, want a parked and a pending one", list)
	}
	same(t, "events that are claimed", []string{"e2"}, eventIDs(claim(t, s, hook(id), state.LaneRetry, soon())))
}
