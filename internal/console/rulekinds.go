package console

import (
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
)

// kind is one kind of resource: how its form looks, and which actions of the API
// make, change and delete what it names.
type kind struct {
	name    string   // in paths
	page    string   // template of the page
	actions []string // whose parameters the fields are
	fields  []field

	// find returns the values of the resource that a query names, its name for
	// people, and what it is, which differs whenever any of it does.
	find func(r *stillcast.Resources, key url.Values) (found resource, ok bool)
	// make, change and remove are the calls of the API.
	make   func(want values) []api.Call
	change func(key url.Values, was, want values) []api.Call
	remove func(key url.Values) api.Call
}

// resource is one of a kind as it is.
type resource struct {
	name    string
	values  values // secrets included
	version string
}

// kinds are all of them. The lists to choose from are of the resources in force.
func kinds(r *stillcast.Resources) []kind {
	return []kind{domainKind(), snapshotTemplateKind(), snapshotRuleKind(r), callbackTemplateKind(), callbackRuleKind(r)}
}

func kindOf(name string, r *stillcast.Resources) (kind, bool) {
	for _, k := range kinds(r) {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

func domainKind() kind {
	k := kind{
		name: "domain", page: "domain", actions: []string{"AddLiveDomain", "ModifyLivePushAuthKey"},
		fields: []field{
			{Name: "DomainName", Control: controlText, fixed: true, group: "what"},
			{Name: domainOff, Control: controlCheck, group: "what"},
			{Name: "Enable", Control: controlCheck, group: "auth"},
			{Name: "MasterAuthKey", Control: controlSecret, group: "auth", secret: newKey},
			{Name: "BackupAuthKey", Control: controlSecret, group: "auth", secret: newKey},
			{Name: "AuthDelta", Control: controlNumber, group: "auth"},
			{Name: "PlayType", Control: controlChoice, fixed: true, fold: true, omit: true, choices: []choice{{"", "–"}, {"1", "1"}, {"2", "2"}, {"3", "3"}}},
			{Name: "IsDelayLive", Control: controlCheck, fixed: true, fold: true},
			{Name: "IsMiniProgramLive", Control: controlCheck, fixed: true, fold: true},
		},
		find: findDomain,
	}
	k.make = func(want values) []api.Call {
		given := params(k.fields, nil, want, true)
		name := given["DomainName"]
		calls := []api.Call{{Action: "AddLiveDomain", Params: pick(given, "DomainName", "PlayType", "IsDelayLive", "IsMiniProgramLive")}}
		calls[0].Params["DomainType"] = 0
		return append(calls, domainCalls(name, given, want[domainOff] != "")...)
	}
	k.change = func(key url.Values, was, want values) []api.Call {
		given := params(k.fields, was, want, false)
		calls := domainCalls(key.Get("name"), given, false)
		if want[domainOff] != was[domainOff] {
			action := "EnableLiveDomain"
			if want[domainOff] != "" {
				action = "ForbidLiveDomain"
			}
			calls = append(calls, api.Call{Action: action, Params: map[string]any{"DomainName": key.Get("name")}})
		}
		return calls
	}
	k.remove = func(key url.Values) api.Call {
		return api.Call{Action: "DeleteLiveDomain", Params: map[string]any{"DomainName": key.Get("name"), "DomainType": 0}}
	}
	return k
}

// domainOff is the field of a domain that nobody may push to. It is set by actions
// of its own, not by a parameter.
const domainOff = "Disabled"

func newKey() string { return stillcast.NewSecret().Reveal() }

func domainCalls(name any, given map[string]any, off bool) (calls []api.Call) {
	if auth := pick(given, "Enable", "MasterAuthKey", "BackupAuthKey", "AuthDelta"); len(auth) > 0 {
		auth["DomainName"] = name
		calls = append(calls, api.Call{Action: "ModifyLivePushAuthKey", Params: auth})
	}
	if off {
		calls = append(calls, api.Call{Action: "ForbidLiveDomain", Params: map[string]any{"DomainName": name}})
	}
	return calls
}

func pick(given map[string]any, names ...string) map[string]any {
	some := map[string]any{}
	for _, name := range names {
		if value, ok := given[name]; ok {
			some[name] = value
		}
	}
	return some
}

func findDomain(r *stillcast.Resources, key url.Values) (resource, bool) {
	for _, d := range r.Domains() {
		if d.Name != key.Get("name") {
			continue
		}
		return resource{
			name: d.Name, version: versionOf(d, d.Auth.Key, d.Auth.BackupKey),
			values: values{
				"DomainName": d.Name, domainOff: flag(d.Disabled), "Enable": flag(!d.Auth.Disabled),
				"MasterAuthKey": d.Auth.Key.Reveal(), "BackupAuthKey": d.Auth.BackupKey.Reveal(), "AuthDelta": inSeconds(d.Auth.Delta),
				"PlayType": number(int64(d.PlayType)), "IsDelayLive": flag(d.DelayLive), "IsMiniProgramLive": flag(d.MiniProgram),
			},
		}, true
	}
	return resource{}, false
}

// versionOf writes all of a resource. Secrets, which do not show themselves, are
// written by their values.
func versionOf(value any, secrets ...stillcast.Secret) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%+v", value)
	for _, s := range secrets {
		text.WriteString("\x00" + s.Reveal())
	}
	return text.String()
}

func flag(set bool) string {
	if set {
		return "1"
	}
	return ""
}

// number writes one, "" for 0, which stands for the default.
func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func inSeconds(d time.Duration) string { return number(int64(d / time.Second)) }

// ruleKey is the query that names a resource.
type ruleKey url.Values

func ruleKeyOf(domain, app, stream string) ruleKey {
	return ruleKey{"domain": {domain}, "app": {app}, "stream": {stream}}
}

// query writes it for templates, which would else take it for one value.
func (k ruleKey) query() template.URL {
	return template.URL(url.Values(k).Encode()) //nolint:gosec // Encode leaves nothing to be escaped
}

func templateID(key url.Values) int64 {
	id, err := strconv.ParseInt(key.Get("id"), 10, 64)
	if err != nil {
		return 0
	}
	return id
}

func snapshotRuleKind(r *stillcast.Resources) kind {
	var templates []choice
	for _, t := range r.SnapshotTemplates() {
		templates = append(templates, choice{strconv.FormatInt(t.ID, 10), t.Name})
	}
	k := kind{
		name: "snapshot-rule", page: "snapshot", actions: []string{"CreateLiveSnapshotRule"},
		fields: []field{
			{Name: "DomainName", Control: controlChoice, choices: domainChoices(r)},
			{Name: "AppName", Control: controlText},
			{Name: "StreamName", Control: controlText},
			{Name: "TemplateId", Control: controlChoice, choices: templates},
		},
		find: func(r *stillcast.Resources, key url.Values) (resource, bool) {
			for _, rule := range r.SnapshotRules() {
				if key.Get("domain") == rule.Domain && key.Get("app") == rule.App && key.Get("stream") == rule.Stream {
					return ruleResource(rule, rule.Domain, rule.App, rule.Stream, rule.TemplateID), true
				}
			}
			return resource{}, false
		},
		remove: func(key url.Values) api.Call {
			return api.Call{Action: "DeleteLiveSnapshotRule", Params: map[string]any{
				"DomainName": key.Get("domain"), "AppName": key.Get("app"), "StreamName": key.Get("stream"),
			}}
		},
	}
	return ruleKindOf(k, "SnapshotRule")
}

func callbackRuleKind(r *stillcast.Resources) kind {
	var templates []choice
	for _, t := range r.CallbackTemplates() {
		templates = append(templates, choice{strconv.FormatInt(t.ID, 10), t.Name})
	}
	k := kind{
		name: "callback-rule", page: "callback", actions: []string{"CreateLiveCallbackRule"},
		fields: []field{
			{Name: "DomainName", Control: controlChoice, choices: domainChoices(r)},
			{Name: "AppName", Control: controlText},
			{Name: "TemplateId", Control: controlChoice, choices: templates},
		},
		find: func(r *stillcast.Resources, key url.Values) (resource, bool) {
			for _, rule := range r.CallbackRules() {
				if key.Get("domain") == rule.Domain && key.Get("app") == rule.App {
					return ruleResource(rule, rule.Domain, rule.App, "", rule.TemplateID), true
				}
			}
			return resource{}, false
		},
		remove: func(key url.Values) api.Call {
			return api.Call{Action: "DeleteLiveCallbackRule", Params: map[string]any{"DomainName": key.Get("domain"), "AppName": key.Get("app")}}
		},
	}
	return ruleKindOf(k, "CallbackRule")
}

func domainChoices(r *stillcast.Resources) (all []choice) {
	for _, d := range r.Domains() {
		all = append(all, choice{d.Name, d.Name})
	}
	return all
}

func ruleResource(rule any, domain, app, stream string, template int64) resource {
	name := domain + "/" + anyOr(app)
	if _, ok := rule.(stillcast.SnapshotRule); ok {
		name += "/" + anyOr(stream)
	}
	return resource{name: name, version: versionOf(rule), values: values{
		"DomainName": domain, "AppName": app, "StreamName": stream, "TemplateId": strconv.FormatInt(template, 10),
	}}
}

func anyOr(part string) string {
	if part == "" {
		return "*"
	}
	return part
}

// newPart is what the parameters begin with that say what a rule is to be for.
const newPart = "New"

// ruleKindOf makes the calls for a kind of rules. A change is one call, whatever of
// the rule it changes, so that no stream is without its rule in between.
func ruleKindOf(k kind, noun string) kind {
	k.make = func(want values) []api.Call {
		given := params(k.fields, nil, want, true)
		if want["TemplateId"] == "" {
			delete(given, "TemplateId")
		}
		return []api.Call{{Action: "CreateLive" + noun, Params: given}}
	}
	k.change = func(_ url.Values, was, want values) []api.Call {
		given, changed := map[string]any{}, false
		for _, f := range k.fields {
			name := f.Name
			if name != "TemplateId" {
				given[name] = was[name] // names the rule
				name = newPart + name
			}
			if want[f.Name] != was[f.Name] {
				given[name], changed = want[f.Name], true
			}
		}
		if !changed {
			return nil
		}
		return []api.Call{{Action: "StillcastModify" + noun, Params: given}}
	}
	return k
}

func join(list []string) string { return strings.Join(list, ", ") }

// dict makes of names and values what templates hand to templates.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict: a value is missing")
	}
	all := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		all[name] = pairs[i+1]
	}
	return all, nil
}
