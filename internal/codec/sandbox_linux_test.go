package codec

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/testkit"
)

func TestSandboxIsInForce(t *testing.T) {
	t.Parallel()
	p := startBuilt(t, DefaultConfig())
	made, err := p.Shoot(t.Context(), small(t))
	if err != nil {
		t.Fatal(err)
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", made.Worker))
	if err != nil || len(threads) < 2 {
		t.Fatalf("threads of the worker are %q, %v", threads, err)
	}
	for _, thread := range threads {
		b, err := os.ReadFile(filepath.Join(thread, "status"))
		if errors.Is(err, os.ErrNotExist) {
			continue // it has ended
		}
		if err != nil {
			t.Fatal(err)
		}
		if status := string(b); field(status, "Seccomp:") != "2" || field(status, "NoNewPrivs:") != "1" {
			t.Errorf("%s: seccomp %q, no_new_privs %q, wanted 2 and 1", thread, field(status, "Seccomp:"), field(status, "NoNewPrivs:"))
		}
	}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", made.Worker))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		to, err := os.Readlink(file)
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := strings.Cut(to, ":")
		if kind != "pipe" && kind != "socket" && kind != "anon_inode" && to != os.DevNull && !strings.HasPrefix(to, "/sys/fs/cgroup/") {
			t.Errorf("the worker has %s open", to)
		}
	}
}

// What an attacker in a worker may try, with the outcome of the shot in which it does: with a picture the try failed and all
// goes on; without one the worker was ended, and the one that tried again too.
func TestAttacks(t *testing.T) {
	t.Parallel()
	const badCall = "bad system call"
	cases := []struct {
		name string
		want error // of the shot, nil for a picture
		text string
	}{
		{"open", nil, ""},
		{"create", nil, ""},
		{"proc", nil, ""},
		{"mkdir", ErrWorkerDied, badCall},
		{"dup", ErrWorkerDied, badCall},
		{"socket", ErrWorkerDied, badCall},
		{"unix", ErrWorkerDied, badCall},
		{"exec", ErrWorkerDied, badCall},
		{"run", ErrWorkerDied, badCall},
		{"fork", ErrWorkerDied, badCall},
		{"disguised fork", ErrWorkerDied, badCall},
		{"signal", ErrWorkerDied, badCall},
		{"trace", ErrWorkerDied, badCall},
		{"limit", ErrWorkerDied, badCall},
		{"code", ErrWorkerDied, badCall},
		{"more code", ErrWorkerDied, badCall},
		{"bomb", ErrWorkerDied, "out of memory"},
		{"spin", ErrTimeout, "more than 1s"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := DefaultConfig()
			config.Workers = 1
			if c.name == "spin" {
				config.Timeout = time.Second
			}
			p := newPoolOf(t, config, builtWorker(t, c.name))
			if err := p.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := os.Remove(wasHere); err == nil {
					t.Error("a worker left something behind")
				}
			})
			made, err := p.Shoot(t.Context(), small(t))
			if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.text) {
				t.Fatalf("error is %v, wanted %v with %q", err, c.want, c.text)
			}
			if c.want == nil {
				testkit.DecodeJPEG(t, made.Pictures[0].Data)
			}
			p.Close()
			wantDead := 0
			if c.want != nil {
				wantDead = 2
			}
			if n := restarts(p, reasonDied) + restarts(p, reasonTimeout); n != wantDead {
				t.Errorf("%d workers are counted as ended, wanted %d", n, wantDead)
			}
		})
	}
}

// Landlock holds where there is no seccomp, as seccomp does without Landlock. File descriptors, which most attacks need, are
// another matter.
func TestLandlockAlone(t *testing.T) {
	t.Parallel()
	for _, attack := range []string{"mkdir", "exec"} {
		config := DefaultConfig()
		config.Workers, config.AllowUnsandboxed = 1, true
		p := newPoolOf(t, config, builtWorker(t, "without seccomp: "+attack))
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Shoot(t.Context(), small(t)); err != nil {
			t.Errorf("%s: %v", attack, err)
		}
	}
	if err := os.Remove(wasHere); err == nil {
		t.Error("a worker left something behind")
	}
}

// The kernel ends a worker that has used up its processor time, whoever else lives.
func TestProcessorTimeIsLimited(t *testing.T) {
	t.Parallel()
	l := limits{pixels: 4096 * 2304, unitBytes: 8 << 20, cpu: time.Second}
	c, err := startChild(t.Context(), builtWorker(t, "spin"), l, false)
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	r := small(t)
	message := r.buffers()
	if _, err := message.WriteTo(c.conn); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.exited:
	case <-time.After(30 * time.Second):
		c.kill()
	}
	status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if used := c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime(); !ok || status.Signal() != syscall.SIGKILL || used > 3*time.Second {
		t.Errorf("worker ended with %s after %s of processor time", c.end(), used)
	}
}

func TestBloatedWorkersAreReplaced(t *testing.T) {
	t.Parallel()
	config := DefaultConfig()
	config.Workers, config.MaxRSS = 1, 128<<20
	p := newPoolOf(t, config, builtWorker(t, turns(t, "hoard", "real")))
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	workers := make([]int, 3)
	for i := range workers {
		made, err := p.Shoot(t.Context(), small(t))
		if err != nil {
			t.Fatal(err)
		}
		workers[i] = made.Worker
	}
	if workers[0] == workers[1] || workers[1] != workers[2] {
		t.Errorf("shots were made by workers %v, wanted another one after the first", workers)
	}
	if n := restarts(p, reasonBloated); n != 1 {
		t.Errorf("%d bloated workers are counted, wanted 1", n)
	}
}

func TestWornWorkers(t *testing.T) {
	t.Parallel()
	config := DefaultConfig()
	s := &slot{pool: &Pool{config: config, log: slog.New(slog.DiscardHandler)}}
	cases := []struct {
		name   string
		worker child
		want   string
	}{
		{"fresh", child{}, ""},
		{"used", child{shots: config.MaxShots - 1, usage: usage{rss: config.MaxRSS, cpu: config.CPULimit - config.Timeout}}, ""},
		{"many shots", child{shots: config.MaxShots}, reasonRecycled},
		{"little time left", child{usage: usage{cpu: config.CPULimit - config.Timeout + clockTick}}, reasonRecycled},
		{"large", child{usage: usage{rss: config.MaxRSS + 1}}, reasonBloated},
	}
	for _, c := range cases {
		if got := s.worn(&c.worker); got != c.want {
			t.Errorf("%s: worn for %q, wanted %q", c.name, got, c.want)
		}
	}
	s.pool.config.MaxRSS, s.pool.config.CPULimit = 0, 0
	if got := s.worn(&child{usage: usage{rss: 1 << 40, cpu: time.Hour}}); got != "" {
		t.Errorf("without limits: worn for %q", got)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	u, err := usageOf(os.Getpid())
	if err != nil || u.rss < 1<<20 || u.rss > 1<<40 || u.cpu < 0 || u.cpu > time.Hour {
		t.Errorf("this process has taken %+v, %v", u, err)
	}
	if _, err := usageOf(1 << 30); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("usage of no process: error is %v", err)
	}
}

// A kernel without one of the means is played by a filter that answers as that does.
func TestKernelsThatLackTheSandbox(t *testing.T) {
	t.Parallel()
	cases := []struct {
		mode   string
		text   []string
		absent string
	}{
		{"without landlock_create_ruleset", []string{"lacks Landlock (", "function not implemented"}, "seccomp filters ("},
		{"without seccomp", []string{"lacks seccomp filters (", "function not implemented"}, "Landlock ("},
		{"without landlock_create_ruleset seccomp", []string{"Landlock (", "and seccomp filters ("}, "lacks seccomp"},
	}
	for _, c := range cases {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			config := DefaultConfig()
			config.Workers = 2
			p := newPoolOf(t, config, builtWorker(t, c.mode))
			err := p.Start(t.Context())
			if !errors.Is(err, ErrUnsandboxed) || strings.Contains(err.Error(), c.absent) {
				t.Fatalf("error is %v, wanted %v and not %q", err, ErrUnsandboxed, c.absent)
			}
			for _, text := range append(c.text, "codec.allow_unsandboxed: true") {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("error is %v, wanted %q in it", err, text)
				}
			}
			config.AllowUnsandboxed = true
			allowed := newPoolOf(t, config, builtWorker(t, c.mode))
			log := make(logged, 16)
			allowed.log = slog.New(log)
			if err := allowed.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			log.wait(t, "codec workers run without a sandbox: a hostile stream could do what this program may do")
			if _, err := allowed.Shoot(t.Context(), small(t)); err != nil {
				t.Error(err)
			}
		})
	}
}
