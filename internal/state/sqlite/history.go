package sqlite

import (
	"context"
	"slices"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// PushPage lists pushes and tells how many there are in all, at most
// [state.MaxTotal]. Its cost grows with the pushes that ended since f.Start, and
// with f.Offset.
func (s *Store) PushPage(ctx context.Context, f state.PushFilter) ([]state.PushRecord, int64, error) {
	selected, args := selectPushes(f)
	total, err := s.total(ctx, selected, args)
	if err != nil {
		return nil, 0, within("count pushes", err)
	}
	var records []state.PushRecord
	err = s.read(ctx, pagePushes(selected, f.Ascending), append(args, pageLimit(f.Limit), max(0, f.Offset)), func(scan scan) error {
		return appendRow(&records, scan, scanPushRecord)
	})
	if err != nil {
		return nil, 0, within("list pushes", err)
	}
	return records, total, nil
}

// pushUntil is when a push ended, as the indexes have it.
const pushUntil = "coalesce(push.ended_at, 9223372036854775807)"

// selectPushes returns the part of a query from FROM to the end of WHERE.
func selectPushes(f state.PushFilter) (selected string, args []any) {
	where := &conditions{}
	index := "push_until"
	if f.Strict && f.Domain != "" && f.App != "" && f.Name != "" {
		index = "push_stream"
		where.add("push.stream = (SELECT id FROM stream WHERE domain = ? AND app = ? AND name = ?)", f.Domain, f.App, f.Name)
	} else {
		names := stillcast.Stream{Domain: f.Domain, App: f.App}
		if f.Strict {
			names.Name = f.Name
		} else if f.Name != "" {
			where.add("instr(stream.name, ?) > 0", f.Name)
		}
		where.addNames(names)
	}
	where.add(pushUntil+" > ?", micros(f.Start))
	where.add("push.started_at < ?", micros(f.End))
	if !f.Failed {
		where.add("(push.ended_at IS NULL OR push.width > 0)")
	}
	return "FROM push INDEXED BY " + index + " CROSS JOIN stream ON stream.id = push.stream WHERE " + where.String(), where.args
}

func pagePushes(selected string, ascending bool) string {
	order := " DESC"
	if ascending {
		order = ""
	}
	return `SELECT ` + pushColumns + `, push.ended_at, push.end_code, push.end_message, push.width, push.height ` + selected +
		` ORDER BY ` + pushUntil + order + `, push.started_at` + order + `, push.num` + order + ` LIMIT ? OFFSET ?`
}

func scanPushRecord(scan scan) (r state.PushRecord, err error) {
	p := pushScan{}
	var ended *int64
	err = scan(append(p.dest(), &ended, orZero(&r.End.Code), orZero(&r.End.Message), orZero(&r.End.Width), orZero(&r.End.Height))...)
	if err != nil {
		return r, err
	}
	if ended != nil {
		r.End.At = fromMicros(*ended)
	}
	r.Push, err = p.push()
	return r, err
}

// total counts what is selected, up to the limit.
func (s *Store) total(ctx context.Context, selected string, args []any) (int64, error) {
	var total int64
	err := s.read(ctx, countSelected(selected), append(slices.Clip(args), state.MaxTotal), func(scan scan) error {
		return scan(&total)
	})
	return total, err
}

func countSelected(selected string) string {
	return "SELECT count(*) FROM (SELECT 1 " + selected + " LIMIT ?)"
}

// AttemptPage lists attempts in the order of their events, and tells how many
// there are in all, at most [state.MaxTotal]. Its cost grows with the events of
// streams of that name in that time.
func (s *Store) AttemptPage(ctx context.Context, f state.AttemptFilter) ([]state.AttemptRecord, int64, error) {
	selected, args := selectAttempts(f)
	total, err := s.total(ctx, selected, args)
	if err != nil {
		return nil, 0, within("count attempts", err)
	}
	var records []state.AttemptRecord
	err = s.read(ctx, pageAttempts(selected), append(args, pageLimit(f.Limit), max(0, f.Offset)), func(scan scan) error {
		return appendRow(&records, scan, scanAttemptRecord)
	})
	if err != nil {
		return nil, 0, within("list attempts", err)
	}
	return records, total, nil
}

func selectAttempts(f state.AttemptFilter) (selected string, args []any) {
	where := &conditions{}
	where.add("stream.name = ?", f.Stream)
	where.add("event.at >= ?", micros(f.Start))
	where.add("event.at < ?", micros(f.End))
	if f.EventType != nil {
		where.add("event.type = ?", int(*f.EventType))
	}
	if f.Failed != nil {
		comparison := "="
		if *f.Failed {
			comparison = "<>"
		}
		where.add("attempt.outcome "+comparison+" ?", int(state.OutcomeDelivered))
	}
	return `FROM stream INDEXED BY stream_name
		CROSS JOIN event INDEXED BY event_stream_at ON event.stream = stream.id
		CROSS JOIN delivery ON delivery.event = event.num
		CROSS JOIN attempt ON attempt.delivery = delivery.id WHERE ` + where.String(), where.args
}

// pageAttempts sorts the events of streams with the same name, on different
// domains, into each other, and for that reads nothing but numbers: fields,
// pictures and replies are read of the rows of the page alone.
func pageAttempts(selected string) string {
	return `WITH page AS MATERIALIZED (SELECT attempt.id AS id ` + selected + `
			ORDER BY event.at, delivery.id, attempt.attempt LIMIT ? OFFSET ?)
		SELECT attempt.attempt, attempt.outcome, attempt.started_at, attempt.took_ns, attempt.status, attempt.error, attempt.reply, ` +
		eventColumns + `, ` + shotColumns + ` FROM page
		CROSS JOIN attempt ON attempt.id = page.id
		CROSS JOIN delivery ON delivery.id = attempt.delivery ` + deliveryJoins + `
		ORDER BY event.at, delivery.id, attempt.attempt`
}

func scanAttemptRecord(scan scan) (r state.AttemptRecord, err error) {
	var outcome state.Outcome
	var started, took int64
	var reply []byte
	var e eventScan
	var s shotScan
	dest := []any{&r.Attempt, &outcome, &started, &took, &r.Status, &r.Error, &reply}
	if err := scan(append(append(dest, e.dest()...), s.dest()...)...); err != nil {
		return r, err
	}
	r.Started = fromMicros(started)
	r.Responded = r.Started.Add(time.Duration(took))
	r.Response, r.Delivered = string(reply), outcome == state.OutcomeDelivered
	r.Event = e.event()
	r.Shot, err = s.shot(r.Event)
	return r, err
}
