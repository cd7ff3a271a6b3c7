package main

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// serverTimerSlack is how late the kernel may wake what sleeps in a server. While
// anything runs, the monitor thread of the Go runtime sleeps for 20 microseconds and
// looks (proc.go, sysmon), ten thousand times a second, which is a sixth of what a
// server with a few hundred streams takes. What it looks for can wait so long, and no
// timer of ours is finer.
const serverTimerSlack = 2 * time.Millisecond

// withTimerSlack starts this program again in its place, once, with the timer slack
// of a server. Threads inherit it, and a program keeps it over execve(2) (prctl(2),
// PR_SET_TIMERSLACK); here it comes too late for the monitor thread, which is there
// already. Where it cannot be done, the server takes a little more of the processor.
func withTimerSlack() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || time.Duration(slack) >= serverTimerSlack {
		return
	}
	path, err := os.Executable()
	if err != nil {
		return
	}
	if unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(serverTimerSlack.Nanoseconds()), 0, 0, 0) != nil {
		return
	}
	_ = syscall.Exec(path, os.Args, os.Environ()) //nolint:gosec // this program; it returns only when it failed
}
