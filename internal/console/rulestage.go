package console

import (
	"context"
	"slices"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
	"github.com/stillcast/stillcast/internal/state"
)

// stage is a [api.Control] on which changes are tried: it changes a copy of the
// resources and nothing else, and refuses what the store would refuse. How many of a
// kind there may be is not found out here but when the change is made.
type stage struct {
	api.Control // nil: what changes resources calls no more than is here

	set    stillcast.ResourceSet
	mirror func(string) error // as [rules.CheckMirror]
}

func newStage(now *stillcast.Resources, mirror func(string) error) *stage {
	set := now.Set()
	return &stage{mirror: mirror, set: stillcast.ResourceSet{
		Domains:           slices.Clone(set.Domains),
		SnapshotTemplates: slices.Clone(set.SnapshotTemplates), SnapshotRules: slices.Clone(set.SnapshotRules),
		CallbackTemplates: slices.Clone(set.CallbackTemplates), CallbackRules: slices.Clone(set.CallbackRules),
	}}
}

// Resources implements [api.Control].
func (s *stage) Resources() *stillcast.Resources {
	copied := newStage(stillcast.NewResources(s.set), s.mirror)
	return stillcast.NewResources(copied.set)
}

// DropDomain implements [api.Control].
func (s *stage) DropDomain(string, stillcast.PushEnd) int { return 0 }

// EditDomain implements [api.Control].
func (s *stage) EditDomain(
	_ context.Context, name string, create bool, edit func(*stillcast.Domain) error,
) (before, after stillcast.Domain, err error) {
	i := slices.IndexFunc(s.set.Domains, func(d stillcast.Domain) bool { return d.Name == name })
	switch {
	case create && i >= 0:
		return before, after, state.DomainExists(name)
	case !create && i < 0:
		return before, after, state.NoDomain("name", name)
	case i >= 0:
		before = s.set.Domains[i]
	}
	after = before
	after.Name = name
	if err := edit(&after); err != nil {
		return before, after, err
	}
	if err := after.Validate(); err != nil {
		return before, after, err
	}
	s.set.Domains = put(s.set.Domains, i, after)
	return before, after, nil
}

// put replaces the element i of a list, or where that is -1 adds one.
func put[T any](list []T, i int, value T) []T {
	if i < 0 {
		return append(list, value)
	}
	list[i] = value
	return list
}

// cutOut removes the element of a list that is asked for.
func cutOut[T any](list *[]T, is func(T) bool, none func() error) (T, error) {
	i := slices.IndexFunc(*list, is)
	if i < 0 {
		var zero T
		return zero, none()
	}
	found := (*list)[i]
	*list = slices.Delete(*list, i, i+1)
	return found, nil
}

// DeleteDomain implements [api.Control].
func (s *stage) DeleteDomain(_ context.Context, name string) (stillcast.Domain, error) {
	if err := s.domainUnused(name); err != nil {
		return stillcast.Domain{}, err
	}
	return cutOut(&s.set.Domains, func(d stillcast.Domain) bool { return d.Name == name }, func() error {
		return state.NoDomain("name", name)
	})
}

// EditSnapshotTemplate implements [api.Control].
func (s *stage) EditSnapshotTemplate(
	_ context.Context, id int64, edit func(*stillcast.SnapshotTemplate) error,
) (before, after stillcast.SnapshotTemplate, err error) {
	i := slices.IndexFunc(s.set.SnapshotTemplates, func(t stillcast.SnapshotTemplate) bool { return t.ID == id })
	if i >= 0 {
		before = s.set.SnapshotTemplates[i]
	} else if id != 0 {
		return before, after, state.NoTemplate("id", state.SnapshotKind, id)
	}
	after = before
	if err = edit(&after); err == nil {
		err = s.mirror(after.Mirror)
	}
	if err == nil {
		err = after.Validate()
	}
	if err == nil {
		err = nameIsFree(state.SnapshotKind, s.set.SnapshotTemplates, func(t stillcast.SnapshotTemplate) (int64, string) { return t.ID, t.Name }, id, after.Name)
	}
	if err == nil {
		s.set.SnapshotTemplates = put(s.set.SnapshotTemplates, i, after)
	}
	return before, after, err
}

// DeleteSnapshotTemplate implements [api.Control].
func (s *stage) DeleteSnapshotTemplate(_ context.Context, id int64) (stillcast.SnapshotTemplate, error) {
	deleted, err := cutOut(&s.set.SnapshotTemplates, func(t stillcast.SnapshotTemplate) bool { return t.ID == id }, func() error { return state.NoTemplate("id", state.SnapshotKind, id) })
	if err == nil {
		err = templateUnused(state.SnapshotKind, deleted.Name, s.set.SnapshotRules, func(r stillcast.SnapshotRule) bool { return r.TemplateID == id })
	}
	return deleted, err
}

// EditCallbackTemplate implements [api.Control].
func (s *stage) EditCallbackTemplate(
	_ context.Context, id int64, edit func(*stillcast.CallbackTemplate) error,
) (before, after stillcast.CallbackTemplate, err error) {
	i := slices.IndexFunc(s.set.CallbackTemplates, func(t stillcast.CallbackTemplate) bool { return t.ID == id })
	if i >= 0 {
		before = s.set.CallbackTemplates[i]
	} else if id != 0 {
		return before, after, state.NoTemplate("id", state.CallbackKind, id)
	}
	after = before
	if err = edit(&after); err == nil {
		err = after.Validate()
	}
	if err == nil {
		err = nameIsFree(state.CallbackKind, s.set.CallbackTemplates, func(t stillcast.CallbackTemplate) (int64, string) { return t.ID, t.Name }, id, after.Name)
	}
	if err == nil {
		s.set.CallbackTemplates = put(s.set.CallbackTemplates, i, after)
	}
	return before, after, err
}

// DeleteCallbackTemplate implements [api.Control].
func (s *stage) DeleteCallbackTemplate(_ context.Context, id int64) (stillcast.CallbackTemplate, error) {
	deleted, err := cutOut(&s.set.CallbackTemplates, func(t stillcast.CallbackTemplate) bool { return t.ID == id }, func() error { return state.NoTemplate("id", state.CallbackKind, id) })
	if err == nil {
		err = templateUnused(state.CallbackKind, deleted.Name, s.set.CallbackRules, func(r stillcast.CallbackRule) bool { return r.TemplateID == id })
	}
	return deleted, err
}

// AddSnapshotRule implements [api.Control].
func (s *stage) AddSnapshotRule(_ context.Context, rule stillcast.SnapshotRule) (stillcast.SnapshotRule, error) {
	if err := s.snapshotRuleFits(rule, -1); err != nil {
		return rule, err
	}
	s.set.SnapshotRules = append(s.set.SnapshotRules, rule)
	return rule, nil
}

// EditSnapshotRule implements [api.Control].
func (s *stage) EditSnapshotRule(
	_ context.Context, domain, app, stream string, edit func(*stillcast.SnapshotRule) error,
) (before, after stillcast.SnapshotRule, err error) {
	i := slices.IndexFunc(s.set.SnapshotRules, isSnapshotRule(domain, app, stream))
	if i < 0 {
		return before, after, state.NoSnapshotRule(domain, app, stream)
	}
	before, after = s.set.SnapshotRules[i], s.set.SnapshotRules[i]
	if err = edit(&after); err == nil {
		err = s.snapshotRuleFits(after, i)
	}
	if err == nil {
		s.set.SnapshotRules[i] = after
	}
	return before, after, err
}

// DeleteSnapshotRule implements [api.Control].
func (s *stage) DeleteSnapshotRule(_ context.Context, domain, app, stream string) (stillcast.SnapshotRule, error) {
	return cutOut(&s.set.SnapshotRules, isSnapshotRule(domain, app, stream), func() error { return state.NoSnapshotRule(domain, app, stream) })
}

// AddCallbackRule implements [api.Control].
func (s *stage) AddCallbackRule(_ context.Context, rule stillcast.CallbackRule) (stillcast.CallbackRule, error) {
	if err := s.callbackRuleFits(rule, -1); err != nil {
		return rule, err
	}
	s.set.CallbackRules = append(s.set.CallbackRules, rule)
	return rule, nil
}

// EditCallbackRule implements [api.Control].
func (s *stage) EditCallbackRule(
	_ context.Context, domain, app string, edit func(*stillcast.CallbackRule) error,
) (before, after stillcast.CallbackRule, err error) {
	i := slices.IndexFunc(s.set.CallbackRules, isCallbackRule(domain, app))
	if i < 0 {
		return before, after, state.NoCallbackRule(domain, app)
	}
	before, after = s.set.CallbackRules[i], s.set.CallbackRules[i]
	if err = edit(&after); err == nil {
		err = s.callbackRuleFits(after, i)
	}
	if err == nil {
		s.set.CallbackRules[i] = after
	}
	return before, after, err
}

// DeleteCallbackRule implements [api.Control].
func (s *stage) DeleteCallbackRule(_ context.Context, domain, app string) (stillcast.CallbackRule, error) {
	return cutOut(&s.set.CallbackRules, isCallbackRule(domain, app), func() error { return state.NoCallbackRule(domain, app) })
}
