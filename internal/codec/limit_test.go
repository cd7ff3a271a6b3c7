package codec

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast/internal/codec/codectest"
)

// buildWorker builds a worker without the sanitizers that this test may run under.
func buildWorker(t testing.TB) Program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "worker")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./testdata/worker")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build the worker: %v\n%s", err, out)
	}
	return Program{Path: path}
}

// startBuilt starts a pool of one built worker with a memory limit.
func startBuilt(t testing.TB, memory int64) *Pool {
	t.Helper()
	config := DefaultConfig()
	config.Workers, config.MemoryLimit = 1, memory
	p, err := NewPool(config, buildWorker(t), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// Each limit on memory leaves room for the pictures that its documentation promises.
func TestMemoryLimits(t *testing.T) {
	t.Parallel()
	largest := codectest.Make(t, "testsrc2=size=4096x2304,format=yuv444p10le", 1, "-preset", "ultrafast", "-crf", "40")
	references := codectest.Make(t, "testsrc2=size=4096x2304,format=yuv420p", 24, "-preset", "ultrafast", "-crf", "40", "-bf", "3", "-refs", "16")
	ordinary := codectest.Make(t, "testsrc2=size=1920x1080,format=yuv420p", 24, "-preset", "ultrafast", "-bf", "3", "-refs", "4")
	cases := []struct {
		name   string
		memory int64
		clips  []codectest.Clip
	}{
		{"default", DefaultConfig().MemoryLimit, []codectest.Clip{largest, references}},
		{"least", MinMemoryLimit, []codectest.Clip{ordinary}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := startBuilt(t, c.memory)
			pid := 0
			for _, clip := range c.clips {
				r := request(clip)
				r.Width, r.Height, r.Quality = 3000, 2000, 100
				picture, err := p.Shoot(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				pid = picture.Worker
			}
			status := procFile(t, pid, "status")
			t.Logf("peak of address space %s, of memory %s", field(status, "VmPeak:"), field(status, "VmHWM:"))
		})
	}
}

// Beyond the limit a shot fails, alone, and the limits are the kernel's.
func TestLimitsAreInForce(t *testing.T) {
	t.Parallel()
	p := startBuilt(t, MinMemoryLimit)
	first, err := p.Shoot(t.Context(), small(t))
	if err != nil {
		t.Fatal(err)
	}
	limits := procFile(t, first.Worker, "limits")
	if got := strings.Fields(field(limits, "Max core file size")); !slices.Equal(got, []string{"0", "0", "bytes"}) {
		t.Errorf("core files are limited to %q, wanted none", got)
	}
	space, err := strconv.ParseInt(strings.Fields(field(limits, "Max address space"))[0], 10, 64)
	if err != nil || space < MinMemoryLimit || space > MinMemoryLimit+4<<30 {
		t.Errorf("address space is limited to %d, %v", space, err)
	}
	clip := codectest.Make(t, "testsrc2=size=4096x2304,format=yuv444p10le", 10, "-preset", "ultrafast", "-crf", "40", "-bf", "0", "-refs", "8")
	if _, err := p.Shoot(t.Context(), request(clip)); err == nil {
		t.Error("a gigabyte of pictures was decoded in a quarter of it")
	}
	if _, err := p.Shoot(t.Context(), small(t)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func procFile(t testing.TB, pid int, name string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// field is the rest of the line that begins with a name.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
