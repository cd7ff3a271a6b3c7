package codec

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast/internal/codec/codectest"
)

// TestWorkersWakeUpRarely counts how often the threads of a worker went to sleep
// and woke up again during a shot: a few times, not the hundred and more that
// the runtime's monitor alone takes with the kernel's default slack of 50 µs.
func TestWorkersWakeUpRarely(t *testing.T) {
	const shots, most = 20, 20
	config := DefaultConfig()
	config.Workers = 1
	p, err := NewPool(config, builtWorker(t, "real"), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := request(codectest.Make(t, "mandelbrot=size=1920x1080", 1, "-b:v", "4M", "-maxrate", "4M", "-bufsize", "4M"))
	wakeUps := int64(0)
	for range shots {
		made, err := p.Shoot(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if wakeUps == 0 {
			wakeUps = -sleepsOf(t, made.Worker)
		}
		if made.Pictures == nil {
			t.Fatal("no picture")
		}
	}
	made, err := p.Shoot(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	each := (wakeUps + sleepsOf(t, made.Worker)) / shots
	t.Logf("a worker woke up %d times for each shot", each)
	if each > most {
		t.Errorf("a worker woke up %d times for each shot, want at most %d", each, most)
	}
}

// sleepsOf returns how often the threads of a process gave up the processor by
// themselves (proc_pid_status(5), voluntary_ctxt_switches).
func sleepsOf(t *testing.T, pid int) (sum int64) {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, task.Name()))
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(status), "\nvoluntary_ctxt_switches:")
		var n int64
		if _, err := fmt.Sscan(after, &n); err != nil {
			t.Fatalf("read how often thread %s slept: %v", task.Name(), err)
		}
		sum += n
	}
	return sum
}
