package statetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// retryAt makes the delivery of a fresh event one that is retried at that time.
func retryAt(t *testing.T, s Store, id string, to stillcast.Destination, at time.Time) {
	t.Helper()
	stored(t, s, newShot(id, to))
	claimed := claim(t, s, to, state.LaneFresh, soon())
	if len(claimed) != 1 {
		t.Fatalf("claimed %v, want only %s", eventIDs(claimed), id)
	}
	r := result(claimed[0], state.OutcomeRetry)
	r.RetryAt = at
	check(t, s.Finish(t.Context(), r))
}

func (c suite) claimOrder(t *testing.T) {
	s := c.open(t)
	now := start()
	for i, offset := range []time.Duration{0, -time.Second, time.Microsecond, -time.Hour, -time.Second} {
		retryAt(t, s, fmt.Sprintf("e%d", i), hook(7), now.Add(offset))
	}
	page := func(limit int) []string {
		claimed, err := s.Claim(t.Context(), state.Claim{
			Destination: hook(7), Lane: state.LaneRetry, Limit: limit, Now: now, Lease: time.Minute,
		})
		check(t, err)
		return eventIDs(claimed)
	}
	same(t, "first page", []string{"e3", "e1"}, page(2))
	same(t, "second page", []string{"e4", "e0"}, page(10))
	same(t, "third page", []string{}, page(10))
	now = now.Add(time.Microsecond)
	same(t, "a microsecond later", []string{"e2"}, page(10))
}

func (c suite) claimLanes(t *testing.T) {
	s := c.open(t)
	retryAt(t, s, "retry", hook(7), start())
	stored(t, s, newShot("fresh", hook(7)))
	fresh := claim(t, s, hook(7), state.LaneFresh, soon())
	same(t, "fresh lane", []string{"fresh"}, eventIDs(fresh))
	retried := claim(t, s, hook(7), state.LaneRetry, soon())
	same(t, "retry lane", []string{"retry"}, eventIDs(retried))
	if fresh[0].Attempt != 1 || retried[0].Attempt != 2 || retried[0].Try != 2 {
		t.Errorf("attempts are %d and %d (try %d), want 1 and 2", fresh[0].Attempt, retried[0].Attempt, retried[0].Try)
	}
	retryAt(t, s, "later", hook(7), start())
	if early := claim(t, s, hook(7), state.LaneRetry, start().Add(-time.Hour)); len(early) != 0 {
		t.Errorf("claimed %v an hour before it was due", eventIDs(early))
	}
}

func (c suite) claimIsolation(t *testing.T) {
	s := c.open(t)
	for i := range 30 {
		stored(t, s, newShot(fmt.Sprintf("dead-%d", i), hook(7)))
	}
	stored(t, s, newShot("alive", hook(8)))
	same(t, "events of one destination", []string{"alive"}, eventIDs(claim(t, s, hook(8), state.LaneFresh, soon())))
	same(t, "events of an unknown destination", []string{}, eventIDs(claim(t, s, hook(9), state.LaneFresh, soon())))
	begin := stillcast.Destination{TemplateID: 7, Event: stillcast.EventPushBegin}
	same(t, "other events of the template", []string{}, eventIDs(claim(t, s, begin, state.LaneFresh, soon())))
}

func (c suite) claimRefuses(t *testing.T) {
	s := c.open(t)
	good := state.Claim{Destination: hook(7), Lane: state.LaneFresh, Limit: 1, Now: soon(), Lease: time.Minute}
	for field, spoil := range map[string]func(c *state.Claim){
		"claim.limit": func(c *state.Claim) { c.Limit = 0 },
		"claim.lease": func(c *state.Claim) { c.Lease = 0 },
		"claim.lane":  func(c *state.Claim) { c.Lane = 2 },
	} {
		c := good
		spoil(&c)
		refused(t, errorOf(s.Claim(t.Context(), c)), stillcast.CodeInvalid, field)
	}
}

func (c suite) lease(t *testing.T) {
	s := c.open(t)
	stored(t, s, newShot("e1", hook(7)))
	now := soon()
	first := claim(t, s, hook(7), state.LaneFresh, now)
	same(t, "first claim", []string{"e1"}, eventIDs(first))
	for _, lane := range []state.Lane{state.LaneFresh, state.LaneRetry} {
		if got := claim(t, s, hook(7), lane, now.Add(time.Minute-time.Microsecond)); len(got) != 0 {
			t.Errorf("claimed %v while the lease ran", eventIDs(got))
		}
	}
	now = now.Add(time.Minute)
	again := claim(t, s, hook(7), state.LaneRetry, now)
	if len(again) != 1 || again[0].Attempt != 2 || again[0].ID != first[0].ID {
		t.Fatalf("claimed %+v when the lease had run out, want the same delivery at attempt 2", again)
	}
	counts, err := s.CountDeliveries(t.Context())
	check(t, err)
	same(t, "claimed deliveries", int64(1), counts["claimed"])
	if got := claim(t, s, hook(7), state.LaneRetry, now); len(got) != 0 {
		t.Errorf("claimed %v twice by one lease", eventIDs(got))
	}
}

func (c suite) concurrentClaims(t *testing.T) {
	s := c.open(t)
	const events, workers = 60, 8
	for i := range events {
		stored(t, s, newShot(fmt.Sprintf("e%d", i), hook(7)))
	}
	var mu sync.Mutex
	seen := make(map[int64]int)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for {
				claimed, err := s.Claim(t.Context(), state.Claim{
					Destination: hook(7), Lane: state.LaneFresh, Limit: 3, Now: soon(), Lease: time.Hour,
				})
				if err != nil {
					t.Error(err)
					return
				}
				if len(claimed) == 0 {
					return
				}
				mu.Lock()
				for _, d := range claimed {
					seen[d.ID]++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	same(t, "deliveries claimed", events, len(seen))
	for id, times := range seen {
		if times != 1 {
			t.Errorf("delivery %d was claimed %d times", id, times)
		}
	}
}
