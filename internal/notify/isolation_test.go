package notify

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stillcast/stillcast/internal/state"
)

// A destination that never answers holds its own slots, then at most one, and
// another destination does not notice it.
func TestBlackHoleDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hole := &receiver{status: 200, gate: blackHole}
		good := &receiver{status: 200, gate: takes(10 * time.Millisecond)}
		r.net.serve(t, host(1), hole.ServeHTTP)
		r.net.serve(t, host(2), good.ServeHTTP)
		r.start(t)
		r.owe(dest(1), 1000)
		synctest.Wait()
		if n := len(hole.arrivals()); n != 3 { // the fourth slot is for retries
			t.Errorf("%d requests at once to the black hole, want 3", n)
		}
		for range 200 {
			begin := time.Now()
			r.owe(dest(2), 1)
			time.Sleep(500 * time.Millisecond)
			got := good.arrivals()
			if last := got[len(got)-1].at; last.Before(begin) || last.Sub(begin) > time.Millisecond {
				t.Fatalf("delivery of the other destination began %s late", last.Sub(begin))
			}
		}
		time.Sleep(5 * time.Second) // between two timeouts
		synctest.Wait()
		if n := r.ledger.count(dest(2), state.StateDelivered); n != 200 {
			t.Errorf("%d delivered, want 200", n)
		}
		if n := r.ledger.count(dest(1), state.StateClaimed); n > 1 {
			t.Errorf("%d of the black hole's deliveries are claimed, want one probe at most", n)
		}
		expect(t, r, "stillcast_notify_destinations_probed 1")
		for _, c := range r.ledger.asked() {
			if c.Limit < 1 || c.Limit > 3 || c.Lease <= r.config.Retry.Timeout {
				t.Errorf("claim %+v", c)
			}
		}
	})
}

// Each lane has a slot that the other cannot take.
func TestLanesDoNotStarveEachOther(t *testing.T) {
	for _, full := range []state.Lane{state.LaneFresh, state.LaneRetry} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			var mu sync.Mutex
			seen := map[bool]int{}
			r.net.serve(t, host(1), func(_ http.ResponseWriter, q *http.Request) {
				mu.Lock()
				seen[q.Header.Get("Stillcast-Attempt") == "1"]++
				mu.Unlock()
				blackHole(q)
			})
			r.ledger.owe(dest(1), 50)
			if full == state.LaneRetry {
				r.ledger.edit(retried)
			}
			r.start(t)
			synctest.Wait()
			r.ledger.owe(dest(1), 50)
			if full == state.LaneFresh {
				r.ledger.edit(func(rows []*row) { retried(rows[50:]) })
			}
			r.Wake(dest(1))
			time.Sleep(time.Second) // a Wake looks into the retry lane once a second
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			want := map[state.Lane][2]int{state.LaneFresh: {3, 1}, state.LaneRetry: {1, 3}}[full]
			if seen[true] != want[0] || seen[false] != want[1] {
				t.Errorf("lane %d full: %d fresh and %d retries under way, want %v", full, seen[true], seen[false], want)
			}
		})
	}
}

// With one slot the lanes take turns.
func TestOneSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.DestinationSlots = 1 })
		hooks := &receiver{status: 200, gate: takes(time.Second)}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.ledger.owe(dest(1), 10)
		r.ledger.edit(retried)
		r.ledger.owe(dest(1), 10)
		r.start(t)
		time.Sleep(6*time.Second - time.Millisecond)
		fresh := 0
		for _, a := range hooks.arrivals() {
			if a.header.Get("Stillcast-Attempt") == "1" {
				fresh++
			}
		}
		if n := len(hooks.arrivals()); n != 6 || fresh != 3 || hooks.atOnce() != 1 {
			t.Errorf("%d requests, %d of them fresh, %d at once; want 6, 3, 1", n, fresh, hooks.atOnce())
		}
	})
}

// The cap of all holds, and while it does, destinations take turns: a long
// backlog of one does not stand before the others.
func TestGlobalCapIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const destinations, each = 10, 20
		r := newRig(t, func(c *Config) { c.Slots = 4 })
		all := &receiver{status: 200, gate: takes(time.Second)}
		counts := make([]*receiver, destinations)
		for i := range counts {
			counts[i] = &receiver{status: 200, gate: func(q *http.Request) { all.ServeHTTP(discard{}, q) }}
			r.net.serve(t, host(int64(i+1)), counts[i].ServeHTTP)
			r.ledger.owe(dest(int64(i+1)), each+1000*max(0, 1-i)) // the first has 1,000 more
		}
		r.start(t)
		time.Sleep(destinations*each/4*time.Second/2 - time.Millisecond)
		if all.atOnce() != 4 {
			t.Errorf("%d at once, want 4", all.atOnce())
		}
		for i, c := range counts {
			if n := len(c.arrivals()); n < each/2-2 || n > each/2+2 {
				t.Errorf("destination %d had %d of its turns at half time, want about %d", i+1, n, each/2)
			}
		}
	})
}

// discard is a response that goes nowhere.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// What is handed over by Wake in one piece goes out in small claims of free slots.
func TestBacklogIsClaimedBySlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200, gate: takes(time.Second)}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.start(t)
		r.owe(dest(1), 30)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := r.ledger.count(dest(1), state.StateDelivered); n != 30 {
			t.Errorf("%d delivered in ten seconds by three slots, want 30", n)
		}
		if n := hooks.atOnce(); n != 3 {
			t.Errorf("%d at once, want 3", n)
		}
	})
}

// One dead address must not make a new connection wait: the timeout of a try is
// kept and told.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200, gate: blackHole}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.start(t)
		begin := time.Now()
		r.owe(dest(1), 1)
		time.Sleep(time.Hour)
		got := r.ledger.recorded()
		if len(got) != 6 || got[0].Error != "no answer in time: 20s passed" || got[0].Took != 20*time.Second || got[0].Status != 0 {
			t.Errorf("%+v", got)
		}
		if got[5].Outcome != state.OutcomeParked {
			t.Errorf("last outcome %d", got[5].Outcome)
		}
		// The receiver has the whole interval to recover.
		if second := hooks.arrivals()[1].at.Sub(begin); second != 2*time.Minute+20*time.Second {
			t.Errorf("second attempt after %s", second)
		}
	})
}

// 200 is the answer, however long its body.
func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.net.serve(t, host(1), func(w http.ResponseWriter, q *http.Request) {
			_, _ = io.Copy(io.Discard, q.Body)
			for q.Context().Err() == nil {
				_, _ = w.Write([]byte("x"))
				_ = http.NewResponseController(w).Flush()
				takes(time.Second)(q)
			}
		})
		r.start(t)
		r.owe(dest(1), 1)
		time.Sleep(time.Minute)
		got := r.ledger.recorded()
		if len(got) != 1 || got[0].Outcome != state.OutcomeDelivered || got[0].Took != 20*time.Second || len(got[0].Reply) < 20 {
			t.Errorf("%+v", got)
		}
	})
}
