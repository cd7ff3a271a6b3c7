package statetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

func shotIDs(shots []stillcast.Shot) []int64 {
	ids := []int64{}
	for _, s := range shots {
		ids = append(ids, s.ID)
	}
	return ids
}

// aged commits eight shots, a minute apart from start on, each in another
// state, the last one too young. It returns the time from which on they are.
func aged(t *testing.T, s Store) (shots []stillcast.Shot, young time.Time) {
	t.Helper()
	add := func(to ...stillcast.Destination) stillcast.Shot {
		n := withRenditions(newShot(fmt.Sprintf("e%d", len(shots)), to...), 320)
		n.Shot.Captured = start().Add(time.Duration(len(shots)) * time.Minute)
		shots = append(shots, commit(t, s, n))
		return shots[len(shots)-1]
	}
	for _, outcome := range []state.Outcome{state.OutcomeDelivered, state.OutcomeParked, state.OutcomeRetry} {
		check(t, errorOf(s.MarkStored(t.Context(), add(hook(7)).ID)))
		end(t, s, claim(t, s, hook(7), state.LaneFresh, soon())[0], outcome)
	}
	check(t, errorOf(s.MarkStored(t.Context(), add(hook(7)).ID)))
	claim(t, s, hook(7), state.LaneFresh, soon())
	add(hook(7))                                                  // waits
	add()                                                         // is in the spool, and owed to nobody
	check(t, errorOf(s.MarkStored(t.Context(), add().ID)))        // owed to nobody
	check(t, errorOf(s.MarkStored(t.Context(), add(hook(7)).ID))) // young
	end(t, s, claim(t, s, hook(7), state.LaneFresh, soon())[0], state.OutcomeDelivered)
	return shots, start().Add(7 * time.Minute)
}

func (c suite) expiredPictures(t *testing.T) {
	s := c.open(t)
	shots, before := aged(t, s)
	none, err := s.ExpiredPictures(t.Context(), start(), 10)
	check(t, err)
	same(t, "pictures older than all", []int64{}, shotIDs(none))
	for range 2 { // the same until they are removed
		expired, err := s.ExpiredPictures(t.Context(), before, 1)
		check(t, err)
		same(t, "expired pictures, one at most", []stillcast.Shot{shots[0]}, expired)
	}
	expired, err := s.ExpiredPictures(t.Context(), before, 0)
	check(t, err)
	same(t, "expired pictures", []int64{shots[0].ID, shots[6].ID}, shotIDs(expired))
	check(t, s.PicturesRemoved(t.Context(), []int64{shots[0].ID, shots[6].ID, shots[1].ID, 999}))
	expired, err = s.ExpiredPictures(t.Context(), before, 0)
	check(t, err)
	same(t, "expired pictures after their removal", []int64{}, shotIDs(expired))

	removed, err := s.Shots(t.Context(), state.ShotFilter{State: state.ShotRemoved})
	check(t, err)
	same(t, "removed", []stillcast.Shot{shots[0], shots[6]}, bare(removed))
	list, err := s.Deliveries(t.Context(), state.DeliveryFilter{ShotID: shots[0].ID})
	check(t, err)
	refused(t, s.Replay(t.Context(), list[0].ID), stillcast.CodeConflict, "delivery")
	replayed, _, err := s.ReplayMany(t.Context(), state.DeliveryFilter{State: state.StateDelivered}, 10)
	check(t, err)
	same(t, "replayed, of which only the young one has its picture", 1, replayed)

	// What was owed then goes when it is not owed any more.
	retried := claim(t, s, hook(7), state.LaneRetry, start().Add(time.Hour))
	same(t, "retried", []string{"e2"}, eventIDs(retried))
	end(t, s, retried[0], state.OutcomeDelivered)
	expired, err = s.ExpiredPictures(t.Context(), before, 0)
	check(t, err)
	same(t, "expired pictures after a retry", []int64{shots[2].ID}, shotIDs(expired))
	refused(t, s.PicturesRemoved(t.Context(), make([]int64, state.MaxRows+1)), stillcast.CodeInvalid, "shots")
}

func (c suite) pruneShots(t *testing.T) {
	s := c.open(t)
	shots, before := aged(t, s)
	expired, err := s.ExpiredPictures(t.Context(), before, 1)
	check(t, err)
	check(t, s.PicturesRemoved(t.Context(), shotIDs(expired)))
	counted, err := s.CountShots(t.Context(), nil, start().Truncate(state.CountStep), start().Add(time.Hour), state.CountStep)
	check(t, err)

	for _, want := range [][]stillcast.Shot{{shots[0]}, {shots[6]}, nil} {
		removed, err := s.PruneShots(t.Context(), before, 1)
		check(t, err)
		same(t, "removed shots", want, removed)
	}
	left, err := s.Shots(t.Context(), state.ShotFilter{})
	check(t, err)
	same(t, "shots that are left", append(shots[1:6:6], shots[7]), bare(left))
	list, err := s.Deliveries(t.Context(), state.DeliveryFilter{})
	check(t, err)
	same(t, "deliveries that are left", 5, len(list))
	counts, err := s.CountDeliveries(t.Context())
	check(t, err)
	same(t, "counts", map[string]int64{"waiting": 1, "pending": 1, "claimed": 1, "delivered": 1, "parked": 1}, counts)
	again, err := s.CountShots(t.Context(), nil, start().Truncate(state.CountStep), start().Add(time.Hour), state.CountStep)
	check(t, err)
	same(t, "what was counted stays", counted, again)

	// A picture may take the name of one that is gone; an event may take no id.
	n := newShot("e0", hook(7))
	shot := commit(t, s, n)
	same(t, "key", n.Shot.Key, shot.Key)
	if shot.ID <= shots[7].ID {
		t.Errorf("the new shot has the id %d, which was given before", shot.ID)
	}
	check(t, errorOf(s.MarkStored(t.Context(), shot.ID)))
	claimed := claim(t, s, hook(7), state.LaneFresh, soon())
	same(t, "sequence after those that are gone", int64(7), claimed[0].Sequence)

	// What was owed then goes when it is not owed any more.
	end(t, s, claim(t, s, hook(7), state.LaneRetry, start().Add(time.Hour))[0], state.OutcomeDelivered)
	removed, err := s.PruneShots(t.Context(), before, 0)
	check(t, err)
	same(t, "removed after a retry", []int64{shots[2].ID}, shotIDs(removed))
}

// pruneShotsInSteps: a call removes no more than MaxRows, oldest first.
func (c suite) pruneShotsInSteps(t *testing.T) {
	s := c.open(t)
	const shots = 130
	for i := range shots {
		check(t, errorOf(s.MarkStored(t.Context(), commit(t, s, newShot(fmt.Sprintf("e%d", i))).ID)))
	}
	removed, err := s.PruneShots(t.Context(), soon(), 120)
	check(t, err)
	same(t, "removed", 120, len(removed))
	removed, err = s.PruneShots(t.Context(), soon(), 120)
	check(t, err)
	same(t, "removed at the second time", 10, len(removed))
}

func (c suite) pruneEvents(t *testing.T) {
	s := c.open(t)
	kind := stillcast.EventPushException
	to := stillcast.Destination{TemplateID: 7, Event: kind}
	for i, outcome := range []state.Outcome{state.OutcomeDelivered, state.OutcomeParked, state.OutcomeDelivered, state.OutcomeDelivered, 0} {
		e := event(fmt.Sprintf("e%d", i), kind, stream("cam"))
		e.At = start().Add(time.Duration(i) * time.Minute)
		n := state.NewEvent{Event: e, Destinations: []stillcast.Destination{to}}
		if i == 4 {
			n.Destinations = nil
		}
		check(t, s.RecordEvent(t.Context(), n))
		for _, d := range claim(t, s, to, state.LaneFresh, soon()) {
			end(t, s, d, outcome)
		}
	}
	stored(t, s, newShot("of a shot"))
	for _, want := range []int{2, 0} {
		removed, err := s.PruneEvents(t.Context(), start().Add(3*time.Minute), 0)
		check(t, err)
		same(t, "removed events", want, removed)
	}
	list, err := s.Deliveries(t.Context(), state.DeliveryFilter{})
	check(t, err)
	if len(list) != 2 || list[0].Event.ID != "e1" || list[1].Event.ID != "e3" {
		t.Errorf("%+v are left, want the parked and the young one", list)
	}
	for _, want := range []int{1, 1, 0} {
		removed, err := s.PruneEvents(t.Context(), soon(), 1)
		check(t, err)
		same(t, "removed events, one at a time", want, removed)
	}
	counts, err := s.CountDeliveries(t.Context())
	check(t, err)
	same(t, "counts", map[string]int64{"waiting": 0, "pending": 0, "claimed": 0, "delivered": 0, "parked": 1}, counts)
}

func (c suite) pruneAttempts(t *testing.T) {
	s := c.open(t)
	stored(t, s, newShot("delivered", hook(7)), newShot("parked", hook(7)))
	claimed := claim(t, s, hook(7), state.LaneFresh, soon())
	first := result(claimed[0], state.OutcomeRetry)
	first.Request = []byte(`{"t":1}`)
	check(t, s.Finish(t.Context(), first))
	end(t, s, claimed[1], state.OutcomeParked)
	last := result(claim(t, s, hook(7), state.LaneRetry, soon())[0], state.OutcomeDelivered)
	last.Started = start().Add(time.Hour)
	check(t, s.Finish(t.Context(), last))

	for _, step := range []struct {
		before   time.Time
		removed  int
		attempts []state.Result
	}{
		{start(), 0, []state.Result{first, last}},
		{start().Add(time.Minute), 1, []state.Result{last}},
		{start().Add(time.Minute), 0, []state.Result{last}},
		{start().Add(2 * time.Hour), 1, nil},
	} {
		removed, err := s.PruneAttempts(t.Context(), step.before, 0)
		check(t, err)
		same(t, "removed attempts", step.removed, removed)
		left, err := s.Attempts(t.Context(), claimed[0].ID)
		check(t, err)
		same(t, "attempts that are left", step.attempts, left)
	}
	left, err := s.Attempts(t.Context(), claimed[1].ID)
	check(t, err)
	same(t, "attempts of a parked delivery", 1, len(left))

	// Later ones are found, too, and numbered on.
	check(t, s.Replay(t.Context(), claimed[0].ID))
	again := claim(t, s, hook(7), state.LaneRetry, soon())
	same(t, "attempt", 3, again[0].Attempt)
	end(t, s, again[0], state.OutcomeDelivered)
	removed, err := s.PruneAttempts(t.Context(), start().Add(time.Minute), 0)
	check(t, err)
	same(t, "removed attempts of a later series", 1, removed)
}
