package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// clockTick is the unit of times in /proc/PID/stat: USER_HZ, which is 100 on
// every architecture that Go runs on (proc(5)).
const clockTick = time.Second / 100

// cpuTime returns the CPU time that a process has used so far, all its threads
// together, to the nanosecond. The clock of another process is named by its
// inverted id (clock_getcpuclockid(3); MAKE_PROCESS_CPUCLOCK of the kernel).
func cpuTime(pid int) (time.Duration, error) {
	const schedulerClock = 2                         // CPUCLOCK_SCHED
	clock := int32(uint32(^pid)<<3 | schedulerClock) //nolint:gosec // the bits are meant
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0, fmt.Errorf("read the CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// ownCPUTime is the CPU time of this process.
func ownCPUTime() (time.Duration, error) { return cpuTime(os.Getpid()) }

// procStat is what is needed of /proc/PID/stat.
type procStat struct {
	parent   int
	children time.Duration // CPU time of children that have ended and were waited for
}

// parseStat reads /proc/PID/stat. The name in it may hold blanks and brackets.
func parseStat(b []byte) (procStat, error) {
	end := bytes.LastIndexByte(b, ')')
	fields := bytes.Fields(b[end+1:])
	const parent, cutime, cstime = 1, 13, 14 // counted from the field after the name
	if end < 0 || len(fields) <= cstime {
		return procStat{}, fmt.Errorf("%.40q is not the state of a process", b)
	}
	var s procStat
	var ticks int64
	for _, at := range []int{parent, cutime, cstime} {
		n, err := strconv.ParseInt(string(fields[at]), 10, 32)
		if err != nil || n < 0 {
			return procStat{}, fmt.Errorf("field %d of the state of a process is %.20q", at+3, fields[at])
		}
		if at == parent {
			s.parent = int(n)
			continue
		}
		ticks += n
	}
	s.children = time.Duration(ticks) * clockTick
	return s, nil
}

func readStat(pid int) (procStat, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return procStat{}, fmt.Errorf("read the state of process %d: %w", pid, err)
	}
	return parseStat(b)
}

// childrenOf returns the ids of the living children of a process.
func childrenOf(pid int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	var children []int
	for _, e := range entries {
		child, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		// One that ended in between is nobody's child any more.
		if s, err := readStat(child); err == nil && s.parent == pid {
			children = append(children, child)
		}
	}
	return children, nil
}

// usage is what a server and its workers have used so far.
type usage struct {
	at              time.Time
	server, workers time.Duration // CPU time; that of workers which ended is in it
	machine         machine
}

func readUsage(pid int) (usage, error) {
	u := usage{at: time.Now()}
	var err error
	if u.server, err = cpuTime(pid); err != nil {
		return usage{}, err
	}
	children, err := childrenOf(pid)
	if err != nil {
		return usage{}, err
	}
	for _, child := range children {
		if t, err := cpuTime(child); err == nil { // else it ended, and is counted as such
			u.workers += t
		}
	}
	s, err := readStat(pid)
	if err != nil {
		return usage{}, err
	}
	u.workers += s.children
	u.machine, err = readMachine()
	return u, err
}

// memory is what a server and its workers hold, in bytes. PSS shares out what
// several processes have in common; it is 0 where the kernel does not tell.
type memory struct {
	serverRSS, workersRSS, pss int64
}

func readMemory(pid int, withPSS bool) (memory, error) {
	children, err := childrenOf(pid)
	if err != nil {
		return memory{}, err
	}
	var m memory
	if m.serverRSS, err = readRSS(pid); err != nil {
		return memory{}, err
	}
	if withPSS {
		m.pss = readPSS(pid)
	}
	for _, child := range children {
		if rss, err := readRSS(child); err == nil { // else it ended
			m.workersRSS += rss
		}
		if withPSS && m.pss > 0 {
			m.pss += readPSS(child)
		}
	}
	return m, nil
}

func readRSS(pid int) (int64, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
	if err != nil {
		return 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	fields := bytes.Fields(b) // in pages: size, resident, …
	if len(fields) < 2 {
		return 0, fmt.Errorf("read the memory of process %d: %.40q", pid, b)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	return pages * int64(os.Getpagesize()), nil
}

func readPSS(pid int) int64 {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "smaps_rollup"))
	if err != nil {
		return 0 // an old kernel, or a worker that may not be looked into
	}
	return parsePSS(b)
}

// parsePSS finds the sum in /proc/PID/smaps_rollup, 0 when it is not there.
func parsePSS(b []byte) int64 {
	for line := range bytes.Lines(b) {
		fields := bytes.Fields(line)
		if len(fields) == 3 && string(fields[0]) == "Pss:" && string(fields[2]) == "kB" {
			kib, err := strconv.ParseInt(string(fields[1]), 10, 40)
			if err != nil || kib < 0 {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}

// machine is the CPU time of the whole machine so far.
type machine struct {
	busy   time.Duration // of all programs
	stolen time.Duration // taken by other virtual machines
}

func readMachine() (machine, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return machine{}, fmt.Errorf("read the load of the machine: %w", err)
	}
	return parseMachine(b)
}

// parseMachine reads the first line of /proc/stat: user, nice, system, idle,
// iowait, irq, softirq, steal (proc(5)); user holds the time of guests already.
func parseMachine(b []byte) (machine, error) {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	fields := bytes.Fields(line)
	const steal = 8
	if len(fields) <= steal || string(fields[0]) != "cpu" {
		return machine{}, fmt.Errorf("%.40q is not the load of a machine", line)
	}
	var m machine
	for _, at := range []int{1, 2, 3, 6, 7, steal} {
		n, err := strconv.ParseInt(string(fields[at]), 10, 48)
		if err != nil || n < 0 {
			return machine{}, fmt.Errorf("field %d of the load of the machine is %.20q", at, fields[at])
		}
		if at == steal {
			m.stolen = time.Duration(n) * clockTick
			continue
		}
		m.busy += time.Duration(n) * clockTick
	}
	return m, nil
}
