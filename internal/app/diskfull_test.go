package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stillcast/stillcast/internal/testkit"
)

// onSmallDisk starts a program whose data folder is a file system of its own, of
// 32 MB, which goes with the process.
var onSmallDisk = []string{
	"unshare", "--map-root-user", "--mount", "sh", "-c",
	`mount -t tmpfs -o size=32m none "$STILLCAST_TEST_DIR" && exec "$0"`,
}

// TestDiskFullAndBack: while the disk of the data folder is full no shot is taken
// and the push goes on; when there is space again so do shots and events, without
// anybody's help and without a hole.
func TestDiskFullAndBack(t *testing.T) {
	dir := t.TempDir()
	h := newHooks(t)
	v := startVictim(t, dir, h.URL, onSmallDisk...)
	publisher := testkit.PushFFmpeg(t, pushURL(v.addr, "s"), testkit.Source{Width: 640, Height: 360, Rate: 25},
		testkit.Encoding{KeyFrames: 500 * time.Millisecond, Duration: 90 * time.Second})
	seen := map[int64]bool{}
	next := func() {
		t.Helper()
		_, e := h.shot()
		seen[e.Meta.Sequence] = true
	}
	next()
	balloon := filepath.Join("/proc", fmt.Sprint(v.cmd.Process.Pid), "root", dir, "balloon")
	fill(t, balloon)
	waitForAtLeast(t, v.ops, `stillcast_spool_refused_total{reason="disk_full"}`, 3)
	waitForMetric(t, v.ops, "stillcast_spool_full 1")
	select {
	case <-publisher.Done():
		t.Error("the push ended")
	default:
	}
	full := len(seen)
	if err := os.Remove(balloon); err != nil {
		t.Fatal(err)
	}
	for sequence := range int64(full + 3) { // attempts under way at once may overtake one another
		for !seen[sequence+1] {
			next()
		}
	}
	waitForMetric(t, v.ops, "stillcast_spool_full 0")
}

// fill writes a file that takes all the space that there is.
func fill(t *testing.T, name string) {
	t.Helper()
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for size := 1 << 20; size > 0; {
		if _, err := file.Write(make([]byte, size)); err == nil {
			continue
		} else if !errors.Is(err, unix.ENOSPC) {
			t.Fatal(err)
		}
		size /= 2
	}
}
