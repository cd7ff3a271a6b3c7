package console

import (
	"context"
	"slices"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
)

// stage is a [api.Control] on which changes are tried: it changes a copy of the
// resources and nothing else. What only the store knows, such as that a name is
// taken, is not found out here but when the change is made.
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
		return before, after, stillcast.Errorf(stillcast.CodeConflict, "name", "domain %q exists already", name)
	case !create && i < 0:
		return before, after, stillcast.Errorf(stillcast.CodeNotFound, "name", "there is no domain %q", name)
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
	return cutOut(&s.set.Domains, func(d stillcast.Domain) bool { return d.Name == name }, func() error {
		return stillcast.Errorf(stillcast.CodeNotFound, "name", "there is no domain %q", name)
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
		return before, after, noTemplate(id)
	}
	after = before
	if err = edit(&after); err == nil {
		err = s.mirror(after.Mirror)
	}
	if err == nil {
		err = after.Validate()
	}
	if err == nil {
		s.set.SnapshotTemplates = put(s.set.SnapshotTemplates, i, after)
	}
	return before, after, err
}

func noTemplate(id int64) error {
	return stillcast.Errorf(stillcast.CodeNotFound, "template", "there is no template %d", id)
}

// DeleteSnapshotTemplate implements [api.Control].
func (s *stage) DeleteSnapshotTemplate(_ context.Context, id int64) (stillcast.SnapshotTemplate, error) {
	return cutOut(&s.set.SnapshotTemplates, func(t stillcast.SnapshotTemplate) bool { return t.ID == id }, func() error { return noTemplate(id) })
}

// EditCallbackTemplate implements [api.Control].
func (s *stage) EditCallbackTemplate(
	_ context.Context, id int64, edit func(*stillcast.CallbackTemplate) error,
) (before, after stillcast.CallbackTemplate, err error) {
	i := slices.IndexFunc(s.set.CallbackTemplates, func(t stillcast.CallbackTemplate) bool { return t.ID == id })
	if i >= 0 {
		before = s.set.CallbackTemplates[i]
	} else if id != 0 {
		return before, after, noTemplate(id)
	}
	after = before
	if err = edit(&after); err == nil {
		err = after.Validate()
	}
	if err == nil {
		s.set.CallbackTemplates = put(s.set.CallbackTemplates, i, after)
	}
	return before, after, err
}

// DeleteCallbackTemplate implements [api.Control].
func (s *stage) DeleteCallbackTemplate(_ context.Context, id int64) (stillcast.CallbackTemplate, error) {
	return cutOut(&s.set.CallbackTemplates, func(t stillcast.CallbackTemplate) bool { return t.ID == id }, func() error { return noTemplate(id) })
}

// AddSnapshotRule implements [api.Control].
func (s *stage) AddSnapshotRule(_ context.Context, rule stillcast.SnapshotRule) (stillcast.SnapshotRule, error) {
	now := stillcast.NewResources(s.set)
	if err := hasDomain(now, rule.Domain); err != nil {
		return rule, err
	}
	if _, ok := now.SnapshotTemplateByID(rule.TemplateID); !ok {
		return rule, noTemplate(rule.TemplateID)
	}
	s.set.SnapshotRules = append(s.set.SnapshotRules, rule)
	return rule, nil
}

func hasDomain(r *stillcast.Resources, name string) error {
	if slices.ContainsFunc(r.Domains(), func(d stillcast.Domain) bool { return d.Name == name }) {
		return nil
	}
	return stillcast.Errorf(stillcast.CodeNotFound, "domain", "there is no domain %q", name)
}

// DeleteSnapshotRule implements [api.Control].
func (s *stage) DeleteSnapshotRule(_ context.Context, domain, app, stream string) (stillcast.SnapshotRule, error) {
	return cutOut(&s.set.SnapshotRules, func(r stillcast.SnapshotRule) bool {
		return r.Domain == domain && r.App == app && r.Stream == stream
	}, func() error {
		return stillcast.Errorf(stillcast.CodeNotFound, "rule", "there is no snapshot rule for domain %q, app %q and stream %q", domain, app, stream)
	})
}

// AddCallbackRule implements [api.Control].
func (s *stage) AddCallbackRule(_ context.Context, rule stillcast.CallbackRule) (stillcast.CallbackRule, error) {
	now := stillcast.NewResources(s.set)
	if err := hasDomain(now, rule.Domain); err != nil {
		return rule, err
	}
	if _, ok := now.CallbackTemplateByID(rule.TemplateID); !ok {
		return rule, noTemplate(rule.TemplateID)
	}
	s.set.CallbackRules = append(s.set.CallbackRules, rule)
	return rule, nil
}

// DeleteCallbackRule implements [api.Control].
func (s *stage) DeleteCallbackRule(_ context.Context, domain, app string) (stillcast.CallbackRule, error) {
	return cutOut(&s.set.CallbackRules, func(r stillcast.CallbackRule) bool { return r.Domain == domain && r.App == app }, func() error {
		return stillcast.Errorf(stillcast.CodeNotFound, "rule", "there is no callback rule for domain %q and app %q", domain, app)
	})
}
