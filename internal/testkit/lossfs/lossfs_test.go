package lossfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/stillcast/stillcast/internal/testkit/lossfs"
)

func TestMain(m *testing.M) {
	if asked, code := lossfs.Serve(); asked {
		os.Exit(code)
	}
	goleak.VerifyTestMain(m)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write writes a file, and syncs it.
func write(t *testing.T, path string, content []byte, sync bool) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	check(t, err)
	defer f.Close()
	_, err = f.Write(content)
	check(t, err)
	if sync {
		check(t, f.Sync())
	}
}

func syncFolder(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	check(t, err)
	defer f.Close()
	check(t, f.Sync())
}

func expect(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if want == "gone" {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s holds %q (%v), want it gone", filepath.Base(path), got, err)
		}
		return
	}
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", filepath.Base(path), got, err, want)
	}
}

// TestCut: what fsync(2) does not promise is lost, and what it promises stays.
func TestCut(t *testing.T) {
	t.Parallel()
	d := lossfs.Mount(t, "")
	at := func(name string) string { return filepath.Join(d.Dir, name) }
	for _, name := range []string{"old", "truncated", "overwritten", "renamed", "renamed and synced", "replaced", "removed", "deep/in"} {
		check(t, os.MkdirAll(filepath.Dir(at(name)), 0o700))
		write(t, at(name), []byte("before"), true)
	}
	syncFolder(t, at("deep"))
	check(t, os.Rename(at("renamed and synced"), at("deep/here")))
	syncFolder(t, at("deep"))
	syncFolder(t, d.Dir)
	d.Cut(t, 0)
	for _, name := range []string{"old", "truncated", "overwritten", "renamed", "replaced", "removed", "deep/in", "deep/here"} {
		expect(t, at(name), "before")
	}

	write(t, at("content not synced"), []byte("lost"), false)
	syncFolder(t, d.Dir) // the name is
	write(t, at("name not synced"), []byte("kept, but nowhere"), true)
	write(t, at("old"), []byte("after"), true)
	check(t, os.Truncate(at("truncated"), 3))
	f, err := os.OpenFile(at("overwritten"), os.O_WRONLY, 0)
	check(t, err)
	_, err = f.WriteAt([]byte("XYZ and more"), 2)
	check(t, err)
	check(t, f.Close())
	check(t, os.Rename(at("renamed"), at("new name")))
	write(t, at("temp"), []byte("after"), true)
	check(t, os.Rename(at("temp"), at("replaced")))
	check(t, os.Remove(at("removed")))
	check(t, os.Mkdir(at("folder"), 0o700))
	for name, want := range map[string]string{
		"old": "after", "truncated": "bef", "overwritten": "beXYZ and more", "renamed": "gone", "new name": "before", "replaced": "after", "removed": "gone",
	} {
		expect(t, at(name), want)
	}
	d.Cut(t, 0)
	for name, want := range map[string]string{
		"old": "after", "content not synced": "", "name not synced": "gone", "truncated": "before", "overwritten": "before", "renamed": "before", "new name": "gone",
		"replaced": "before", "temp": "gone", "removed": "before", "folder": "gone", "deep/here": "before", "renamed and synced": "gone",
	} {
		expect(t, at(name), want)
	}
}

// TestCutByChance: of what was not synced a part survives, in sectors, and another
// one for another seed; of what was synced, all.
func TestCutByChance(t *testing.T) {
	t.Parallel()
	d := lossfs.Mount(t, "")
	path := filepath.Join(d.Dir, "file")
	seen := map[string]bool{}
	names := map[int]bool{}
	for seed := int64(1); seed <= 8; seed++ {
		write(t, path, bytes.Repeat([]byte("o"), 16*512), true)
		syncFolder(t, d.Dir)
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		check(t, err)
		_, err = f.WriteAt(bytes.Repeat([]byte("n"), 8*512), 4*512)
		check(t, err)
		check(t, f.Close())
		for i := range 10 {
			write(t, filepath.Join(d.Dir, fmt.Sprint(i)), nil, true)
		}
		d.Cut(t, seed)
		got, err := os.ReadFile(path)
		check(t, err)
		if len(got) != 16*512 || bytes.Contains(got[:4*512], []byte("n")) || bytes.Contains(got[12*512:], []byte("n")) {
			t.Errorf("%d bytes are left, or what was synced is another", len(got))
		}
		pattern := ""
		for sector := range 16 {
			if whole := got[sector*512:][:512]; bytes.Count(whole, whole[:1]) != 512 {
				t.Errorf("sector %d is torn", sector)
			}
			pattern += string(got[sector*512])
		}
		seen[pattern] = true
		entries, err := os.ReadDir(d.Dir)
		check(t, err)
		for i, e := range entries[:len(entries)-1] {
			if e.Name() != fmt.Sprint(i) {
				t.Errorf("seed %d left the name %s as number %d, want the first ones", seed, e.Name(), i)
			}
			check(t, os.Remove(filepath.Join(d.Dir, e.Name())))
		}
		names[len(entries)] = true
		syncFolder(t, d.Dir)
	}
	if len(seen) < 3 || len(names) < 3 {
		t.Errorf("eight seeds gave %d different files and %d numbers of names, want chance in it", len(seen), len(names))
	}
}

// TestFill: a full disk takes nothing more, and does again when there is room.
func TestFill(t *testing.T) {
	t.Parallel()
	d := lossfs.Mount(t, "")
	path := filepath.Join(d.Dir, "file")
	write(t, path, make([]byte, 10_000), true)
	d.Fill(t, 5000)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	check(t, err)
	defer f.Close()
	_, err = f.WriteAt(make([]byte, 10_000), 0)
	check(t, err) // it was there already
	_, err = f.WriteAt(make([]byte, 5000), 10_000)
	check(t, err)
	if _, err := f.WriteAt([]byte("x"), 15_000); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("writing to a full disk gave %v", err)
	}
	if err := os.WriteFile(filepath.Join(d.Dir, "more"), nil, 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("making a file on a full disk gave %v", err)
	}
	check(t, os.Truncate(path, 10_000))
	_, err = f.WriteAt([]byte("x"), 10_000)
	check(t, err)
	d.Fill(t, -1)
	write(t, filepath.Join(d.Dir, "more"), make([]byte, 1<<20), true)
}

// TestKind: to programs that look, it is what the test says.
func TestKind(t *testing.T) {
	t.Parallel()
	d := lossfs.Mount(t, "sshfs")
	mounts, err := os.ReadFile("/proc/self/mounts")
	check(t, err)
	if !bytes.Contains(mounts, []byte(" "+d.Dir+" fuse.sshfs ")) {
		t.Errorf("%s is mounted as something else than fuse.sshfs", d.Dir)
	}
}
