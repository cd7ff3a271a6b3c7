package faulttest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/stillcast/stillcast/internal/testkit/lossfs"
)

// TestPowerCut kills the server at random moments, and cuts the power of the disk
// that its data and its pictures are on. What was not synced is lost as a whole, and
// every other time but for a part that chance leaves.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	disk := lossfs.Mount(t, "")
	w := newWorld(t, disk.Dir, "{}", "")
	cutRounds(t, w, disk, rounds(t, 2))
	w.mustBeWhole(append(w.settle(), w.audit()...))
}

func cutRounds(t *testing.T, w *world, disk *lossfs.Disk, n int) {
	t.Helper()
	w.fleet.begin(t, streams)
	served := 0
	for i := range n {
		if w.killAtRandom() {
			served++
		}
		disk.Cut(t, int64(i%2)*(1+w.chance.Int64N(1<<40)))
	}
	w.killUnderLoad()
	disk.Cut(t, 0)
	t.Logf("%d cuts, %d of them while the server served", n+1, served+1)
}

// TestPowerCutFindsLosses: where pictures are not synced, which is a setting, they
// are lost, and the audit says so. So it would of the defaults.
func TestPowerCutFindsLosses(t *testing.T) {
	t.Parallel()
	disk := lossfs.Mount(t, "")
	w := newWorld(t, disk.Dir, "{file: {fsync: false}}", "")
	cutRounds(t, w, disk, 1)
	faults := append(w.settle(), w.audit()...)
	if len(faults) < streams/2 {
		t.Errorf("%d faults, want one or two of each picture that was stored before the power was cut: %q", len(faults), faults)
	}
	t.Logf("%d faults, such as: %s", len(faults), faults[0])
}

// TestPowerCutOfSQLite: the file system loses what SQLite has not synced, and
// synchronous=FULL is what the state's promise hangs on.
func TestPowerCutOfSQLite(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		synchronous string
		loses       bool
	}{{"FULL", false}, {"NORMAL", true}, {"OFF", true}} {
		t.Run(tt.synchronous, func(t *testing.T) {
			t.Parallel()
			disk := lossfs.Mount(t, "")
			path := filepath.Join(disk.Dir, "rows.db")
			var written []string
			lost := 0
			for i := 0; i < rounds(t, 3) && lost == 0; i++ {
				written = append(written, killProgram(t, roleRows, path, tt.synchronous, 100+i*37%100)...)
				disk.Cut(t, int64(i%2)*int64(i+1))
				lost = missingRows(t, path, written)
			}
			t.Logf("%d of %d rows were lost", lost, len(written))
			if lost > 0 != tt.loses {
				t.Errorf("%d of %d rows were lost, want that some are: %v", lost, len(written), tt.loses)
			}
		})
	}
}

const (
	rowsPathKey = "STILLCAST_TEST_ROWS_PATH"
	rowsSyncKey = "STILLCAST_TEST_ROWS_SYNCHRONOUS"
)

// openRows opens a database as the state does, but for how it syncs.
func openRows(path, synchronous string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous("+synchronous+")&_pragma=wal_autocheckpoint(50)")
}

// writeRows is the program that writes one row after the other, and a line for each
// that was committed.
func writeRows() error {
	ctx := context.Background()
	db, err := openRows(os.Getenv(rowsPathKey), os.Getenv(rowsSyncKey))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS row (id TEXT PRIMARY KEY, filler BLOB)"); err != nil {
		return err
	}
	for i := 0; ; i++ {
		id := fmt.Sprintf("%d-%d", os.Getpid(), i)
		if _, err := db.ExecContext(ctx, "INSERT INTO row VALUES (?, randomblob(700))", id); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(os.Stdout, id); err != nil {
			return err
		}
	}
}

// missingRows returns how many of the rows are gone.
func missingRows(t *testing.T, path string, written []string) (missing int) {
	t.Helper()
	db, err := openRows(path, "FULL")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, id := range written {
		var n int
		err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM row WHERE id = ?", id).Scan(&n)
		if err != nil {
			t.Logf("the database cannot be read any more: %v", err)
			return len(written)
		}
		missing += 1 - n
	}
	return missing
}
