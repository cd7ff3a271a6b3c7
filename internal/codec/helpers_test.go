package codec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func testBinary(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// cpuTicks is the processor time of a process, in hundredths of a second.
func cpuTicks(t testing.TB, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	// The fields after the name, which stands in brackets (proc(5)).
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	ticks := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(string(field))
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return ticks
}

// waitWorking waits until a worker has worked for a while on what it was given.
// There is no other sign of what goes on in C than the time that it takes.
func waitWorking(t testing.TB, pid int, since int) {
	t.Helper()
	const enough = 6
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for cpuTicks(t, pid) < since+enough {
		select {
		case <-ticker.C:
		case <-t.Context().Done():
			t.Fatal("the worker does not work")
		}
	}
}

// logged is a log handler that hands on the messages.
type logged chan string

func (logged) Enabled(context.Context, slog.Level) bool { return true }

func (l logged) Handle(_ context.Context, r slog.Record) error {
	select {
	case l <- r.Message:
	default: // nobody waits for so many
	}
	return nil
}

func (l logged) WithAttrs([]slog.Attr) slog.Handler { return l }

func (l logged) WithGroup(string) slog.Handler { return l }

func (l logged) wait(t testing.TB, message string) {
	t.Helper()
	for {
		select {
		case got := <-l:
			if got == message {
				return
			}
		case <-t.Context().Done():
			t.Fatalf("%q was not logged", message)
		}
	}
}

func testCommand(t testing.TB, env ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), testBinary(t))
	command.Env = env
	return command
}

func wantError(t testing.TB, err, want error, text string) {
	t.Helper()
	if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
		t.Errorf("error is %v, wanted %v with %q", err, want, text)
	}
}
