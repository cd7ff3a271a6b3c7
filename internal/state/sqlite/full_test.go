package sqlite

import (
	"errors"
	"fmt"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	moderncsqlite "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/stillcast/stillcast/internal/state"
)

// sqliteCode is the primary result code of SQLite, 0 for none.
func sqliteCode(err error) int {
	var e *moderncsqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// maxPages makes SQLite refuse to let the file grow beyond n pages.
func maxPages(t *testing.T, s *Store, n int64) {
	t.Helper()
	check(t, s.change(t.Context(), "test", func(tx *tx) error {
		var is int64
		_, err := tx.one(fmt.Sprintf("PRAGMA max_page_count = %d", n), nil, &is)
		return err
	}))
}

// TestFull fills the file, checks that nothing is half there and that the store
// goes on, by itself, when there is space again.
func TestFull(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := openStore(t, filepath.Join(t.TempDir(), "state.db"), registry, defaultTuning())
	commit(t, s, newShot("before", make([]byte, 50_000), hook(1)))
	maxPages(t, s, number(t, s, "PRAGMA page_count")+40)

	var group sync.WaitGroup
	var mu sync.Mutex
	committed, failed := 1, 0
	for i := range 20 {
		group.Go(func() {
			_, err := s.CommitShot(t.Context(), newShot(fmt.Sprintf("e%d", i), make([]byte, 50_000), hook(1)))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				committed++
				return
			}
			failed++
			if sqliteCode(err) != lib.SQLITE_FULL || !strings.Contains(err.Error(), "commit shot") {
				t.Errorf("got the error %v, want one of a full disk that says what was done", err)
			}
		})
	}
	group.Wait()
	if failed == 0 || metric(t, registry, "stillcast_state_failed_commits_total").GetCounter().GetValue() == 0 {
		t.Fatalf("%d shots failed, want some; and failed commits are counted", failed)
	}
	verifyWhole(t, s)
	if n := number(t, s, "SELECT count(*) FROM spool"); n != int64(committed) {
		t.Errorf("%d pictures are there, but %d were acknowledged", n, committed)
	}

	// What frees space works while there is none.
	if _, err := s.MarkStored(t.Context(), 1); err != nil {
		t.Errorf("MarkStored on a full disk gave %v", err)
	}
	maxPages(t, s, 1<<30)
	for i := range 20 {
		commit(t, s, newShot(fmt.Sprintf("e%d", i), make([]byte, 50_000), hook(1)))
	}
	verifyWhole(t, s)
	if n := number(t, s, "SELECT count(*) FROM shot"); n != 21 {
		t.Errorf("there are %d shots, want 21", n)
	}
}

// work is what somebody was told is done.
type work struct {
	mu                           sync.Mutex
	committed, stored, delivered []int64 // shots, shots, deliveries
	refused                      int
}

func (w *work) note(to *[]int64, id int64, err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.refused++
		return false
	}
	*to = append(*to, id)
	return true
}

// cycle takes one shot as far as the disk lets it.
func (w *work) cycle(t *testing.T, s *Store, id string) {
	t.Helper()
	shot, err := s.CommitShot(t.Context(), newShot(id, make([]byte, 9_000), hook(1)))
	if !w.note(&w.committed, shot.ID, err) {
		return
	}
	if _, err := s.MarkStored(t.Context(), shot.ID); !w.note(&w.stored, shot.ID, err) {
		return
	}
	claimed, err := s.Claim(t.Context(), state.Claim{Destination: hook(1), Limit: 1, Now: time.Now(), Lease: time.Hour})
	if err != nil {
		w.note(nil, 0, err)
	}
	for _, d := range claimed {
		w.note(&w.delivered, d.ID, s.Finish(t.Context(), state.Result{DeliveryID: d.ID, Attempt: d.Attempt, Outcome: state.OutcomeDelivered, Started: time.Now()}))
	}
}

// TestFullUnderLoad fills the file while shots go all their way: what was
// acknowledged is there, what was refused can be done again, and the same store
// goes on to the end when there is space again.
func TestFullUnderLoad(t *testing.T) {
	s := newStore(t)
	commit(t, s, newShot("before", make([]byte, 9_000), hook(1)))
	done := &work{}
	var group sync.WaitGroup
	maxPages(t, s, number(t, s, "PRAGMA page_count")+30)
	for caller := range 8 {
		group.Go(func() {
			for i := range 60 {
				done.cycle(t, s, fmt.Sprintf("e%d-%d", caller, i))
			}
		})
	}
	group.Wait()
	if done.refused == 0 || len(done.delivered) == 0 {
		t.Fatalf("%d changes were refused and %d deliveries made; there must be some of both", done.refused, len(done.delivered))
	}
	verifyWhole(t, s)
	for what, test := range map[string]struct {
		ids   []int64
		query string
	}{
		"shots":      {done.committed, "SELECT count(*) FROM shot WHERE id IN (SELECT value FROM json_each(?))"},
		"marks":      {done.stored, "SELECT count(*) FROM shot WHERE id NOT IN (SELECT shot FROM spool) AND id IN (SELECT value FROM json_each(?))"},
		"deliveries": {done.delivered, "SELECT count(*) FROM delivery WHERE state = 3 AND id IN (SELECT value FROM json_each(?))"},
	} {
		ids, err := list(test.ids)
		check(t, err)
		if n := number(t, s, test.query, ids); n != int64(len(test.ids)) {
			t.Errorf("%d %s are there, but %d were acknowledged", n, what, len(test.ids))
		}
	}
	if n := number(t, s, "SELECT count(*) FROM shot"); n != int64(len(done.committed))+1 {
		t.Errorf("%d shots are there, but %d were acknowledged", n, len(done.committed)+1)
	}

	maxPages(t, s, 1<<30)
	finishAll(t, s)
	verifyWhole(t, s)
}

// finishAll stores and delivers all that there is.
func finishAll(t *testing.T, s *Store) {
	t.Helper()
	spooled, err := s.SpoolPage(t.Context(), 0, state.MaxPage)
	check(t, err)
	for _, shot := range spooled {
		_, err := s.MarkStored(t.Context(), shot.ID)
		check(t, err)
	}
	for _, lane := range []state.Lane{state.LaneFresh, state.LaneRetry} {
		claimed, err := s.Claim(t.Context(), state.Claim{Destination: hook(1), Lane: lane, Limit: 1000, Now: time.Now().Add(2 * time.Hour), Lease: time.Hour})
		check(t, err)
		for _, d := range claimed {
			check(t, s.Finish(t.Context(), state.Result{DeliveryID: d.ID, Attempt: d.Attempt, Outcome: state.OutcomeDelivered, Started: time.Now()}))
		}
	}
	counts, err := s.CountDeliveries(t.Context())
	check(t, err)
	if counts["delivered"] == 0 || counts["waiting"]+counts["pending"]+counts["claimed"]+counts["parked"] > 0 {
		t.Errorf("the counts are %v, want all delivered", counts)
	}
}

// TestWriteFails makes the kernel refuse to write, as a bad or full disk does,
// while the transaction is flushed.
func TestWriteFails(t *testing.T) {
	s := newStore(t)
	commit(t, s, newShot("before", make([]byte, 50_000), hook(1)))
	restore := limitFileSize(t, 600_000)
	_, err := s.CommitShot(t.Context(), newShot("big", make([]byte, 2_000_000), hook(1)))
	restore()
	if code := sqliteCode(err); code != lib.SQLITE_IOERR && code != lib.SQLITE_FULL {
		t.Errorf("got the error %v, want one of input and output", err)
	}
	commit(t, s, newShot("after", make([]byte, 2_000_000), hook(1)))
	verifyWhole(t, s)
	if n := number(t, s, "SELECT count(*) FROM shot"); n != 2 {
		t.Errorf("there are %d shots, want those before and after", n)
	}
}

// limitFileSize returns the function that lifts the limit.
func limitFileSize(t *testing.T, limit uint64) (restore func()) {
	t.Helper()
	var before syscall.Rlimit
	check(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
	signal.Ignore(syscall.SIGXFSZ)
	after := before
	after.Cur = limit
	check(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &after))
	restore = sync.OnceFunc(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
		signal.Reset(syscall.SIGXFSZ)
	})
	t.Cleanup(restore)
	return restore
}

// TestLostTransaction: when SQLite has ended the transaction by itself, nobody
// is told that a change is durable.
func TestLostTransaction(t *testing.T) {
	s := newStore(t)
	err := s.change(t.Context(), "test", func(tx *tx) error {
		if _, err := tx.exec("INSERT INTO stream (domain, app, name) VALUES ('a', 'b', 'c')"); err != nil {
			t.Error(err)
		}
		_, err := tx.conn.ExecContext(t.Context(), "ROLLBACK")
		return err
	})
	if err == nil {
		t.Error("the change whose transaction was lost was acknowledged")
	}
	commit(t, s, newShot("after", []byte("jpeg"), hook(1)))
	verifyWhole(t, s)
	if n := number(t, s, "SELECT count(*) FROM stream WHERE domain = 'a'"); n != 0 {
		t.Error("the change whose transaction was lost is there")
	}
}

// TestUnusableConnection: a writer whose connection no longer begins a
// transaction takes a new one.
func TestUnusableConnection(t *testing.T) {
	s := newStore(t)
	check(t, s.change(t.Context(), "test", func(tx *tx) error {
		_, err := tx.exec("PRAGMA query_only = ON")
		return err
	}))
	commit(t, s, newShot("after", []byte("jpeg"), hook(1)))
	verifyWhole(t, s)
}
