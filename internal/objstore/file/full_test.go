package file_test

import (
	"errors"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/objstore"
)

// TestWriteFailsMidway makes the kernel refuse the second half of a picture, as
// a full disk does: a limit on file sizes needs no disk of its own.
func TestWriteFailsMidway(t *testing.T) {
	o := options(t)
	s := openStore(t, o)
	put(t, s, "a.jpg", "old")
	limitFileSize(t, 64<<10)

	err := s.Put(t.Context(), objstore.Object{Bucket: bucket, Key: "a.jpg", Body: make([]byte, 128<<10)})
	if !errors.Is(err, objstore.ErrUnavailable) || !errors.Is(err, syscall.EFBIG) {
		t.Errorf("Put gave the error %v, want ErrUnavailable and the kernel's", err)
	}
	if path := filepath.Join(o.Dir(), bucket, "a.jpg"); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("the error %v does not name %s", err, path)
	}
	info, err := s.Head(t.Context(), bucket, "a.jpg")
	if err != nil || info.Size != int64(len("old")) {
		t.Errorf("after a failed overwrite Head gave %d bytes, %v; want the old object", info.Size, err)
	}
	if diff := cmp.Diff([]string{bucket + "/a.jpg"}, files(t, o.Dir())); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func limitFileSize(t *testing.T, limit uint64) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	after := before
	after.Cur = limit
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &after); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
		signal.Reset(syscall.SIGXFSZ)
	})
}
