package statetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// pushed is a push of a stream.
type pushed struct {
	id             string
	stream         stillcast.Stream
	begin, minutes int // after start, and how long; negative: it is live
	width          int // of its video
}

// record makes the push as it is and returns its record.
func (p pushed) record(t *testing.T, s Store) state.PushRecord {
	t.Helper()
	r := state.PushRecord{Push: push(p.id)}
	r.Stream, r.Started = p.stream, start().Add(time.Duration(p.begin)*time.Minute)
	check(t, s.BeginPush(t.Context(), r.Push, nil))
	if p.minutes >= 0 {
		r.End = stillcast.PushEnd{
			At: r.Started.Add(time.Duration(p.minutes) * time.Minute), Code: stillcast.EndNetwork, Message: "reset",
			Width: p.width, Height: p.width / 2,
		}
		check(t, s.EndPush(t.Context(), p.id, r.End, nil))
	}
	return r
}

// pushWindow selects the pushes from a minute after start up to another.
func pushWindow(from, until int) state.PushFilter {
	return state.PushFilter{
		Start: start().Add(time.Duration(from) * time.Minute), End: start().Add(time.Duration(until) * time.Minute),
		Failed: true, Ascending: true,
	}
}

func (c suite) pushPage(t *testing.T) {
	s := c.open(t)
	cam := stream("cam")
	all := []state.PushRecord{ // by their ends
		pushed{"p1", cam, 0, 10, 640}.record(t, s),
		pushed{"p3", cam, 20, 5, 640}.record(t, s),
		pushed{"p2", cam, 10, 20, 640}.record(t, s),
		pushed{"p4", cam, 15, -1, 0}.record(t, s),
		pushed{"p5", cam, 16, -1, 0}.record(t, s),
	}
	page := func(f state.PushFilter, total int64, want ...state.PushRecord) {
		t.Helper()
		got, n, err := s.PushPage(t.Context(), f)
		check(t, err)
		same(t, fmt.Sprintf("pushes of %+v", f), want, got)
		if n != total {
			t.Errorf("there are %d pushes of %+v, want %d", n, f, total)
		}
	}
	page(pushWindow(0, 60), 5, all...)
	page(pushWindow(0, 10), 1, all[0])
	page(pushWindow(10, 15), 1, all[2])
	page(pushWindow(10, 16), 2, all[2], all[3])
	page(pushWindow(30, 60), 2, all[3], all[4])
	page(pushWindow(-9, 0), 0)

	f := pushWindow(0, 60)
	f.Ascending = false
	page(f, 5, all[4], all[3], all[2], all[1], all[0])
	f.Limit, f.Offset = 2, 1
	page(f, 5, all[3], all[2])
	f.Ascending = true
	page(f, 5, all[1], all[2])
	f.Offset = 9
	page(f, 5)
	f.Offset = -1
	page(f, 5, all[0], all[1])
}

func (c suite) pushPageFilters(t *testing.T) {
	s := c.open(t)
	names := []stillcast.Stream{
		{Domain: "a.example.com", App: "live", Name: "cam-1"},
		{Domain: "a.example.com", App: "live", Name: "cam-12"},
		{Domain: "a.example.com", App: "test", Name: "cam-1"},
		{Domain: "b.example.com", App: "live", Name: "100%"},
	}
	for i, of := range names {
		pushed{fmt.Sprint(i), of, i, 1, 640}.record(t, s)
	}
	pushed{"failed", names[0], 4, 1, 0}.record(t, s)
	pushed{"live", names[0], 5, -1, 0}.record(t, s)
	for _, test := range []struct {
		want   []string
		filter state.PushFilter
	}{
		{[]string{"0", "1", "2", "3", "failed", "live"}, state.PushFilter{Failed: true}},
		{[]string{"0", "1", "2", "3", "live"}, state.PushFilter{}},
		{[]string{"0", "1", "2", "live"}, state.PushFilter{Domain: "a.example.com"}},
		{[]string{"2"}, state.PushFilter{App: "test"}},
		{[]string{"1"}, state.PushFilter{Name: "m-12"}},
		{[]string{"0", "1", "2", "live"}, state.PushFilter{Name: "cam-1"}},
		{[]string{"0", "2", "live"}, state.PushFilter{Name: "cam-1", Strict: true}},
		{[]string{"3"}, state.PushFilter{Name: "0%"}}, // no wildcard
		{nil, state.PushFilter{Name: "_am"}},
		{nil, state.PushFilter{Name: "m-12", Strict: true}},
		{[]string{"0", "failed", "live"}, state.PushFilter{Domain: "a.example.com", App: "live", Name: "cam-1", Strict: true, Failed: true}},
		{[]string{"0", "live"}, state.PushFilter{Domain: "a.example.com", App: "live", Name: "cam-1", Strict: true}},
		{[]string{"0", "1", "live"}, state.PushFilter{Domain: "a.example.com", App: "live", Name: "cam-1"}},
		{nil, state.PushFilter{Domain: "c.example.com", App: "live", Name: "cam-1", Strict: true}},
		{[]string{"0", "1", "2", "3", "live"}, state.PushFilter{Strict: true}},
	} {
		f := test.filter
		f.Start, f.End, f.Ascending = start(), start().Add(time.Hour), true
		got, total, err := s.PushPage(t.Context(), f)
		check(t, err)
		var ids []string
		for _, r := range got {
			ids = append(ids, r.ID)
		}
		same(t, fmt.Sprintf("pushes of %+v", test.filter), test.want, ids)
		if int(total) != len(test.want) {
			t.Errorf("there are %d pushes of %+v, want %d", total, test.filter, len(test.want))
		}
	}
}

func (c suite) attemptPage(t *testing.T) {
	s := c.open(t)
	// Three shots of "cam", of which the first is delivered at the second attempt
	// and the third never attempted; one of a "cam" elsewhere; one of another.
	shot := func(id string, second int, of stillcast.Stream) state.NewShot {
		n := newShot(id, hook(7))
		n.Shot.Captured, n.Shot.Stream = start().Add(time.Duration(second)*time.Second), of
		return n
	}
	elsewhere := stillcast.Stream{Domain: "b.example.com", App: "test", Name: "cam"}
	stored(t, s, withRenditions(shot("e1", 0, stream("cam")), 320), shot("e2", 2, stream("cam")),
		shot("e4", 1, elsewhere), shot("e5", 1, stream("other")))
	for _, outcomes := range [][]state.Outcome{
		{state.OutcomeRetry, state.OutcomeParked, state.OutcomeDelivered, state.OutcomeDelivered}, {state.OutcomeDelivered},
	} {
		lane := state.LaneFresh
		if len(outcomes) == 1 {
			lane = state.LaneRetry
		}
		for i, d := range claim(t, s, hook(7), lane, soon()) {
			end(t, s, d, outcomes[i])
		}
	}
	stored(t, s, shot("e3", 3, stream("cam")))
	begins := stillcast.Destination{TemplateID: 7, Event: stillcast.EventPushBegin}
	began := event("e6", stillcast.EventPushBegin, stream("cam"))
	began.At = start().Add(4 * time.Second)
	check(t, s.BeginPush(t.Context(), push("push-1"), []state.NewEvent{{Event: began, Destinations: []stillcast.Destination{begins}}}))
	end(t, s, claim(t, s, begins, state.LaneFresh, soon())[0], state.OutcomeDelivered)

	page := func(f state.AttemptFilter, total int64, want ...string) []state.AttemptRecord {
		t.Helper()
		if f.End.IsZero() {
			f.Start, f.End = start(), start().Add(time.Minute)
		}
		records, n, err := s.AttemptPage(t.Context(), f)
		check(t, err)
		var got []string
		for _, r := range records {
			got = append(got, fmt.Sprintf("%s %d %t", r.Event.ID, r.Attempt, r.Delivered))
		}
		same(t, fmt.Sprintf("attempts of %+v", f), want, got)
		if n != total {
			t.Errorf("there are %d attempts of %+v, want %d", n, f, total)
		}
		return records
	}
	all := []string{"e1 1 false", "e1 2 true", "e4 1 true", "e2 1 false", "e6 1 true"}
	records := page(state.AttemptFilter{Stream: "cam"}, 5, all...)
	page(state.AttemptFilter{Stream: "cam", Limit: 2, Offset: 1}, 5, all[1:3]...)
	page(state.AttemptFilter{Stream: "cam", Offset: 9}, 5)
	page(state.AttemptFilter{Stream: "ca"}, 0)
	page(state.AttemptFilter{}, 0)
	page(state.AttemptFilter{Stream: "cam", Start: start().Add(time.Second), End: start().Add(2 * time.Second)}, 1, all[2])
	yes, no := true, false
	page(state.AttemptFilter{Stream: "cam", Failed: &yes}, 2, all[0], all[3])
	page(state.AttemptFilter{Stream: "cam", Failed: &no}, 3, all[1], all[2], all[4])
	kind := stillcast.EventPushBegin
	page(state.AttemptFilter{Stream: "cam", EventType: &kind}, 1, all[4])
	page(state.AttemptFilter{Stream: "cam", EventType: &kind, Failed: &yes}, 0)

	shots, err := s.Shots(t.Context(), state.ShotFilter{Limit: 1})
	check(t, err)
	e1, err := shotEvent(shots[0].Shot)
	check(t, err)
	want := state.AttemptRecord{
		Event: e1, Shot: shots[0].Shot, Attempt: 1, Started: start(), Responded: start().Add(120 * time.Millisecond),
		Status: 503, Response: `{"code":0}`, Error: "answered 503",
	}
	same(t, "failed attempt", want, records[0])
	want.Attempt, want.Status, want.Error, want.Delivered = 2, 200, "", true
	same(t, "attempt that delivered", want, records[1])
	same(t, "event without a shot", state.AttemptRecord{
		Event: began, Attempt: 1, Started: start(), Responded: start().Add(120 * time.Millisecond),
		Status: 200, Response: `{"code":0}`, Delivered: true,
	}, records[4])
}

func (c suite) countShots(t *testing.T) {
	s := c.open(t)
	zero := start().Truncate(state.CountStep)
	for i, shot := range []struct {
		domain string
		at     time.Duration
	}{
		{"a", 0},
		{"a", 5*time.Minute - time.Microsecond},
		{"b", time.Minute},
		{"a", 5 * time.Minute},
		{"b", 24 * time.Hour},
		{"c", -time.Microsecond},
	} {
		n := newShot(fmt.Sprint("e", i))
		n.Shot.Stream.Domain, n.Shot.Captured = shot.domain, zero.Add(shot.at)
		commit(t, s, n)
		commit(t, s, n) // the same again, which counts once
	}
	refusedShot := newShot("refused")
	refusedShot.Shot.Captured = zero
	refusedShot.MakeEvent = func(stillcast.Shot) (stillcast.Event, error) { return stillcast.Event{}, errors.New("no") }
	if _, err := s.CommitShot(t.Context(), refusedShot); err == nil {
		t.Fatal("a shot without an event was taken")
	}
	const day = 24 * time.Hour
	for _, test := range []struct {
		domains      []string
		start, after time.Duration
		step         time.Duration
		want         []int64
	}{
		{nil, 0, 15 * time.Minute, state.CountStep, []int64{3, 1, 0}},
		{[]string{"a"}, 0, 15 * time.Minute, state.CountStep, []int64{2, 1, 0}},
		{[]string{"b", "b", "unknown"}, 0, 10 * time.Minute, state.CountStep, []int64{1, 0}},
		{nil, -5 * time.Minute, 10 * time.Minute, 10 * time.Minute, []int64{4}},
		{nil, 0, 5 * time.Minute, state.CountStep, []int64{3}},
		{nil, 0, 5*time.Minute + time.Second, state.CountStep, []int64{3, 1}},
		{nil, 0, 2 * day, day, []int64{4, 1}},
		{nil, 0, time.Hour, day, []int64{4}},
		{nil, 0, day + time.Minute, day, []int64{4, 1}},
	} {
		from := zero.Add(test.start)
		got, err := s.CountShots(t.Context(), test.domains, from, from.Add(test.after), test.step)
		check(t, err)
		same(t, fmt.Sprintf("shots of %q from %s on for %s", test.domains, test.start, test.after), test.want, got)
	}
	for _, test := range []struct {
		field       string
		start, step time.Duration
		length      time.Duration
	}{
		{"step", 0, time.Minute, time.Hour},
		{"step", 0, 0, time.Hour},
		{"step", 0, -state.CountStep, time.Hour},
		{"start", time.Second, state.CountStep, time.Hour},
		{"start", 1, state.CountStep, time.Hour},
		{"end", 0, state.CountStep, 0},
		{"end", 0, state.CountStep, -time.Hour},
		{"end", 0, state.CountStep, 367 * day},
	} {
		from := zero.Add(test.start)
		_, err := s.CountShots(t.Context(), nil, from, from.Add(test.length), test.step)
		refused(t, err, stillcast.CodeInvalid, test.field)
	}
}
