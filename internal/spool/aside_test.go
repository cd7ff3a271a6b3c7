package spool

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

func TestRefusedPicturesDoNotHoldUpTheOthers(t *testing.T) {
	for _, refusal := range []error{objstore.ErrName, objstore.ErrDenied} {
		for _, concurrency := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s with %d slots", refusal, concurrency), func(t *testing.T) {
				refusedPictures(t, refusal, concurrency)
			})
		}
	}
}

func refusedPictures(t *testing.T, refusal error, concurrency int) {
	t.Helper()
	const refused, good = 20, 200 // the first ones are refused
	w := newWorld(refused + good)
	var allowed atomic.Bool
	w.put = func(_ context.Context, o objstore.Object) error {
		var id int64
		if _, err := fmt.Sscanf(o.Key, "f/%d.jpg", &id); err != nil {
			return err
		}
		if id <= refused && !allowed.Load() {
			return fmt.Errorf("put: %w", refusal)
		}
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		u := w.start(t, concurrency)
		time.Sleep(refused * 3 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff(ids(refused+1, refused+good), w.look().sorted()); diff != "" {
			t.Errorf("stored while others are refused (-want +got):\n%s", diff)
		}
		if n := asideOf(u); n != refused {
			t.Errorf("%v shots stepped aside, want %d", n, refused)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		logged := strings.Count(w.look().logs, "shot=1 ")
		if tries := w.look().tries[1]; tries < 2*60 || logged > tries/10+patience {
			t.Errorf("a refused picture was tried %d times in two hours and logged %d times", tries, logged)
		}
		allowed.Store(true)
		time.Sleep(longestPause + time.Second)
		synctest.Wait()
		if diff := cmp.Diff(ids(1, refused+good), w.look().sorted()); diff != "" {
			t.Errorf("stored in the end (-want +got):\n%s", diff)
		}
	})
}

func TestAStoreThatHangsForSomeLeavesSlotsToOthers(t *testing.T) {
	const hanging = 8
	w := newWorld(hanging)
	w.put = func(ctx context.Context, o objstore.Object) error {
		if len(o.Key) == len("f/1.jpg") { // the first nine
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		u := w.start(t, 2)
		time.Sleep(10 * time.Minute)
		record := func() int64 {
			defer synctest.Wait()
			defer u.Wake()
			return w.record()
		}
		record() // the ninth
		// Until each hung often enough to be known for it, the store is taken for broken
		// now and then.
		next := int64(10)
		for range 200 {
			next = record() + 1
			time.Sleep(17 * time.Second)
		}
		for range 90 {
			id := record()
			if diff := cmp.Diff(ids(10, id), w.look().sorted()); diff != "" {
				t.Fatalf("stored at once, from %d on (-want +got):\n%s", next, diff)
			}
			time.Sleep(7 * time.Second)
		}
	})
}

func TestPauseAfter(t *testing.T) {
	for tries := 1; tries < 200; tries++ {
		limit := longestPause
		if tries < 9 {
			limit = shortestPause << (tries - 1)
		}
		longest := time.Duration(0)
		for range 500 {
			p := pauseAfter(tries)
			if p <= 0 || p > limit+time.Millisecond {
				t.Fatalf("the pause after %d tries is %s, want more than 0s and at most %s", tries, p, limit)
			}
			longest = max(longest, p)
		}
		if longest < limit/2 { // by chance once in 2^500
			t.Errorf("the longest of many pauses after %d tries is %s, want it near %s", tries, longest, limit)
		}
	}
}

func TestAsideIsOrderedByTime(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var a aside
	if a.first() != nil || a.longest() != nil || !a.nextDue().IsZero() {
		t.Error("a list of nothing has a first job")
	}
	for i, seconds := range []int{5, 1, 3, 1, 9, 0} {
		a.add(&job{shot: stillcast.Shot{ID: int64(i)}, due: start.Add(time.Duration(seconds) * time.Second)})
	}
	if want := start; !a.nextDue().Equal(want) {
		t.Errorf("next due at %s, want %s", a.nextDue(), want)
	}
	var got []int64
	for a.first() != nil {
		got = append(got, a.first().shot.ID)
		a.due = remove(a.due, a.first())
	}
	if diff := cmp.Diff([]int64{5, 1, 3, 2, 0, 4}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}
