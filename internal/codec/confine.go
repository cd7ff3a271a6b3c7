package codec

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// confine takes from the worker, before it reads the first byte from outside,
// what it does not need: memory beyond the limit and core dumps, which would put streams on
// disk. What the worker may open and call is to be taken here as well.
func confine(l limits) error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("turn off core dumps: %w", err)
	}
	if l.memory == 0 {
		return nil
	}
	// Address space is the only memory that the kernel limits for a process whatever that does. Go reserves more than a
	// gigabyte of it and uses little, so the limit counts from there.
	reserved, err := addressSpace()
	if err != nil {
		return fmt.Errorf("limit memory: %w", err)
	}
	most := reserved + uint64(l.memory) //nolint:gosec // never negative
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
		return fmt.Errorf("limit memory to %d bytes: %w", most, err)
	}
	return nil
}

// addressSpace is the size of this process's address space in bytes (proc(5), statm).
func addressSpace() (uint64, error) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(b)
	if len(fields) == 0 {
		return 0, errors.New("/proc/self/statm is empty")
	}
	pages, err := strconv.ParseUint(string(fields[0]), 10, 52)
	if err != nil {
		return 0, fmt.Errorf("read /proc/self/statm: %w", err)
	}
	return pages * uint64(os.Getpagesize()), nil //nolint:gosec // a page size
}
