package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Program is how this program is started again.
type Program struct {
	Path string   // of the file
	Name string   // what it is called as, its argument zero
	Args []string // before those of the parts of a measurement: "bench", "part"
}

// Times that processes get to end by themselves.
const (
	endTime  = 20 * time.Second // once they were asked to; serve drains for ten
	killTime = 2 * time.Second  // for their output, once they were killed
)

// process is a child that runs until it is stopped.
type process struct {
	name  string // for messages
	cmd   *exec.Cmd
	stdin io.WriteCloser // closed to end a part; nil for others
	words *tail
	ended chan struct{} // closed when the process is gone and err is set
	err   error
}

// start starts a process that ends with this one. Each line that it prints, on
// either output, goes to line, one call at a time. With input, standard input is a
// pipe whose first bytes are input.
func start(name string, cmd *exec.Cmd, input []byte, line func(string)) (*process, error) {
	p := &process{name: name, cmd: cmd, words: &tail{line: line}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.words, p.words
	cmd.WaitDelay = killTime
	// A Ctrl-C is for the parent, which ends its children in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	var err error
	if input != nil {
		if p.stdin, err = cmd.StdinPipe(); err != nil {
			return nil, fmt.Errorf("start %s: %w", name, err)
		}
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	if input != nil {
		if _, err := p.stdin.Write(input); err != nil {
			return nil, errors.Join(fmt.Errorf("give %s its order: %w", name, err), p.stop())
		}
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop asks the process to end and waits for it; one that does not is killed.
func (p *process) stop() error {
	if p.stdin != nil {
		_ = p.stdin.Close() // fails when the process is gone
	} else {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // as above
	}
	timer := time.NewTimer(endTime)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		_ = p.cmd.Process.Kill() // it may end just now
		<-p.ended
		return fmt.Errorf("%s did not end within %s and was killed", p.name, endTime)
	}
	if p.err != nil {
		return p.died()
	}
	return nil
}

// died says how the process ended, with its last words. It has ended.
func (p *process) died() error {
	said := p.words.String()
	if said != "" {
		said = "; its last words:\n" + said
	}
	return fmt.Errorf("%s ended: %s%s", p.name, p.cmd.ProcessState, said)
}

// await waits until ready is closed; for no longer than patience, and not when the
// process or ctx ends.
func (p *process) await(ctx context.Context, ready <-chan struct{}, patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ready:
		return nil
	case <-p.ended:
		return p.died()
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return fmt.Errorf("%s was not ready after %s; its last words:\n%s", p.name, patience, p.words)
	}
}

// tail hands on lines and keeps the last ones.
type tail struct {
	line func(string)

	mu   sync.Mutex
	rest []byte // of a line that has not ended
	last []string
}

const (
	tailLines   = 8
	longestLine = 64 << 10
)

// Write implements io.Writer and never fails.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest = append(t.rest, b...)
	for {
		line, rest, whole := bytes.Cut(t.rest, []byte("\n"))
		if !whole {
			break
		}
		t.keep(string(line))
		t.rest = append(t.rest[:0], rest...)
	}
	if len(t.rest) > longestLine {
		t.rest = t.rest[:0]
	}
	return len(b), nil
}

func (t *tail) keep(line string) {
	t.last = append(t.last, line)
	t.last = t.last[max(0, len(t.last)-tailLines):]
	if t.line != nil {
		t.line(line)
	}
}

// String returns the last lines, and what was said after them.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.Join(append(slices.Clip(t.last), string(t.rest)), "\n"))
}
