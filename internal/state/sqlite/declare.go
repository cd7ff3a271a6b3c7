package sqlite

import (
	"context"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// ApplyDeclaration creates and updates what d declares, in one transaction, and
// returns what it changed: domains and templates are told apart by their names,
// rules by domain, app and stream. What is not in d, and what is as d says
// already, is left alone; ids and times in d are ignored.
//
// So is what a configuration file cannot say, both in d and of what is stored:
// whether a domain is disabled, and what is merely kept for clients (of domains
// PlayType, DelayLive and MiniProgram, of templates PornFlag and Kept).
//
// A value that is not allowed is a [stillcast.Error] of CodeInvalid whose field
// is a path in the configuration file, and nothing is changed then. So are a
// rule for a domain and a rule with a template that are neither in d nor in the
// state, two of the same name, and two rules for the same.
func (s *Store) ApplyDeclaration(ctx context.Context, d stillcast.Declaration) ([]state.Change, error) {
	if err := validateDeclaration(d); err != nil {
		return nil, err
	}
	var changes []state.Change
	err := s.change(ctx, "apply declaration", func(t *tx) error {
		stored, err := readResources(func(query string, row func(scan) error) error {
			return t.query(query, nil, row)
		})
		if err != nil {
			return err
		}
		a := &applier{tx: t, stored: stored}
		err = a.apply(d)
		changes = a.changes
		return err
	})
	if err != nil {
		return nil, err
	}
	return changes, nil
}

// applier applies one declaration.
type applier struct {
	tx      *tx
	stored  stillcast.ResourceSet
	changes []state.Change
}

func (a *applier) apply(d stillcast.Declaration) error {
	return firstOf(
		func() error { return a.domains(d.Domains) },
		func() error { return a.snapshotTemplates(d.SnapshotTemplates) },
		func() error { return a.snapshotRules(d.SnapshotRules) },
		func() error { return a.callbackTemplates(d.CallbackTemplates) },
		func() error { return a.callbackRules(d.CallbackRules) },
	)
}

// note records a change.
func (a *applier) note(kind, name string, existed bool) {
	a.changes = append(a.changes, state.Change{Kind: kind, Name: name, Created: !existed})
}

func (a *applier) domains(declared []stillcast.Domain) error {
	stored := indexBy(a.stored.Domains, func(v stillcast.Domain) string { return v.Name })
	for _, d := range declared {
		old, exists := stored[d.Name]
		if !exists {
			old.Created = now()
		}
		// What a file cannot say is as it was.
		wanted := old
		wanted.Name, wanted.Auth = d.Name, d.Auth
		if wanted == old {
			continue
		}
		if _, err := a.tx.saveDomain(wanted); err != nil {
			return err
		}
		a.note("domain", d.Name, exists)
	}
	return nil
}

func (a *applier) snapshotTemplates(declared []stillcast.SnapshotTemplate) error {
	stored := indexBy(a.stored.SnapshotTemplates, func(v stillcast.SnapshotTemplate) string { return v.Name })
	for _, d := range declared {
		old, exists := stored[d.Name]
		d.ID, d.PornFlag = old.ID, old.PornFlag
		if d == old {
			continue
		}
		if _, err := a.tx.saveSnapshotTemplate(d); err != nil {
			return err
		}
		a.note("snapshot_template", d.Name, exists)
	}
	return nil
}

func (a *applier) callbackTemplates(declared []stillcast.CallbackTemplate) error {
	stored := indexBy(a.stored.CallbackTemplates, func(v stillcast.CallbackTemplate) string { return v.Name })
	for _, d := range declared {
		old, exists := stored[d.Name]
		d.ID, d.Kept = old.ID, old.Kept
		if d == old {
			continue
		}
		if _, err := a.tx.saveCallbackTemplate(d); err != nil {
			return err
		}
		a.note("callback_template", d.Name, exists)
	}
	return nil
}

func indexBy[K comparable, T any](list []T, key func(T) K) map[K]T {
	index := make(map[K]T, len(list))
	for _, v := range list {
		index[key(v)] = v
	}
	return index
}
