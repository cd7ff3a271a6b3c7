package sqlite

import (
	"encoding/json"
	"fmt"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// deliveryState is delivery.state. The numbers stand in the partial indexes, so
// queries write them out: SQLite uses such an index only for the same text.
type deliveryState int

const (
	stateWaiting deliveryState = iota
	statePending
	stateClaimed
	stateDelivered
	stateParked
)

func deliveryStates() []state.DeliveryState {
	return []state.DeliveryState{
		state.StateWaiting, state.StatePending, state.StateClaimed, state.StateDelivered, state.StateParked,
	}
}

// move counts n deliveries of a destination from one state to another.
func (t *tx) move(destination int64, from, to deliveryState, n int64) error {
	if n == 0 {
		return nil
	}
	names := deliveryStates()
	_, err := t.exec(fmt.Sprintf("UPDATE destination SET %[1]s = %[1]s - ?1, %[2]s = %[2]s + ?1 WHERE id = ?2",
		names[from], names[to]), n, destination)
	return err
}

// The columns and joins of a shot, of which event is the outer table.
const (
	eventColumns = "event.id, event.type, event.push, event.at, event.fields, stream.domain, stream.app, stream.name"
	shotColumns  = "shot.id, shot.bucket, shot.region, shot.key, shot.due_at, shot.captured_at, shot.width, shot.height, shot.size"
)

// deliveryColumns is read by scanDelivery from delivery joined with
// deliveryJoins. The CROSS keeps SQLite from any other order than from the
// delivery, which an index has found, to the rest.
const (
	deliveryColumns = `delivery.id, delivery.sequence, delivery.attempt, delivery.series, delivery.state, delivery.due, ` +
		eventColumns + `, ` + shotColumns
	deliveryJoins = `CROSS JOIN event ON event.num = delivery.event
		CROSS JOIN stream ON stream.id = event.stream
		LEFT JOIN shot ON shot.id = event.shot`
)

// deliveryRow is a row of delivery with its event and shot. Destination is left
// to the caller.
type deliveryRow struct {
	state.Delivery
	state deliveryState
	due   int64
}

func scanDelivery(scan scan, more ...any) (deliveryRow, error) {
	var d deliveryRow
	var e eventScan
	var s shotScan
	series := 0
	dest := []any{&d.ID, &d.Sequence, &d.Attempt, &series, &d.state, &d.due}
	dest = append(dest, e.dest()...)
	dest = append(dest, s.dest()...)
	if err := scan(append(dest, more...)...); err != nil {
		return deliveryRow{}, err
	}
	d.Event = e.event()
	d.Shot = s.shot(d.Event)
	d.Try = d.Attempt - series
	return d, nil
}

// eventScan takes the eventColumns.
type eventScan struct {
	e      stillcast.Event
	at     int64
	fields string
}

func (s *eventScan) dest() []any {
	return []any{&s.e.ID, &s.e.Type, &s.e.PushID, &s.at, &s.fields, &s.e.Stream.Domain, &s.e.Stream.App, &s.e.Stream.Name}
}

func (s *eventScan) event() stillcast.Event {
	s.e.At = fromMicros(s.at)
	s.e.Fields = json.RawMessage(s.fields)
	return s.e
}

// shotScan takes the shotColumns, which are NULL where there is no shot.
type shotScan struct {
	id, due, captured   *int64
	bucket, region, key *string
	width, height, size *int
}

func (s *shotScan) dest() []any {
	return []any{&s.id, &s.bucket, &s.region, &s.key, &s.due, &s.captured, &s.width, &s.height, &s.size}
}

// shot returns the shot of the event; the zero value when there is none.
func (s *shotScan) shot(e stillcast.Event) stillcast.Shot {
	if s.id == nil {
		return stillcast.Shot{}
	}
	return stillcast.Shot{
		ID: *s.id, EventID: e.ID, PushID: e.PushID, Stream: e.Stream,
		Bucket: *s.bucket, Region: *s.region, Key: *s.key,
		Due: fromMicros(*s.due), Captured: fromMicros(*s.captured),
		Width: *s.width, Height: *s.height, Size: *s.size,
	}
}
