package stillcast

import (
	"fmt"
	"strings"
)

// ResourceSet is everything that an operator sets up, as plain lists.
type ResourceSet struct {
	Domains           []Domain
	SnapshotTemplates []SnapshotTemplate
	SnapshotRules     []SnapshotRule
	CallbackTemplates []CallbackTemplate
	CallbackRules     []CallbackRule
}

// Resources is an immutable snapshot of a [ResourceSet], indexed for the
// questions that a push asks. It is safe for concurrent use.
type Resources struct {
	set           ResourceSet
	domains       map[string]Domain
	snapshot      map[int64]SnapshotTemplate
	callback      map[int64]CallbackTemplate
	snapshotRules map[ruleKey]SnapshotRule
	callbackRules map[ruleKey]CallbackRule
}

type ruleKey struct{ domain, app, stream string }

// NewResources indexes set, which must not change afterwards.
func NewResources(set ResourceSet) *Resources {
	r := &Resources{
		set:           set,
		domains:       make(map[string]Domain, len(set.Domains)),
		snapshot:      make(map[int64]SnapshotTemplate, len(set.SnapshotTemplates)),
		callback:      make(map[int64]CallbackTemplate, len(set.CallbackTemplates)),
		snapshotRules: make(map[ruleKey]SnapshotRule, len(set.SnapshotRules)),
		callbackRules: make(map[ruleKey]CallbackRule, len(set.CallbackRules)),
	}
	for _, d := range set.Domains {
		r.domains[d.Name] = d
	}
	for _, t := range set.SnapshotTemplates {
		r.snapshot[t.ID] = t
	}
	for _, t := range set.CallbackTemplates {
		r.callback[t.ID] = t
	}
	for _, rule := range set.SnapshotRules {
		r.snapshotRules[ruleKey{rule.Domain, rule.App, rule.Stream}] = rule
	}
	for _, rule := range set.CallbackRules {
		r.callbackRules[ruleKey{rule.Domain, rule.App, ""}] = rule
	}
	return r
}

// Set returns the lists that r was made from; they must not be changed.
func (r *Resources) Set() ResourceSet { return r.set }

// Domains returns the domains in the order of their creation, as do the other
// lists; they must not be changed.
func (r *Resources) Domains() []Domain { return r.set.Domains }

// SnapshotTemplates returns the snapshot templates as they were set up, without
// defaults.
func (r *Resources) SnapshotTemplates() []SnapshotTemplate { return r.set.SnapshotTemplates }

// SnapshotRules returns the snapshot rules.
func (r *Resources) SnapshotRules() []SnapshotRule { return r.set.SnapshotRules }

// CallbackTemplates returns the callback templates.
func (r *Resources) CallbackTemplates() []CallbackTemplate { return r.set.CallbackTemplates }

// CallbackRules returns the callback rules.
func (r *Resources) CallbackRules() []CallbackRule { return r.set.CallbackRules }

// Format implements [fmt.Formatter]. It prints how many of each r holds and not
// the lists, whose keys fmt would show.
func (r *Resources) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "%d domains, %d snapshot templates, %d snapshot rules, %d callback templates, %d callback rules",
		len(r.set.Domains), len(r.set.SnapshotTemplates), len(r.set.SnapshotRules),
		len(r.set.CallbackTemplates), len(r.set.CallbackRules))
}

// Domain returns the domain that takes pushes to host: the registered one, else
// [AnyDomain] when that exists.
func (r *Resources) Domain(host string) (Domain, bool) {
	if d, ok := r.domains[strings.ToLower(host)]; ok {
		return d, true
	}
	d, ok := r.domains[AnyDomain]
	return d, ok
}

// SnapshotTemplate returns the template, with defaults filled in, of the most
// specific snapshot rule: domain+app+stream, then domain+stream, domain+app,
// domain. The name of the registered domain counts, not the host that was sent.
func (r *Resources) SnapshotTemplate(domain string, s Stream) (SnapshotTemplate, bool) {
	for _, key := range snapshotOrder(domain, s) {
		if rule, ok := r.snapshotRules[key]; ok {
			t, ok := r.snapshot[rule.TemplateID]
			return t.WithDefaults(), ok
		}
	}
	return SnapshotTemplate{}, false
}

// CallbackTemplate returns the template of the most specific callback rule:
// domain+app, then domain.
func (r *Resources) CallbackTemplate(domain string, s Stream) (CallbackTemplate, bool) {
	for _, key := range callbackOrder(domain, s) {
		if rule, ok := r.callbackRules[key]; ok {
			t, ok := r.callback[rule.TemplateID]
			return t, ok
		}
	}
	return CallbackTemplate{}, false
}

// snapshotOrder are the rules that may hold for a stream, the most specific first.
func snapshotOrder(domain string, s Stream) [4]ruleKey {
	return [...]ruleKey{{domain, s.App, s.Name}, {domain, "", s.Name}, {domain, s.App, ""}, {domain, "", ""}}
}

func callbackOrder(domain string, s Stream) [2]ruleKey {
	return [...]ruleKey{{domain, s.App, ""}, {domain, "", ""}}
}

// MatchingSnapshotRules returns the snapshot rules that match a stream in the order
// of [Resources.SnapshotTemplate]: the first one is in force.
func (r *Resources) MatchingSnapshotRules(domain string, s Stream) []SnapshotRule {
	var rules []SnapshotRule
	for _, key := range snapshotOrder(domain, s) {
		if rule, ok := r.snapshotRules[key]; ok {
			rules = append(rules, rule)
		}
	}
	return rules
}

// MatchingCallbackRules returns the callback rules that match a stream in the order
// of [Resources.CallbackTemplate]: the first one is in force.
func (r *Resources) MatchingCallbackRules(domain string, s Stream) []CallbackRule {
	var rules []CallbackRule
	for _, key := range callbackOrder(domain, s) {
		if rule, ok := r.callbackRules[key]; ok {
			rules = append(rules, rule)
		}
	}
	return rules
}

// SnapshotTemplateByID returns the snapshot template with that id as it was set
// up, without defaults.
func (r *Resources) SnapshotTemplateByID(id int64) (SnapshotTemplate, bool) {
	t, ok := r.snapshot[id]
	return t, ok
}

// CallbackTemplateByID returns the callback template with that id.
func (r *Resources) CallbackTemplateByID(id int64) (CallbackTemplate, bool) {
	t, ok := r.callback[id]
	return t, ok
}

// Destination returns the destination that an event of type e of a stream is
// owed to: the callback template in force for it, if that has a URL for e.
func (r *Resources) Destination(domain string, s Stream, e EventType) (Destination, bool) {
	t, ok := r.CallbackTemplate(domain, s)
	if !ok || t.URL(e) == "" {
		return Destination{}, false
	}
	return Destination{TemplateID: t.ID, Event: e}, true
}

// Declaration is a [ResourceSet] as written in a configuration file: templates
// have no ids, and rules name their template.
type Declaration struct {
	Domains           []Domain
	SnapshotTemplates []SnapshotTemplate
	SnapshotRules     []DeclaredRule
	CallbackTemplates []CallbackTemplate
	CallbackRules     []DeclaredRule // Stream is always ""
}

// DeclaredRule is a rule that names its template.
type DeclaredRule struct {
	Domain, App, Stream string
	Template            string
}
