package capture

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func (r *rig) offsets(since time.Time) []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []time.Duration
	for _, t := range r.taken {
		all = append(all, t.Captured.Sub(since))
	}
	return all
}

func TestFirstShotAtOnceThenOnTheGrid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 2)
		r.Start()
		s := r.open("s")
		began := time.Now()
		for range 21 {
			r.frame(s, true)
			for range 49 {
				time.Sleep(40 * time.Millisecond)
				r.frame(s, false)
			}
			time.Sleep(40 * time.Millisecond)
		}
		s.Close()
		r.Stop(t.Context())
		want := []time.Duration{0, 10 * time.Second, 20 * time.Second, 30 * time.Second, 40 * time.Second}
		if diff := cmp.Diff(want, r.offsets(began)); diff != "" {
			t.Errorf("shots (-want +got):\n%s", diff)
		}
		if r.released != len(want) {
			t.Errorf("%d access units given back, want %d", r.released, len(want))
		}
	})
}

func TestDamagedPictureIsReplacedByTheNextKeyFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		damaged := 0
		r.shoot = func(Order) (stillcast.Facts, error) {
			if damaged++; damaged <= 2 {
				return stillcast.Facts{}, errors.New("damaged")
			}
			return stillcast.Facts{}, nil
		}
		r.Start()
		s := r.open("s")
		began := time.Now()
		for range 7 {
			r.frame(s, true)
			time.Sleep(2 * time.Second)
		}
		s.Close()
		r.Stop(t.Context())
		// The grid stands on the first due time, whichever key frame was good.
		want := []time.Duration{4 * time.Second, 10 * time.Second}
		if diff := cmp.Diff(want, r.offsets(began)); diff != "" {
			t.Errorf("shots (-want +got):\n%s", diff)
		}
		if got := testutil.ToFloat64(r.metrics.failed.WithLabelValues("decode")); got != 2 {
			t.Errorf("failed shots counted: %v, want 2", got)
		}
	})
}

func TestHopelessStreamCostsFewDecodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		tries := 0
		r.shoot = func(Order) (stillcast.Facts, error) {
			tries++
			return stillcast.Facts{}, errors.New("no picture")
		}
		r.Start()
		s := r.open("s")
		for range 25 * 60 { // a minute of nothing but key frames
			r.frame(s, true)
			time.Sleep(40 * time.Millisecond)
		}
		s.Close()
		r.Stop(t.Context())
		if tries > 7*maxFailures {
			t.Errorf("%d decodes in a minute of a hopeless stream, want at most %d per interval", tries, maxFailures)
		}
	})
}

func TestSlowDecodingShedsAndCountsShots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.Queue = 2
		r := newRig(t, cfg, 1)
		gate := make(chan struct{})
		r.shoot = func(Order) (stillcast.Facts, error) { <-gate; return stillcast.Facts{}, nil }
		r.Start()
		var streams []*Stream
		for _, name := range []string{"a", "b", "c", "d"} {
			s := r.open(name)
			streams = append(streams, s)
			r.frame(s, true)
			time.Sleep(time.Millisecond)
		}
		// a is being made; b and c wait; d found the queue full.
		if got := testutil.ToFloat64(r.metrics.shed.WithLabelValues(shedFull)); got != 1 {
			t.Errorf("shed because full: %v, want 1", got)
		}
		time.Sleep(10 * time.Second)
		r.frame(streams[1], true) // takes the place of b's own
		if got := testutil.ToFloat64(r.metrics.shed.WithLabelValues(shedBehind)); got != 1 {
			t.Errorf("shed because behind: %v, want 1", got)
		}
		close(gate)
		for _, s := range streams {
			s.Close()
		}
		r.Stop(t.Context())
		if len(r.taken) != 3 || r.released != 5 {
			t.Errorf("%d shots and %d access units given back, want 3 and 5", len(r.taken), r.released)
		}
	})
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	q := newQueue(Config{Queue: 100, QueueBytes: 10}, 1)
	now := time.Now()
	shedded := 0
	for i := range 5 {
		_, full := q.push(&job{plan: &plan{}, pick: pick{due: now.Add(time.Duration(i))}, size: 4})
		shedded += len(full)
	}
	if q.len() != 2 || q.bytes != 8 || shedded != 3 {
		t.Errorf("%d jobs of %d bytes wait and %d were shed; want 2 of 8 and 3", q.len(), q.bytes, shedded)
	}
}

func TestFirstShotsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.Start()
		old := r.open("old")
		r.frame(old, true)
		synctest.Wait()
		gate := make(chan struct{})
		r.shoot = func(Order) (stillcast.Facts, error) { <-gate; return stillcast.Facts{}, nil }
		time.Sleep(10 * time.Second)
		busy := r.open("busy")
		r.frame(busy, true)
		synctest.Wait()
		r.frame(old, true)
		time.Sleep(time.Second)
		fresh := r.open("fresh")
		r.frame(fresh, true)
		close(gate)
		for _, s := range []*Stream{old, busy, fresh} {
			s.Close()
		}
		r.Stop(t.Context())
		var order []string
		for _, taken := range r.taken {
			order = append(order, taken.Push.ID)
		}
		if diff := cmp.Diff([]string{"old", "busy", "fresh", "old"}, order); diff != "" {
			t.Errorf("order of shots (-want +got):\n%s", diff)
		}
	})
}

func TestRuleChangesActOnRunningStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.active = false
		r.Start()
		s := r.open("s")
		if r.frame(s, true) {
			t.Fatal("a stream without a rule was captured")
		}
		r.active = true
		r.Reload()
		if !r.frame(s, true) {
			t.Fatal("no shot at once after a rule was added")
		}
		synctest.Wait()
		r.template.Interval = 2 * time.Second
		r.Reload()
		time.Sleep(2 * time.Second)
		if !r.frame(s, true) {
			t.Fatal("no shot after the shorter interval")
		}
		r.active = false
		r.Reload()
		time.Sleep(time.Minute)
		if r.frame(s, true) {
			t.Fatal("a shot was taken after the rule was removed")
		}
		s.Close()
		r.Stop(t.Context())
	})
}

func TestStopGivesUpWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.Start()
		s := r.Open(stillcast.Push{ID: "s"}, make(chan struct{})) // its begin is never recorded
		s.Configure(h264Config())
		r.frame(s, true)
		s.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r.Stop(ctx)
		if len(r.taken) != 0 || r.released != 1 {
			t.Errorf("%d shots, %d access units given back; want none and 1", len(r.taken), r.released)
		}
	})
}
