package statetest

import (
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// destinationOf returns what Destinations says of one.
func destinationOf(t *testing.T, s Store, d stillcast.Destination) state.DestinationStatus {
	t.Helper()
	list, err := s.Destinations(t.Context())
	check(t, err)
	for _, status := range list {
		if status.Destination == d {
			return status
		}
	}
	t.Fatalf("there is no destination %+v among %+v", d, list)
	return state.DestinationStatus{}
}

func (c suite) pause(t *testing.T) {
	s := c.open(t)
	stored(t, s, newShot("e1", hook(7), hook(8)), newShot("e2", hook(7)), newShot("e3", hook(7)))
	claimed, err := s.Claim(t.Context(), state.Claim{Destination: hook(7), Limit: 2, Now: soon(), Lease: time.Minute})
	check(t, err)
	end(t, s, claimed[0], state.OutcomeRetry)
	check(t, s.PauseDestination(t.Context(), hook(7), "answered 410 Gone"))
	for _, lane := range []state.Lane{state.LaneFresh, state.LaneRetry} {
		if got := claim(t, s, hook(7), lane, soon().Add(24*time.Hour)); len(got) != 0 {
			t.Errorf("claimed %v of a paused destination", eventIDs(got))
		}
	}
	same(t, "events of another destination", []string{"e1"}, eventIDs(claim(t, s, hook(8), state.LaneFresh, soon())))
	end(t, s, claimed[1], state.OutcomeDelivered) // what was claimed goes on
	stored(t, s, newShot("e4", hook(7)))          // and what is owed comes in

	status := destinationOf(t, s, hook(7))
	recent(t, "the pause", status.PausedAt)
	want := state.DestinationStatus{
		Backlog:   state.Backlog{Destination: hook(7), Pending: 3, Oldest: status.Oldest, NextDue: start().Add(time.Minute), Paused: true},
		Delivered: 1, PausedAt: status.PausedAt, PauseReason: "answered 410 Gone",
	}
	same(t, "paused destination", want, status)
	backlogs, err := s.Backlogs(t.Context())
	check(t, err)
	if !backlogs[0].Paused || backlogs[1].Paused {
		t.Errorf("the backlogs are %+v, want only the first paused", backlogs)
	}

	check(t, s.PauseDestination(t.Context(), hook(7), "by hand"))
	want.PauseReason = "by hand"
	same(t, "destination paused twice", want, destinationOf(t, s, hook(7)))
	for range 2 {
		check(t, s.ResumeDestination(t.Context(), hook(7)))
	}
	want.Paused, want.PausedAt, want.PauseReason = false, time.Time{}, ""
	same(t, "resumed destination", want, destinationOf(t, s, hook(7)))
	same(t, "fresh after the pause", []string{"e3", "e4"}, eventIDs(claim(t, s, hook(7), state.LaneFresh, soon())))
	same(t, "retry after the pause", []string{"e1"}, eventIDs(claim(t, s, hook(7), state.LaneRetry, soon())))
}

// pauseAhead: a destination can be paused before anything is owed to it.
func (c suite) pauseAhead(t *testing.T) {
	s := c.open(t)
	_, made, err := s.EditCallbackTemplate(t.Context(), 0, 10, func(c *stillcast.CallbackTemplate) error {
		c.Name, c.SnapshotURL = "hooks", "http://192.0.2.1/"
		return nil
	})
	check(t, err)
	to := hook(made.ID)
	check(t, s.PauseDestination(t.Context(), to, strings.Repeat("r", state.MaxReason)))
	stored(t, s, newShot("e1", to))
	same(t, "claimed of a paused destination", []string{}, eventIDs(claim(t, s, to, state.LaneFresh, soon())))
	check(t, s.ResumeDestination(t.Context(), to))
	same(t, "claimed after the pause", []string{"e1"}, eventIDs(claim(t, s, to, state.LaneFresh, soon())))

	refused(t, s.PauseDestination(t.Context(), to, strings.Repeat("r", state.MaxReason+1)), stillcast.CodeInvalid, "reason")
	refused(t, s.PauseDestination(t.Context(), hook(999), "r"), stillcast.CodeNotFound, "destination")
	refused(t, s.ResumeDestination(t.Context(), hook(999)), stillcast.CodeNotFound, "destination")
	list, err := s.Destinations(t.Context())
	check(t, err)
	same(t, "destinations", 1, len(list))
}
