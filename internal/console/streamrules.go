package console

import "github.com/stillcast/stillcast"

// matchRow is a rule that matches a stream, as its page shows it.
type matchRow struct {
	Domain, App, Stream string // "" for any
	TemplateID          int64
	Template            string // name; "" when there is no such template
	Wins                bool
	Why                 string // key of the words that say how closely it names the stream
}

// matchingSnapshots returns the snapshot rules that match a stream of a registered
// domain, the one that wins first.
func matchingSnapshots(r *stillcast.Resources, domain string, s stillcast.Stream) []matchRow {
	var rows []matchRow
	for i, rule := range r.MatchingSnapshotRules(domain, s) {
		t, _ := r.SnapshotTemplateByID(rule.TemplateID)
		rows = append(rows, matchRow{
			Domain: rule.Domain, App: rule.App, Stream: rule.Stream, TemplateID: rule.TemplateID, Template: t.Name,
			Wins: i == 0, Why: closeness(rule.App, rule.Stream),
		})
	}
	return rows
}

// matchingCallbacks does so for callback rules.
func matchingCallbacks(r *stillcast.Resources, domain string, s stillcast.Stream) []matchRow {
	var rows []matchRow
	for i, rule := range r.MatchingCallbackRules(domain, s) {
		t, _ := r.CallbackTemplateByID(rule.TemplateID)
		rows = append(rows, matchRow{
			Domain: rule.Domain, App: rule.App, TemplateID: rule.TemplateID, Template: t.Name,
			Wins: i == 0, Why: closeness(rule.App, ""),
		})
	}
	return rows
}

// closeness is the key of the words for what a rule names beside its domain.
func closeness(app, stream string) string {
	switch {
	case app != "" && stream != "":
		return "stream.why_exact"
	case stream != "":
		return "stream.why_name"
	case app != "":
		return "stream.why_app"
	}
	return "stream.why_domain"
}
