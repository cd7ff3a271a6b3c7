package resource

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
)

// Verb is what a change does.
type Verb string

// The verbs.
const (
	Create Verb = "create"
	Update Verb = "update"
	Delete Verb = "delete"
)

// Change is one resource that is not as it is wanted.
type Change struct {
	Verb    Verb
	Kind    string   // as in a file, in the singular: "snapshot_template"
	Name    string   // of a rule: DOMAIN/APP/STREAM
	Details []string // what differs, in words and without keys

	calls []call
}

// call is a call of the API that a change is made by.
type call struct {
	action string
	params map[string]any
	// kind and template name a template whose id is known only once it was made.
	kind, template string
	id             int64 // of the template that is changed or deleted
}

const (
	kindDomain           = "domain"
	kindSnapshotTemplate = "snapshot_template"
	kindSnapshotRule     = "snapshot_rule"
	kindCallbackTemplate = "callback_template"
	kindCallbackRule     = "callback_rule"
)

// Plan says what has to be done so that what is declared is in force, in an order
// in which it can be done. With prune, what is not declared is deleted.
func Plan(now stillcast.ResourceSet, want stillcast.Declaration, prune bool) ([]Change, error) {
	p := planner{now: Declare(now), want: want, prune: prune}
	if err := p.check(); err != nil {
		return nil, err
	}
	p.domains()
	p.snapshotTemplates()
	p.callbackTemplates()
	p.rules(snapshotRules, p.now.SnapshotRules, want.SnapshotRules)
	p.rules(callbackRules, p.now.CallbackRules, want.CallbackRules)
	// What is deleted goes after the rules that name it.
	return append(p.changes, p.last...), nil
}

type planner struct {
	now, want     stillcast.Declaration
	prune         bool
	changes, last []Change
}

// check reports what the API cannot set up.
func (p *planner) check() error {
	for i, d := range p.want.Domains {
		if err := wholeSeconds(fmt.Sprintf("resources.domains[%d].auth.delta", i), d.Auth.Delta); err != nil {
			return err
		}
	}
	for i, t := range p.want.SnapshotTemplates {
		if err := wholeSeconds(fmt.Sprintf("resources.snapshot_templates[%d].heartbeat", i), t.Heartbeat); err != nil {
			return err
		}
	}
	lists := []struct {
		name       string
		rules      []stillcast.DeclaredRule
		want, have []string
	}{
		{"snapshot_rules", p.want.SnapshotRules, names(p.want.SnapshotTemplates, snapshotName), names(p.now.SnapshotTemplates, snapshotName)},
		{"callback_rules", p.want.CallbackRules, names(p.want.CallbackTemplates, callbackName), names(p.now.CallbackTemplates, callbackName)},
	}
	domains := func(all []stillcast.Domain) []string {
		return names(all, func(d stillcast.Domain) (int64, string) { return 0, d.Name })
	}
	for _, list := range lists {
		for i, r := range list.rules {
			at := fmt.Sprintf("resources.%s[%d]", list.name, i)
			if err := p.checkName(at+".template", r.Template, list.want, list.have); err != nil {
				return err
			}
			if err := p.checkName(at+".domain", r.Domain, domains(p.want.Domains), domains(p.now.Domains)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *planner) checkName(at, name string, want, have []string) error {
	switch {
	case slices.Contains(want, name):
		return nil
	case !slices.Contains(have, name):
		return stillcast.Errorf(stillcast.CodeNotFound, at, "%q is neither in the file nor on the server", name)
	case p.prune:
		return stillcast.Errorf(stillcast.CodeConflict, at, "%q is not in the file, so pruning would delete it", name)
	}
	return nil
}

func names[T any](all []T, of func(T) (int64, string)) []string {
	list := make([]string, len(all))
	for i, one := range all {
		_, list[i] = of(one)
	}
	return list
}

func wholeSeconds(at string, d time.Duration) error {
	if d%time.Second != 0 {
		return stillcast.Errorf(stillcast.CodeInvalid, at, "is %s; the API has whole seconds", d)
	}
	return nil
}

func (p *planner) domains() {
	for _, want := range p.want.Domains {
		i := slices.IndexFunc(p.now.Domains, func(d stillcast.Domain) bool { return d.Name == want.Name })
		set := call{action: "ModifyLivePushAuthKey", params: params(authFields(want.Auth), false)}
		set.params["DomainName"] = want.Name
		if i < 0 {
			add := call{action: "AddLiveDomain", params: map[string]any{"DomainName": want.Name, "DomainType": 0}}
			p.changes = append(p.changes, Change{Verb: Create, Kind: kindDomain, Name: want.Name, calls: []call{add, set}})
			continue
		}
		if details := differences(authFields(p.now.Domains[i].Auth), authFields(want.Auth)); details != nil {
			p.changes = append(p.changes, Change{Verb: Update, Kind: kindDomain, Name: want.Name, Details: details, calls: []call{set}})
		}
	}
	for _, d := range p.now.Domains {
		if p.prune && !slices.ContainsFunc(p.want.Domains, func(w stillcast.Domain) bool { return w.Name == d.Name }) {
			p.last = append(p.last, Change{Verb: Delete, Kind: kindDomain, Name: d.Name, calls: []call{
				{action: "DeleteLiveDomain", params: map[string]any{"DomainName": d.Name, "DomainType": 0}},
			}})
		}
	}
}

func (p *planner) snapshotTemplates() {
	// What the API demands, given or not.
	required := func(t stillcast.SnapshotTemplate, all map[string]any) map[string]any {
		all["CosAppId"], all["CosBucket"], all["CosRegion"] = t.AppID, t.Bucket, t.Region
		return all
	}
	templates(p, kindSnapshotTemplate, p.now.SnapshotTemplates, p.want.SnapshotTemplates, snapshotName,
		snapshotFields, required)
}

func (p *planner) callbackTemplates() {
	templates(p, kindCallbackTemplate, p.now.CallbackTemplates, p.want.CallbackTemplates, callbackName,
		callbackFields, func(_ stillcast.CallbackTemplate, all map[string]any) map[string]any { return all })
}

// actions are the parts of the names of the actions of a kind.
func actions(kind string) string {
	if strings.HasPrefix(kind, "snapshot") {
		return "LiveSnapshot"
	}
	return "LiveCallback"
}

func templates[T any](p *planner, kind string, now, want []T, of func(T) (int64, string), fields func(T) []field, required func(T, map[string]any) map[string]any) { //nolint:revive // what tells the two kinds apart
	for _, w := range want {
		_, name := of(w)
		i := slices.IndexFunc(now, func(n T) bool { _, other := of(n); return other == name })
		if i < 0 {
			create := call{action: "Create" + actions(kind) + "Template", params: required(w, params(fields(w), true)), kind: kind, template: name}
			create.params["TemplateName"] = name
			p.changes = append(p.changes, Change{Verb: Create, Kind: kind, Name: name, calls: []call{create}})
			continue
		}
		if details := differences(fields(now[i]), fields(w)); details != nil {
			id, _ := of(now[i])
			p.changes = append(p.changes, Change{Verb: Update, Kind: kind, Name: name, Details: details, calls: []call{
				{action: "Modify" + actions(kind) + "Template", params: params(fields(w), false), id: id},
			}})
		}
	}
	for _, n := range now {
		id, name := of(n)
		if p.prune && !slices.ContainsFunc(want, func(w T) bool { _, other := of(w); return other == name }) {
			p.last = append(p.last, Change{Verb: Delete, Kind: kind, Name: name, calls: []call{
				{action: "Delete" + actions(kind) + "Template", params: map[string]any{}, id: id},
			}})
		}
	}
}

// ruleKind is what tells snapshot rules from callback rules.
type ruleKind struct {
	kind, template string
	params         func(stillcast.DeclaredRule) map[string]any
	name           func(stillcast.DeclaredRule) string
}

//nolint:gochecknoglobals // constant
var (
	snapshotRules = ruleKind{
		kind: kindSnapshotRule, template: kindSnapshotTemplate,
		params: func(r stillcast.DeclaredRule) map[string]any {
			return map[string]any{"DomainName": r.Domain, "AppName": r.App, "StreamName": r.Stream}
		},
		name: func(r stillcast.DeclaredRule) string { return r.Domain + "/" + r.App + "/" + r.Stream },
	}
	callbackRules = ruleKind{
		kind: kindCallbackRule, template: kindCallbackTemplate,
		params: func(r stillcast.DeclaredRule) map[string]any {
			return map[string]any{"DomainName": r.Domain, "AppName": r.App}
		},
		name: func(r stillcast.DeclaredRule) string { return r.Domain + "/" + r.App },
	}
)

func (p *planner) rules(k ruleKind, now, want []stillcast.DeclaredRule) {
	remove := func(r stillcast.DeclaredRule) call {
		return call{action: "Delete" + actions(k.kind) + "Rule", params: k.params(r)}
	}
	for _, r := range now {
		if p.prune && !slices.ContainsFunc(want, func(w stillcast.DeclaredRule) bool { return k.name(w) == k.name(r) }) {
			p.changes = append(p.changes, Change{Verb: Delete, Kind: k.kind, Name: k.name(r), calls: []call{remove(r)}})
		}
	}
	for _, w := range want {
		create := call{action: "Create" + actions(k.kind) + "Rule", params: k.params(w), kind: k.template, template: w.Template}
		i := slices.IndexFunc(now, func(r stillcast.DeclaredRule) bool { return k.name(r) == k.name(w) })
		switch {
		case i < 0:
			p.changes = append(p.changes, Change{Verb: Create, Kind: k.kind, Name: k.name(w), calls: []call{create}})
		case now[i].Template != w.Template:
			p.changes = append(p.changes, Change{
				Verb: Update, Kind: k.kind, Name: k.name(w),
				Details: []string{"template " + now[i].Template + " → " + w.Template},
				calls:   []call{{action: "StillcastModify" + strings.TrimPrefix(actions(k.kind), "Live") + "Rule", params: k.params(w), kind: k.template, template: w.Template}},
			})
		}
	}
}
