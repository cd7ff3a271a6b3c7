package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
)

const damageShots = 30

// crashed makes a folder as a killed program leaves it: its last commits are in
// the log alone.
func crashed(t *testing.T) (path string) {
	t.Helper()
	from := t.TempDir()
	s := openStore(t, filepath.Join(from, "state.db"), prometheus.NewRegistry(), defaultTuning())
	for i := range damageShots {
		commit(t, s, newShot(fmt.Sprintf("e%d", i), make([]byte, 20_000), hook(1)))
		if i == damageShots/2 {
			check(t, s.change(t.Context(), "test", func(*tx) error { return nil }))
			_, err := s.readers.ExecContext(t.Context(), "PRAGMA wal_checkpoint(PASSIVE)")
			check(t, err)
		}
	}
	path = filepath.Join(t.TempDir(), "state.db")
	for _, name := range []string{"", "-wal"} {
		content, err := os.ReadFile(filepath.Join(from, "state.db") + name)
		check(t, err)
		check(t, os.WriteFile(path+name, content, 0o600))
	}
	return path
}

// closed makes a folder as a program leaves it that ended by itself.
func closed(t *testing.T) (path string) {
	t.Helper()
	path = crashed(t)
	s, err := Open(t.Context(), Config{Path: path}, discard(), prometheus.NewRegistry())
	check(t, err)
	check(t, s.Close())
	return path
}

// alter changes a file.
func alter(t *testing.T, path string, change func(content []byte) []byte) {
	t.Helper()
	content, err := os.ReadFile(path)
	check(t, err)
	check(t, os.WriteFile(path, change(content), 0o600))
}

func garbage(content []byte, from, length int) []byte {
	copy(content[from:from+length], bytes.Repeat([]byte("garbage "), length/8+1))
	return content
}

// TestDamage: a damaged database is refused, left as it is, and the error says
// which file it is and what to do.
func TestDamage(t *testing.T) {
	for name, test := range map[string]struct {
		make   func(*testing.T) string
		file   string // that is named
		reason string
		spoil  func(content []byte) []byte
	}{
		"header":       {closed, "", "not a database", func(c []byte) []byte { return garbage(c, 0, 64) }},
		"page":         {closed, "", "", func(c []byte) []byte { return garbage(c, 6*pageSize, 200) }},
		"many pages":   {closed, "", "", func(c []byte) []byte { return garbage(c, pageSize, 20*pageSize) }},
		"truncated":    {closed, "", "malformed", func(c []byte) []byte { return c[:len(c)/2] }},
		"other file":   {closed, "", "not a database", func([]byte) []byte { return []byte(strings.Repeat("not a database ", 1000)) }},
		"empty":        {crashed, "", "its log", func([]byte) []byte { return nil }},
		"log":          {crashed, "-wal", "begin like", func(c []byte) []byte { return garbage(c, 0, len(c)) }},
		"log's sum":    {crashed, "-wal", "sum over its header", func(c []byte) []byte { c[20]++; return c }},
		"log's pages":  {crashed, "-wal", "pages of", func(c []byte) []byte { c[10]++; return c }},
		"log's middle": {crashed, "-wal", "commits come after it", func(c []byte) []byte { return garbage(c, len(c)/3, 100) }},
	} {
		t.Run(name, func(t *testing.T) {
			path := test.make(t)
			alter(t, path+test.file, test.spoil)
			if test.file == "" && test.reason == "its log" {
				check(t, os.Truncate(path, 0))
			}
			before := contents(t, path)
			for range 2 { // the first refusal has given the lock back
				e := refusedOpen(t, path)
				for _, want := range []string{path + test.file + " is damaged", test.reason, "Nothing was changed", ".recover", "backup", "move the folder away"} {
					if e.Field != "data_dir" || !strings.Contains(e.Message, want) {
						t.Errorf("the error is %q, want %q in it", e, want)
					}
				}
			}
			if !bytes.Equal(before, contents(t, path)) {
				t.Error("the refusal changed a file")
			}
		})
	}
}

// contents returns database and log.
func contents(t *testing.T, path string) []byte {
	t.Helper()
	all, err := os.ReadFile(path)
	check(t, err)
	log, err := os.ReadFile(path + "-wal")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return append(all, log...)
}

// TestSoundLogs: what a crash leaves is no damage, and costs nothing that was
// acknowledged.
func TestSoundLogs(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(log []byte) []byte
		left  int64 // shots, at least
	}{
		"whole":                {func(c []byte) []byte { return c }, damageShots},
		"torn frame":           {func(c []byte) []byte { return c[:len(c)-100] }, damageShots - 1},
		"torn last commit":     {func(c []byte) []byte { return garbage(c, len(c)-2*pageSize, pageSize) }, damageShots - 1},
		"garbage behind":       {func(c []byte) []byte { return append(c, bytes.Repeat([]byte("garbage "), 5000)...) }, damageShots},
		"header of no commit":  {func(c []byte) []byte { return c[:20] }, 0},
		"only reserved, zeros": {func(c []byte) []byte { clear(c); return c }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			path := crashed(t)
			alter(t, path+"-wal", test.spoil)
			s := openStore(t, path, prometheus.NewRegistry(), defaultTuning())
			verifyWhole(t, s)
			if n := number(t, s, "SELECT count(*) FROM shot"); n < test.left {
				t.Errorf("%d shots are left, want %d", n, test.left)
			}
		})
	}
}

// TestDamageIsNotSought for longer than the time for it: what it does not find is
// met later, by the change that needs it.
func TestDamageIsNotSought(t *testing.T) {
	path := closed(t)
	tuned := defaultTuning()
	tuned.check = 0
	s := openStore(t, path, prometheus.NewRegistry(), tuned)
	commit(t, s, newShot("more", []byte("jpeg"), hook(1)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, Config{Path: closed(t)}, discard(), prometheus.NewRegistry()); err == nil {
		t.Error("a state was opened for a caller who has left")
	}
}

// FuzzLog: whatever the log holds, reading it ends, and never panics.
func FuzzLog(f *testing.F) {
	header := make([]byte, logHeaderSize)
	for i, word := range []uint32{0x377f0682, logVersion, 512, 0, 1, 2} {
		binary.BigEndian.PutUint32(header[4*i:], word)
	}
	l := &logReader{order: binary.LittleEndian}
	l.sum(header[:24])
	binary.BigEndian.PutUint32(header[24:], l.sums[0])
	binary.BigEndian.PutUint32(header[28:], l.sums[1])
	frame := make([]byte, frameHeaderSize+512)
	binary.BigEndian.PutUint32(frame[4:], 1)
	copy(frame[8:], header[16:24])
	f.Add([]byte{})
	f.Add(header)
	f.Add(append(bytes.Clone(header), frame...))
	f.Add(append(append(append(bytes.Clone(header), frame...), frame...), frame...))
	f.Fuzz(func(t *testing.T, log []byte) {
		used, fault, err := readLog(bytes.NewReader(log))
		if err != nil {
			t.Errorf("reading gave %v", err)
		}
		if fault != "" && !used {
			t.Errorf("a log that holds nothing has the fault %q", fault)
		}
	})
}

// TestLocked: another process, a shell of SQLite for instance, has the file.
func TestLocked(t *testing.T) {
	path := closed(t)
	pid, release := lockByOther(t, path, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
	tuned := defaultTuning()
	tuned.busy = 50 * time.Millisecond
	_, err := openTuned(t.Context(), Config{Path: path}, discard(), prometheus.NewRegistry(), tuned)
	if stillcast.CodeOf(err) != stillcast.CodeConflict {
		t.Fatalf("opening a locked database gave %v", err)
	}
	for _, want := range []string{"data_dir: database " + path + " is locked", fmt.Sprintf("by process %d", pid), "end that process"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %q, want %q in it", err, want)
		}
	}
	release()
	verifyWhole(t, openStore(t, path, prometheus.NewRegistry(), tuned))
}

// TestLockedLater: another process writes for longer than a change waits. The
// change is refused, and the same store goes on when the other has ended.
func TestLockedLater(t *testing.T) {
	path := closed(t)
	tuned := defaultTuning()
	tuned.busy = 50 * time.Millisecond
	s := openStore(t, path, prometheus.NewRegistry(), tuned)
	commit(t, s, newShot("before", []byte("jpeg"), hook(1)))
	_, release := lockByOther(t, path, "BEGIN IMMEDIATE")
	if _, err := s.CommitShot(t.Context(), newShot("meanwhile", []byte("jpeg"), hook(1))); err == nil {
		t.Error("a shot was acknowledged while another process had the lock")
	}
	release()
	commit(t, s, newShot("after", []byte("jpeg"), hook(1)))
	if n := number(t, s, "SELECT count(*) FROM event WHERE id IN ('before', 'meanwhile', 'after')"); n != 2 {
		t.Errorf("%d of the three shots are there, want those that were acknowledged", n)
	}
	verifyWhole(t, s)
}
