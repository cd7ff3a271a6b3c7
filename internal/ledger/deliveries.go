package ledger

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Delivery is one event owed to one destination, as it stands.
type Delivery struct {
	ID          ID            `json:"id"`
	Destination DestinationID `json:"destination"`
	EventID     string        `json:"event_id" doc:"Header Stillcast-Event-Id, the same for all attempts and replays."`
	EventType   string        `json:"event_type" enum:"shot,push_begin,push_end,push_exception"`
	EventTime   Time          `json:"event_time"`
	Stream      Stream        `json:"stream"`
	PushID      string        `json:"push_id"`
	ShotID      ID            `json:"shot_id,omitzero" doc:"Of an event of a shot."`
	Sequence    int64         `json:"sequence" doc:"Counts the stream's events to this destination from 1, without gaps."`
	State       string        `json:"state" enum:"waiting,pending,claimed,delivered,parked" doc:"waiting for the picture to be stored; pending until it is due; claimed: being sent; delivered; parked: no longer tried by itself."`
	Due         Time          `json:"due,omitzero" doc:"When a pending one is tried next; of a claimed one, when it counts as lost."`
	Attempts    int           `json:"attempt_count" doc:"Attempts so far, all replays included."`
	Finished    Time          `json:"finished,omitzero" doc:"When it was delivered or parked."`
	Reason      string        `json:"reason,omitempty" doc:"Why it was parked without an attempt."`
	LastStatus  int           `json:"last_status,omitempty" doc:"HTTP status of the last answer; missing without one."`
	LastError   string        `json:"last_error,omitempty" doc:"Why the last attempt failed."`
}

func deliveryOf(d state.DeliveryStatus) Delivery {
	return Delivery{
		ID: ID(d.ID), Destination: DestinationID(d.Destination),
		EventID: d.Event.ID, EventType: d.Event.Type.String(), EventTime: Time(d.Event.At), Stream: streamOf(d.Event.Stream), PushID: d.Event.PushID,
		ShotID: ID(d.Shot.ID), Sequence: d.Sequence,
		State: string(d.State), Due: Time(d.Due), Attempts: d.Attempt, Finished: Time(d.Finished),
		Reason: d.Reason, LastStatus: d.LastStatus, LastError: d.LastError,
	}
}

// DeliveryPage is one page of deliveries.
type DeliveryPage struct {
	Deliveries []Delivery `json:"deliveries"`
	Next       Cursor     `json:"next,omitzero" doc:"Cursor of the next page; missing on the last one."`
}

// selection are the parameters that select deliveries.
type selection struct {
	StreamParts
	Span

	Destination DestinationID `param:"destination" doc:"Any without it."`
	EventType   string        `param:"event_type" enum:"shot,push_begin,push_end,push_exception" doc:"Any without it."`
}

func (s selection) filter() (state.DeliveryFilter, error) {
	var f state.DeliveryFilter
	var err error
	if f.Stream, err = s.given(); err != nil {
		return f, err
	}
	if s.Destination != (DestinationID{}) {
		to := stillcast.Destination(s.Destination)
		f.Destination = &to
	}
	if e, ok := eventOf(s.EventType); ok {
		f.EventType = &e
	}
	f.From, f.Until, err = s.times()
	return f, err
}

type deliveryQuery struct {
	selection
	Page

	State string `param:"state" enum:"waiting,pending,claimed,delivered,parked" doc:"Any without it."`
}

func (c *call) listDeliveries(ctx context.Context, q deliveryQuery) (DeliveryPage, error) {
	f, err := q.filter()
	if err != nil {
		return DeliveryPage{}, err
	}
	f.State = state.DeliveryState(q.State)
	if f.AfterID, f.BeforeID, f.Descending, f.Limit, err = q.bounds(); err != nil {
		return DeliveryPage{}, err
	}
	rows, err := c.opts.Book.Deliveries(ctx, f)
	if err != nil {
		return DeliveryPage{}, err
	}
	page := DeliveryPage{Deliveries: []Delivery{}}
	rows, page.Next = cut(q.Page, rows, func(d state.DeliveryStatus) int64 { return d.ID })
	for _, d := range rows {
		page.Deliveries = append(page.Deliveries, deliveryOf(d))
	}
	return page, nil
}

// DeliveryDetail is a delivery with its attempts.
type DeliveryDetail struct {
	Delivery

	Log []Attempt `json:"attempts" doc:"The attempts that ended, the oldest first. One whose server died has no entry."`

	// Event is what happened, for who asks from within the program.
	Event stillcast.Event `json:"-"`
}

// Attempt is one HTTP request for a delivery.
type Attempt struct {
	Number  int      `json:"number" doc:"Header Stillcast-Attempt."`
	Outcome string   `json:"outcome" enum:"delivered,retry,parked"`
	Started Time     `json:"started"`
	TookMS  float64  `json:"took_ms"`
	RetryAt Time     `json:"retry_at,omitzero"`
	Status  int      `json:"status,omitempty" doc:"HTTP status of the answer; missing without one."`
	Error   string   `json:"error,omitempty" doc:"Why it failed."`
	Reply   string   `json:"reply,omitempty" doc:"First KiB of the answer's body."`
	Request *Request `json:"request,omitempty" doc:"What was sent; missing where no request was made, or nothing is kept of it."`
	Unknown string   `json:"request_unknown,omitempty" doc:"Why the request cannot be shown."`
}

// Request is what was sent: a POST.
type Request struct {
	URL    string   `json:"url,omitempty" doc:"Without its query; missing where it is not known."`
	Header []Header `json:"header" doc:"In alphabetical order, without what HTTP itself adds: Host, Content-Length."`
	Body   string   `json:"body" doc:"Byte for byte."`
}

// Header is one field of a header.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// NewRequest describes a request. to is its URL, "" where that is not known.
func NewRequest(to string, header http.Header, body []byte) *Request {
	r := &Request{URL: to, Header: []Header{}, Body: string(body)}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			r.Header = append(r.Header, Header{name, value})
		}
	}
	return r
}

func (c *call) getDelivery(ctx context.Context, q idQuery) (DeliveryDetail, error) {
	d, err := c.opts.Book.Delivery(ctx, int64(q.ID))
	if err != nil {
		return DeliveryDetail{}, named("id", err)
	}
	results, err := c.opts.Book.Attempts(ctx, d.ID)
	if err != nil {
		return DeliveryDetail{}, err
	}
	detail := DeliveryDetail{Delivery: deliveryOf(d), Log: []Attempt{}, Event: d.Event}
	for _, r := range results {
		detail.Log = append(detail.Log, c.attempt(d, r))
	}
	return detail, nil
}

func (c *call) attempt(d state.DeliveryStatus, r state.Result) Attempt {
	a := Attempt{
		Number: r.Attempt, Outcome: outcomeWord(r.Outcome), Started: Time(r.Started), TookMS: Milliseconds(r.Took), RetryAt: Time(r.RetryAt),
		Status: r.Status, Error: r.Error, Reply: strings.ToValidUTF8(r.Reply, "\uFFFD"),
	}
	request, err := c.opts.Courier.Request(d, r)
	if err != nil {
		a.Unknown = err.Error()
		return a
	}
	a.Request = request
	return a
}

func outcomeWord(o state.Outcome) string {
	switch o {
	case state.OutcomeDelivered:
		return "delivered"
	case state.OutcomeRetry:
		return "retry"
	case state.OutcomeParked:
	}
	return "parked"
}

func (c *call) replayDelivery(ctx context.Context, q idQuery) (Delivery, error) {
	if err := c.opts.Book.Replay(ctx, int64(q.ID)); err != nil {
		return Delivery{}, named("id", err)
	}
	d, err := c.opts.Book.Delivery(ctx, int64(q.ID))
	if err != nil {
		return Delivery{}, err
	}
	c.opts.Courier.Wake(d.Destination)
	return deliveryOf(d), nil
}
