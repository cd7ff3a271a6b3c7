package bench

import (
	"fmt"
	"syscall"

	"github.com/stillcast/stillcast"
)

// spareFiles is how many files a process has open beside its connections.
const spareFiles = 200

// allowFiles lets this process, and those that it starts, have so many
// connections open.
func allowFiles(connections int) error {
	need := uint64(connections) + spareFiles //nolint:gosec // not negative
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	// What is set here is inherited; what Go raises by itself is not.
	want := syscall.Rlimit{Cur: max(limit.Max, need), Max: max(limit.Max, need)}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &want) == nil { // a privileged process may exceed the limit
		return nil
	}
	if limit.Max < need {
		return stillcast.Errorf(stillcast.CodeLimit, "streams",
			"%d connections need %d open files, and a process may have %d here; raise that (ulimit -Hn %d) or take fewer",
			connections, need, limit.Max, need)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("raise the limit of open files to %d: %w", limit.Max, err)
	}
	return nil
}
