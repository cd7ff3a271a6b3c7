package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/testkit"
)

// serveForKill is the server that tests kill: this test binary in its own
// process. It prints the addresses that it takes pushes on, and of its metrics.
func serveForKill() int {
	ctx := context.Background()
	a, err := New(ctx, Options{
		Config: killConfig(os.Getenv("STILLCAST_TEST_DIR"), os.Getenv("STILLCAST_TEST_HOOKS")),
		Worker: testWorker(), Version: "test", Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err == nil {
		err = a.Start(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintln(os.Stdout, a.RTMPAddr(), a.OpsAddr())
	<-ctx.Done() // never: the test kills this process
	return 0
}

// killConfig has two pictures for each shot.
func killConfig(dir, hooks string) *config.Config {
	cfg := testConfig(dir, hooks)
	cfg.Resources.SnapshotTemplates[0].Renditions = []config.Size{{Width: 160}}
	return cfg
}

// victim is a running serveForKill.
type victim struct {
	t    *testing.T
	cmd  *exec.Cmd
	addr net.Addr
	ops  string // base of the URLs of health and metrics
}

// startVictim starts one by a command that is given the program as its last
// argument; by none, it is started at once.
func startVictim(t *testing.T, dir, hooks string, by ...string) *victim {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	by = append(by, program)
	v := &victim{t: t, cmd: exec.Command(by[0], by[1:]...)}
	v.cmd.Env = append(os.Environ(), roleKey+"="+roleServer, "STILLCAST_TEST_DIR="+dir, "STILLCAST_TEST_HOOKS="+hooks)
	v.cmd.Stderr = logWriter{t}
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	rtmp, ops, _ := strings.Cut(strings.TrimSpace(line), " ")
	addr, err := net.ResolveTCPAddr("tcp", rtmp)
	if err != nil {
		t.Fatal(err)
	}
	v.addr, v.ops = addr, "http://"+ops
	return v
}

// kill ends the server as a power switch would, with no chance to tidy up.
func (v *victim) kill() {
	if v.cmd.ProcessState != nil {
		return
	}
	if err := v.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		v.t.Errorf("kill the server: %v", err)
	}
	_ = v.cmd.Wait() // it says that it was killed
}

func TestKilledServerLosesNothing(t *testing.T) {
	dir := t.TempDir()
	h := newHooks(t)
	h.failNext(6) // so that the kills find events that are still owed
	source := testkit.Source{Width: 320, Height: 180, Rate: 25}
	encoding := testkit.Encoding{KeyFrames: 500 * time.Millisecond, Duration: 60 * time.Second}
	const kills = 3
	for i := range kills {
		v := startVictim(t, dir, h.URL)
		publisher := testkit.PushFFmpeg(t, pushURL(v.addr, fmt.Sprintf("s%d", i)), source, encoding)
		waitForPictures(t, dir, 2*2*(i+1))
		v.kill()
		_ = publisher.Wait() // its connection broke
	}
	// The last one is in this process, so that what is left can be asked.
	a := startApp(t, killConfig(dir, h.URL))
	if err := a.uploader.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := expectAll(t, a)
	got := map[string]arrived{}
	begins, ends := map[string]bool{}, map[string]bool{}
	for len(got) < len(want) || len(ends) < kills || len(begins) < kills {
		e := h.next()
		switch event := e.Event.(type) {
		case callback.Screenshot:
			got[e.Meta.EventID] = e // a second delivery of one event is allowed: at least once
		case callback.StreamBegin:
			begins[event.Sequence] = true
		case callback.StreamEnd:
			ends[event.Sequence] = true
		}
	}
	for id := range got {
		if !want[id] {
			t.Errorf("event %s arrived, but no shot has it", id)
		}
	}
	for id := range begins {
		if !ends[id] {
			t.Errorf("push %s has a begin but no end", id)
		}
	}
}

// expectAll demands that all pictures of every shot exist and that ids and keys
// are unique, and returns the ids of the events.
func expectAll(t *testing.T, a *App) map[string]bool {
	t.Helper()
	shots, err := a.state.Shots(t.Context(), stateAll)
	if err != nil {
		t.Fatal(err)
	}
	events, keys := map[string]bool{}, map[string]bool{}
	for _, s := range shots {
		if len(s.Renditions) != 1 {
			t.Fatalf("shot %d has %d renditions, want 1", s.ID, len(s.Renditions))
		}
		for i, size := range []int{s.Size, s.Renditions[0].Size} {
			key := s.Keys()[i]
			info, err := a.pictures.primary.Head(t.Context(), s.Bucket, key)
			if err != nil || info.Size != int64(size) {
				t.Errorf("picture of shot %d (%s): %v, %d bytes, want %d", s.ID, key, err, info.Size, size)
			}
			if keys[key] {
				t.Errorf("shot %d: key %s is not unique", s.ID, key)
			}
			keys[key] = true
		}
		if events[s.EventID] {
			t.Errorf("shot %d: event id %s is not unique", s.ID, s.EventID)
		}
		events[s.EventID] = true
	}
	if len(events) < 6 {
		t.Errorf("%d shots in all, want two or more of each of three pushes", len(events))
	}
	return events
}

// waitForPictures returns when so many pictures stand in the folder.
func waitForPictures(t *testing.T, dir string, n int) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for {
		found, err := filepath.Glob(filepath.Join(dir, "pictures", "*", "20*", "*.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) >= n {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d pictures after 30 s, want %d", len(found), n)
		}
	}
}
