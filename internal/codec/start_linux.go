package codec

import (
	"fmt"
	"os/exec"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// workerTimerSlack is how late the kernel may wake what sleeps in a worker. While
// a shot is in C, the Go runtime's monitor thread wakes up every 20 microseconds at
// first (proc.go, sysmon), a hundred times for each shot, and finds nothing to do:
// 1.3 ms of 31. With this slack it wakes up some three times. A worker has no timer of
// its own that would come late.
const workerTimerSlack = 20 * time.Millisecond

// startWorker starts cmd with the worker's timer slack, which a process inherits
// from the thread that forks it and keeps across execve (prctl(2),
// PR_SET_TIMERSLACK).
func startWorker(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Zero would set what the thread began with, which is not what serve has set.
	before, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		return fmt.Errorf("look up the timer slack: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(workerTimerSlack.Nanoseconds()), 0, 0, 0); err != nil {
		return fmt.Errorf("set the timer slack of a worker: %w", err)
	}
	defer func() {
		_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(before), 0, 0, 0) //nolint:gosec // nanoseconds; it cannot fail after the above
	}()
	return cmd.Start()
}
