package ledger

import (
	"context"
	"net/http"
	"reflect"
)

// operation is one thing that can be asked for.
type operation struct {
	method, path string
	id           string // name in the document and in logs
	summary      string
	status       int // of a success
	open         bool
	input, reply reflect.Type
	params       []param
	run          func(context.Context, *call, reflect.Value) (any, error)
}

// changes says whether it changes something.
func (o *operation) changes() bool { return o.method != http.MethodGet }

// op makes an operation of a function. In has a field for each parameter, see
// param; Out is what it replies.
func op[In, Out any](method, path, id, summary string, run func(*call, context.Context, In) (Out, error)) operation {
	input := reflect.TypeFor[In]()
	return operation{
		method: method, path: Path + path, id: id, summary: summary, status: http.StatusOK,
		input: input, reply: reflect.TypeFor[Out](), params: paramsOf(input, path),
		run: func(ctx context.Context, c *call, in reflect.Value) (any, error) {
			return run(c, ctx, in.Interface().(In)) //nolint:forcetypeassert // bind made it of this type
		},
	}
}

// accepted is op for what goes on after its answer.
func accepted[In, Out any](method, path, id, summary string, run func(*call, context.Context, In) (Out, error)) operation {
	o := op(method, path, id, summary, run)
	o.status = http.StatusAccepted
	return o
}

// openTo everybody is op for what needs no credential.
func openTo[In, Out any](method, path, id, summary string, run func(*call, context.Context, In) (Out, error)) operation {
	o := op(method, path, id, summary, run)
	o.open = true
	return o
}

// operations is the table of everything that is served.
func operations() []operation {
	return []operation{
		op("GET", "shots", "listShots", "Shots, by stream, time and state.", (*call).listShots),
		op("GET", "shots/{id}", "getShot", "One shot with its facts, pictures and deliveries.", (*call).getShot),
		op("GET", "deliveries", "listDeliveries", "Deliveries, by destination, stream, event, state and time of the event.", (*call).listDeliveries),
		op("GET", "deliveries/{id}", "getDelivery", "One delivery with its attempts: what was sent and what was answered.", (*call).getDelivery),
		op("POST", "deliveries/{id}/replay", "replayDelivery", "Send a delivery again that is parked or delivered, under the same event id.", (*call).replayDelivery),
		op("GET", "replays", "listReplays", "Replays of many deliveries since the server's start, the newest first.", (*call).listReplays),
		accepted("POST", "replays", "startReplay", "Replay many deliveries in the background, in small steps.", (*call).startReplay),
		op("GET", "replays/{id}", "getReplay", "How far a replay is.", (*call).getReplay),
		op("DELETE", "replays/{id}", "cancelReplay", "End a replay. What it replayed stays so.", (*call).cancelReplay),
		op("GET", "destinations", "listDestinations", "Destinations with what they are owed and how they answer.", (*call).listDestinations),
		op("GET", "destinations/{destination}", "getDestination", "One destination.", (*call).getDestination),
		op("POST", "destinations/{destination}/pause", "pauseDestination", "Send nothing to a destination until it is resumed. What it is owed is kept.", (*call).pauseDestination),
		op("POST", "destinations/{destination}/resume", "resumeDestination", "Send to a paused destination again.", (*call).resumeDestination),
		op("POST", "destinations/{destination}/test", "testDestination", "Send a sample event now, once, and show what was answered. The ledger does not keep it.", (*call).testDestination),
		op("GET", "streams", "listStreams", "Streams that are live, with the templates in force and their newest shot.", (*call).listStreams),
		op("GET", "status", "getStatus", "How the server is.", (*call).getStatus),
		openTo("GET", "openapi.json", "getDocument", "This document.", (*call).getDocument),
	}
}
