package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// onDisk reads one integer as a reader sees it that does not ask for a commit.
func onDisk(t *testing.T, s *Store, query string) int64 {
	t.Helper()
	var n int64
	check(t, s.readers.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

func claimOne(t *testing.T, s *Store) state.Delivery {
	t.Helper()
	claimed, err := s.Claim(t.Context(), state.Claim{
		Destination: hook(1), Lane: state.LaneFresh, Limit: 1, Now: time.Now().Add(time.Second), Lease: time.Hour,
	})
	check(t, err)
	if len(claimed) != 1 {
		t.Fatalf("claimed %d deliveries, want 1", len(claimed))
	}
	return claimed[0]
}

// deliverOne takes a committed shot to the end of its delivery.
func deliverOne(t *testing.T, s *Store, shot stillcast.Shot) {
	t.Helper()
	_, err := s.MarkStored(t.Context(), shot.ID)
	check(t, err)
	d := claimOne(t, s)
	check(t, s.Finish(t.Context(), state.Result{DeliveryID: d.ID, Attempt: d.Attempt, Outcome: state.OutcomeDelivered, Started: time.Now()}))
}

const deliveredQuery = "SELECT count(*) FROM delivery WHERE state = 3"

// TestOneCommitForEachShot: what follows a shot has no commit of its own while
// shots come, and one after tuning.linger when they do not.
func TestOneCommitForEachShot(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		s := openStore(t, filepath.Join(folder, "state.db"), registry, defaultTuning())
		commits := func() uint64 {
			return metric(t, registry, "stillcast_state_commit_seconds").GetHistogram().GetSampleCount()
		}
		before := commits()
		const shots = 10
		for i := range shots {
			deliverOne(t, s, commit(t, s, newShot(fmt.Sprintf("e%d", i), []byte("jpeg"), hook(1))))
		}
		if n := commits() - before; n != shots {
			t.Errorf("%d shots took %d commits, want one each", shots, n)
		}
		if n := onDisk(t, s, deliveredQuery); n != shots-1 {
			t.Errorf("%d deliveries are durable, want those before the last commit: %d", n, shots-1)
		}
		time.Sleep(s.writer.tuning.linger + time.Millisecond)
		synctest.Wait()
		if n := onDisk(t, s, deliveredQuery); n != shots || commits()-before != shots+1 {
			t.Errorf("%d deliveries are durable after the pause, with %d commits, want %d and %d", n, commits()-before, shots, shots+1)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := commits() - before; n != shots+1 {
			t.Errorf("%d commits after an hour without changes, want %d", n, shots+1)
		}
		verifyWhole(t, s)
	})
}

// TestReadersSeeWhatWasAcknowledged at once, durable or not.
func TestReadersSeeWhatWasAcknowledged(t *testing.T) {
	tuned := defaultTuning()
	tuned.linger = time.Hour
	s := openStore(t, filepath.Join(t.TempDir(), "state.db"), prometheus.NewRegistry(), tuned)
	deliverOne(t, s, commit(t, s, newShot("e1", []byte("jpeg"), hook(1))))
	if n := onDisk(t, s, deliveredQuery); n != 0 {
		t.Fatal("the delivery is durable before anything asked for it; this test tests nothing")
	}
	counts, err := s.CountDeliveries(t.Context())
	check(t, err)
	if counts["delivered"] != 1 {
		t.Errorf("the counts are %v, want one delivered", counts)
	}
}

// TestFailedCommitIsMadeGood: what was acknowledged before a commit failed is
// done again, once.
func TestFailedCommitIsMadeGood(t *testing.T) {
	tuned := defaultTuning()
	tuned.linger = time.Hour
	s := openStore(t, filepath.Join(t.TempDir(), "state.db"), prometheus.NewRegistry(), tuned)
	first := commit(t, s, newShot("e1", []byte("jpeg"), hook(1)))
	second := commit(t, s, newShot("e2", []byte("jpeg"), hook(1)))
	deliverOne(t, s, first)
	_, err := s.MarkStored(t.Context(), second.ID)
	check(t, err)
	claimed := claimOne(t, s)

	restore := limitFileSize(t, 1)
	_, err = s.CommitShot(t.Context(), newShot("e3", make([]byte, 100_000), hook(1)))
	if err == nil {
		t.Fatal("the disk refused nothing; this test tests nothing")
	}
	// While commits fail, nobody is told of what may yet be lost.
	if err := s.Finish(t.Context(), state.Result{DeliveryID: claimed.ID, Attempt: 1, Outcome: state.OutcomeDelivered}); err == nil {
		t.Error("Finish was acknowledged while nothing can be committed")
	}
	restore()
	if n := onDisk(t, s, "SELECT count(*) FROM delivery WHERE state <> 0"); n != 0 {
		t.Fatalf("%d deliveries are durable in spite of the failed commit; this test tests nothing", n)
	}

	commit(t, s, newShot("e3", []byte("jpeg"), hook(1)))
	if n := onDisk(t, s, deliveredQuery); n != 1 {
		t.Errorf("%d deliveries are delivered, want that of e1", n)
	}
	if n := onDisk(t, s, "SELECT count(*) FROM delivery WHERE state = 2"); n != 1 {
		t.Errorf("%d deliveries are claimed, want that of e2", n)
	}
	check(t, s.Finish(t.Context(), state.Result{DeliveryID: claimed.ID, Attempt: 1, Outcome: state.OutcomeDelivered}))
	verifyWhole(t, s)
}

// TestFailureSparesWhatWasAcknowledged: a change that fails after it has written
// takes nothing with it that was acknowledged before in the same transaction.
func TestFailureSparesWhatWasAcknowledged(t *testing.T) {
	tuned := defaultTuning()
	tuned.linger = time.Hour
	s := openStore(t, filepath.Join(t.TempDir(), "state.db"), prometheus.NewRegistry(), tuned)
	deliverOne(t, s, commit(t, s, newShot("e1", []byte("jpeg"), hook(1))))
	refusal := errors.New("refused")
	for range 3 {
		err := s.change(t.Context(), "test", func(tx *tx) error {
			if _, err := tx.exec("INSERT INTO stream (domain, app, name) VALUES ('a', 'b', 'c')"); err != nil {
				return err
			}
			return refusal
		})
		if !errors.Is(err, refusal) {
			t.Errorf("the change ended with %v, want its own error", err)
		}
	}
	if n := number(t, s, deliveredQuery); n != 1 {
		t.Errorf("%d deliveries are delivered, want 1", n)
	}
	if n := number(t, s, "SELECT count(*) FROM stream WHERE domain = 'a'"); n != 0 {
		t.Error("a part of the refused change is there")
	}
	verifyWhole(t, s)
}

// TestCloseCommits: what was acknowledged is durable after Close.
func TestCloseCommits(t *testing.T) {
	tuned := defaultTuning()
	tuned.linger = time.Hour
	path := filepath.Join(t.TempDir(), "state.db")
	s := openStore(t, path, prometheus.NewRegistry(), tuned)
	deliverOne(t, s, commit(t, s, newShot("e1", []byte("jpeg"), hook(1))))
	check(t, s.Close())
	s = openStore(t, path, prometheus.NewRegistry(), tuned)
	if n := onDisk(t, s, deliveredQuery); n != 1 {
		t.Errorf("%d deliveries are delivered after Close, want 1", n)
	}
}
