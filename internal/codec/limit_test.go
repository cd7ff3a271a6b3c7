package codec

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/codec/codectest"
)

// startBuilt starts a pool of one real worker without the sanitizers.
func startBuilt(t testing.TB, c Config) *Pool {
	t.Helper()
	c.Workers, c.Timeout = 1, 30*time.Second
	p := newPoolOf(t, c, builtWorker(t, "real"))
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
			config := DefaultConfig()
			config.MemoryLimit = c.memory
			p := startBuilt(t, config)
			pid := 0
			for _, clip := range c.clips {
				r := request(clip).sized(3000, 2000)
				r.Pictures[0].Quality = 100
				made, err := p.Shoot(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				pid = made.Worker
			}
			status := procFile(t, pid, "status")
			t.Logf("peak of address space %s, of memory %s", field(status, "VmPeak:"), field(status, "VmHWM:"))
		})
	}
}

// Beyond the limit a shot fails, alone, and the limits are the kernel's.
func TestLimitsAreInForce(t *testing.T) {
	t.Parallel()
	config := DefaultConfig()
	config.MemoryLimit = MinMemoryLimit
	p := startBuilt(t, config)
	first, err := p.Shoot(t.Context(), small(t))
	if err != nil {
		t.Fatal(err)
	}
	limits := procFile(t, first.Worker, "limits")
	for name, want := range map[string]string{
		"Max core file size": "0 0 bytes", "Max file size": "0 0 bytes", "Max open files": "0 0 files", "Max cpu time": "60 60 seconds",
	} {
		if got := strings.Join(strings.Fields(field(limits, name)), " "); got != want {
			t.Errorf("%s is %q, wanted %q", name, got, want)
		}
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
