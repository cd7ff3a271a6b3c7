package sqlite

import (
	"context"

	"github.com/stillcast/stillcast"
)

// AddSnapshotRule adds a rule and returns it with its times. Errors are of type
// [stillcast.Error]: CodeInvalid, CodeNotFound with the field "domain" or
// "template", and CodeConflict if there is a rule for the same domain, app and
// stream.
func (s *Store) AddSnapshotRule(ctx context.Context, rule stillcast.SnapshotRule) (stillcast.SnapshotRule, error) {
	if err := firstOf(
		func() error { return validateRulePart("app", rule.App) },
		func() error { return validateRulePart("stream", rule.Stream) },
	); err != nil {
		return stillcast.SnapshotRule{}, err
	}
	err := s.change(ctx, "add snapshot rule", func(t *tx) error {
		if err := t.ruleRefers(rule.Domain, "snapshot_template", rule.TemplateID); err != nil {
			return err
		}
		_, exists, err := t.snapshotRule(rule.Domain, rule.App, rule.Stream)
		if err != nil {
			return err
		}
		if exists {
			return stillcast.Errorf(stillcast.CodeConflict, "rule",
				"there is a snapshot rule for domain %q, app %q and stream %q already", rule.Domain, rule.App, rule.Stream)
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

// DeleteSnapshotRule deletes the rule for exactly that domain, app and stream and
// returns it; none is a [stillcast.Error] of CodeNotFound.
func (s *Store) DeleteSnapshotRule(ctx context.Context, domain, app, stream string) (stillcast.SnapshotRule, error) {
	var deleted stillcast.SnapshotRule
	err := s.change(ctx, "delete snapshot rule", func(t *tx) error {
		rule, exists, err := t.snapshotRule(domain, app, stream)
		if err != nil {
			return err
		}
		if !exists {
			return stillcast.Errorf(stillcast.CodeNotFound, "rule",
				"there is no snapshot rule for domain %q, app %q and stream %q", domain, app, stream)
		}
		deleted = rule
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
		if err := t.ruleRefers(rule.Domain, "callback_template", rule.TemplateID); err != nil {
			return err
		}
		_, exists, err := t.callbackRule(rule.Domain, rule.App)
		if err != nil {
			return err
		}
		if exists {
			return stillcast.Errorf(stillcast.CodeConflict, "rule",
				"there is a callback rule for domain %q and app %q already", rule.Domain, rule.App)
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

// DeleteCallbackRule deletes the rule for exactly that domain and app and returns
// it; none is a [stillcast.Error] of CodeNotFound.
func (s *Store) DeleteCallbackRule(ctx context.Context, domain, app string) (stillcast.CallbackRule, error) {
	var deleted stillcast.CallbackRule
	err := s.change(ctx, "delete callback rule", func(t *tx) error {
		rule, exists, err := t.callbackRule(domain, app)
		if err != nil {
			return err
		}
		if !exists {
			return stillcast.Errorf(stillcast.CodeNotFound, "rule", "there is no callback rule for domain %q and app %q", domain, app)
		}
		deleted = rule
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
func (t *tx) ruleRefers(domain, table string, template int64) error {
	if _, exists, err := t.domain(domain); err != nil || !exists {
		if err == nil {
			err = noDomain("domain", domain)
		}
		return err
	}
	var id int64
	exists, err := t.one("SELECT id FROM "+table+" WHERE id = ?", []any{template}, &id)
	if err == nil && !exists {
		err = noTemplate("template", table, template)
	}
	return err
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
