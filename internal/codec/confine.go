package codec

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// ErrUnsandboxed says that the kernel, or the container around the program,
// cannot take files, network and programs from the workers.
var ErrUnsandboxed = errors.New("codec workers cannot be sandboxed")

// sandbox is what of the kernel's means confines a worker. Landlock takes files
// and network, seccomp every call that decoding does not need; either would do against most attacks, both
// together hold where one has a gap.
type sandbox struct {
	landlock int    // ABI version in force, 0 for none
	seccomp  bool   // in force
	lacks    string // why one of them is not, in the worker's words
}

// check reports what is missing of the sandbox.
func (s sandbox) check() error {
	var missing []string
	if s.landlock == 0 {
		missing = append(missing, "Landlock (Linux 5.13 or newer, CONFIG_SECURITY_LANDLOCK, \"landlock\" among the kernel's lsm=)")
	}
	if !s.seccomp {
		missing = append(missing, "seccomp filters (Linux 4.14 or newer, CONFIG_SECCOMP_FILTER)")
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%w: the kernel, or the container, lacks %s: %s", ErrUnsandboxed, strings.Join(missing, " and "), s.lacks)
}

// confine takes from the worker, before it reads the first byte from outside,
// what it does not need: files, network, other programs, memory and processor
// time beyond the limits, and core dumps, which would put streams on disk. A
// kernel that cannot give the sandbox is no error; the result says so.
func confine(l limits) (sandbox, error) {
	// With a single one workers took a twentieth more, probably since Go's scheduler then looks for other work whenever a shot
	// goes into C.
	// Unless it is told a number, it goes on reading from the files of the control group how many there should be, which
	// ends a worker.
	runtime.GOMAXPROCS(2)
	if err := limitSelf("core dumps", syscall.RLIMIT_CORE, 0); err != nil {
		return sandbox{}, err
	}
	if err := limitSelf("sizes of files", syscall.RLIMIT_FSIZE, 0); err != nil {
		return sandbox{}, err
	}
	if err := limitMemory(l.memory); err != nil {
		return sandbox{}, err
	}
	if l.cpu > 0 {
		// Soft and hard limit are one, so that the kernel kills: a signal could be ignored.
		seconds := (l.cpu + time.Second - 1) / time.Second
		if err := limitSelf("processor time", syscall.RLIMIT_CPU, uint64(seconds)); err != nil { //nolint:gosec // positive
			return sandbox{}, err
		}
	}
	return lockDown()
}

// limitMemory limits address space, the only memory that the kernel limits for a process whatever that does. Go reserves
// more than a gigabyte of it and uses little, so the limit counts from there.
func limitMemory(most int64) error {
	if most == 0 {
		return nil
	}
	reserved, err := addressSpace()
	if err != nil {
		return fmt.Errorf("limit memory: %w", err)
	}
	return limitSelf("memory", syscall.RLIMIT_AS, reserved+uint64(most)) //nolint:gosec // never negative
}

func limitSelf(what string, resource int, most uint64) error {
	if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
		return fmt.Errorf("limit %s to %d: %w", what, most, err)
	}
	return nil
}
