package ledger

import (
	"context"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// ReplayJob is the replay of many deliveries. It is known until the server ends;
// what it replayed is durable.
type ReplayJob struct {
	ID       string    `json:"id"`
	State    string    `json:"state" enum:"running,done,cancelled,failed"`
	Filter   Selection `json:"filter"`
	By       string    `json:"by" doc:"Secret id of the credential that started it, or the account of the console."`
	Started  Time      `json:"started"`
	Ended    Time      `json:"ended,omitzero"`
	Replayed int64     `json:"replayed" doc:"Deliveries that are sent again."`
	Progress float64   `json:"progress" doc:"How much of the ledger was looked through, 0 to 1."`
	Error    string    `json:"error,omitempty" doc:"Why it failed."`
}

// Selection says which deliveries are replayed.
type Selection struct {
	State       string        `json:"state" enum:"parked,delivered"`
	Destination DestinationID `json:"destination,omitzero"`
	EventType   string        `json:"event_type,omitempty" enum:"shot,push_begin,push_end,push_exception"`
	Domain      string        `json:"domain,omitempty"`
	App         string        `json:"app,omitempty"`
	Stream      string        `json:"stream,omitempty"`
	From        Time          `json:"from,omitzero"`
	Until       Time          `json:"until,omitzero"`
}

type replayInput struct {
	selection

	State string `param:"state" enum:"parked,delivered" default:"parked" doc:"delivered needs destination and from beside it, so that nobody gets everything twice by mistake."`
}

// ReplayList is the replays that are known.
type ReplayList struct {
	Replays []ReplayJob `json:"replays"`
}

func (c *call) startReplay(ctx context.Context, in replayInput) (ReplayJob, error) {
	f, err := in.filter()
	if err != nil {
		return ReplayJob{}, err
	}
	f.State = state.DeliveryState(in.State)
	if f.State == state.StateDelivered {
		switch {
		case f.Destination == nil:
			return ReplayJob{}, stillcast.Errorf(stillcast.CodeInvalid, "destination", "is missing; it must be given with the state delivered")
		case f.From.IsZero():
			return ReplayJob{}, stillcast.Errorf(stillcast.CodeInvalid, "from", "is missing; it must be given with the state delivered")
		}
	}
	if in.Destination != (DestinationID{}) {
		if _, err := c.destination(ctx, in.Destination); err != nil {
			return ReplayJob{}, err
		}
	}
	newest, err := c.opts.Book.Deliveries(ctx, state.DeliveryFilter{Descending: true, Limit: 1})
	if err != nil {
		return ReplayJob{}, err
	}
	last := int64(0)
	if len(newest) > 0 {
		last = newest[0].ID
	}
	return c.jobs.start(f, last, ReplayJob{
		By: c.who.Name,
		Filter: Selection{
			State: in.State, Destination: in.Destination, EventType: in.EventType,
			Domain: in.Domain, App: in.App, Stream: in.Stream, From: in.From, Until: in.Until,
		},
	})
}

func (c *call) listReplays(context.Context, struct{}) (ReplayList, error) {
	return ReplayList{Replays: c.jobs.list()}, nil
}

type replayQuery struct {
	ID string `param:"id" doc:"As the start of the replay gave it."`
}

func (c *call) getReplay(_ context.Context, q replayQuery) (ReplayJob, error) {
	return c.jobs.get(q.ID)
}

func (c *call) cancelReplay(ctx context.Context, q replayQuery) (ReplayJob, error) {
	return c.jobs.cancel(ctx, q.ID)
}
