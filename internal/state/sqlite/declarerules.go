package sqlite

import (
	"github.com/stillcast/stillcast"
)

func (a *applier) snapshotRules(declared []stillcast.DeclaredRule) error {
	stored := indexBy(a.stored.SnapshotRules, func(r stillcast.SnapshotRule) stillcast.Stream {
		return stillcast.Stream{Domain: r.Domain, App: r.App, Name: r.Stream}
	})
	for i, d := range declared {
		template, err := a.ruleTemplate(path("snapshot_rules", i), d, "snapshot_template")
		if err != nil {
			return err
		}
		old, exists := stored[ruleKey(d)]
		if exists && old.TemplateID == template {
			continue
		}
		at := now()
		err = a.tx.saveSnapshotRule(stillcast.SnapshotRule{
			Domain: d.Domain, App: d.App, Stream: d.Stream, TemplateID: template, Created: at, Updated: at,
		})
		if err != nil {
			return err
		}
		a.note("snapshot_rule", ruleKey(d).String(), exists)
	}
	return nil
}

func (a *applier) callbackRules(declared []stillcast.DeclaredRule) error {
	stored := indexBy(a.stored.CallbackRules, func(r stillcast.CallbackRule) stillcast.Stream {
		return stillcast.Stream{Domain: r.Domain, App: r.App}
	})
	for i, d := range declared {
		template, err := a.ruleTemplate(path("callback_rules", i), d, "callback_template")
		if err != nil {
			return err
		}
		old, exists := stored[ruleKey(d)]
		if exists && old.TemplateID == template {
			continue
		}
		at := now()
		err = a.tx.saveCallbackRule(stillcast.CallbackRule{Domain: d.Domain, App: d.App, TemplateID: template, Created: at, Updated: at})
		if err != nil {
			return err
		}
		a.note("callback_rule", ruleKey(d).String(), exists)
	}
	return nil
}

// ruleTemplate returns the id of the rule's template, and an error unless that
// and the rule's domain exist. What the declaration holds is in the tables by
// then. Field is the rule's, kind the template's table.
func (a *applier) ruleTemplate(field string, rule stillcast.DeclaredRule, kind string) (int64, error) {
	var id int64
	ok, err := a.tx.one("SELECT id FROM domain WHERE name = ?", []any{rule.Domain}, &id)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, stillcast.Errorf(stillcast.CodeInvalid, field+".domain",
			"%q is no domain; declare it under domains, or name one that exists", rule.Domain)
	}
	ok, err = a.tx.one("SELECT id FROM "+kind+" WHERE name = ?", []any{rule.Template}, &id)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, stillcast.Errorf(stillcast.CodeInvalid, field+".template",
			"%q is no %s; declare it under %ss, or name one that exists", rule.Template, kind, kind)
	}
	return id, nil
}
