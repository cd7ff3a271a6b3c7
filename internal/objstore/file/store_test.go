package file_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/objstore/file"
)

const bucket = "shots-1250000000"

func put(t *testing.T, s *file.Store, key, body string) {
	t.Helper()
	if err := s.Put(t.Context(), objstore.Object{Bucket: bucket, Key: key, Body: []byte(body)}); err != nil {
		t.Fatalf("Put(%q): %v", key, err)
	}
}

func writeFile(t *testing.T, name, body string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

// files lists the files below dir, sorted.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestLayout(t *testing.T) {
	o := options(t)
	s := openStore(t, o)
	put(t, s, "2026-11-26/cam.jpg", "picture")
	if err := s.Put(t.Context(), objstore.Object{Key: "own.jpg", Body: []byte("own")}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"pictures/_/own.jpg",
		"pictures/shots-1250000000/2026-11-26/cam.jpg",
		"url.key",
	}
	if diff := cmp.Diff(want, files(t, o.DataDir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	stat, err := os.Stat(filepath.Join(o.DataDir, want[1]))
	if err != nil {
		t.Fatal(err)
	}
	if got := stat.Mode().Perm(); got&0o007 != 0 {
		t.Errorf("a picture has the mode %o; others may not read it", got)
	}
}

func TestDirElsewhere(t *testing.T) {
	o := options(t)
	o.Config.Dir = filepath.Join(t.TempDir(), "deep", "er")
	s := openStore(t, o)
	put(t, s, "a.jpg", "picture")
	if diff := cmp.Diff([]string{"shots-1250000000/a.jpg"}, files(t, o.Config.Dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestLeftoversAreRemovedAtStart(t *testing.T) {
	o := options(t)
	dir := o.Dir()
	for _, name := range []string{
		"_/.~unfinished/put-ABC.tmp",                 // ours
		bucket + "/.~unfinished/put-DEF.tmp",         // ours
		"put-GHI.tmp",                                // ours: of the probe
		bucket + "/.~unfinished/note.txt",            // somebody's
		bucket + "/2026-11-26/put-XYZ.tmp",           // an object
		bucket + "/2026-11-26/.~unfinished/put-.tmp", // no place of ours
		"put-README",
	} {
		writeFile(t, filepath.Join(dir, name), "x")
	}
	openStore(t, o)
	want := []string{
		"put-README",
		bucket + "/.~unfinished/note.txt",
		bucket + "/2026-11-26/.~unfinished/put-.tmp",
		bucket + "/2026-11-26/put-XYZ.tmp",
	}
	if diff := cmp.Diff(want, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestFailedPutLeavesNothing(t *testing.T) {
	o := options(t)
	s := openStore(t, o)
	put(t, s, "a.jpg", "picture")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("shutting down"))
	err := s.Put(ctx, objstore.Object{Bucket: bucket, Key: "b.jpg", Body: []byte("b")})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "shutting down") {
		t.Errorf("Put with a canceled context gave the error %v; want Canceled and its cause", err)
	}
	if err := s.Put(t.Context(), objstore.Object{Bucket: bucket, Key: "a.jpg/c.jpg"}); !errors.Is(err, objstore.ErrName) {
		t.Errorf("Put below a picture gave the error %v, want ErrName", err)
	}
	if diff := cmp.Diff([]string{bucket + "/a.jpg"}, files(t, o.Dir())); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestFoldersRemovedWhileRunning(t *testing.T) {
	o := options(t)
	s := openStore(t, o)
	for _, gone := range []string{"", "2026-11-26", ".~unfinished"} {
		put(t, s, "2026-11-26/a.jpg", "first")
		if err := os.RemoveAll(filepath.Join(o.Dir(), bucket, gone)); err != nil {
			t.Fatal(err)
		}
		put(t, s, "2026-11-26/b.jpg", "second")
	}
}

func TestSymbolicLinksDoNotLeadOut(t *testing.T) {
	o := options(t)
	outside := t.TempDir()
	writeFile(t, filepath.Join(outside, "secret.jpg"), "secret")
	s := openStore(t, o)
	put(t, s, "a.jpg", "picture")
	folder := filepath.Join(o.Dir(), bucket)
	for link, target := range map[string]string{
		"folder": outside, "file.jpg": filepath.Join(outside, "secret.jpg"), "up": "../../..",
	} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"folder/secret.jpg", "file.jpg", "up/url.key"} {
		if _, err := s.Head(t.Context(), bucket, key); !errors.Is(err, objstore.ErrDenied) {
			t.Errorf("Head(%q) gave the error %v, want ErrDenied", key, err)
		}
	}
	for _, key := range []string{"folder/new.jpg", "up/new.jpg"} {
		err := s.Put(t.Context(), objstore.Object{Bucket: bucket, Key: key, Body: []byte("evil")})
		if !errors.Is(err, objstore.ErrDenied) {
			t.Errorf("Put(%q) gave the error %v, want ErrDenied", key, err)
		}
		if err := s.Delete(t.Context(), bucket, key); !errors.Is(err, objstore.ErrDenied) {
			t.Errorf("Delete(%q) gave the error %v, want ErrDenied", key, err)
		}
	}
	// A link in the place of a picture is replaced, not followed.
	put(t, s, "file.jpg", "mine")
	got, err := os.ReadFile(filepath.Join(outside, "secret.jpg"))
	if err != nil || string(got) != "secret" {
		t.Errorf("the file outside is now %q, %v", got, err)
	}
	if diff := cmp.Diff([]string{"secret.jpg"}, files(t, outside)); diff != "" {
		t.Errorf("files outside (-want +got):\n%s", diff)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "plain"), "a file")
	tests := []struct {
		name   string
		change func(*file.Options)
		want   string
	}{
		{"data folder is a file", func(o *file.Options) { o.DataDir = filepath.Join(dir, "plain") }, "plain: not a directory"},
		{"data folder below a file", func(o *file.Options) { o.DataDir = filepath.Join(dir, "plain", "x") }, "plain: not a directory"},
		{"pictures folder is a file", func(o *file.Options) { o.Config.Dir = filepath.Join(dir, "plain") }, "open the folder of the pictures"},
		{"no public URL", func(o *file.Options) { o.PublicURL = "still.example.com" }, "public_url"},
		{"config", func(o *file.Options) { o.Config.URLLifetime = 0 }, "url_lifetime: is 0s; at least 1m0s is needed"},
		{"short key", func(o *file.Options) {
			o.DataDir = t.TempDir()
			writeFile(t, filepath.Join(o.DataDir, "url.key"), "short")
		}, "is 5 bytes long, not 32"},
	}
	for _, tt := range tests {
		o := options(t)
		tt.change(&o)
		s, err := file.Open(o)
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Open gave the error %v, want one saying %q", tt.name, err, tt.want)
		}
	}
}

func TestConfigValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*file.Config)
		want   string
	}{
		{"defaults", func(*file.Config) {}, ""},
		{"unsigned needs no lifetime", func(c *file.Config) { c.SignedURLs, c.URLLifetime = false, 0 }, ""},
		{"header injection", func(c *file.Config) { c.CacheControl = "private\r\nX: y" }, "cache_control"},
		{"NUL", func(c *file.Config) { c.Dir = "a\x00b" }, "dir"},
		{"short lifetime", func(c *file.Config) { c.URLLifetime = 59e9 }, "url_lifetime"},
	}
	for _, tt := range tests {
		c := file.DefaultConfig()
		tt.change(&c)
		err := c.Validate()
		var e *stillcast.Error
		if got := ""; errors.As(err, &e) {
			got = e.Field
			if got != tt.want {
				t.Errorf("%s: the field at fault is %q, want %q", tt.name, got, tt.want)
			}
		} else if tt.want != "" || err != nil {
			t.Errorf("%s: error %v, want field %q", tt.name, err, tt.want)
		}
	}
}

// TestFolderMovedWhileRunning: a picture goes to where its key says, not to the
// folder that once had that name.
func TestFolderMovedWhileRunning(t *testing.T) {
	o := options(t)
	s := openStore(t, o)
	put(t, s, "day/a.jpg", "a")
	for from, to := range map[string]string{bucket + "/day": bucket + "/elsewhere", bucket: "bucket-elsewhere"} {
		if err := os.Rename(filepath.Join(o.Dir(), from), filepath.Join(o.Dir(), to)); err != nil {
			t.Fatal(err)
		}
		put(t, s, "day/b.jpg", "b")
		if info, err := s.Head(t.Context(), bucket, "day/b.jpg"); err != nil || info.Size != 1 {
			t.Errorf("after %s was moved Head gave %+v, %v", from, info, err)
		}
	}
}

// TestManyFolders: however many folders there are, few are kept open.
func TestManyFolders(t *testing.T) {
	s := openStore(t, options(t))
	put(t, s, "a.jpg", "a")
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := open()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 50 {
				o := objstore.Object{Bucket: bucket, Key: fmt.Sprintf("%d/%d/a.jpg", n, i), Body: []byte("a")}
				if err := s.Put(t.Context(), o); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if n := open() - before; n > 100 {
		t.Errorf("%d more files are open after puts into 400 folders", n)
	}
}
