package sqlite

import (
	"errors"

	"golang.org/x/sys/unix"
	moderncsqlite "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
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
