package sqlite

import (
	"database/sql"
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
	shotColumns  = `shot.id, shot.bucket, shot.region, shot.key, shot.due_at, shot.captured_at, shot.width, shot.height, shot.size,
		` + renditionsColumn + `, ` + factsColumns
)

// deliveryColumns is read by scanDelivery from delivery joined with
// deliveryJoins. The CROSS keeps SQLite from any other order than from the
// delivery, which an index has found, to the rest.
const (
	deliveryColumns = `delivery.id, delivery.sequence, delivery.attempt, delivery.series, delivery.state, delivery.due, ` +
		eventColumns + `, ` + shotColumns
	deliveryJoins = `CROSS JOIN event ON event.num = delivery.event
		CROSS JOIN stream ON stream.id = event.stream
		LEFT JOIN shot ON shot.id = event.shot` + factsJoin
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
	d.Try = d.Attempt - series
	var err error
	d.Shot, err = s.shot(d.Event)
	return d, err
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
	s                   stillcast.Shot
	due, captured, hash int64
	renditions          string
}

func (s *shotScan) dest() []any {
	return append([]any{
		orZero(&s.s.ID), orZero(&s.s.Bucket), orZero(&s.s.Region), orZero(&s.s.Key), orZero(&s.due), orZero(&s.captured),
		orZero(&s.s.Width), orZero(&s.s.Height), orZero(&s.s.Size), &s.renditions,
	}, s.factsDest()...)
}

// shot returns the shot of the event; the zero value when there is none.
func (s *shotScan) shot(e stillcast.Event) (stillcast.Shot, error) {
	if s.s.ID == 0 {
		return stillcast.Shot{}, nil
	}
	s.s.EventID, s.s.PushID, s.s.Stream = e.ID, e.PushID, e.Stream
	s.s.Due, s.s.Captured = fromMicros(s.due), fromMicros(s.captured)
	s.s.Facts.Hash = uint64(s.hash) //nolint:gosec // the 64 bits, whatever their sign
	var err error
	s.s.Renditions, err = parseRenditions(s.renditions)
	return s.s, err
}

// orZero is a destination of Scan that turns NULL into the zero value.
func orZero[T any](to *T) sql.Scanner { return nullable[T]{to} }

type nullable[T any] struct{ to *T }

// Scan implements [sql.Scanner].
func (n nullable[T]) Scan(value any) error {
	var v sql.Null[T]
	err := v.Scan(value)
	*n.to = v.V
	return err
}
