package statetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/state"
)

// backlogOf returns all backlogs, each without its NextDue, and these.
func backlogOf(t *testing.T, s Store) ([]state.Backlog, []time.Time) {
	t.Helper()
	list, err := s.Backlogs(t.Context())
	check(t, err)
	var due []time.Time
	for i := range list {
		due = append(due, list[i].NextDue)
		list[i].NextDue = time.Time{}
	}
	return list, due
}

func (c suite) backlogs(t *testing.T) {
	s := c.open(t)
	list, _ := backlogOf(t, s)
	same(t, "backlogs of an empty state", 0, len(list))

	// Committed in the opposite order of their events' times.
	at := func(n state.NewShot, captured time.Time) state.NewShot {
		n.Shot.Captured = captured
		return n
	}
	second := commit(t, s, at(newShot("second", hook(7), hook(8)), start().Add(time.Second)))
	first := commit(t, s, at(newShot("first", hook(7)), start()))
	list, due := backlogOf(t, s)
	same(t, "backlogs", []state.Backlog{
		{Destination: hook(7), Waiting: 2, Oldest: start()},
		{Destination: hook(8), Waiting: 1, Oldest: start().Add(time.Second)},
	}, list)
	same(t, "next due times of waiting ones", []time.Time{{}, {}}, due)

	before := time.Now().Add(-time.Second)
	check(t, errorOf(s.MarkStored(t.Context(), first.ID)))
	check(t, errorOf(s.MarkStored(t.Context(), second.ID)))
	list, due = backlogOf(t, s)
	same(t, "backlogs", []state.Backlog{
		{Destination: hook(7), Pending: 2, Oldest: start()},
		{Destination: hook(8), Pending: 1, Oldest: start().Add(time.Second)},
	}, list)
	if due[0].Before(before) || due[0].After(time.Now()) {
		t.Errorf("the next due time is %s, want about now", due[0])
	}

	now := soon()
	claimed := claim(t, s, hook(7), state.LaneFresh, now)
	_, due = backlogOf(t, s)
	same(t, "next due time of claimed ones, when their lease runs out", now.Add(time.Minute).UnixMicro(), due[0].UnixMicro())
	byID := map[string]state.Delivery{}
	for _, d := range claimed {
		byID[d.Event.ID] = d
	}
	end(t, s, byID["first"], state.OutcomeParked)
	end(t, s, byID["second"], state.OutcomeRetry)
	list, due = backlogOf(t, s)
	same(t, "backlog", state.Backlog{Destination: hook(7), Pending: 1, Parked: 1, Oldest: start().Add(time.Second)}, list[0])
	same(t, "next due time of a retry", start().Add(time.Minute), due[0])

	retried := claim(t, s, hook(7), state.LaneRetry, now)
	end(t, s, retried[0], state.OutcomeDelivered)
	end(t, s, claim(t, s, hook(8), state.LaneFresh, now)[0], state.OutcomeDelivered)
	list, due = backlogOf(t, s)
	same(t, "backlogs at the end", []state.Backlog{{Destination: hook(7), Parked: 1}}, list)
	same(t, "next due times at the end", []time.Time{{}}, due)
}

// nextDue: of a retry and a fresh one, the earlier counts.
func (c suite) nextDue(t *testing.T) {
	s := c.open(t)
	for to, at := range map[int64]time.Time{7: start(), 8: soon()} {
		retryAt(t, s, fmt.Sprintf("retry-%d", to), hook(to), at)
		stored(t, s, newShot(fmt.Sprintf("fresh-%d", to), hook(to)))
	}
	list, err := s.Backlogs(t.Context())
	check(t, err)
	for _, b := range list {
		isRetry := b.NextDue.Equal(start())
		isFresh := b.NextDue.After(start()) && b.NextDue.Before(soon().Add(-time.Minute))
		if b.Destination == hook(7) && !isRetry || b.Destination == hook(8) && !isFresh {
			t.Errorf("the next due time to %+v is %s", b.Destination, b.NextDue)
		}
	}
	same(t, "backlogs", 2, len(list))
}

// counts walks deliveries through all states and compares the counters with
// what is listed after each step.
func (c suite) counts(t *testing.T) {
	s := c.open(t)
	verify := func(step string) {
		t.Helper()
		got, err := s.CountDeliveries(t.Context())
		check(t, err)
		want := map[string]int64{"waiting": 0, "pending": 0, "claimed": 0, "delivered": 0, "parked": 0}
		list, err := s.Deliveries(t.Context(), state.DeliveryFilter{Limit: state.MaxPage})
		check(t, err)
		for _, d := range list {
			want[string(d.State)]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("counters after %s (-listed +counted):\n%s", step, diff)
		}
	}
	verify("nothing")
	for i := range 12 {
		shot := commit(t, s, newShot(fmt.Sprintf("e%d", i), hook(7), hook(8)))
		if i%3 > 0 {
			check(t, errorOf(s.MarkStored(t.Context(), shot.ID)))
		}
	}
	verify("MarkStored")
	now := soon()
	for _, to := range []int64{7, 8} {
		for i, d := range claim(t, s, hook(to), state.LaneFresh, now)[:6] {
			end(t, s, d, []state.Outcome{state.OutcomeDelivered, state.OutcomeRetry, state.OutcomeParked}[i%3])
			verify("Finish")
		}
	}
	claim(t, s, hook(7), state.LaneRetry, now.Add(time.Hour))
	verify("a claim of retries and lost leases")
	parked, err := s.Deliveries(t.Context(), state.DeliveryFilter{State: state.StateParked})
	check(t, err)
	check(t, s.Replay(t.Context(), parked[0].ID))
	verify("Replay")
}
