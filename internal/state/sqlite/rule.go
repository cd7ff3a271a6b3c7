package sqlite

import (
	"context"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// AddSnapshotRule adds a rule and returns it with its times. Errors are of type
// [stillcast.Error]: CodeInvalid, CodeNotFound with the field "domain" or
// "template", and CodeConflict if there is a rule for the same domain, app and
// stream.
func (s *Store) AddSnapshotRule(ctx context.Context, rule stillcast.SnapshotRule) (stillcast.SnapshotRule, error) {
	if err := validateSnapshotRule(rule); err != nil {
		return stillcast.SnapshotRule{}, err
	}
	err := s.change(ctx, "add snapshot rule", func(t *tx) error {
		if err := t.snapshotRuleFits(rule, true); err != nil {
			return err
		}
		rule.Created = now()
		rule.Updated = rule.Created
		return t.saveSnapshotRule(rule)
	})
	if err != nil {
		return stillcast.SnapshotRule{}, err
	}
	return rule, nil
}

// EditSnapshotRule changes the rule for exactly that domain, app and stream in one
// step: its template, or what it is for, or both. Edit gets the rule as it is; what
// it does to Created and Updated is not kept. An edit that changes nothing leaves
// Updated as it was. Errors are those of edit and, of type [stillcast.Error],
// CodeNotFound with the field "rule" for no such rule, and those of
// AddSnapshotRule; the rule is as before then.
func (s *Store) EditSnapshotRule(
	ctx context.Context, domain, app, stream string, edit func(*stillcast.SnapshotRule) error,
) (before, after stillcast.SnapshotRule, err error) {
	err = s.change(ctx, "edit snapshot rule", func(t *tx) error {
		if before, err = t.snapshotRuleFor(domain, app, stream); err != nil {
			return err
		}
		after = before
		if err := edit(&after); err != nil {
			return err
		}
		after.Created, after.Updated = before.Created, before.Updated
		if after == before {
			return nil
		}
		if err := validateSnapshotRule(after); err != nil {
			return err
		}
		moved := after.Domain != domain || after.App != app || after.Stream != stream
		if err := t.snapshotRuleFits(after, moved); err != nil {
			return err
		}
		after.Updated = now()
		_, err := t.exec("UPDATE snapshot_rule SET domain = ?, app = ?, stream = ?, template = ?, updated_at = ? WHERE domain = ? AND app = ? AND stream = ?",
			after.Domain, after.App, after.Stream, after.TemplateID, micros(after.Updated), domain, app, stream)
		return err
	})
	if err != nil {
		return stillcast.SnapshotRule{}, stillcast.SnapshotRule{}, err
	}
	return before, after, nil
}

// DeleteSnapshotRule deletes the rule for exactly that domain, app and stream and
// returns it; none is a [stillcast.Error] of CodeNotFound.
func (s *Store) DeleteSnapshotRule(ctx context.Context, domain, app, stream string) (stillcast.SnapshotRule, error) {
	var deleted stillcast.SnapshotRule
	err := s.change(ctx, "delete snapshot rule", func(t *tx) error {
		var err error
		if deleted, err = t.snapshotRuleFor(domain, app, stream); err != nil {
			return err
		}
		_, err = t.exec("DELETE FROM snapshot_rule WHERE domain = ? AND app = ? AND stream = ?", domain, app, stream)
		return err
	})
	if err != nil {
		return stillcast.SnapshotRule{}, err
	}
	return deleted, nil
}

// AddCallbackRule adds a rule and returns it with its times. Errors are those of
// AddSnapshotRule, but for the stream.
func (s *Store) AddCallbackRule(ctx context.Context, rule stillcast.CallbackRule) (stillcast.CallbackRule, error) {
	if err := validateRulePart("app", rule.App); err != nil {
		return stillcast.CallbackRule{}, err
	}
	err := s.change(ctx, "add callback rule", func(t *tx) error {
		if err := t.callbackRuleFits(rule, true); err != nil {
			return err
		}
		rule.Created = now()
		rule.Updated = rule.Created
		return t.saveCallbackRule(rule)
	})
	if err != nil {
		return stillcast.CallbackRule{}, err
	}
	return rule, nil
}

// EditCallbackRule is EditSnapshotRule for the callback rule for exactly that
// domain and app.
func (s *Store) EditCallbackRule(
	ctx context.Context, domain, app string, edit func(*stillcast.CallbackRule) error,
) (before, after stillcast.CallbackRule, err error) {
	err = s.change(ctx, "edit callback rule", func(t *tx) error {
		if before, err = t.callbackRuleFor(domain, app); err != nil {
			return err
		}
		after = before
		if err := edit(&after); err != nil {
			return err
		}
		after.Created, after.Updated = before.Created, before.Updated
		if after == before {
			return nil
		}
		if err := validateRulePart("app", after.App); err != nil {
			return err
		}
		if err := t.callbackRuleFits(after, after.Domain != domain || after.App != app); err != nil {
			return err
		}
		after.Updated = now()
		_, err := t.exec("UPDATE callback_rule SET domain = ?, app = ?, template = ?, updated_at = ? WHERE domain = ? AND app = ?",
			after.Domain, after.App, after.TemplateID, micros(after.Updated), domain, app)
		return err
	})
	if err != nil {
		return stillcast.CallbackRule{}, stillcast.CallbackRule{}, err
	}
	return before, after, nil
}

// DeleteCallbackRule deletes the rule for exactly that domain and app and returns
// it; none is a [stillcast.Error] of CodeNotFound.
func (s *Store) DeleteCallbackRule(ctx context.Context, domain, app string) (stillcast.CallbackRule, error) {
	var deleted stillcast.CallbackRule
	err := s.change(ctx, "delete callback rule", func(t *tx) error {
		var err error
		if deleted, err = t.callbackRuleFor(domain, app); err != nil {
			return err
		}
		_, err = t.exec("DELETE FROM callback_rule WHERE domain = ? AND app = ?", domain, app)
		return err
	})
	if err != nil {
		return stillcast.CallbackRule{}, err
	}
	return deleted, nil
}

// ruleRefers returns a CodeNotFound error unless there are the domain and the
// template of a rule.
func (t *tx) ruleRefers(domain string, kind state.TemplateKind, template int64) error {
	if _, exists, err := t.domain(domain); err != nil || !exists {
		if err == nil {
			err = state.NoDomain("domain", domain)
		}
		return err
	}
	var id int64
	exists, err := t.one("SELECT id FROM "+string(kind)+"_template WHERE id = ?", []any{template}, &id)
	if err == nil && !exists {
		err = state.NoTemplate("template", kind, template)
	}
	return err
}

func validateSnapshotRule(rule stillcast.SnapshotRule) error {
	return firstOf(
		func() error { return validateRulePart("app", rule.App) },
		func() error { return validateRulePart("stream", rule.Stream) },
	)
}

// snapshotRuleFits returns a CodeNotFound error unless there is what a rule names,
// and where it is new for its streams a CodeConflict error if there is one already.
func (t *tx) snapshotRuleFits(r stillcast.SnapshotRule, isNew bool) error {
	if err := t.ruleRefers(r.Domain, state.SnapshotKind, r.TemplateID); err != nil {
		return err
	}
	_, exists, err := t.snapshotRule(r.Domain, r.App, r.Stream)
	if err == nil && exists && isNew {
		err = state.SnapshotRuleExists(r)
	}
	return err
}

// callbackRuleFits is snapshotRuleFits for a callback rule.
func (t *tx) callbackRuleFits(r stillcast.CallbackRule, isNew bool) error {
	if err := t.ruleRefers(r.Domain, state.CallbackKind, r.TemplateID); err != nil {
		return err
	}
	_, exists, err := t.callbackRule(r.Domain, r.App)
	if err == nil && exists && isNew {
		err = state.CallbackRuleExists(r)
	}
	return err
}

// snapshotRuleFor returns a rule; none is a CodeNotFound error.
func (t *tx) snapshotRuleFor(domain, app, stream string) (stillcast.SnapshotRule, error) {
	rule, exists, err := t.snapshotRule(domain, app, stream)
	if err == nil && !exists {
		err = state.NoSnapshotRule(domain, app, stream)
	}
	return rule, err
}

func (t *tx) callbackRuleFor(domain, app string) (stillcast.CallbackRule, error) {
	rule, exists, err := t.callbackRule(domain, app)
	if err == nil && !exists {
		err = state.NoCallbackRule(domain, app)
	}
	return rule, err
}

func (t *tx) snapshotRule(domain, app, stream string) (stillcast.SnapshotRule, bool, error) {
	return first(t, "SELECT "+snapshotRuleColumns+" FROM snapshot_rule WHERE domain = ? AND app = ? AND stream = ?",
		[]any{domain, app, stream}, scanSnapshotRule)
}

func (t *tx) callbackRule(domain, app string) (stillcast.CallbackRule, bool, error) {
	return first(t, "SELECT "+callbackRuleColumns+" FROM callback_rule WHERE domain = ? AND app = ?",
		[]any{domain, app}, scanCallbackRule)
}

// saveSnapshotRule makes the row of a rule or changes its template; Created never
// changes.
func (t *tx) saveSnapshotRule(r stillcast.SnapshotRule) error {
	_, err := t.exec(`INSERT INTO snapshot_rule (domain, app, stream, template, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (domain, app, stream) DO UPDATE SET template = excluded.template, updated_at = excluded.updated_at`,
		r.Domain, r.App, r.Stream, r.TemplateID, micros(r.Created), micros(r.Updated))
	return err
}

func (t *tx) saveCallbackRule(r stillcast.CallbackRule) error {
	_, err := t.exec(`INSERT INTO callback_rule (domain, app, template, created_at, updated_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (domain, app) DO UPDATE SET template = excluded.template, updated_at = excluded.updated_at`,
		r.Domain, r.App, r.TemplateID, micros(r.Created), micros(r.Updated))
	return err
}
