package console

import (
	"slices"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// What a stage refuses is what the store refuses, in its words, so that nobody is
// shown what a change would touch that cannot be made.

func isSnapshotRule(domain, app, stream string) func(stillcast.SnapshotRule) bool {
	return func(r stillcast.SnapshotRule) bool { return r.Domain == domain && r.App == app && r.Stream == stream }
}

func isCallbackRule(domain, app string) func(stillcast.CallbackRule) bool {
	return func(r stillcast.CallbackRule) bool { return r.Domain == domain && r.App == app }
}

// snapshotRuleFits reports what a rule names that there is not, or that another one
// than the one in the place own, -1 for a new rule, is for the same streams.
func (s *stage) snapshotRuleFits(rule stillcast.SnapshotRule, own int) error {
	if err := s.hasDomain(rule.Domain); err != nil {
		return err
	}
	if !slices.ContainsFunc(s.set.SnapshotTemplates, func(t stillcast.SnapshotTemplate) bool { return t.ID == rule.TemplateID }) {
		return state.NoTemplate("template", state.SnapshotKind, rule.TemplateID)
	}
	if i := slices.IndexFunc(s.set.SnapshotRules, isSnapshotRule(rule.Domain, rule.App, rule.Stream)); i >= 0 && i != own {
		return state.SnapshotRuleExists(rule)
	}
	return nil
}

// callbackRuleFits is snapshotRuleFits for a callback rule.
func (s *stage) callbackRuleFits(rule stillcast.CallbackRule, own int) error {
	if err := s.hasDomain(rule.Domain); err != nil {
		return err
	}
	if !slices.ContainsFunc(s.set.CallbackTemplates, func(t stillcast.CallbackTemplate) bool { return t.ID == rule.TemplateID }) {
		return state.NoTemplate("template", state.CallbackKind, rule.TemplateID)
	}
	if i := slices.IndexFunc(s.set.CallbackRules, isCallbackRule(rule.Domain, rule.App)); i >= 0 && i != own {
		return state.CallbackRuleExists(rule)
	}
	return nil
}

func (s *stage) hasDomain(name string) error {
	if slices.ContainsFunc(s.set.Domains, func(d stillcast.Domain) bool { return d.Name == name }) {
		return nil
	}
	return state.NoDomain("domain", name)
}

// templateUnused reports rules that use a template. Uses says so of each rule.
func templateUnused[R any](kind state.TemplateKind, name string, rules []R, uses func(R) bool) error {
	if n := count(rules, uses); n > 0 {
		return state.TemplateUsed(kind, name, n)
	}
	return nil
}

// domainUnused reports rules that name a domain.
func (s *stage) domainUnused(name string) error {
	snapshot := count(s.set.SnapshotRules, func(r stillcast.SnapshotRule) bool { return r.Domain == name })
	callback := count(s.set.CallbackRules, func(r stillcast.CallbackRule) bool { return r.Domain == name })
	if snapshot+callback > 0 {
		return state.DomainUsed(name, snapshot, callback)
	}
	return nil
}

func count[T any](list []T, is func(T) bool) (n int) {
	for _, one := range list {
		if is(one) {
			n++
		}
	}
	return n
}

// nameIsFree reports another template, of those that have the same name.
func nameIsFree[T any](kind state.TemplateKind, list []T, of func(T) (int64, string), id int64, name string) error {
	for _, other := range list {
		if otherID, otherName := of(other); otherName == name && otherID != id {
			return state.TemplateNameTaken(kind, name, otherID)
		}
	}
	return nil
}
