package sqlite

import (
	"errors"
	"fmt"

	"github.com/stillcast/stillcast"
)

// validateDeclaration reports the first value in d that is not allowed,
// whatever the state holds. Fields are paths in d as it is written in the
// configuration file: "snapshot_templates[1].interval".
func validateDeclaration(d stillcast.Declaration) error {
	return firstOf(
		func() error {
			return validateNamed("domains", d.Domains, stillcast.Domain.Validate,
				func(v stillcast.Domain) string { return v.Name })
		},
		func() error {
			return validateNamed("snapshot_templates", d.SnapshotTemplates, stillcast.SnapshotTemplate.Validate,
				func(v stillcast.SnapshotTemplate) string { return v.Name })
		},
		func() error { return validateRules("snapshot_rules", d.SnapshotRules, validateRule) },
		func() error {
			return validateNamed("callback_templates", d.CallbackTemplates, stillcast.CallbackTemplate.Validate,
				func(v stillcast.CallbackTemplate) string { return v.Name })
		},
		func() error { return validateRules("callback_rules", d.CallbackRules, validateCallbackRule) },
	)
}

func firstOf(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// path is the field of the i-th of a list.
func path(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

func validateNamed[T any](list string, values []T, validate func(T) error, name func(T) string) error {
	seen := make(map[string]int, len(values))
	for i, v := range values {
		if err := validate(v); err != nil {
			return stillcast.Within(path(list, i), err)
		}
		if first, ok := seen[name(v)]; ok {
			return stillcast.Errorf(stillcast.CodeInvalid, path(list, i)+".name",
				"is %q, which is the name of %s too; names must differ", name(v), path(list, first))
		}
		seen[name(v)] = i
	}
	return nil
}

func validateRules(list string, rules []stillcast.DeclaredRule, validate func(stillcast.DeclaredRule) error) error {
	seen := make(map[stillcast.Stream]int, len(rules))
	for i, r := range rules {
		if err := validate(r); err != nil {
			return stillcast.Within(path(list, i), err)
		}
		if first, ok := seen[ruleKey(r)]; ok {
			return stillcast.Errorf(stillcast.CodeInvalid, path(list, i),
				"is for the same domain, app and stream as %s; only one rule may be", path(list, first))
		}
		seen[ruleKey(r)] = i
	}
	return nil
}

// ruleKey is what a rule is identified by, as the name of a stream.
func ruleKey(r stillcast.DeclaredRule) stillcast.Stream {
	return stillcast.Stream{Domain: r.Domain, App: r.App, Name: r.Stream}
}

func validateRule(r stillcast.DeclaredRule) error {
	if r.Domain == "" {
		return stillcast.Errorf(stillcast.CodeInvalid, "domain", "is empty; give the name of a domain")
	}
	if r.Template == "" {
		return stillcast.Errorf(stillcast.CodeInvalid, "template", "is empty; give the name of a template")
	}
	if err := validateRulePart("app", r.App); err != nil {
		return err
	}
	return validateRulePart("stream", r.Stream)
}

// validateRulePart checks what must equal a part of a push URL; "" stands for
// any.
func validateRulePart(field, value string) error {
	if value == "" {
		return nil
	}
	err := stillcast.Stream{Domain: "any", App: "any", Name: value}.Validate()
	if invalid, ok := errors.AsType[*stillcast.Error](err); ok {
		return &stillcast.Error{Code: invalid.Code, Field: field, Message: invalid.Message}
	}
	return err
}

func validateCallbackRule(r stillcast.DeclaredRule) error {
	if r.Stream != "" {
		return stillcast.Errorf(stillcast.CodeInvalid, "stream", "is %q; a callback rule is for a domain and app, without a stream", r.Stream)
	}
	return validateRule(r)
}
