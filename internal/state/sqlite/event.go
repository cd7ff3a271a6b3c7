package sqlite

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// RecordEvent makes an event that belongs to no push or shot of its own durable,
// with its deliveries, which are due at once. An event whose id exists already is
// a [stillcast.Error] of CodeConflict.
func (s *Store) RecordEvent(ctx context.Context, e state.NewEvent) error {
	events := []state.NewEvent{e}
	if err := validateEvents(events); err != nil {
		return err
	}
	return s.change(ctx, "record event", func(t *tx) error { return t.addEvents(events) })
}

// validateEvents reports the first event that could not be kept as it is.
func validateEvents(events []state.NewEvent) error {
	for _, e := range events {
		if err := validateEvent(e.Event); err != nil {
			return err
		}
		if err := validateDestinations(e.Destinations); err != nil {
			return err
		}
	}
	return nil
}

func validateEvent(e stillcast.Event) error {
	if e.ID == "" {
		return stillcast.Errorf(stillcast.CodeInvalid, "event.id", "is empty")
	}
	if len(e.Fields) == 0 || e.Fields[0] != '{' || !json.Valid(e.Fields) {
		return stillcast.Errorf(stillcast.CodeInvalid, "event.fields", "of event %s is no JSON object", e.ID)
	}
	return nil
}

func validateDestinations(destinations []stillcast.Destination) error {
	for i, d := range destinations {
		if slices.Contains(destinations[:i], d) {
			return stillcast.Errorf(stillcast.CodeInvalid, "destinations",
				"holds the events %s of callback template %d twice", d.Event, d.TemplateID)
		}
	}
	return nil
}

// addEvents adds events whose deliveries are due at once.
func (t *tx) addEvents(events []state.NewEvent) error {
	due := time.Now()
	for _, e := range events {
		stream, err := t.stream(e.Event.Stream)
		if err != nil {
			return err
		}
		row := eventRow{Event: e.Event, stream: stream}
		if err := t.addEvent(row, e.Destinations, statePending, due); err != nil {
			return err
		}
	}
	return nil
}

// eventRow is an event with the ids of the rows that it refers to.
type eventRow struct {
	stillcast.Event
	stream int64
	shot   int64 // 0 for none
}

// addEvent adds an event and what is owed of it.
func (t *tx) addEvent(e eventRow, destinations []stillcast.Destination, initial deliveryState, due time.Time) error {
	var shot any
	if e.shot != 0 {
		shot = e.shot
	}
	var num int64
	ok, err := t.one(`INSERT INTO event (id, type, stream, push, at, fields, shot) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING RETURNING num`,
		[]any{e.ID, int(e.Type), e.stream, e.PushID, micros(e.At), string(e.Fields), shot}, &num)
	if err != nil {
		return err
	}
	if !ok {
		return stillcast.Errorf(stillcast.CodeConflict, "event.id", "event %s exists already", e.ID)
	}
	if err := t.countEvent(e.Stream.Domain, e.At, num, min(e.shot, 1)); err != nil {
		return err
	}
	for _, d := range destinations {
		destination, err := t.owe(d, initial)
		if err != nil {
			return err
		}
		sequence, err := t.nextSequence(destination, e.stream)
		if err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO delivery (event, destination, sequence, state, due, at) VALUES (?, ?, ?, ?, ?, ?)",
			num, destination, sequence, initial, micros(due), micros(e.At)); err != nil {
			return err
		}
	}
	return nil
}

// owe returns the id of a destination, which it makes when it is the first
// time, and counts one delivery more that is waiting or pending.
func (t *tx) owe(d stillcast.Destination, initial deliveryState) (id int64, err error) {
	waiting, pending := 0, 0
	if initial == stateWaiting {
		waiting = 1
	} else {
		pending = 1
	}
	_, err = t.one(`INSERT INTO destination (template, event_type, waiting, pending) VALUES (?, ?, ?, ?)
		ON CONFLICT (template, event_type) DO UPDATE
		SET waiting = waiting + excluded.waiting, pending = pending + excluded.pending RETURNING id`,
		[]any{d.TemplateID, int(d.Event), waiting, pending}, &id)
	return id, err
}

func (t *tx) nextSequence(destination, stream int64) (last int64, err error) {
	_, err = t.one(`INSERT INTO sequence (destination, stream, last) VALUES (?, ?, 1)
		ON CONFLICT (destination, stream) DO UPDATE SET last = last + 1 RETURNING last`,
		[]any{destination, stream}, &last)
	return last, err
}

// stream returns the id of a stream, which it makes when it is the first time.
func (t *tx) stream(s stillcast.Stream) (id int64, err error) {
	names := []any{s.Domain, s.App, s.Name}
	ok, err := t.one("SELECT id FROM stream WHERE domain = ? AND app = ? AND name = ?", names, &id)
	if ok || err != nil {
		return id, err
	}
	_, err = t.one("INSERT INTO stream (domain, app, name) VALUES (?, ?, ?) RETURNING id", names, &id)
	return id, err
}
