package sqlite

import (
	"math"
	"time"

	"github.com/stillcast/stillcast/internal/state"
)

// span is a range of ids, its ends included.
type span struct{ first, last int64 }

func (s span) empty() bool { return s.first > s.last }

// page is the span of a listing that goes on after one id and ends before
// another, 0 for none.
func page(after, before int64) span {
	if before <= 0 {
		return span{after + 1, math.MaxInt64}
	}
	return span{after + 1, before - 1}
}

// within returns what both have in common.
func (s span) within(t span) span { return span{max(s.first, t.first), min(s.last, t.last)} }

// window is a time from From up to Until; zero is no bound.
type window struct{ from, until time.Time }

func (w window) open() bool { return w.from.IsZero() && w.until.IsZero() }

// bounds returns the window as the tables have it.
func (w window) bounds() (from, until int64) {
	from, until = math.MinInt64, math.MaxInt64
	if !w.from.IsZero() {
		from = micros(w.from)
	}
	if !w.until.IsZero() {
		until = micros(w.until)
	}
	return from, until
}

// restrict adds the exact condition on a column of times.
func (w window) restrict(where *conditions, column string) {
	from, until := w.bounds()
	if !w.from.IsZero() {
		where.add(column+" >= ?", from)
	}
	if !w.until.IsZero() {
		where.add(column+" < ?", until)
	}
}

// eventsIn returns a span of event.num in which all events of the window are;
// when clocks were set, others are, too. Its cost grows with the five minutes in
// the window.
func (v view) eventsIn(w window) (span, error) {
	if w.open() {
		return span{1, math.MaxInt64}, nil
	}
	from, until := w.bounds()
	if step := state.CountStep.Microseconds(); !w.from.IsZero() {
		from -= from % step
	}
	none := span{1, 0}
	err := v.query(eventsInQuery, []any{from, until}, func(scan scan) error {
		var first, last *int64
		err := scan(&first, &last)
		if first != nil && last != nil {
			none = span{*first, *last}
		}
		return err
	})
	return none, err
}

const eventsInQuery = "SELECT min(first_event), max(last_event) FROM shot_count WHERE at >= ? AND at < ?"

// deliveriesOf returns the span of the deliveries of a span of events: both come
// to be in the same order.
func (v view) deliveriesOf(events span) (span, error) {
	return v.translate(deliveriesOfQuery, events)
}

const deliveriesOfQuery = `SELECT
	(SELECT min(id) FROM delivery WHERE event = (SELECT event FROM delivery WHERE event >= ? ORDER BY event LIMIT 1)),
	(SELECT max(id) FROM delivery WHERE event = (SELECT event FROM delivery WHERE event <= ? ORDER BY event DESC LIMIT 1))`

// eventsOf is the opposite of deliveriesOf. Deliveries that are no more do not
// matter.
func (v view) eventsOf(deliveries span) (span, error) { return v.translate(eventsOfQuery, deliveries) }

const eventsOfQuery = `SELECT
	(SELECT event FROM delivery WHERE id >= ? ORDER BY id LIMIT 1),
	(SELECT event FROM delivery WHERE id <= ? ORDER BY id DESC LIMIT 1)`

// shotsOf and eventsOfShots are the same for shots.
func (v view) shotsOf(events span) (span, error) { return v.translate(shotsOfQuery, events) }

const shotsOfQuery = `SELECT
	(SELECT shot FROM event WHERE num >= ? AND shot IS NOT NULL ORDER BY num LIMIT 1),
	(SELECT shot FROM event WHERE num <= ? AND shot IS NOT NULL ORDER BY num DESC LIMIT 1)`

func (v view) eventsOfShots(shots span) (span, error) {
	return v.translate(eventsOfShotsQuery, shots)
}

const eventsOfShotsQuery = `SELECT
	(SELECT num FROM event INDEXED BY event_shot WHERE shot >= ? ORDER BY shot LIMIT 1),
	(SELECT num FROM event INDEXED BY event_shot WHERE shot <= ? ORDER BY shot DESC LIMIT 1)`

// translate returns the span of one table that belongs to one of another. The
// query gives its ends, NULL for none.
func (v view) translate(query string, s span) (span, error) {
	none := span{1, 0}
	if s.empty() {
		return none, nil
	}
	err := v.query(query, []any{s.first, s.last}, func(scan scan) error {
		var first, last *int64
		err := scan(&first, &last)
		if first != nil && last != nil {
			none = span{*first, *last}
		}
		return err
	})
	return none, err
}
