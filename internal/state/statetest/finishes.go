package statetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

func (c suite) fencing(t *testing.T) {
	s := c.open(t)
	stored(t, s, newShot("e1", hook(7)))
	now := soon()
	old := claim(t, s, hook(7), state.LaneFresh, now)[0]
	newer := claim(t, s, hook(7), state.LaneRetry, now.Add(time.Hour))[0]
	for _, outcome := range []state.Outcome{state.OutcomeDelivered, state.OutcomeRetry, state.OutcomeParked} {
		if err := s.Finish(t.Context(), result(old, outcome)); !errors.Is(err, state.ErrFenced) {
			t.Errorf("the overtaken attempt ended with %v, want ErrFenced", err)
		}
	}
	end(t, s, newer, state.OutcomeDelivered)
	if err := s.Finish(t.Context(), result(newer, state.OutcomeDelivered)); !errors.Is(err, state.ErrFenced) {
		t.Errorf("the second end of an attempt gave %v, want ErrFenced", err)
	}
	attempts, err := s.Attempts(t.Context(), newer.ID)
	check(t, err)
	same(t, "attempts", []state.Result{result(newer, state.OutcomeDelivered)}, attempts)

	// A lease that has run out without a new claim is no reason to try again.
	stored(t, s, newShot("e2", hook(7)))
	late := claim(t, s, hook(7), state.LaneFresh, now)[0]
	end(t, s, late, state.OutcomeDelivered)
	if got := claim(t, s, hook(7), state.LaneRetry, now.Add(24*time.Hour)); len(got) != 0 {
		t.Errorf("claimed %v, which is delivered", eventIDs(got))
	}
}

func (c suite) finish(t *testing.T) {
	s := c.open(t)
	stored(t, s, newShot("e1", hook(7)))
	first := claim(t, s, hook(7), state.LaneFresh, soon())[0]
	retry := result(first, state.OutcomeRetry)
	retry.Request = []byte(`"` + strings.Repeat("r", state.MaxRequest-2) + `"`)
	check(t, s.Finish(t.Context(), retry))
	if early := claim(t, s, hook(7), state.LaneRetry, retry.RetryAt.Add(-time.Microsecond)); len(early) != 0 {
		t.Errorf("claimed before the retry was due")
	}
	second := claim(t, s, hook(7), state.LaneRetry, retry.RetryAt)
	if len(second) != 1 {
		t.Fatalf("claimed %d deliveries when the retry was due, want 1", len(second))
	}
	wantSecond := first
	wantSecond.Attempt, wantSecond.Try = 2, 2
	same(t, "second claim", wantSecond, second[0])
	end(t, s, second[0], state.OutcomeParked)

	for _, lane := range []state.Lane{state.LaneFresh, state.LaneRetry} {
		if got := claim(t, s, hook(7), lane, soon().Add(24*time.Hour)); len(got) != 0 {
			t.Errorf("claimed a parked delivery")
		}
	}
	attempts, err := s.Attempts(t.Context(), first.ID)
	check(t, err)
	same(t, "attempts", []state.Result{retry, result(second[0], state.OutcomeParked)}, attempts)
}

func (c suite) finishRefuses(t *testing.T) {
	s := c.open(t)
	stored(t, s, newShot("e1", hook(7)))
	d := claim(t, s, hook(7), state.LaneFresh, soon())[0]
	unknown := result(d, 0)
	refused(t, s.Finish(t.Context(), unknown), stillcast.CodeInvalid, "result.outcome")
	noTime := result(d, state.OutcomeRetry)
	noTime.RetryAt = time.Time{}
	refused(t, s.Finish(t.Context(), noTime), stillcast.CodeInvalid, "result.retry_at")
	long := result(d, state.OutcomeDelivered)
	long.Request = []byte(`"` + strings.Repeat("r", state.MaxRequest-1) + `"`)
	refused(t, s.Finish(t.Context(), long), stillcast.CodeInvalid, "result.request")
	long.Request = []byte("{")
	refused(t, s.Finish(t.Context(), long), stillcast.CodeInvalid, "result.request")
	missing := result(d, state.OutcomeDelivered)
	missing.DeliveryID = 999
	refused(t, s.Finish(t.Context(), missing), stillcast.CodeNotFound, "delivery")
	end(t, s, d, state.OutcomeDelivered)
}

func (c suite) replay(t *testing.T) {
	s := c.open(t)
	stored(t, s, newShot("e1", hook(7)))
	d := claim(t, s, hook(7), state.LaneFresh, soon())[0]
	refused(t, s.Replay(t.Context(), d.ID), stillcast.CodeConflict, "delivery")
	refused(t, s.Replay(t.Context(), 999), stillcast.CodeNotFound, "delivery")
	end(t, s, d, state.OutcomeParked)
	check(t, s.Replay(t.Context(), d.ID))
	refused(t, s.Replay(t.Context(), d.ID), stillcast.CodeConflict, "delivery")

	again := claim(t, s, hook(7), state.LaneRetry, soon())
	if len(again) != 1 || again[0].Attempt != 2 || again[0].Try != 1 {
		t.Fatalf("claimed %+v after the replay, want attempt 2, try 1", again)
	}
	if err := s.Finish(t.Context(), result(d, state.OutcomeDelivered)); !errors.Is(err, state.ErrFenced) {
		t.Errorf("the attempt from before the replay ended with %v, want ErrFenced", err)
	}
	end(t, s, again[0], state.OutcomeRetry)
	third := claim(t, s, hook(7), state.LaneRetry, soon())
	if len(third) != 1 || third[0].Attempt != 3 || third[0].Try != 2 {
		t.Fatalf("claimed %+v, want attempt 3, try 2", third)
	}
	end(t, s, third[0], state.OutcomeDelivered)

	// A delivered one is a new series of the same event.
	check(t, s.Replay(t.Context(), d.ID))
	fourth := claim(t, s, hook(7), state.LaneRetry, soon())
	if len(fourth) != 1 || fourth[0].Attempt != 4 || fourth[0].Try != 1 || fourth[0].Event.ID != "e1" || fourth[0].Sequence != d.Sequence {
		t.Fatalf("claimed %+v, want attempt 4, try 1 of the same event", fourth)
	}
	end(t, s, fourth[0], state.OutcomeDelivered)
}
