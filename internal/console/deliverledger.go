package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ledger"
)

// desks opens the ledger for who asks, with what that one may do.
type desks interface {
	Desk(who ledger.Caller, remote string) *ledger.Desk
}

func (c *Console) deliveryRoutes() []route {
	return []route{
		{pattern: "GET deliveries", run: (*view).deliveriesPage},
		{pattern: "GET deliveries/{id}", run: (*view).deliveryPage},
		{pattern: "POST deliveries/{id}/replay", run: (*view).replayDelivery},
		{pattern: "POST deliveries/replay", run: (*view).replaySelection},

		{pattern: "GET replays", run: (*view).replaysPage},
		{pattern: "POST replays", run: (*view).startReplay},
		{pattern: "POST replays/{id}/cancel", run: (*view).cancelReplay},

		{pattern: "GET destinations", run: (*view).destinationsPage},
		{pattern: "POST destinations/{destination}/pause", run: (*view).pauseDestination},
		{pattern: "POST destinations/{destination}/resume", run: (*view).resumeDestination},
		{pattern: "POST destinations/{destination}/test", run: (*view).testDestination},
	}
}

// desk is the ledger for the viewer.
func (v *view) desk() *ledger.Desk {
	who := ledger.Caller{Name: v.session.Account, Account: true, ReadOnly: v.session.Role != RoleAdmin}
	return v.opts.Ledger.Desk(who, v.from.addr.String())
}

// fieldFault is what is wrong with one field of a form.
type fieldFault struct {
	Field string // "" for none
	Text  string
}

// Of returns the text for a field, "" where that is not at fault.
func (f fieldFault) Of(field string) string {
	if f.Field != field {
		return ""
	}
	return f.Text
}

// faultOf returns what is wrong with the form that has fields; ok is false for an
// error of another kind.
func faultOf(err error, fields []string) (fault fieldFault, ok bool) {
	e, known := errors.AsType[*stillcast.Error](err)
	if !known {
		return fieldFault{}, false
	}
	if !slices.Contains(fields, e.Field) {
		return fieldFault{Field: "form", Text: e.Error()}, true
	}
	return fieldFault{Field: e.Field, Text: e.Message}, true
}

// selectFields are the fields that select deliveries, as the ledger calls them.
func selectFields() []string {
	return []string{"destination", "domain", "app", "stream", "event_type", "state", "from", "until"}
}

// selected is what a form says of deliveries.
type selected map[string]string

// selectedOf takes the fields that have a value.
func selectedOf(values func(string) string) selected {
	s := selected{}
	for _, f := range selectFields() {
		text := values(f)
		if f != "domain" && f != "app" && f != "stream" { // names may have spaces at their ends
			text = strings.TrimSpace(text)
		}
		if text != "" {
			s[f] = text
		}
	}
	return s
}

// Of returns the value of a field, as it was typed in.
func (s selected) Of(field string) string { return s[field] }

// parameters are those of the ledger: times that have no zone are of the console's.
func (s selected) parameters(zone *time.Location) ledger.Parameters {
	in := ledger.Parameters{}
	for field, text := range s {
		if field == "from" || field == "until" {
			text = zoned(text, zone)
		}
		in[field] = text
	}
	return in
}

// zoned writes a time of a datetime-local field in the ledger's form. What is
// something else stays, for the ledger to refuse.
func zoned(text string, zone *time.Location) string {
	for _, form := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02T15:04:05.000"} {
		if at, err := time.ParseInLocation(form, text, zone); err == nil {
			return ledger.Time(at).String()
		}
	}
	return text
}

// local writes a time of the ledger's form for a datetime-local field; others stay.
func (s selected) local(zone *time.Location) {
	for _, field := range []string{"from", "until"} {
		if at, err := time.Parse(time.RFC3339Nano, s[field]); err == nil {
			s[field] = at.In(zone).Format("2006-01-02T15:04:05")
		}
	}
}

// destinationChoice is a destination in a list to choose from.
type destinationChoice struct {
	ID   string
	Name string // of its template, "" when that is gone
	Kind string // word of its event
}

// choices are the lists that filters choose from.
type choices struct {
	Destinations []destinationChoice
	Events       []string
	States       []string
	Zone         string // of the times, such as "+08:00"
}

// filterForm is the form that selects deliveries, as it was filled in.
type filterForm struct {
	choices

	Filter selected
	Fault  fieldFault
}

// formField is a field to type in.
type formField struct {
	Field, Key   string // Key is that of its words
	Value, Fault string
	Zone         string // of a time; "" for a text
}

// Text is a field for a text.
func (f filterForm) Text(field, key string) formField {
	return formField{Field: field, Key: key, Value: f.Filter[field], Fault: f.Fault.Of(field)}
}

// Time is a field for a time.
func (f filterForm) Time(field, key string) formField {
	one := f.Text(field, key)
	one.Zone = f.Zone
	return one
}

// DestinationName is the name of a destination's template, or else its id.
func (c choices) DestinationName(id ledger.DestinationID) string {
	for _, d := range c.Destinations {
		if d.ID == id.String() && d.Name != "" {
			return d.Name
		}
	}
	return id.String()
}

func (v *view) choices(states ...string) (choices, error) {
	all, err := v.desk().Destinations(v.r.Context())
	if err != nil {
		return choices{}, err
	}
	c := choices{Events: []string{"shot", "push_begin", "push_end", "push_exception"}, States: states, Zone: time.Now().In(v.opts.Zone).Format("-07:00")}
	for _, d := range all.Destinations {
		c.Destinations = append(c.Destinations, destinationChoice{ID: d.ID.String(), Name: d.TemplateName, Kind: d.EventType})
	}
	return c, nil
}

// when is a time of the ledger.
func when(t ledger.Time) time.Time { return time.Time(t) }

// unprocessable is the status of a page that shows what is wrong with its form.
const unprocessable = http.StatusUnprocessableEntity
