package statetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// finished makes shots whose deliveries to hook 7 ended like that.
func finished(t *testing.T, s Store, outcome state.Outcome, shots ...state.NewShot) {
	t.Helper()
	stored(t, s, shots...)
	for _, d := range claim(t, s, hook(7), state.LaneFresh, soon()) {
		end(t, s, d, outcome)
	}
}

func (c suite) replayMany(t *testing.T) {
	s := c.open(t)
	for i := range 5 {
		finished(t, s, state.OutcomeParked, newShot(fmt.Sprintf("parked-%d", i), hook(7)))
		finished(t, s, state.OutcomeDelivered, newShot(fmt.Sprintf("delivered-%d", i), hook(7)))
	}
	stored(t, s, newShot("pending", hook(7)))
	step := func(f state.DeliveryFilter, limit, want int, more bool) int64 {
		t.Helper()
		replayed, next, err := s.ReplayMany(t.Context(), f, limit)
		check(t, err)
		if replayed != want || (next > 0) != more {
			t.Errorf("replaying %d of %+v gave %d, next %d; want %d, more %t", limit, f, replayed, next, want, more)
		}
		return next
	}
	next := step(state.DeliveryFilter{}, 2, 2, true)
	same(t, "replayed", []string{"parked-0", "parked-1"}, eventIDs(claim(t, s, hook(7), state.LaneRetry, soon())))
	seven := hook(7)
	step(state.DeliveryFilter{Destination: &seven, AfterID: next}, 100, 3, false)
	again := claim(t, s, hook(7), state.LaneRetry, soon())
	same(t, "replayed", []string{"parked-2", "parked-3", "parked-4"}, eventIDs(again))
	if again[0].Attempt != 2 || again[0].Try != 1 {
		t.Errorf("the replayed one is %+v, want attempt 2, try 1", again[0])
	}
	step(state.DeliveryFilter{}, 100, 0, false)

	cam, other := stream("cam"), stream("other")
	step(state.DeliveryFilter{State: state.StateDelivered, Stream: &other}, 100, 0, false)
	step(state.DeliveryFilter{State: state.StateDelivered, Stream: &cam, From: start().Add(time.Hour)}, 100, 0, false)
	step(state.DeliveryFilter{State: state.StateDelivered, Stream: &cam, From: start(), Until: start().Add(time.Hour)}, 100, 5, false)
	same(t, "delivered ones, replayed", 5, len(claim(t, s, hook(7), state.LaneRetry, soon())))

	for field, f := range map[string]state.DeliveryFilter{
		"state": {State: state.StatePending}, "descending": {Descending: true},
	} {
		_, _, err := s.ReplayMany(t.Context(), f, 1)
		refused(t, err, stillcast.CodeInvalid, field)
	}
	_, _, err := s.ReplayMany(t.Context(), state.DeliveryFilter{}, 0)
	refused(t, err, stillcast.CodeInvalid, "limit")
}

// replayManyInSteps: one call replays no more than MaxRows, whatever is asked.
func (c suite) replayManyInSteps(t *testing.T) {
	s := c.open(t)
	const parked = state.MaxRows + 20
	kind := stillcast.EventPushBegin
	to := stillcast.Destination{TemplateID: 7, Event: kind}
	var events []state.NewEvent
	for i := range parked {
		events = append(events, state.NewEvent{
			Event: event(fmt.Sprintf("e%d", i), kind, stream("cam")), Destinations: []stillcast.Destination{to},
		})
	}
	check(t, s.BeginPush(t.Context(), push("push-1"), events))
	claimed, err := s.Claim(t.Context(), state.Claim{Destination: to, Limit: parked, Now: soon(), Lease: time.Minute})
	check(t, err)
	for _, d := range claimed {
		end(t, s, d, state.OutcomeParked)
	}
	replayed, next, err := s.ReplayMany(t.Context(), state.DeliveryFilter{}, 10_000)
	check(t, err)
	same(t, "first call", [2]int64{state.MaxRows, claimed[state.MaxRows-1].ID}, [2]int64{int64(replayed), next})
	replayed, next, err = s.ReplayMany(t.Context(), state.DeliveryFilter{AfterID: next}, 10_000)
	check(t, err)
	same(t, "second call", [2]int64{20, 0}, [2]int64{int64(replayed), next})
	counts, err := s.CountDeliveries(t.Context())
	check(t, err)
	same(t, "counts", map[string]int64{"waiting": 0, "pending": parked, "claimed": 0, "delivered": 0, "parked": 0}, counts)
}
