package spool

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

// mirrored is a world with a mirror of its own faults.
func mirrored(t *testing.T, w *world, put func(context.Context, objstore.Object) error, concurrency int) *Uploader {
	t.Helper()
	o := w.options(concurrency)
	o.Mirrors = []Store{{Name: "second", Bucket: bucketFunc(func(ctx context.Context, object objstore.Object) error {
		if err := put(ctx, object); err != nil {
			return err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.reading--
		w.steps = append(w.steps, "mirror "+object.Key)
		return nil
	}), CacheControl: "no-store"}}
	u, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	u.Start()
	t.Cleanup(u.Stop)
	return u
}

type bucketFunc func(context.Context, objstore.Object) error

func (bucketFunc) Remove(context.Context, stillcast.Shot) error { return nil }

func (f bucketFunc) Put(ctx context.Context, o objstore.Object) error { return f(ctx, o) }

// TestMirror: a shot is marked when both stores hold all its pictures.
func TestMirror(t *testing.T) {
	w := newWorld(0)
	w.renditions = 1
	w.mirror = "second"
	w.record()
	synctest.Test(t, func(t *testing.T) {
		mirrored(t, w, func(_ context.Context, o objstore.Object) error {
			if o.CacheControl != "no-store" {
				t.Errorf("Cache-Control of the mirror is %q", o.CacheControl)
			}
			return nil
		}, 1)
		synctest.Wait()
		want := []string{
			"put f/1.jpg", "put f/1.jpg.1", "mirror f/1.jpg", "mirror f/1.jpg.1", "marked 1", fmt.Sprint("told ", destinationOf(1)),
		}
		if diff := cmp.Diff(want, w.look().steps); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
	})
}

// TestDeadMirrorHoldsUpOnlyItsOwn: every third shot has a mirror that is dead for
// hours; the others are stored at once, and in the end all are.
func TestDeadMirrorHoldsUpOnlyItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(0)
		o := &outage{fail: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		record := func(id int) int64 {
			w.mirror = ""
			if id%3 == 0 {
				w.mirror = "second"
			}
			return w.record()
		}
		for id := range 300 { // left by a process before
			record(id + 1)
		}
		u := mirrored(t, w, o.put, 2)
		var own []int64
		for id := 301; id <= 1500; id++ {
			shot := record(id)
			if id%7 == 0 {
				u.Wake()
			} else {
				w.take(u, shot)
			}
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if w.waits(shot) != (id%3 == 0) {
				t.Fatalf("shot %d waits: %v; want that those of the mirror do, and no others", id, w.waits(shot))
			}
		}
		for id := int64(3); id <= 1500; id += 3 {
			own = append(own, id)
		}
		before := len(w.look().marked)
		o.up.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		drained := w.look().marked[before:]
		if got := slices.Sorted(slices.Values(drained)); !slices.Equal(got, own) {
			t.Errorf("%d shots were stored when the mirror came back, want the %d that name it", len(got), len(own))
		}
		checkOrder(t, drained, 3*2)
		if n := testutil.ToFloat64(u.metrics.failed.WithLabelValues("second", "timeout")); n == 0 {
			t.Error("no failure of the mirror is counted")
		}
		if n := testutil.CollectAndCount(u.metrics.failed); n != 1 {
			t.Errorf("%d kinds of failures are counted, want only timeouts of the mirror", n)
		}
	})
}

// TestMirrorsDoNotMakeTheOthersBeRead: shots that go by one lane are no gap in
// the other, so what is handed over is not read.
func TestMirrorsDoNotMakeTheOthersBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(0)
		var pages atomic.Int64
		w.page = func() error { pages.Add(1); return nil }
		u := mirrored(t, w, func(context.Context, objstore.Object) error { return nil }, 2)
		synctest.Wait()
		atStart := pages.Load()
		for id := range 5 * maxHanded {
			w.mirror = []string{"", "second"}[id/(maxHanded/2)%2]
			w.take(u, w.record())
			synctest.Wait()
		}
		if read := pages.Load() - atStart; read != 0 || len(w.look().marked) != 5*maxHanded {
			t.Errorf("%d pages were read and %d shots stored, want none and all", read, len(w.look().marked))
		}
		for _, l := range u.lanes {
			if len(l.handed.ahead) != 0 || l.handed.bytes != 0 {
				t.Errorf("lane %s keeps %d ids and %d bytes", l.name, len(l.handed.ahead), l.handed.bytes)
			}
		}
	})
}

// TestAMirrorThatIsNoMore: shots of a mirror that was removed from the
// configuration go to the primary store.
func TestAMirrorThatIsNoMore(t *testing.T) {
	w := newWorld(0)
	w.mirror = "gone"
	for range 3 {
		w.record()
	}
	synctest.Test(t, func(t *testing.T) {
		mirrored(t, w, func(context.Context, objstore.Object) error { t.Error("put into another mirror"); return nil }, 2)
		synctest.Wait()
		if diff := cmp.Diff(ids(1, 3), w.look().sorted()); diff != "" {
			t.Errorf("stored shots (-want +got):\n%s", diff)
		}
		if n := strings.Count(w.look().logs, "mirror=gone"); n != 1 {
			t.Errorf("%d warnings of the mirror, want one", n)
		}
	})
}
