package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
	"github.com/stillcast/stillcast/internal/testkit"
)

// At a stop, a shot in the making is still recorded, and the end of its push
// after it.
func TestStopEndsPushesAfterTheirShots(t *testing.T) {
	h := newHooks(t)
	cfg := testConfig(t.TempDir(), h.URL)
	cfg.Codec.Workers, cfg.Codec.Timeout = 1, 30*time.Second
	a := startApp(t, cfg)
	testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "s"), testkit.Source{Width: 320, Height: 180, Rate: 25},
		testkit.Encoding{KeyFrames: 500 * time.Millisecond, Duration: 60 * time.Second})
	h.shot()
	workers := children(t)
	signalAll(t, workers, syscall.SIGSTOP)
	defer signalAll(t, workers, syscall.SIGCONT)
	waitForMetric(t, "http://"+a.OpsAddr().String(), "stillcast_capture_due_total 2")
	stopped := make(chan error, 1)
	go func() { stopped <- a.Stop(t.Context()) }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for len(a.gate.Live()) > 0 {
		<-tick.C
	}
	signalAll(t, workers, syscall.SIGCONT)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}

	again := startApp(t, cfg)
	list, err := again.state.Deliveries(t.Context(), state.DeliveryFilter{Limit: state.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, d := range list {
		order = append(order, d.Event.Type.String())
	}
	want := fmt.Sprint([]stillcast.EventType{stillcast.EventPushBegin, stillcast.EventShot, stillcast.EventShot, stillcast.EventPushEnd})
	if got := fmt.Sprint(order); got != want {
		t.Errorf("events in the order %s, want %s", got, want)
	}
}

// children returns the ids of the processes that this one has started and that
// run its own program.
func children(t *testing.T) []int {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // the thread is gone
		}
		for field := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil && exe == self {
				pids = append(pids, pid)
			}
		}
	}
	if len(pids) == 0 {
		t.Fatal("there are no workers")
	}
	return pids
}

func signalAll(t *testing.T, pids []int, signal syscall.Signal) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, signal); err != nil && signal == syscall.SIGSTOP {
			t.Fatal(err)
		}
	}
}
