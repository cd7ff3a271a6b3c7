package testkit

import (
	"bytes"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// Process is a program that a test started. It is killed and waited for when
// the test ends; if the test failed by then, what the program said on standard
// error is logged.
type Process struct {
	// Cmd is the running command; do not call its Wait.
	Cmd *exec.Cmd
	// Started is when the program was started. A publisher needs a few hundred
	// milliseconds from here to its first frame, and ffmpeg since 6.1 sends the
	// first half second at once: tests of times read a [StripClock] instead.
	Started time.Time

	said *tail
	done chan struct{} // closed after err is set
	err  error
}

// Start runs a program for the length of a test.
func Start(t testing.TB, name string, args ...string) *Process {
	t.Helper()
	return start(t, exec.Command(name, args...)) //nolint:noctx // see start
}

// start runs a command that is not bound to t.Context: that ends before the
// clean-up functions run, and the test may want a clean stop there.
func start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Cmd: cmd, said: &tail{}, done: make(chan struct{})}
	p.Cmd.Stderr = p.said
	p.Started = time.Now()
	if err := p.Cmd.Start(); err != nil {
		t.Fatalf("starting %s (scripts/setup.sh test installs it): %v", cmd.Args[0], err)
	}
	go func() {
		p.err = p.Cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s ended with %v and said:\n%s", p.Cmd, p.err, p.Said())
		}
	})
	return p
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the end of the program; the error is that of [exec.Cmd.Wait].
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Interrupt asks the program to end in order, as Ctrl-C does, and waits for it.
// A publisher then tells the server that the push is over.
func (p *Process) Interrupt() {
	_ = p.Cmd.Process.Signal(os.Interrupt) // It may have ended by itself.
	<-p.done
}

// Kill ends the program at once and waits for it: to a server, a publisher whose connection broke.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill() // It may have ended by itself.
	<-p.done
}

// Said is the end of what the program wrote to standard error so far, 64 KB at most.
func (p *Process) Said() string { return p.said.String() }

const tailBytes = 64 << 10

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

func (w *tail) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept.Write(b)
	if surplus := w.kept.Len() - tailBytes; surplus > 0 {
		w.kept.Next(surplus)
	}
	return len(b), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kept.String()
}
