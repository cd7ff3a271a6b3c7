package spool

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

// nap sleeps for up to 5 ms of a bubble's time.
func nap() { time.Sleep(rand.N(5 * time.Millisecond)) }

// take hands a recorded shot over.
func (w *world) take(u *Uploader, id int64) {
	shot := stillcast.Shot{ID: id, Bucket: "shots-1", Key: keyOf(id), Mirror: w.mirror}
	for i := range w.renditions {
		shot.Renditions = append(shot.Renditions, stillcast.Rendition{Key: fmt.Sprintf("%s.%d", keyOf(id), i+1)})
	}
	pictures := make([][]byte, len(shot.Keys()))
	for i := range pictures {
		pictures[i] = fmt.Appendf(nil, "handed %d.%d", id, i)
	}
	u.Take(shot, pictures)
}

// TestHandedOverPicturesAreNotRead: neither a page nor a picture of the spool.
func TestHandedOverPicturesAreNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(0)
		w.renditions = 1
		pages := 0
		w.page = func() error { pages++; return nil }
		u := w.start(t, 2)
		synctest.Wait()
		atStart := pages
		for range 300 {
			w.take(u, w.record())
			synctest.Wait()
		}
		look := w.look()
		if pages != atStart || look.mostRead != 0 {
			t.Errorf("%d pages and some pictures were read, want none", pages-atStart)
		}
		if got := look.sorted(); !slices.Equal(got, ids(1, 300)) {
			t.Errorf("stored %v, want 300 shots", got)
		}
		if got := string(w.object(keyOf(300) + ".1").Body); got != "handed 300.1" {
			t.Errorf("the rendition of the last shot is %q", got)
		}
		if u.lanes[0].handed.bytes != 0 || len(u.lanes[0].handed.ahead) != 0 {
			t.Errorf("%d bytes and %d ids are still kept", u.lanes[0].handed.bytes, len(u.lanes[0].handed.ahead))
		}
	})
}

// TestEachShotIsStoredOnce: whatever order shots are handed over in, and however
// many are not, each is put once.
func TestEachShotIsStoredOnce(t *testing.T) {
	for round := range 5 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(3) // left by a process before
			w.put = func(context.Context, objstore.Object) error { nap(); return nil }
			u := w.start(t, 4)
			var group sync.WaitGroup
			for range 500 {
				id := w.record()
				group.Go(func() {
					nap()
					if rand.N(20) == 0 {
						u.Wake() // as one that came without its pictures
						return
					}
					w.take(u, id)
				})
				if rand.N(3) == 0 {
					nap()
				}
			}
			group.Wait()
			u.Wake()
			time.Sleep(time.Minute)
			synctest.Wait()
			look := w.look()
			if got := look.sorted(); !slices.Equal(got, ids(1, 503)) {
				t.Fatalf("round %d: stored %d shots, want each of 503 once", round, len(got))
			}
			for id, tries := range look.tries {
				if tries != 1 {
					t.Errorf("round %d: shot %d was put %d times", round, id, tries)
				}
			}
		})
	}
}

// TestHandoverIsBounded: while the store is down, pictures are kept in memory up
// to a limit, and no more shots step aside than without a handover. All are
// stored when it is back.
func TestHandoverIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const concurrency, shots = 4, 2 * maxAside
		w := newWorld(0)
		var up atomic.Bool
		w.put = func(context.Context, objstore.Object) error {
			if !up.Load() {
				return fmt.Errorf("put: %w", objstore.ErrUnavailable)
			}
			return nil
		}
		u := w.start(t, concurrency)
		for range shots {
			w.take(u, w.record())
			time.Sleep(500 * time.Millisecond)
			synctest.Wait()
			if n := len(u.lanes[0].handed.jobs); n > maxHanded {
				t.Fatalf("%d shots are kept, want at most %d", n, maxHanded)
			}
			if n := asideOf(u); n > maxAside+maxHanded+concurrency {
				t.Fatalf("%v shots stepped aside, want at most %d", n, maxAside+maxHanded+concurrency)
			}
		}
		up.Store(true)
		time.Sleep(longestPause + time.Second)
		synctest.Wait()
		if got := w.look().sorted(); !slices.Equal(got, ids(1, shots)) {
			t.Errorf("%d shots were stored, want each of %d once", len(got), shots)
		}

		// One that is larger than the limit is read; the one after it is handed over.
		pages := 0
		w.page = func() error { pages++; return nil }
		big := w.record()
		u.Take(stillcast.Shot{ID: big, Key: keyOf(big)}, [][]byte{make([]byte, maxHandedBytes+1)})
		synctest.Wait()
		read := pages
		w.take(u, w.record())
		synctest.Wait()
		if n := len(w.look().marked); n != shots+2 || read == 0 || pages != read {
			t.Errorf("%d shots were stored with %d and then %d pages read, want %d, some and no more", n, read, pages-read, shots+2)
		}
	})
}
