package bench

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	line := "4711 (a (b) c) S 17 4711 4711 0 -1 4194304 100 200 0 0 11 22 333 44 20 0 5 0 12345 1000 200\n"
	got, err := parseStat([]byte(line))
	if want := (procStat{parent: 17, children: 3770 * time.Millisecond}); err != nil || got != want {
		t.Errorf("parseStat = %+v, %v; wanted %+v", got, err, want)
	}
	for _, bad := range []string{"", "4711 (a) S 17", strings.Replace(line, "333", "x", 1), strings.Replace(line, " 17 ", " -1 ", 1)} {
		if got, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("parseStat(%q) = %+v, wanted an error", bad, got)
		}
	}
}

func TestParseMachine(t *testing.T) {
	t.Parallel()
	got, err := parseMachine([]byte("cpu  100 20 30 4000 500 6 7 80 9 0\ncpu0 1 2 3\n"))
	if want := (machine{busy: 1630 * time.Millisecond, stolen: 800 * time.Millisecond}); err != nil || got != want {
		t.Errorf("parseMachine = %+v, %v; wanted %+v", got, err, want)
	}
	for _, bad := range []string{"", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8 9", "cpu 1 2 3 4 5 6 7 x 9"} {
		if got, err := parseMachine([]byte(bad)); err == nil {
			t.Errorf("parseMachine(%q) = %+v, wanted an error", bad, got)
		}
	}
}

func TestParsePSS(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"55 ---p [rollup]\nRss:  900 kB\nPss:    123 kB\nPss_Anon: 7 kB\n": 123 << 10,
		"Rss: 900 kB\n": 0, "Pss: x kB\n": 0, "Pss: -1 kB\n": 0, "": 0,
	} {
		if got := parsePSS([]byte(text)); got != want {
			t.Errorf("parsePSS(%q) = %d, wanted %d", text, got, want)
		}
	}
}

// burn has a shell use CPU time until it is killed.
func burn(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have been killed
		_ = cmd.Wait()
	})
	return cmd
}

// What a child uses counts as a worker's, while it lives and when it has ended.
func TestUsageFollowsChildren(t *testing.T) {
	before, err := readUsage(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	child := burn(t)
	const used = 50 * time.Millisecond
	for {
		cpu, err := cpuTime(child.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if cpu > used {
			break
		}
	}
	children, err := childrenOf(os.Getpid())
	if err != nil || !slices.Contains(children, child.Process.Pid) {
		t.Errorf("children are %v (%v), wanted %d among them", children, err, child.Process.Pid)
	}
	during, err := readUsage(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if got := during.workers - before.workers; got < used {
		t.Errorf("workers used %s while the child lives, wanted at least %s", got, used)
	}
	if got := during.server - before.server; got <= 0 {
		t.Errorf("this process used %s", got)
	}
	if during.machine.busy <= 0 {
		t.Errorf("the machine was never busy")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed
	after, err := readUsage(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	// The kernel counts ended children in ticks of 10 ms, for user and system each.
	if got := after.workers - before.workers; got < used-2*clockTick {
		t.Errorf("workers used %s after the child ended, wanted at least %s", got, used)
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	child := burn(t)
	m, err := readMemory(os.Getpid(), true)
	if err != nil {
		t.Fatal(err)
	}
	if m.serverRSS < 1<<20 || m.workersRSS < 100<<10 || m.pss < 1<<20 || m.pss > m.serverRSS+m.workersRSS {
		t.Errorf("memory is %+v", m)
	}
	_ = child
	if _, err := readMemory(1<<30, false); err == nil {
		t.Error("a process that is not there has memory")
	}
	if _, err := cpuTime(1 << 28); err == nil || !strings.Contains(err.Error(), strconv.Itoa(1<<28)) {
		t.Errorf("CPU time of a process that is not there: error %v", err)
	}
}

func FuzzProc(f *testing.F) {
	f.Add([]byte("4711 (a) S 17 4711 4711 0 -1 4194304 100 200 0 0 11 22 333 44 20 0 5 0 12345 1000 200\n"))
	f.Add([]byte("cpu  100 20 30 4000 500 6 7 80 9 0\n"))
	f.Add([]byte("Pss:    123 kB\n"))
	f.Add([]byte("a{b=\"c d\"} 1e3\n# HELP\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := parseStat(b); err == nil && (s.parent < 0 || s.children < 0) {
			t.Errorf("state %+v", s)
		}
		if m, err := parseMachine(b); err == nil && (m.busy < 0 || m.stolen < 0) {
			t.Errorf("load %+v", m)
		}
		if pss := parsePSS(b); pss < 0 {
			t.Errorf("PSS %d", pss)
		}
		for name := range parseMetrics(string(b)) {
			if strings.TrimSpace(name) == "" || bytes.HasPrefix([]byte(name), []byte("#")) {
				t.Errorf("metric %q", name)
			}
		}
	})
}
