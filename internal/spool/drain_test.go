package spool

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/objstore"
)

func TestDrain(t *testing.T) {
	w := newWorld(10)
	w.put = func(context.Context, objstore.Object) error { time.Sleep(time.Second); return nil }
	synctest.Test(t, func(t *testing.T) {
		u := w.start(t, 1)
		cause := errors.New("time to drain passed")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, cause)
		defer cancel()
		if err := u.Drain(ctx); !errors.Is(err, cause) {
			t.Errorf("Drain gave %v, want %v", err, cause)
		}
		if err := u.Drain(t.Context()); err != nil {
			t.Errorf("Drain gave %v", err)
		}
		if diff := cmp.Diff(ids(1, 10), w.look().marked); diff != "" {
			t.Errorf("stored shots (-want +got):\n%s", diff)
		}
		broken := errors.New("database is closed")
		u.opts.Stats = func(context.Context) (int64, int64, error) { return 0, 0, broken }
		if err := u.Drain(t.Context()); !errors.Is(err, broken) {
			t.Errorf("Drain gave %v, want %v", err, broken)
		}
	})
}

// TestDrainDoesNotWaitForABrokenStore: a stop in an outage takes no longer than
// one without.
func TestDrainDoesNotWaitForABrokenStore(t *testing.T) {
	w := newWorld(10)
	w.put = func(context.Context, objstore.Object) error { return objstore.ErrUnavailable }
	synctest.Test(t, func(t *testing.T) {
		u := w.start(t, 2)
		time.Sleep(time.Minute)
		began := time.Now()
		if err := u.Drain(t.Context()); err != nil {
			t.Errorf("Drain gave %v", err)
		}
		if took := time.Since(began); took < drainPatience || took > drainPatience+time.Second {
			t.Errorf("Drain took %s, want %s", took, drainPatience)
		}
		if !strings.Contains(w.look().logs, "pictures=10 stores=[primary]") {
			t.Errorf("the log does not say what is left:\n%s", w.look().logs)
		}
	})
}
