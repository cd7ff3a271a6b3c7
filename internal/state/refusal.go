package state

import "github.com/stillcast/stillcast"

// Why a change of what an operator sets up is refused, as a [stillcast.Error]. Each
// implementation refuses in these words, and so does who tries a change out before
// it is made.

// NoDomain is of CodeNotFound; field is what named the domain.
func NoDomain(field, name string) error {
	return stillcast.Errorf(stillcast.CodeNotFound, field, "there is no domain %q", name)
}

// DomainExists is of CodeConflict.
func DomainExists(name string) error {
	return stillcast.Errorf(stillcast.CodeConflict, "name", "domain %q exists already", name)
}

// DomainUsed is of CodeConflict: so many rules are for the domain.
func DomainUsed(name string, snapshotRules, callbackRules int) error {
	return stillcast.Errorf(stillcast.CodeConflict, "name",
		"domain %q has %d snapshot rules and %d callback rules; delete them first", name, snapshotRules, callbackRules)
}

// TemplateKind is what templates are of.
type TemplateKind string

// The kinds of templates.
const (
	SnapshotKind TemplateKind = "snapshot"
	CallbackKind TemplateKind = "callback"
)

// NoTemplate is of CodeNotFound; field is what named the template.
func NoTemplate(field string, kind TemplateKind, id int64) error {
	return stillcast.Errorf(stillcast.CodeNotFound, field, "there is no %s template %d", kind, id)
}

// TemplateUsed is of CodeConflict: so many rules use the template.
func TemplateUsed(kind TemplateKind, name string, rules int) error {
	return stillcast.Errorf(stillcast.CodeConflict, "id", "%s template %q is used by %d %s rules; delete them first", kind, name, rules, kind)
}

// TemplateNameTaken is of CodeConflict: the template with that id has the name.
func TemplateNameTaken(kind TemplateKind, name string, id int64) error {
	return stillcast.Errorf(stillcast.CodeConflict, "name", "%q is the name of %s template %d; names must differ", name, kind, id)
}

// NoSnapshotRule is of CodeNotFound.
func NoSnapshotRule(domain, app, stream string) error {
	return stillcast.Errorf(stillcast.CodeNotFound, "rule", "there is no snapshot rule for domain %q, app %q and stream %q", domain, app, stream)
}

// NoCallbackRule is of CodeNotFound.
func NoCallbackRule(domain, app string) error {
	return stillcast.Errorf(stillcast.CodeNotFound, "rule", "there is no callback rule for domain %q and app %q", domain, app)
}

// SnapshotRuleExists is of CodeConflict: there is a rule for the same streams.
func SnapshotRuleExists(r stillcast.SnapshotRule) error {
	return stillcast.Errorf(stillcast.CodeConflict, "rule",
		"there is a snapshot rule for domain %q, app %q and stream %q already", r.Domain, r.App, r.Stream)
}

// CallbackRuleExists is of CodeConflict: there is a rule for the same streams.
func CallbackRuleExists(r stillcast.CallbackRule) error {
	return stillcast.Errorf(stillcast.CodeConflict, "rule", "there is a callback rule for domain %q and app %q already", r.Domain, r.App)
}
