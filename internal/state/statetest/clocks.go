package statetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// clockJumps: the clock is an hour ahead, then right again, then an hour behind.
// Nothing is lost, sent twice without need, or numbered wrongly, and a listing by
// time finds each shot where its time is.
func (c suite) clockJumps(t *testing.T) {
	s := c.open(t)
	now := start()
	var sequence int64
	for i, jump := range []time.Duration{0, time.Hour, -time.Hour, -time.Hour, time.Hour} {
		now = now.Add(jump + time.Second)
		for j := range 3 {
			n := newShot(fmt.Sprintf("e%d-%d", i, j), hook(7))
			n.Shot.Captured = now.Add(time.Duration(j))
			stored(t, s, n)
		}
		// What was stored at whatever time is due now.
		claimed := claim(t, s, hook(7), state.LaneFresh, now)
		same(t, "claimed after a jump", 3, len(claimed))
		for _, d := range claimed {
			sequence++
			same(t, "sequence", sequence, d.Sequence)
			r := result(d, state.OutcomeDelivered)
			r.Started = now
			check(t, s.Finish(t.Context(), r))
		}
		at := now
		list, err := s.Shots(t.Context(), state.ShotFilter{From: at, Until: at.Add(time.Second)})
		check(t, err)
		same(t, "shots of that second", 3, len(list))
		deliveries, err := s.Deliveries(t.Context(), state.DeliveryFilter{From: at, Until: at.Add(time.Second)})
		check(t, err)
		same(t, "deliveries of that second", 3, len(deliveries))
	}
	// An age of two hours keeps all, one of nothing none, in whatever order they came.
	removed, err := s.PruneShots(t.Context(), start().Add(-2*time.Hour), 0)
	check(t, err)
	same(t, "removed too early", 0, len(removed))
	removed, err = s.PruneShots(t.Context(), start().Add(2*time.Hour), 0)
	check(t, err)
	same(t, "removed in the end", 15, len(removed))
}

// clockBack: the clock is set back by an hour while deliveries are under way.
func (c suite) clockBack(t *testing.T) {
	s := c.open(t)
	ahead := soon()
	back := ahead.Add(-time.Hour)
	retryAt(t, s, "retry", hook(7), ahead.Add(time.Second))
	stored(t, s, newShot("claimed", hook(7)))
	claimed := claim(t, s, hook(7), state.LaneFresh, ahead)
	stored(t, s, newShot("fresh", hook(7)))

	list, err := s.Backlogs(t.Context())
	check(t, err)
	if list[0].NextDue.After(time.Now()) {
		t.Errorf("the next is due at %s, want now: a first attempt waits for no clock", list[0].NextDue)
	}
	fresh := claim(t, s, hook(7), state.LaneFresh, time.Now().Add(-time.Hour))
	same(t, "fresh ones, although they were noted later than it is", []string{"fresh"}, eventIDs(fresh))
	end(t, s, fresh[0], state.OutcomeDelivered)
	same(t, "retries before their time", []string{}, eventIDs(claim(t, s, hook(7), state.LaneRetry, back)))
	// The attempt ends as if nothing had been.
	end(t, s, claimed[0], state.OutcomeDelivered)
	same(t, "retries when it is time again", []string{"retry"}, eventIDs(claim(t, s, hook(7), state.LaneRetry, ahead.Add(time.Second))))
}

// clockForth: leases seem to have run out. The event is attempted once more, with
// the same id, and the older attempt is fenced.
func (c suite) clockForth(t *testing.T) {
	s := c.open(t)
	now := soon()
	stored(t, s, newShot("e1", hook(7)))
	first := claim(t, s, hook(7), state.LaneFresh, now)[0]
	second := claim(t, s, hook(7), state.LaneRetry, now.Add(time.Hour))
	if len(second) != 1 || second[0].Event.ID != "e1" || second[0].Attempt != 2 || second[0].Sequence != first.Sequence {
		t.Fatalf("claimed %+v after the jump, want the second attempt of the same event", second)
	}
	if err := s.Finish(t.Context(), result(first, state.OutcomeDelivered)); stillcast.CodeOf(err) != stillcast.CodeConflict {
		t.Errorf("the overtaken attempt ended with %v, want ErrFenced", err)
	}
	end(t, s, second[0], state.OutcomeDelivered)
	counts, err := s.CountDeliveries(t.Context())
	check(t, err)
	same(t, "counts", map[string]int64{"waiting": 0, "pending": 0, "claimed": 0, "delivered": 1, "parked": 0}, counts)
}
