package ledger

import (
	"cmp"
	"context"
	"net/url"
	"slices"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Destination is one callback URL of one callback template, with what it is owed
// and how it answers.
type Destination struct {
	ID           DestinationID `json:"id"`
	TemplateID   ID            `json:"template_id"`
	TemplateName string        `json:"template_name,omitempty" doc:"Missing where the template was deleted."`
	EventType    string        `json:"event_type" enum:"shot,push_begin,push_end,push_exception"`
	URL          string        `json:"url,omitempty" doc:"Without its query, which may hold a key; missing where the template has no such URL any more."`
	Owed         Owed          `json:"owed"`
	Delivered    int64         `json:"delivered" doc:"Deliveries that are still known."`
	Oldest       Time          `json:"oldest,omitzero" doc:"Time of the oldest event that is neither delivered nor parked."`
	NextDue      Time          `json:"next_due,omitzero" doc:"When something is sent next, if the destination is not paused."`
	Paused       *Paused       `json:"paused,omitempty" doc:"Missing where it is not paused."`
	Health       *Health       `json:"health,omitempty" doc:"Missing where nothing was sent since the server's start."`
}

// Owed counts what is not delivered, by state.
type Owed struct {
	Waiting int64 `json:"waiting"`
	Pending int64 `json:"pending"`
	Claimed int64 `json:"claimed"`
	Parked  int64 `json:"parked"`
}

// Paused says since when and why nothing is sent.
type Paused struct {
	Since  Time   `json:"since"`
	Reason string `json:"reason,omitempty"`
}

// Health says how a destination answered of late, as far as the server has seen
// since its start. Rates are those of the last attempts.
type Health struct {
	Breaker     string  `json:"breaker" enum:"closed,open,paused" doc:"open: it does not work, and is only probed with one request."`
	OpenSince   Time    `json:"open_since,omitzero" doc:"When the breaker opened; missing unless it is open."`
	NextProbe   Time    `json:"next_probe,omitzero" doc:"No probe before; missing unless the breaker is open."`
	HeldUntil   Time    `json:"held_until,omitzero" doc:"The receiver asked for no request before (Retry-After)."`
	Busy        int     `json:"busy" doc:"Requests under way."`
	Unanswered  int     `json:"unanswered" doc:"Attempts in a row without an answer."`
	Failed      int     `json:"failed" doc:"Attempts in a row without an answer, or with 429 or 5xx."`
	Attempts    int     `json:"attempts" doc:"How many the following are of."`
	SuccessRate float64 `json:"success_rate" doc:"Part of them that delivered, 0 to 1; 0 without attempts."`
	P50MS       float64 `json:"p50_ms" doc:"Half of them took at most so long."`
	P95MS       float64 `json:"p95_ms" doc:"95 of 100 of them took at most so long."`
	Last        Time    `json:"last,omitzero" doc:"Start of the last attempt."`
	LastSuccess Time    `json:"last_success,omitzero" doc:"Start of the last one that delivered."`
	LastStatus  int     `json:"last_status,omitempty" doc:"HTTP status of the last answer; missing without one."`
	LastError   string  `json:"last_error,omitempty" doc:"Why the last attempt failed."`
}

// DestinationList is all destinations.
type DestinationList struct {
	Destinations []Destination `json:"destinations"`
}

func (c *call) listDestinations(ctx context.Context, _ struct{}) (DestinationList, error) {
	all, err := c.destinations(ctx)
	return DestinationList{Destinations: all}, err
}

type destinationQuery struct {
	Destination DestinationID `param:"destination" doc:"Id of its callback template, '-', and shot, push_begin, push_end or push_exception."`
}

func (c *call) getDestination(ctx context.Context, q destinationQuery) (Destination, error) {
	return c.destination(ctx, q.Destination)
}

func (c *call) destination(ctx context.Context, id DestinationID) (Destination, error) {
	all, err := c.destinations(ctx)
	if err != nil {
		return Destination{}, err
	}
	i := slices.IndexFunc(all, func(d Destination) bool { return d.ID == id })
	if i < 0 {
		return Destination{}, stillcast.Errorf(stillcast.CodeNotFound, "destination",
			"%s is none: no callback template with that id has such a URL, and nothing was ever owed to it", id)
	}
	return all[i], nil
}

// destinations are those of the templates as they are now, and all others that
// were ever owed something.
func (c *call) destinations(ctx context.Context) ([]Destination, error) {
	kept, err := c.opts.Book.Destinations(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[DestinationID]Destination{}
	for _, t := range c.opts.Resources().CallbackTemplates() {
		for _, e := range events() {
			if t.URL(e) != "" {
				id := DestinationID{TemplateID: t.ID, Event: e}
				byID[id] = Destination{ID: id}
			}
		}
	}
	for _, k := range kept {
		d := destinationOf(k)
		byID[d.ID] = d
	}
	health := c.opts.Courier.Health()
	all := make([]Destination, 0, len(byID))
	for id, d := range byID {
		c.describe(&d)
		if h, ok := health[stillcast.Destination(id)]; ok {
			d.Health = &h
		}
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b Destination) int {
		return cmp.Or(cmp.Compare(a.ID.TemplateID, b.ID.TemplateID), cmp.Compare(place(a.ID.Event), place(b.ID.Event)))
	})
	return all, nil
}

// place orders events as they are listed elsewhere: shots first.
func place(e stillcast.EventType) int { return slices.Index(events(), e) }

func destinationOf(k state.DestinationStatus) Destination {
	d := Destination{
		ID:        DestinationID(k.Destination),
		Owed:      Owed{Waiting: k.Waiting, Pending: k.Pending, Claimed: k.Claimed, Parked: k.Parked},
		Delivered: k.Delivered, Oldest: Time(k.Oldest), NextDue: Time(k.NextDue),
	}
	if k.Paused {
		d.Paused = &Paused{Since: Time(k.PausedAt), Reason: k.PauseReason}
	}
	return d
}

// describe adds what the destination's template says.
func (c *call) describe(d *Destination) {
	d.TemplateID, d.EventType = ID(d.ID.TemplateID), d.ID.Event.String()
	t, ok := c.opts.Resources().CallbackTemplateByID(d.ID.TemplateID)
	if !ok {
		return
	}
	d.TemplateName = t.Name
	if u, err := url.Parse(t.URL(d.ID.Event)); err == nil {
		u.RawQuery, u.Fragment, u.User = "", "", nil
		d.URL = u.String()
	}
}

type pauseQuery struct {
	destinationQuery

	Reason string `param:"reason" doc:"For people; the credential's name without it."`
}

func (c *call) pauseDestination(ctx context.Context, q pauseQuery) (Destination, error) {
	if _, err := c.destination(ctx, q.Destination); err != nil {
		return Destination{}, err
	}
	reason := cmp.Or(q.Reason, "paused by "+c.who.Name)
	if err := c.opts.Courier.Pause(ctx, stillcast.Destination(q.Destination), reason); err != nil {
		return Destination{}, err
	}
	return c.destination(ctx, q.Destination)
}

func (c *call) resumeDestination(ctx context.Context, q destinationQuery) (Destination, error) {
	if d, err := c.destination(ctx, q.Destination); err != nil || d.Paused == nil {
		return d, err
	}
	if err := c.opts.Courier.Resume(ctx, stillcast.Destination(q.Destination)); err != nil {
		return Destination{}, err
	}
	return c.destination(ctx, q.Destination)
}

// TestResult is what a sample event came to.
type TestResult struct {
	Delivered bool     `json:"delivered" doc:"Whether the answer means that the event was taken."`
	Request   *Request `json:"request,omitempty" doc:"Missing where none could be made."`
	Started   Time     `json:"started"`
	TookMS    float64  `json:"took_ms"`
	Status    int      `json:"status,omitempty" doc:"HTTP status of the answer; missing without one."`
	Reply     string   `json:"reply,omitempty" doc:"First KiB of the answer's body."`
	Error     string   `json:"error,omitempty" doc:"Why it was not delivered."`
}

func (c *call) testDestination(ctx context.Context, q destinationQuery) (TestResult, error) {
	if _, err := c.destination(ctx, q.Destination); err != nil {
		return TestResult{}, err
	}
	return c.opts.Courier.Test(ctx, stillcast.Destination(q.Destination))
}
