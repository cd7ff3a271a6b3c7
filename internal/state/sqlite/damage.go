package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	moderncsqlite "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/stillcast/stillcast"
)

// inspect refuses a database that is damaged or that another process has locked,
// before anything is written to it: the connection may only read, and closing it
// writes nothing back. What it cannot read in the time that is given for it, it
// leaves to those who come to need it.
func inspect(ctx context.Context, path string, tuned tuning) error {
	if fresh, err := inspectFiles(path); fresh || err != nil {
		return err
	}
	db, err := openDatabase(path, connection{inspect: true, busy: tuned.busy}, tuned.wrap)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	err = quickCheck(ctx, db, tuned)
	if closed := db.Close(); err == nil {
		err = closed
	}
	return explainOpen(path, err)
}

// inspectFiles reports whether there is no database yet, and checks the log.
func inspectFiles(path string) (fresh bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, fmt.Errorf("look at the database: %w", err)
	}
	log := path + "-wal"
	used, fault, err := inspectLog(log)
	switch {
	case err != nil:
		return false, fmt.Errorf("read the log of the database: %w", err)
	case fault != "":
		return false, damaged(log, fault)
	case used && info.Size() == 0:
		// SQLite would delete the log.
		return false, damaged(path, "is empty or missing, but its log "+log+" is there")
	}
	return info.Size() == 0, nil
}

// quickCheck reads the database, for a while.
func quickCheck(ctx context.Context, db *sql.DB, tuned tuning) error {
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&version); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, tuned.check)
	defer cancel()
	var result string
	err := db.QueryRowContext(limited, "PRAGMA quick_check(1)").Scan(&result)
	if err != nil && limited.Err() != nil {
		return ctx.Err() // the time was over, unless the caller's was
	}
	if err == nil && result != "ok" {
		return &damage{result}
	}
	return err
}

// damage is what SQLite's check found.
type damage struct{ what string }

func (d *damage) Error() string { return d.what }

// explainOpen makes errors of SQLite that an operator can repair say how.
func explainOpen(path string, err error) error {
	if found, ok := errors.AsType[*damage](err); ok {
		return damaged(path, found.what)
	}
	e, ok := errors.AsType[*moderncsqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return damaged(path, e.Error())
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_PROTOCOL:
		return stillcast.Errorf(stillcast.CodeConflict, "data_dir",
			"database %s is locked by %s (%v); end that process: nothing else may use the file while Stillcast runs", path, lockHolder(path), e)
	}
	return explainNoSpace(path, err)
}

func damaged(file, fault string) error {
	folder := filepath.Dir(file)
	return stillcast.Errorf(stillcast.CodeInvalid, "data_dir",
		"%s is damaged: %s. Nothing was changed. Keep a copy of folder %s; then restore a backup of it, "+
			"or put in its place what \"sqlite3 stillcast.db .recover | sqlite3 new.db\" can save of the copy, "+
			"or move the folder away to begin with an empty state", file, fault, folder)
}
