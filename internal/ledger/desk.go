package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/stillcast/stillcast"
)

// Desk is the ledger for one who asks from within the program, such as a person
// at the console: the operations of requests, with their parameters, checks,
// turns and audit log.
type Desk struct {
	server *Server
	who    Caller
	remote string
}

// Desk returns the ledger for who; remote is the address of who asks, for the
// audit log.
func (s *Server) Desk(who Caller, remote string) *Desk {
	return &Desk{server: s, who: who, remote: remote}
}

// Parameters are those of an operation, by name, as they stand in a query. A
// missing one is not the same as an empty one.
type Parameters map[string]string

// ask does the operation with an id. Errors are those of requests: a
// [stillcast.Error] for what was asked wrongly.
func ask[Out any](ctx context.Context, d *Desk, id string, in Parameters) (out Out, err error) {
	all := operations()
	i := slices.IndexFunc(all, func(o operation) bool { return o.id == id })
	if i < 0 {
		return out, fmt.Errorf("the ledger has no operation %q", id)
	}
	c := &call{Server: d.server, id: uuid.NewString(), operation: &all[i], who: d.who, remote: d.remote}
	if c.operation.changes() && d.who.ReadOnly {
		return out, stillcast.Errorf(stillcast.CodeDenied, "", "%s may only read; %s changes something", d.who.Name, id)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	done, err := c.turn(ctx)
	if err != nil {
		return out, err
	}
	defer done()
	sent := make([]given, 0, len(in))
	for _, name := range slices.Sorted(maps.Keys(in)) {
		sent = append(sent, given{name, in[name]})
	}
	reply, err := c.do(ctx, sent)
	if err != nil {
		return out, err
	}
	return reply.(Out), nil //nolint:forcetypeassert // the callers below know what their operation replies
}

// Deliveries lists deliveries, as GET deliveries does.
func (d *Desk) Deliveries(ctx context.Context, in Parameters) (DeliveryPage, error) {
	return ask[DeliveryPage](ctx, d, "listDeliveries", in)
}

// Delivery returns a delivery with its attempts.
func (d *Desk) Delivery(ctx context.Context, id string) (DeliveryDetail, error) {
	return ask[DeliveryDetail](ctx, d, "getDelivery", Parameters{"id": id})
}

// Replay sends a delivery again.
func (d *Desk) Replay(ctx context.Context, id string) (Delivery, error) {
	return ask[Delivery](ctx, d, "replayDelivery", Parameters{"id": id})
}

// Replays lists the replays of many deliveries, the newest first.
func (d *Desk) Replays(ctx context.Context) (ReplayList, error) {
	return ask[ReplayList](ctx, d, "listReplays", nil)
}

// StartReplay replays many deliveries in the background, as POST replays does.
func (d *Desk) StartReplay(ctx context.Context, in Parameters) (ReplayJob, error) {
	return ask[ReplayJob](ctx, d, "startReplay", in)
}

// CancelReplay ends a replay of many deliveries.
func (d *Desk) CancelReplay(ctx context.Context, id string) (ReplayJob, error) {
	return ask[ReplayJob](ctx, d, "cancelReplay", Parameters{"id": id})
}

// Destinations lists the destinations with what they are owed and how they answer.
func (d *Desk) Destinations(ctx context.Context) (DestinationList, error) {
	return ask[DestinationList](ctx, d, "listDestinations", nil)
}

// Pause lets nothing be sent to a destination. A reason of "" says who paused it.
func (d *Desk) Pause(ctx context.Context, destination, reason string) (Destination, error) {
	in := Parameters{"destination": destination}
	if reason != "" {
		in["reason"] = reason
	}
	return ask[Destination](ctx, d, "pauseDestination", in)
}

// Resume lets a paused destination be sent to again.
func (d *Desk) Resume(ctx context.Context, destination string) (Destination, error) {
	return ask[Destination](ctx, d, "resumeDestination", Parameters{"destination": destination})
}

// Test sends a sample event to a destination now.
func (d *Desk) Test(ctx context.Context, destination string) (TestResult, error) {
	return ask[TestResult](ctx, d, "testDestination", Parameters{"destination": destination})
}
