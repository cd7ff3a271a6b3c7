package codec

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// clockTick is the unit of processor times in /proc: USER_HZ is 100 on every machine that Go runs on.
const clockTick = time.Second / 100

// Fields of /proc/PID/stat behind the name, which ends with the last bracket (proc(5)).
const (
	statUserTime = 11
	statSysTime  = 12
	statRSS      = 21
)

// usage is what a process has taken.
type usage struct {
	rss int64         // memory that it holds, in bytes
	cpu time.Duration // in its whole life
}

// usageOf reads the usage of a process from outside, where a worker that was taken over cannot lie.
func usageOf(pid int) (usage, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}, err
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) <= statRSS {
		return usage{}, fmt.Errorf("/proc/%d/stat has %d fields behind the name", pid, len(fields))
	}
	var values [3]int64
	for i, at := range []int{statUserTime, statSysTime, statRSS} {
		if values[i], err = strconv.ParseInt(string(fields[at]), 10, 64); err != nil {
			return usage{}, fmt.Errorf("read /proc/%d/stat: %w", pid, err)
		}
	}
	return usage{
		rss: values[2] * int64(os.Getpagesize()),
		cpu: time.Duration(values[0]+values[1]) * clockTick,
	}, nil
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
