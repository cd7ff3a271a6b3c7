package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a ledger and a bucket that tests break.
type world struct {
	mu       sync.Mutex
	spooled  map[int64][]byte
	last     int64
	order    []int64 // in which pictures were put
	notified int
	reading  int // pictures that are read and not put yet
	most     int

	put  func(ctx context.Context, o objstore.Object) error
	mark func() error
}

func newWorld(n int) *world {
	w := &world{spooled: map[int64][]byte{}}
	for range n {
		w.add()
	}
	return w
}

func (w *world) add() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last++
	w.spooled[w.last] = []byte{1}
	return w.last
}

func (w *world) SpoolPage(_ context.Context, afterID int64, limit int) ([]stillcast.Shot, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var page []stillcast.Shot
	for id := afterID + 1; id <= w.last && len(page) < limit; id++ {
		if _, ok := w.spooled[id]; ok {
			page = append(page, stillcast.Shot{ID: id, Key: fmt.Sprint(id)})
		}
	}
	return page, nil
}

func (w *world) SpooledPicture(_ context.Context, id int64) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	jpeg, ok := w.spooled[id]
	if !ok {
		return nil, stillcast.Errorf(stillcast.CodeNotFound, "shot", "%d has no picture", id)
	}
	w.reading++
	w.most = max(w.most, w.reading)
	return jpeg, nil
}

func (w *world) Put(ctx context.Context, o objstore.Object) error {
	var err error
	if w.put != nil {
		err = w.put(ctx, o)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reading--
	if err == nil {
		var id int64
		_, _ = fmt.Sscan(o.Key, &id)
		w.order = append(w.order, id)
	}
	return err
}

func (w *world) MarkStored(_ context.Context, id int64) ([]stillcast.Destination, error) {
	if w.mark != nil {
		if err := w.mark(); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.spooled, id)
	return []stillcast.Destination{{TemplateID: id, Event: stillcast.EventShot}}, nil
}

func (w *world) stats(context.Context) (count, bytes int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return int64(len(w.spooled)), int64(len(w.spooled)), nil
}

func (w *world) uploader(t *testing.T, cfg Config, log *slog.Logger) *Uploader {
	t.Helper()
	u, err := New(Options{
		Config: cfg, Ledger: w, Bucket: w, Stats: w.stats,
		Stored: func(d []stillcast.Destination) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if _, still := w.spooled[d[0].TemplateID]; still {
				t.Error("an event was let go before its picture was marked as stored")
			}
			w.notified += len(d)
		},
		Logger: log, Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestEverythingInTheSpoolIsStoredInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(250)
		u := w.uploader(t, Config{Concurrency: 1, Timeout: time.Minute}, slog.New(slog.DiscardHandler))
		u.Start()
		if err := u.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.add()
		u.Wake()
		if err := u.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		u.Stop()
		if len(w.order) != 251 || !slices.IsSorted(w.order) || w.notified != 251 {
			t.Errorf("%d pictures put, sorted %v, %d events let go; want 251 in order", len(w.order), slices.IsSorted(w.order), w.notified)
		}
	})
}

func TestOutageLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(0)
		back := time.Now().Add(time.Hour)
		w.put = func(context.Context, objstore.Object) error {
			if time.Now().Before(back) {
				return fmt.Errorf("put: %w", objstore.ErrUnavailable)
			}
			return nil
		}
		u := w.uploader(t, Config{Concurrency: 4, Timeout: time.Minute}, slog.New(slog.DiscardHandler))
		u.Start()
		for range 3000 {
			w.add()
			u.Wake()
			time.Sleep(time.Second)
		}
		if w.notified != 0 {
			t.Errorf("%d events were let go without a picture", w.notified)
		}
		time.Sleep(time.Until(back))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		if err := u.Drain(ctx); err != nil {
			t.Errorf("%d pictures still wait three minutes after the store is back: %v", len(w.spooled), err)
		}
		u.Stop()
		if w.notified != 3000 || w.most > 4 {
			t.Errorf("%d events let go, at most %d pictures in memory; want 3000 and 4", w.notified, w.most)
		}
	})
}

func TestPictureThatCanNeverBeStoredHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(20)
		w.put = func(_ context.Context, o objstore.Object) error {
			if o.Key == "1" || o.Key == "2" {
				return fmt.Errorf("put %s: %w", o.Key, objstore.ErrDenied)
			}
			return nil
		}
		u := w.uploader(t, Config{Concurrency: 1, Timeout: time.Minute}, slog.New(slog.DiscardHandler))
		u.Start()
		time.Sleep(time.Minute)
		u.Stop()
		if w.notified != 18 {
			t.Errorf("%d events let go, want those of all pictures but the two that are refused", w.notified)
		}
	})
}

func TestFailedMarkIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		fails := 5
		w.mark = func() error {
			if fails--; fails >= 0 {
				return errors.New("disk full")
			}
			return nil
		}
		u := w.uploader(t, DefaultConfig(), slog.New(slog.DiscardHandler))
		u.Start()
		if err := u.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		u.Stop()
		if w.notified != 1 || len(w.order) != 6 {
			t.Errorf("%d events let go after %d puts, want 1 after 6", w.notified, len(w.order))
		}
	})
}

func TestStopInterruptsAndTheNextStartGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(3)
		w.put = func(ctx context.Context, _ objstore.Object) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}
		u := w.uploader(t, DefaultConfig(), slog.New(slog.DiscardHandler))
		u.Start()
		synctest.Wait()
		u.Stop()
		w.put = nil
		again := w.uploader(t, DefaultConfig(), slog.New(slog.DiscardHandler))
		again.Start()
		if err := again.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		again.Stop()
		if w.notified != 3 {
			t.Errorf("%d events let go, want 3", w.notified)
		}
	})
}

func TestHangingPutEndsAndNamesItsSetting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		tries := 0
		w.put = func(ctx context.Context, _ objstore.Object) error {
			if tries++; tries > 1 {
				return nil
			}
			<-ctx.Done()
			return context.Cause(ctx)
		}
		var said strings.Builder
		u := w.uploader(t, DefaultConfig(), slog.New(slog.NewTextHandler(&said, nil)))
		u.Start()
		if err := u.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		u.Stop()
		if !strings.Contains(said.String(), "storage.upload.timeout") {
			t.Errorf("the log %q does not name the setting", said.String())
		}
	})
}

func TestDrainGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		u := w.uploader(t, DefaultConfig(), slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := u.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain of a spool that is not worked on: %v, want that its time was over", err)
		}
	})
}
