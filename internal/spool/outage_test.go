package spool

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

// outage is a store that does not work until it is up, and counts what was
// under way at once.
type outage struct {
	fail func(context.Context) error
	up   atomic.Bool

	mu         sync.Mutex
	busy, most int
}

func (o *outage) put(ctx context.Context, _ objstore.Object) error {
	o.mu.Lock()
	o.busy++
	o.most = max(o.most, o.busy)
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.busy--
	}()
	if o.up.Load() {
		time.Sleep(10 * time.Millisecond)
		return nil
	}
	return o.fail(ctx)
}

// since returns the most puts at once since it was last asked.
func (o *outage) since() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	most := o.most
	o.most = o.busy
	return most
}

// TestOutageOfTenHours: a store that is down, or asks to slow down, or hangs,
// gets one picture at a time, memory does not grow, and when it is back all is
// stored in order.
func TestOutageOfTenHours(t *testing.T) {
	failures := map[string]func(context.Context) error{
		"unavailable": func(context.Context) error { return fmt.Errorf("put: %w", objstore.ErrUnavailable) },
		"throttled":   func(context.Context) error { return fmt.Errorf("put: %w", objstore.ErrThrottled) },
		"hangs":       func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	}
	for name, fail := range failures {
		for _, concurrency := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s with %d slots", name, concurrency), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { tenHours(t, &outage{fail: fail}, concurrency) })
			})
		}
	}
}

func tenHours(t *testing.T, o *outage, concurrency int) {
	t.Helper()
	const atStart, later = 150, 600
	w := newWorld(atStart)
	w.put = o.put
	u := w.start(t, concurrency)
	for i := range later {
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := asideOf(u); n > maxAside+float64(concurrency) {
			t.Fatalf("%v shots are in memory, want at most %d", n, maxAside+concurrency)
		}
		if most := o.since(); i > 3 && most > 1 {
			t.Fatalf("%d puts at once in minute %d of the outage, want one at a time", most, i)
		}
		w.take(u, w.record())
	}
	if n := testutil.ToFloat64(u.metrics.open.WithLabelValues(Primary)); n != 1 {
		t.Errorf("the breaker's metric is %v in the outage, want 1", n)
	}
	look := w.look()
	if len(look.marked) > 0 {
		t.Errorf("%d shots were marked as stored in the outage", len(look.marked))
	}
	// Each probe is a pause of 15 s on average apart from the one before.
	if n := total(look.tries); n > 5*concurrency+2*later*4 {
		t.Errorf("%d puts in ten hours, want about four a minute", n)
	}
	if n := strings.Count(look.logs, "level=ERROR"); n > 250 {
		t.Errorf("%d errors were logged in ten hours", n)
	}
	o.up.Store(true)
	time.Sleep(time.Hour)
	synctest.Wait()
	look = w.look()
	if diff := cmp.Diff(ids(1, atStart+later), look.sorted()); diff != "" {
		t.Fatalf("stored shots after the store came back (-want +got):\n%s", diff)
	}
	checkOrder(t, look.marked, concurrency)
	if look.mostRead > concurrency {
		t.Errorf("%d pictures were read at once, want at most %d", look.mostRead, concurrency)
	}
	if n := testutil.ToFloat64(u.metrics.open.WithLabelValues(Primary)); n != 0 || asideOf(u) != 0 {
		t.Errorf("the breaker's metric is %v and %v shots are aside, want neither", n, asideOf(u))
	}
	for _, want := range []string{"object store does not work", "object store still does not work", "object store works again"} {
		if !strings.Contains(look.logs, want) {
			t.Errorf("the log does not say %q", want)
		}
	}
}

// TestAllIsStoredWhenTheStoreIsBack: nothing waits for a pause of its own that it
// has from the outage.
func TestAllIsStoredWhenTheStoreIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const shots = 12 // all are tried often
		w := newWorld(shots)
		o := &outage{fail: func(context.Context) error { return objstore.ErrUnavailable }}
		w.put = o.put
		config := w.options(12)
		config.Config.Breaker.Failures = 34 // after three of most
		u, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		u.Start()
		t.Cleanup(u.Stop)
		time.Sleep(10 * time.Hour)
		o.up.Store(true)
		for len(w.look().marked) == 0 { // the probe
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(w.look().marked); n != shots {
			t.Errorf("%d of %d shots are stored a second after the first one", n, shots)
		}
	})
}

// checkOrder demands the order of ids, but for the first, which was the probe, and
// for what several slots do at once.
func checkOrder(t *testing.T, marked []int64, concurrency int) {
	t.Helper()
	rest := marked[1:]
	for i, id := range rest {
		for _, later := range rest[i+1:] {
			if later < id && id-later > int64(concurrency) {
				t.Fatalf("shot %d was stored before shot %d", id, later)
			}
		}
	}
}

func total(tries map[int64]int) (n int) {
	for _, times := range tries {
		n += times
	}
	return n
}

// TestBacklogBeyondMemory: of a store that flaps, more shots step aside than are
// kept; no further ones are fed then, and none is lost.
func TestBacklogBeyondMemory(t *testing.T) {
	const shots, concurrency = 2*maxAside + 100, 4
	w := newWorld(shots)
	var up atomic.Bool
	w.put = func(context.Context, objstore.Object) error {
		if !up.Load() {
			return objstore.ErrDenied // held against each shot
		}
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		u := w.start(t, concurrency)
		for range 5 {
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := asideOf(u); n > maxAside+concurrency {
				t.Fatalf("%v shots are in memory, want at most %d", n, maxAside+concurrency)
			}
		}
		if n := len(w.look().tries); n > maxAside+concurrency+1 {
			t.Errorf("%d shots were tried while so many failed, want at most %d", n, maxAside+concurrency+1)
		}
		if n := strings.Count(w.look().logs, "too many pictures cannot be stored"); n != 1 {
			t.Errorf("%d warnings that feeding stopped, want one", n)
		}
		up.Store(true)
		time.Sleep(longestPause + time.Second)
		synctest.Wait()
		if diff := cmp.Diff(ids(1, shots), w.look().sorted()); diff != "" {
			t.Errorf("stored shots, a minute after the rights were given (-want +got):\n%s", diff)
		}
	})
}

// TestDroppedPicturesAreNotTakenFromMemory: what left the spool while it waited
// is not stored, since its event is not sent.
func TestDroppedPicturesAreNotTakenFromMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(0)
		o := &outage{fail: func(context.Context) error { return objstore.ErrUnavailable }}
		w.put = o.put
		u := w.start(t, 1)
		synctest.Wait()
		for range 20 {
			w.take(u, w.record())
			time.Sleep(time.Second)
		}
		for id := int64(1); id <= 15; id++ {
			w.gone[id] = true
		}
		u.Dropped(15)
		u.Dropped(3) // as one that was overtaken
		o.up.Store(true)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if diff := cmp.Diff(ids(16, 20), w.look().sorted()); diff != "" {
			t.Errorf("stored shots (-want +got):\n%s", diff)
		}
	})
}

// TestShotThatIsDroppedWhileItIsStored: its pictures do not stay without an
// event.
func TestShotThatIsDroppedWhileItIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		w.mark = func(id int64) error {
			if id == 1 {
				return stillcast.Errorf(stillcast.CodeConflict, "shot", "was dropped")
			}
			return nil
		}
		w.start(t, 1)
		synctest.Wait()
		want := []string{"put f/1.jpg", "removed f/1.jpg", "put f/2.jpg", "marked 2", fmt.Sprint("told ", destinationOf(2))}
		if diff := cmp.Diff(want, w.look().steps); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
	})
}
