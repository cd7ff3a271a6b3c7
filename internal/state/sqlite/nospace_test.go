package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"
)

func TestNoSpace(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "state.db"), prometheus.NewRegistry(), defaultTuning())
	maxPages(t, s, number(t, s, "PRAGMA page_count")+1)
	_, err := s.CommitShot(t.Context(), newShot("e", make([]byte, 500_000), hook(1)))
	if !NoSpace(err) {
		t.Errorf("of a full disk, NoSpace does not say so: %v", err)
	}
	maxPages(t, s, 1<<30)
	_, err = s.MarkStored(t.Context(), 77)
	for _, other := range []error{nil, err, errors.New("database or disk is full"), ErrClosed} {
		if NoSpace(other) {
			t.Errorf("NoSpace takes %v for a full disk", other)
		}
	}
	if !NoSpace(fmt.Errorf("write: %w", &os.PathError{Op: "write", Path: "x", Err: unix.ENOSPC})) {
		t.Error("NoSpace does not know ENOSPC")
	}
}
