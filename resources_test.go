package stillcast_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
)

func TestResourcesDomain(t *testing.T) {
	named := stillcast.Domain{ID: 1, Name: "push.example.com"}
	wildcard := stillcast.Domain{ID: 2, Name: stillcast.AnyDomain}
	tests := []struct {
		domains []stillcast.Domain
		host    string
		want    int64 // 0 for none
	}{
		{[]stillcast.Domain{named, wildcard}, "push.example.com", 1},
		{[]stillcast.Domain{named, wildcard}, "PUSH.Example.COM", 1},
		{[]stillcast.Domain{named, wildcard}, "other.example.com", 2},
		{[]stillcast.Domain{named, wildcard}, "", 2},
		{[]stillcast.Domain{named}, "other.example.com", 0},
		{[]stillcast.Domain{named}, "example.com", 0},
		{nil, "push.example.com", 0},
	}
	for _, tt := range tests {
		got, ok := stillcast.NewResources(stillcast.ResourceSet{Domains: tt.domains}).Domain(tt.host)
		if got.ID != tt.want || ok != (tt.want != 0) {
			t.Errorf("%v: Domain(%q) = %d, %t, want %d", tt.domains, tt.host, got.ID, ok, tt.want)
		}
	}
}

// The names of the templates say which rule points to them.
func ruleSet() stillcast.ResourceSet {
	set := stillcast.ResourceSet{SnapshotRules: []stillcast.SnapshotRule{
		{Domain: "d", App: "app", Stream: "s", TemplateID: 1},
		{Domain: "d", Stream: "s", TemplateID: 2},
		{Domain: "d", App: "app", TemplateID: 3},
		{Domain: "d", TemplateID: 4},
		{Domain: stillcast.AnyDomain, TemplateID: 5},
		{Domain: "broken", TemplateID: 4},
		{Domain: "broken", App: "app", TemplateID: 99},
	}}
	for i, name := range []string{"domain+app+stream", "domain+stream", "domain+app", "domain", "any"} {
		set.SnapshotTemplates = append(set.SnapshotTemplates, stillcast.SnapshotTemplate{ID: int64(i + 1), Name: name})
	}
	return set
}

func TestResourcesSnapshotTemplate(t *testing.T) {
	r := stillcast.NewResources(ruleSet())
	tests := []struct{ domain, app, name, want string }{
		{"d", "app", "s", "domain+app+stream"},
		{"d", "other", "s", "domain+stream"},
		{"d", "app", "other", "domain+app"},
		{"d", "other", "other", "domain"},
		{"d", "APP", "S", "domain"}, // apps and stream names are case-sensitive
		{stillcast.AnyDomain, "app", "s", "any"},
		{"unknown", "app", "s", ""}, // "*" is not a wildcard of rules: it is the name of a domain
		{"broken", "app", "s", ""},  // the most specific rule decides, even if its template is gone
		{"broken", "x", "s", "domain"},
	}
	for _, tt := range tests {
		stream := stillcast.Stream{Domain: "host.as.sent", App: tt.app, Name: tt.name}
		got, ok := r.SnapshotTemplate(tt.domain, stream)
		if got.Name != tt.want || ok != (tt.want != "") {
			t.Errorf("SnapshotTemplate(%q, %s) = %q, %t, want %q", tt.domain, stream, got.Name, ok, tt.want)
		}
		if ok && (got.Interval != stillcast.DefaultInterval || got.Quality != stillcast.DefaultQuality) {
			t.Errorf("SnapshotTemplate(%q, %s) lacks its defaults: %+v", tt.domain, stream, got)
		}
	}
	// From the most specific rule down, each is taken when those before it are gone.
	for i, want := range []string{"domain+app+stream", "domain+stream", "domain+app", "domain"} {
		set := ruleSet()
		set.SnapshotRules = set.SnapshotRules[i:]
		got, _ := stillcast.NewResources(set).SnapshotTemplate("d", stillcast.Stream{App: "app", Name: "s"})
		if got.Name != want {
			t.Errorf("without the first %d rules the template is %q, want %q", i, got.Name, want)
		}
	}
	// Each rule alone, so that none is found but through itself.
	for i, rule := range ruleSet().SnapshotRules[:4] {
		set := ruleSet()
		set.SnapshotRules = []stillcast.SnapshotRule{rule}
		_, ok := stillcast.NewResources(set).SnapshotTemplate("d", stillcast.Stream{App: "app", Name: "s"})
		_, other := stillcast.NewResources(set).SnapshotTemplate("d", stillcast.Stream{App: "app2", Name: "s2"})
		if !ok || other != (i == 3) {
			t.Errorf("rule %+v alone: taken %t, for another stream %t", rule, ok, other)
		}
	}
}

func callbackSet() stillcast.ResourceSet {
	return stillcast.ResourceSet{
		CallbackTemplates: []stillcast.CallbackTemplate{
			{ID: 1, Name: "app", SnapshotURL: "http://a/shot"},
			{ID: 2, Name: "domain", StreamBeginURL: "http://a/begin", StreamEndURL: "http://a/end"},
		},
		CallbackRules: []stillcast.CallbackRule{
			{Domain: "d", App: "app", TemplateID: 1},
			{Domain: "d", TemplateID: 2},
			{Domain: "broken", TemplateID: 99},
		},
	}
}

func TestResourcesCallbackTemplateAndDestination(t *testing.T) {
	r := stillcast.NewResources(callbackSet())
	tests := []struct {
		domain, app string
		template    string
		events      []stillcast.EventType // that have a destination
	}{
		{"d", "app", "app", []stillcast.EventType{stillcast.EventShot}},
		{"d", "other", "domain", []stillcast.EventType{stillcast.EventPushEnd, stillcast.EventPushBegin}},
		{"d", "APP", "domain", []stillcast.EventType{stillcast.EventPushEnd, stillcast.EventPushBegin}},
		{"broken", "app", "", nil},
		{"unknown", "app", "", nil},
	}
	for _, tt := range tests {
		stream := stillcast.Stream{App: tt.app, Name: "s"}
		template, ok := r.CallbackTemplate(tt.domain, stream)
		if template.Name != tt.template || ok != (tt.template != "") {
			t.Errorf("CallbackTemplate(%q, %q) = %q, %t, want %q", tt.domain, tt.app, template.Name, ok, tt.template)
		}
		var events []stillcast.EventType
		for _, e := range []stillcast.EventType{stillcast.EventPushEnd, stillcast.EventPushBegin, stillcast.EventShot} {
			got, ok := r.Destination(tt.domain, stream, e)
			want := stillcast.Destination{}
			if ok {
				events = append(events, e)
				want = stillcast.Destination{TemplateID: template.ID, Event: e}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("destination of %s (-want +got):\n%s", e, diff)
			}
		}
		if diff := cmp.Diff(tt.events, events); diff != "" {
			t.Errorf("events of %q/%q with a destination (-want +got):\n%s", tt.domain, tt.app, diff)
		}
	}
}

func TestResourcesByIDAndSet(t *testing.T) {
	set := callbackSet()
	r := stillcast.NewResources(set)
	if got, ok := r.CallbackTemplateByID(2); !ok || got.Name != "domain" {
		t.Errorf("CallbackTemplateByID(2) = %q, %t", got.Name, ok)
	}
	if _, ok := r.CallbackTemplateByID(3); ok {
		t.Error("CallbackTemplateByID(3) found one")
	}
	if _, ok := r.SnapshotTemplateByID(1); ok {
		t.Error("SnapshotTemplateByID(1) found one")
	}
	set.SnapshotTemplates = []stillcast.SnapshotTemplate{{ID: 1, Name: "a"}}
	r = stillcast.NewResources(set)
	if got, ok := r.SnapshotTemplateByID(1); !ok || got != set.SnapshotTemplates[0] {
		t.Errorf("SnapshotTemplateByID(1) = %+v, %t, want it without defaults", got, ok)
	}
	if diff := cmp.Diff(set, r.Set()); diff != "" {
		t.Errorf("set (-want +got):\n%s", diff)
	}
	const want = "0 domains, 1 snapshot templates, 0 snapshot rules, 2 callback templates, 3 callback rules"
	if got := fmt.Sprint(r); got != want {
		t.Errorf("it prints %q, want %q", got, want)
	}
}

func TestResourcesLists(t *testing.T) {
	set := callbackSet()
	set.Domains = []stillcast.Domain{{ID: 2, Name: "b"}, {ID: 3, Name: "a"}}
	set.SnapshotTemplates, set.SnapshotRules = ruleSet().SnapshotTemplates, ruleSet().SnapshotRules
	r := stillcast.NewResources(set)
	got := stillcast.ResourceSet{
		Domains: r.Domains(), SnapshotTemplates: r.SnapshotTemplates(), SnapshotRules: r.SnapshotRules(),
		CallbackTemplates: r.CallbackTemplates(), CallbackRules: r.CallbackRules(),
	}
	if diff := cmp.Diff(set, got); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
}
