package console

import (
	"html/template"
	"net/http"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
	"github.com/stillcast/stillcast/internal/ingest"
)

// rules is what the pages of domains, templates and rules need of the server.
type rules interface {
	api.Control

	// CheckMirror reports a mirror that a snapshot template cannot have.
	CheckMirror(name string) error
	// Node is the address, HOST:PORT, that publishers push to.
	Node() string
	// Ask says whether a push with a URL would be admitted at a time; it begins none.
	Ask(u ingest.PushURL, now time.Time) (stillcast.Domain, *ingest.Refusal)
	// TasksOf returns the tasks that capture a live push now, beside its rule.
	TasksOf(p stillcast.Push) []stillcast.Task
	// SampleShot returns the shot that would be taken at a time of a push, whose
	// video has the size of source, and where its picture could be downloaded.
	SampleShot(p stillcast.Push, at time.Time, source stillcast.Size) (shot stillcast.Shot, url string, err error)
	// SampleRequest returns the request that would be sent at a time for an event of
	// a push. Shot is that of an event of a shot. The error is of CodeNotFound where
	// none is sent.
	SampleRequest(p stillcast.Push, typ stillcast.EventType, shot stillcast.Shot, at time.Time) (SampleRequest, error)
}

// SampleRequest is a request that was made and not sent.
type SampleRequest struct {
	URL    string // its query may hold secrets
	Header http.Header
	Body   []byte
	Sign   string // within Body, "" for none
}

func (c *Console) ruleRoutes() []route {
	return []route{
		{pattern: "GET rules", run: (*view).rulesPage},
		{pattern: "GET rules/{kind}", run: (*view).openRule},
		{pattern: "POST rules/{kind}", run: (*view).saveRule},
		{pattern: "GET rules/{kind}/delete", role: RoleAdmin, run: (*view).askToDelete},
		{pattern: "POST rules/{kind}/delete", run: (*view).deleteRule},
		{pattern: "POST rules/{kind}/generate", run: (*view).generateSecret},
		{pattern: "POST rules/{kind}/reveal", run: (*view).revealSecret},

		{pattern: "GET rules/tester", run: (*view).testerPage},
		{pattern: "POST rules/tester", role: RoleViewer, run: (*view).testPushURL},
		{pattern: "GET rules/push-url", role: RoleAdmin, run: (*view).pushURLPage},
		{pattern: "POST rules/push-url", run: (*view).makePushURL},
	}
}

// rulesData is what the page of all domains, templates and rules shows.
type rulesData struct {
	Domains           []stillcast.Domain
	SnapshotTemplates []stillcast.SnapshotTemplate
	SnapshotRules     []ruleRow
	CallbackTemplates []callbackRow
	CallbackRules     []ruleRow
}

// ruleRow is a rule in a table.
type ruleRow struct {
	Domain, App, Stream string
	TemplateID          int64
	Template            string       // its name
	Live                int          // streams that the rule is in force for
	Query               template.URL // of the pages about it
	Changed             time.Time
}

// callbackRow is a callback template in a table.
type callbackRow struct {
	stillcast.CallbackTemplate

	Sends []string // the words of the events that it has URLs for
}

func (v *view) rulesPage() error {
	r := v.opts.Rules.Resources()
	data := rulesData{
		Domains: r.Domains(), SnapshotTemplates: r.SnapshotTemplates(),
		SnapshotRules: snapshotRows(r), CallbackRules: callbackRuleRows(r),
	}
	for _, t := range r.CallbackTemplates() {
		row := callbackRow{CallbackTemplate: t}
		for _, e := range []stillcast.EventType{stillcast.EventShot, stillcast.EventPushBegin, stillcast.EventPushEnd, stillcast.EventPushException} {
			if t.URL(e) != "" {
				row.Sends = append(row.Sends, e.String())
			}
		}
		data.CallbackTemplates = append(data.CallbackTemplates, row)
	}
	for _, p := range v.opts.Rules.Live() {
		if all := r.MatchingSnapshotRules(p.Domain, p.Stream); len(all) > 0 {
			countLive(data.SnapshotRules, all[0].Domain, all[0].App, all[0].Stream)
		}
		if all := r.MatchingCallbackRules(p.Domain, p.Stream); len(all) > 0 {
			countLive(data.CallbackRules, all[0].Domain, all[0].App, "")
		}
	}
	return v.page("rules", data)
}

func countLive(rows []ruleRow, domain, app, stream string) {
	for i, row := range rows {
		if row.Domain == domain && row.App == app && row.Stream == stream {
			rows[i].Live++
		}
	}
}

func snapshotRows(r *stillcast.Resources) []ruleRow {
	rows := make([]ruleRow, 0, len(r.SnapshotRules()))
	for _, rule := range r.SnapshotRules() {
		t, _ := r.SnapshotTemplateByID(rule.TemplateID)
		rows = append(rows, ruleRow{
			Domain: rule.Domain, App: rule.App, Stream: rule.Stream, TemplateID: rule.TemplateID, Template: t.Name, Changed: rule.Updated,
			Query: ruleKeyOf(rule.Domain, rule.App, rule.Stream).query(),
		})
	}
	return rows
}

func callbackRuleRows(r *stillcast.Resources) []ruleRow {
	rows := make([]ruleRow, 0, len(r.CallbackRules()))
	for _, rule := range r.CallbackRules() {
		t, _ := r.CallbackTemplateByID(rule.TemplateID)
		rows = append(rows, ruleRow{
			Domain: rule.Domain, App: rule.App, TemplateID: rule.TemplateID, Template: t.Name, Changed: rule.Updated,
			Query: ruleKeyOf(rule.Domain, rule.App, "").query(),
		})
	}
	return rows
}
