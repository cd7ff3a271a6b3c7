package sqlite

import (
	"errors"
	"path/filepath"

	"golang.org/x/sys/unix"
	moderncsqlite "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/stillcast/stillcast"
)

// NoSpace says of an error that the disk, or what the user may use of it, is
// full. What was to be done was not done, and may be tried again once there is
// space.
func NoSpace(err error) bool {
	if e, ok := errors.AsType[*moderncsqlite.Error](err); ok {
		return e.Code()&0xff == lib.SQLITE_FULL // the primary code (sqlite.org/rescode.html)
	}
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

// roomToOpen in bytes is more than opening a database writes, its shared memory and
// the end of its log.
const roomToOpen = 1 << 20

// explainNoSpace says of a database that cannot be opened that the disk is full.
// SQLite itself says so of few writes; of others it calls it an I/O error.
func explainNoSpace(path string, err error) error {
	e, ok := errors.AsType[*moderncsqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_CANTOPEN:
	default:
		return err
	}
	folder := filepath.Dir(path)
	var stat unix.Statfs_t
	if statErr := unix.Statfs(folder, &stat); statErr != nil {
		return err
	}
	free := stat.Bavail * uint64(stat.Bsize) //nolint:gosec // not negative
	if free >= roomToOpen {
		return err
	}
	return stillcast.Errorf(stillcast.CodeLimit, "data_dir",
		"the disk of data folder %s is full: %d KiB are free, and the database cannot be opened (%v). Nothing is lost; make room and start again",
		folder, free>>10, e)
}
