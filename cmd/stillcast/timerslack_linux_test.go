package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestServeHasATimerSlack: the process that was started is the one that serves, and
// each of its threads, the runtime's monitor among them, may be woken late.
func TestServeHasATimerSlack(t *testing.T) {
	configuration := filepath.Join(t.TempDir(), "stillcast.yaml")
	text := fmt.Sprintf("data_dir: %s\nlisten: {rtmp: 127.0.0.1:0, http: 127.0.0.1:0, ops: 127.0.0.1:0}\n", t.TempDir())
	if err := os.WriteFile(configuration, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "stillcast", "serve", "--config", configuration)
	cmd.Env = append(os.Environ(), noExitDelay)
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() && !strings.Contains(lines.Text(), "msg=serving") {
	}
	slacks := map[string]int{}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", cmd.Process.Pid))
	if err != nil || len(tasks) == 0 {
		t.Errorf("no threads of process %d (%v)", cmd.Process.Pid, err)
	}
	for _, task := range tasks {
		slack, err := os.ReadFile("/proc/" + filepath.Base(task) + "/timerslack_ns")
		switch {
		case errors.Is(err, syscall.EPERM):
			t.Log("who is not root may not read the timer slack of another process")
		case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ESRCH): // it has ended
		case err != nil:
			t.Error(err)
		default:
			slacks[strings.TrimSpace(string(slack))]++
		}
	}
	want := fmt.Sprint(serverTimerSlack.Nanoseconds())
	if n := slacks[want]; len(slacks) > 0 && (n < 2 || len(slacks) != 1) {
		t.Errorf("threads for each timer slack: %v, want all with %s", slacks, want)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	for lines.Scan() { // to its end
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
