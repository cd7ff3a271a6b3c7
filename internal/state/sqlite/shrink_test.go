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
	const pictures, size = 60, 200_000
	s := openStore(t, path, prometheus.NewRegistry(), defaultTuning())
	for i := range pictures {
		commit(t, s, newShot(fmt.Sprintf("e%d", i), make([]byte, size), hook(1)))
	}
	for i := range pictures {
		_, err := s.MarkStored(t.Context(), int64(i)+1)
		check(t, err)
	}
	check(t, s.Close()) // which writes the WAL back
	if n := fileSize(t, path); n < pictures*size {
		t.Fatalf("the file has %d bytes, less than its pictures had", n)
	}

	shrunk := make(chan struct{}, 1)
	tuned := defaultTuning()
	tuned.shrinkEvery, tuned.shrinkPause = time.Millisecond, time.Microsecond
	tuned.stepPages, tuned.reservePages = 16, 64
	tuned.shrunk = func() { shrunk <- struct{}{} }
	s = openStore(t, path, prometheus.NewRegistry(), tuned)
	<-shrunk
	if n := number(t, s, "PRAGMA freelist_count"); n != 64 {
		t.Errorf("%d unused pages are kept, want 64", n)
	}
	if n := fileSize(t, path); n > 2<<20 {
		t.Errorf("the file has %d bytes after %d pictures of %d bytes left it", n, pictures, size)
	}
	verifyWhole(t, s)
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	check(t, err)
	return info.Size()
}
