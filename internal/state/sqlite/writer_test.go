package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// metric returns the metric of that name.
func metric(t *testing.T, registry *prometheus.Registry, name string) *dto.Metric {
	t.Helper()
	families, err := registry.Gather()
	check(t, err)
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0]
		}
	}
	t.Fatalf("there is no metric %s", name)
	return nil
}

// blocked commits a shot whose event is not made before release is closed, so
// that the writer is busy with it.
func blocked(s *Store, release <-chan struct{}) error {
	n := newShot("blocker", []byte("jpeg"), hook(1))
	n.MakeEvent = func(shot stillcast.Shot) (stillcast.Event, error) {
		<-release
		return shotEvent(shot)
	}
	_, err := s.CommitShot(context.Background(), n)
	return err
}

// TestGroupCommit: those who wait while a commit is under way share the next.
func TestGroupCommit(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		tuned := defaultTuning()
		tuned.maxBatch = 100
		s := openStore(t, filepath.Join(folder, "state.db"), registry, tuned)
		commits := func() uint64 {
			return metric(t, registry, "stillcast_state_commit_seconds").GetHistogram().GetSampleCount()
		}
		sizes := func() *dto.Histogram { return metric(t, registry, "stillcast_state_batch_size").GetHistogram() }
		before, opened := commits(), sizes()
		release := make(chan struct{})
		var callers sync.WaitGroup
		callers.Go(func() {
			if err := blocked(s, release); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		const waiting = 250
		refusal := errors.New("refused")
		for i := range waiting {
			n := newShot(fmt.Sprintf("e%d", i), []byte("jpeg"), hook(1))
			if i == 42 {
				n.MakeEvent = func(stillcast.Shot) (stillcast.Event, error) { return stillcast.Event{}, refusal }
			}
			callers.Go(func() {
				if _, err := s.CommitShot(context.Background(), n); (i == 42) != errors.Is(err, refusal) || i != 42 && err != nil {
					t.Errorf("caller %d got %v", i, err)
				}
			})
		}
		callers.Go(func() {
			err := s.change(context.Background(), "test", func(tx *tx) error {
				_, err := tx.exec("INSERT INTO spool (shot, picture) VALUES (1, NULL)")
				return err
			})
			if err == nil {
				t.Error("a row that its table refuses was acknowledged")
			}
		})
		synctest.Wait()
		if n := metric(t, registry, "stillcast_state_queue").GetGauge().GetValue(); n != waiting+1 {
			t.Errorf("%v changes wait, want %d", n, waiting+1)
		}
		close(release)
		callers.Wait()

		batches := sizes().GetSampleCount() - opened.GetSampleCount()
		changes := sizes().GetSampleSum() - opened.GetSampleSum()
		// One holds the writer up; two of the 251 that wait meanwhile are refused.
		if batches != 4 || changes != waiting {
			t.Errorf("%v changes took %d commits, want %d in 4, for 1, 100, 100 and 51 callers", changes, batches, waiting)
		}
		if n := commits() - before; n != 4 {
			t.Errorf("%d commits were timed, want 4", n)
		}
		if n := number(t, s, "SELECT count(*) FROM shot"); n != waiting {
			t.Errorf("%d shots are there, want all but the refused one: %d", n, waiting)
		}
		verifyWhole(t, s)
	})
}

// TestBatchBytes: pictures bound a batch before its number of changes does.
func TestBatchBytes(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		tuned := defaultTuning()
		tuned.maxBytes = 100_000
		s := openStore(t, filepath.Join(folder, "state.db"), registry, tuned)
		commits := func() uint64 {
			return metric(t, registry, "stillcast_state_batch_size").GetHistogram().GetSampleCount()
		}
		before := commits() // at opening
		release := make(chan struct{})
		var callers sync.WaitGroup
		callers.Go(func() { _ = blocked(s, release) })
		synctest.Wait()
		for i := range 8 {
			callers.Go(func() { commit(t, s, newShot(fmt.Sprintf("e%d", i), make([]byte, 25_000), hook(1))) })
		}
		synctest.Wait()
		close(release)
		callers.Wait()
		if n := commits() - before; n != 3 {
			t.Errorf("took %d commits, want 3: one shot, then four of 25 kB twice", n)
		}
	})
}

// TestCancel: who waits may leave, who is served may not.
func TestCancel(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, filepath.Join(folder, "state.db"), prometheus.NewRegistry(), defaultTuning())
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		served, queued := make(chan error, 1), make(chan error, 1)
		go func() {
			n := newShot("served", []byte("jpeg"), hook(1))
			n.MakeEvent = func(shot stillcast.Shot) (stillcast.Event, error) {
				<-release
				return shotEvent(shot)
			}
			_, err := s.CommitShot(ctx, n)
			served <- err
		}()
		synctest.Wait()
		go func() {
			_, err := s.CommitShot(ctx, newShot("queued", []byte("jpeg"), hook(1)))
			queued <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-queued; !errors.Is(err, context.Canceled) {
			t.Errorf("the queued caller got %v, want context.Canceled", err)
		}
		synctest.Wait()
		select {
		case err := <-served:
			t.Fatalf("the caller that is served got %v before its change was done", err)
		default:
		}
		close(release)
		if err := <-served; err != nil {
			t.Errorf("the caller that was served got %v", err)
		}
		if _, err := s.CommitShot(ctx, newShot("late", []byte("jpeg"))); !errors.Is(err, context.Canceled) {
			t.Errorf("the late caller got %v, want context.Canceled", err)
		}
		shots, err := s.Shots(t.Context(), state.ShotFilter{})
		check(t, err)
		if len(shots) != 1 || shots[0].EventID != "served" {
			t.Errorf("there are %+v, want only the shot that was served", shots)
		}
	})
}

// TestFullQueue: a caller that finds the queue full waits, and may leave.
func TestFullQueue(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(t.Context(), Config{Path: filepath.Join(folder, "state.db"), Queue: 1}, discard(), prometheus.NewRegistry())
		check(t, err)
		release := make(chan struct{})
		var callers sync.WaitGroup
		callers.Go(func() { _ = blocked(s, release) })
		synctest.Wait()
		callers.Go(func() { commit(t, s, newShot("e1", []byte("jpeg"))) })
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		outside := make(chan error, 1)
		go func() {
			_, err := s.CommitShot(ctx, newShot("e2", []byte("jpeg")))
			outside <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-outside; !errors.Is(err, context.Canceled) {
			t.Errorf("the caller outside the queue got %v, want context.Canceled", err)
		}
		close(release)
		callers.Wait()
		check(t, s.Close())
	})
}

// TestClose: what is queued is finished, what comes later is refused.
func TestClose(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(folder, "state.db")
		s, err := Open(t.Context(), Config{Path: path}, discard(), prometheus.NewRegistry())
		check(t, err)
		release := make(chan struct{})
		var callers sync.WaitGroup
		callers.Go(func() {
			if err := blocked(s, release); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		for i := range 20 {
			callers.Go(func() { commit(t, s, newShot(fmt.Sprintf("e%d", i), []byte("jpeg"), hook(1))) })
		}
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- s.Close() }()
		synctest.Wait()
		if _, err := s.CommitShot(t.Context(), newShot("late", []byte("jpeg"))); !errors.Is(err, ErrClosed) {
			t.Errorf("a change after Close gave %v, want ErrClosed", err)
		}
		close(release)
		callers.Wait()
		check(t, errors.Join(<-closed, s.Close()))

		again := openStore(t, path, prometheus.NewRegistry(), defaultTuning())
		if n := number(t, again, "SELECT count(*) FROM shot"); n != 21 {
			t.Errorf("there are %d shots after Close, want 21", n)
		}
	})
}

// TestSwallowedError: a change that goes on after an error, and returns nil,
// has failed all the same.
func TestSwallowedError(t *testing.T) {
	s := newStore(t)
	err := s.change(t.Context(), "test", func(tx *tx) error {
		_, first := tx.exec("INSERT INTO spool (shot, picture) VALUES (1, NULL)")
		_, second := tx.exec("INSERT INTO stream (domain, app, name) VALUES ('a', 'b', 'c')")
		if first == nil || !errors.Is(second, first) {
			t.Errorf("after the error %v the next statement gave %v, want the same", first, second)
		}
		return nil
	})
	if err == nil {
		t.Error("the change was acknowledged")
	}
	if n := number(t, s, "SELECT count(*) FROM stream"); n != 0 {
		t.Error("a part of the change is there")
	}
}
