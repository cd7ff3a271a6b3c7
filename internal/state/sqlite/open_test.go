package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"github.com/stillcast/stillcast"
)

// refusedOpen opens a state that must not open, and returns why.
func refusedOpen(t *testing.T, path string) *stillcast.Error {
	t.Helper()
	s, err := Open(t.Context(), Config{Path: path}, discard(), prometheus.NewRegistry())
	if err == nil {
		check(t, s.Close())
		t.Fatalf("%s was opened", path)
	}
	var e *stillcast.Error
	if !errors.As(err, &e) {
		t.Fatalf("Open gave %v, want a stillcast.Error", err)
	}
	return e
}

func TestFolderIsPrivate(t *testing.T) {
	old := unix.Umask(0)
	t.Cleanup(func() { unix.Umask(old) })
	folder := filepath.Join(t.TempDir(), "deep", "data")
	s := openStore(t, filepath.Join(folder, "state.db"), prometheus.NewRegistry(), defaultTuning())
	commit(t, s, newShot("e1", []byte("jpeg"), hook(1)))
	for name, want := range map[string]os.FileMode{
		"..": 0o700, ".": 0o700, "lock": 0o600, "state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600,
	} {
		info, err := os.Stat(filepath.Join(folder, name))
		check(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has the mode %o, want %o", name, got, want)
		}
	}
}

func TestFolderInUse(t *testing.T) {
	folder := t.TempDir()
	s := openStore(t, filepath.Join(folder, "state.db"), prometheus.NewRegistry(), defaultTuning())
	for _, name := range []string{"state.db", "other.db"} {
		e := refusedOpen(t, filepath.Join(folder, name))
		want := fmt.Sprintf("data folder %s is in use by another stillcast, pid %d, which holds the lock %s/lock; "+
			"end that one, or give each its own data folder", folder, os.Getpid(), folder)
		if e.Code != stillcast.CodeConflict || e.Field != "data_dir" || e.Message != want {
			t.Errorf("the second one got %q (%s), want %q", e, e.Code, want)
		}
	}
	check(t, s.Close())
	openStore(t, filepath.Join(folder, "state.db"), prometheus.NewRegistry(), defaultTuning())
}

func TestFolderUnusable(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	check(t, os.WriteFile(file, nil, 0o600))
	check(t, os.MkdirAll(filepath.Join(folder, "is-folder", "state.db"), 0o700))
	for path, reason := range map[string]string{
		filepath.Join(file, "state.db"):                "not a directory",
		filepath.Join(file, "below", "state.db"):       "not a directory",
		filepath.Join(folder, "is-folder", "state.db"): "is a directory",
	} {
		e := refusedOpen(t, path)
		if e.Field != "data_dir" || !strings.Contains(e.Message, reason) || !strings.Contains(e.Message, filepath.Dir(path)) {
			t.Errorf("opening %s gave %q, want data_dir, the folder and %q", path, e, reason)
		}
	}
}

// TestFolderNotWritable gives up, for the file system and this thread alone, the
// rights of root, to whom every folder is writable.
func TestFolderNotWritable(t *testing.T) {
	folder := t.TempDir()
	check(t, os.Chmod(folder, 0o555))
	message := make(chan string)
	go func() {
		defer close(message)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if os.Geteuid() == 0 {
			const nobody = 65534
			if err := unix.Setfsuid(nobody); err != nil {
				message <- err.Error()
				return
			}
		}
		s, err := Open(context.Background(), Config{Path: filepath.Join(folder, "state.db")}, discard(), prometheus.NewRegistry())
		if err == nil {
			message <- fmt.Sprint("the folder was opened; ", s.Close())
			return
		}
		message <- err.Error()
	}()
	got := <-message
	for _, want := range []string{"data_dir: data folder " + folder, "permission denied", "must be a folder in which this user may make and write files"} {
		if !strings.Contains(got, want) {
			t.Errorf("Open gave %q, want %q in it", got, want)
		}
	}
}

func TestOddPaths(t *testing.T) {
	for _, name := range []string{"a?b=c", "a#b", "a%20b", "a b", "файл", "file:x", "a&_pragma=synchronous(0)"} {
		path := filepath.Join(t.TempDir(), name, name+".db")
		s := openStore(t, path, prometheus.NewRegistry(), defaultTuning())
		commit(t, s, newShot("e1", []byte("jpeg"), hook(1)))
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("the database is not at %q: %v", path, err)
		}
	}
}

// TestNewerTables: a program that does not know the tables must not touch them.
func TestNewerTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := openStore(t, path, prometheus.NewRegistry(), defaultTuning())
	check(t, s.change(t.Context(), "test", func(tx *tx) error {
		_, err := tx.exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
		return err
	}))
	check(t, s.Close())
	if e := refusedOpen(t, path); e.Code != stillcast.CodeConflict || !strings.Contains(e.Message, "version 99") {
		t.Errorf("a newer file gave %q", e)
	}
}

func TestMetricsRegisteredTwice(t *testing.T) {
	registry := prometheus.NewRegistry()
	first := openStore(t, filepath.Join(t.TempDir(), "state.db"), registry, defaultTuning())
	path := filepath.Join(t.TempDir(), "state.db")
	if _, err := Open(t.Context(), Config{Path: path}, discard(), registry); err == nil {
		t.Error("two stores have the same metrics")
	}
	// The refused one took nothing away, and the closed one leaves nothing.
	for _, name := range []string{"commit_seconds", "batch_size", "failed_commits_total", "queue"} {
		metric(t, registry, "stillcast_state_"+name)
	}
	check(t, first.Close())
	openStore(t, path, registry, defaultTuning())
}

func TestConfig(t *testing.T) {
	check(t, DefaultConfig().Validate())
	for field, c := range map[string]Config{
		"path":    {Path: "a\x00b"},
		"queue":   {Path: "a", Queue: -1},
		"readers": {Path: "a", Readers: 65},
	} {
		var e *stillcast.Error
		if err := c.Validate(); !errors.As(err, &e) || e.Field != field || e.Code != stillcast.CodeInvalid {
			t.Errorf("%+v gave %v, want an error of the field %q", c, err, field)
		}
	}
	if e := refusedOpen(t, ""); e.Field != "path" {
		t.Errorf("an empty path gave %q", e)
	}
}

// deaf is a connector whose connections do not hear one PRAGMA.
type deaf struct {
	driver.Connector
	pragma string
}

func (d deaf) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := d.Connector.Connect(ctx)
	return deafConn{Conn: conn, pragma: d.pragma}, err
}

type deafConn struct {
	driver.Conn
	pragma string
}

func (c deafConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if strings.HasPrefix(query, "PRAGMA "+c.pragma+" ") {
		return driver.ResultNoRows, nil
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c deafConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

// TestUnsafeConnectionIsRefused: SQLite ignores a PRAGMA that it does not know
// or cannot obey, so each that matters is read back.
func TestUnsafeConnectionIsRefused(t *testing.T) {
	tests := []struct {
		pragma string
		write  bool
		start  string // what makes the connection differ from what is wanted
	}{
		{"synchronous", true, "PRAGMA synchronous = NORMAL"},
		{"synchronous", false, "PRAGMA synchronous = NORMAL"},
		{"journal_mode", true, ""},
		{"foreign_keys", true, ""},
		{"query_only", false, ""},
		{"busy_timeout", true, ""},
	}
	for _, test := range tests {
		path := filepath.Join(t.TempDir(), "state.db")
		db, err := openDatabase(path, connection{write: test.write, busy: time.Second}, func(base driver.Connector) driver.Connector {
			return deaf{Connector: prepared{Connector: base, statement: test.start}, pragma: test.pragma}
		})
		check(t, err)
		err = db.PingContext(t.Context())
		want := "refuse a database connection: " + test.pragma
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a connection without %s gave %v, want %q", test.pragma, err, want)
		}
		check(t, db.Close())
	}

	path := filepath.Join(t.TempDir(), "state.db")
	tuned := defaultTuning()
	tuned.wrap = func(base driver.Connector) driver.Connector {
		return deaf{Connector: prepared{Connector: base, statement: "PRAGMA synchronous = NORMAL"}, pragma: "synchronous"}
	}
	_, err := openTuned(t.Context(), Config{Path: path}, discard(), prometheus.NewRegistry(), tuned)
	if err == nil || !strings.Contains(err.Error(), "synchronous was set to FULL but reads back as \"1\"") {
		t.Errorf("Open gave %v, want a refusal", err)
	}
}

// prepared is a connector whose connections have executed a statement.
type prepared struct {
	driver.Connector
	statement string
}

func (p prepared) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.Connector.Connect(ctx)
	if err == nil && p.statement != "" {
		_, err = conn.(driver.ExecerContext).ExecContext(ctx, p.statement, nil)
	}
	return conn, err
}

// TestEveryConnectionIsSafe asks the connections that are in use.
func TestEveryConnectionIsSafe(t *testing.T) {
	s := newStore(t)
	for range 8 {
		if n := number(t, s, "PRAGMA synchronous"); n != 2 {
			t.Errorf("a reader has synchronous = %d, want 2 (FULL)", n)
		}
	}
	if _, err := s.readers.ExecContext(t.Context(), "DELETE FROM shot"); err == nil {
		t.Error("a reader may write")
	}
	check(t, s.change(t.Context(), "test", func(tx *tx) error {
		for pragma, want := range map[string]string{
			"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1", "auto_vacuum": "2", "page_size": fmt.Sprint(pageSize),
		} {
			var got string
			if _, err := tx.one("PRAGMA "+pragma, nil, &got); err != nil || got != want {
				t.Errorf("the writer has %s = %q, %v; want %s", pragma, got, err, want)
			}
		}
		return nil
	}))
}
