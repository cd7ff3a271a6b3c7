package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TestShrink: after the spool was long, the file becomes small again by itself.
func TestShrink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	shrunk := make(chan struct{}, 1)
	tuned := defaultTuning()
	tuned.shrinkEvery, tuned.shrinkPause = time.Millisecond, time.Microsecond
	tuned.stepPages, tuned.reservePages = 16, 64
	tuned.shrunk = func() {
		select {
		case shrunk <- struct{}{}:
		default:
		}
	}
	s := openStore(t, path, prometheus.NewRegistry(), tuned)
	const pictures, size = 60, 200_000
	for i := range pictures {
		commit(t, s, newShot(fmt.Sprintf("e%d", i), make([]byte, size), hook(1)))
	}
	if n := number(t, s, "PRAGMA page_count") * pageSize; n < pictures*size {
		t.Fatalf("the file has %d bytes, less than its pictures", n)
	}
	for i := range pictures {
		_, err := s.MarkStored(t.Context(), int64(i)+1)
		check(t, err)
	}
	for unused := number(t, s, "PRAGMA freelist_count"); unused > 64; unused = number(t, s, "PRAGMA freelist_count") {
		<-shrunk
	}
	check(t, s.change(t.Context(), "test", func(tx *tx) error { // the writer is past the checkpoint
		return nil
	}))
	if n := number(t, s, "PRAGMA freelist_count"); n != 64 {
		t.Errorf("%d unused pages are kept, want 64", n)
	}
	info, err := os.Stat(path)
	check(t, err)
	if info.Size() > 2<<20 {
		t.Errorf("the file has %d bytes after %d pictures of %d bytes left it", info.Size(), pictures, size)
	}
	verifyWhole(t, s)
}
