package callback_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stillcast/stillcast/callback"
)

func ok() error { return nil }

func isRepeat(t *testing.T, g *callback.ReplayGuard, id string) bool {
	t.Helper()
	repeat, err := g.Do(t.Context(), id, ok)
	if err != nil {
		t.Fatal(err)
	}
	return repeat
}

func TestReplayGuardForgetsByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := callback.NewReplayGuard(10, time.Hour)
		if isRepeat(t, g, "a") {
			t.Error("the first is no repeat")
		}
		time.Sleep(time.Hour - time.Nanosecond)
		if !isRepeat(t, g, "a") {
			t.Error("a repeat within the hour was not seen")
		}
		time.Sleep(time.Nanosecond)
		if isRepeat(t, g, "a") {
			t.Error("remembered for more than the hour")
		}
	})
}

func TestReplayGuardForgetsByCapacity(t *testing.T) {
	g := callback.NewReplayGuard(3, time.Hour)
	for i := range 4 {
		isRepeat(t, g, fmt.Sprint(i))
	}
	for id, want := range map[string]bool{"3": true, "2": true, "1": true} {
		if got := isRepeat(t, g, id); got != want {
			t.Errorf("%s is a repeat: %v, want %v", id, got, want)
		}
	}
	if isRepeat(t, g, "0") {
		t.Error("the oldest of four was remembered by a guard of three")
	}
}

func TestReplayGuardDoesNotRememberFailures(t *testing.T) {
	g := callback.NewReplayGuard(0, 0)
	down := errors.New("down")
	if repeat, err := g.Do(t.Context(), "a", func() error { return down }); repeat || !errors.Is(err, down) {
		t.Errorf("repeat %v, error %v", repeat, err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = g.Do(t.Context(), "a", func() error { panic("boom") })
	}()
	if isRepeat(t, g, "a") {
		t.Error("a failure or a panic was remembered as received")
	}
	if !isRepeat(t, g, "a") {
		t.Error("the success was not remembered")
	}
}

// Of many at the same time one runs; when it fails, another runs; once one has
// succeeded, all others are repeats.
func TestReplayGuardConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := callback.NewReplayGuard(0, 0)
		var running, most, calls, repeats, failures atomic.Int32
		for range 20 {
			go func() {
				repeat, err := g.Do(t.Context(), "a", func() error {
					most.Store(max(most.Load(), running.Add(1)))
					defer running.Add(-1)
					time.Sleep(time.Second)
					if calls.Add(1) < 3 {
						return errors.New("down")
					}
					return nil
				})
				if repeat {
					repeats.Add(1)
				}
				if err != nil {
					failures.Add(1)
				}
			}()
		}
		time.Sleep(time.Minute)
		if most.Load() != 1 || calls.Load() != 3 || failures.Load() != 2 || repeats.Load() != 17 {
			t.Errorf("%d at once, %d calls, %d failures, %d repeats; want 1, 3, 2, 17",
				most.Load(), calls.Load(), failures.Load(), repeats.Load())
		}
	})
}

func TestReplayGuardWaitHeedsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := callback.NewReplayGuard(0, 0)
		go func() {
			_, _ = g.Do(t.Context(), "a", func() error { time.Sleep(time.Hour); return nil })
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.Do(ctx, "a", ok); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that of the context", err)
		}
		time.Sleep(time.Hour)
	})
}
