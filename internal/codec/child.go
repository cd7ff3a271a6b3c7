package codec

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Program says how to start a worker: a program that calls [RunWorker].
type Program struct {
	Path string
	Args []string // without the program's name
	// Env is the whole environment but for LD_LIBRARY_PATH. The parent's own
	// is not handed on, as there may be secrets in it.
	Env []string
}

// helloTimeout is how long a worker may take from its start to its hello: tens
// of milliseconds where nothing else runs.
const helloTimeout = 15 * time.Second

// child is a worker process as the pool sees it. It has one owner.
type child struct {
	cmd    *exec.Cmd
	conn   net.Conn
	life   *os.File // its end tells the worker that of the pool, even during a shot
	in     *bufio.Reader
	stderr *words
	exited chan struct{} // closed when the process was waited for
	shots  int
	usage  usage   // after the last shot
	box    sandbox // as the worker says, before it met anything from outside
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// startChild starts a worker and waits until it has said hello. A worker without
// a sandbox is an error unless it is allowed.
func startChild(ctx context.Context, program Program, l limits, allowUnsandboxed bool) (*child, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, fmt.Errorf("make a socket pair for a worker: %w", err)
	}
	watched, life, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a pipe for a worker: %w", err), ours.Close(), theirs.Close())
	}
	c := &child{conn: ours, life: life, in: bufio.NewReaderSize(ours, readerSize), stderr: &words{}, exited: make(chan struct{})}
	// Not CommandContext: ctx is that of the start, the worker outlives it.
	c.cmd = exec.Command(program.Path, program.Args...) //nolint:noctx // see above
	c.cmd.Env = append([]string{}, program.Env...)
	if path, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok {
		c.cmd.Env = append(c.cmd.Env, "LD_LIBRARY_PATH="+path)
	}
	c.cmd.ExtraFiles = []*os.File{theirs, watched}
	c.cmd.Stderr = c.stderr
	c.cmd.WaitDelay = time.Second // for standard error, in case that another process got hold of it
	err = startWorker(c.cmd)
	// The worker must hold the only copy, or its end would not be the end of the stream.
	_ = errors.Join(theirs.Close(), watched.Close()) // nothing was written
	if err != nil {
		c.hangUp()
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	go func() {
		// How it ended is in ProcessState.
		_ = c.cmd.Wait()
		close(c.exited)
	}()
	if err := c.greet(ctx, l); err != nil {
		c.kill()
		return nil, fmt.Errorf("start a worker (%s): %w", c.end(), err)
	}
	if err := c.box.check(); err != nil && !allowUnsandboxed {
		c.kill()
		return nil, fmt.Errorf("%w; codec.allow_unsandboxed: true goes on without", err)
	}
	return c, nil
}

func (c *child) greet(ctx context.Context, l limits) error {
	if err := c.conn.SetDeadline(time.Now().Add(helloTimeout)); err != nil {
		return fmt.Errorf("set a deadline: %w", err)
	}
	stop := c.interruptBy(ctx)
	defer stop()
	err := c.introduce(l)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// introduce tells the worker its limits and takes its hello.
func (c *child) introduce(l limits) (err error) {
	if _, err := c.conn.Write(appendSetup(nil, l)); err != nil {
		return fmt.Errorf("write setup: %w", err)
	}
	c.box, err = readHello(c.in)
	return err
}

// interruptBy makes reads and writes fail once ctx ends. The caller calls stop before
// it sets another deadline.
func (c *child) interruptBy(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		_ = c.conn.SetDeadline(time.Unix(1, 0)) // fails on a closed connection only
	})
}

// kill ends the process, if it has not ended, and waits for it.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // fails when the process has ended
	<-c.exited
	c.hangUp()
}

func (c *child) hangUp() {
	_ = errors.Join(c.conn.Close(), c.life.Close()) // all that had to be written was answered
}

// retire lets an idle worker end by itself and waits for it, killing it if need be.
func (c *child) retire() {
	c.hangUp()
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-c.exited:
	case <-timer.C:
		c.kill()
	}
}

// end says how the process ended, for people. It has ended.
func (c *child) end() string {
	text := c.cmd.ProcessState.String()
	if said := c.stderr.String(); said != "" {
		text += ", last words: " + said
	}
	return text
}

// Of the sockets between pool and worker.
const (
	// readerSize keeps the small reads of heads together; bodies are read past it.
	readerSize = 512
	// sendBuffer is the size of what a socket takes at once, in bytes: the default maximum of Linux (socket(7), wmem_max),
	// which counts twice that. Key frames and pictures of usual size go in one piece.
	sendBuffer = 208 << 10
	// wholeMessages lets the worker's reads wait until they have all that they ask for.
	wholeMessages = math.MaxInt32
)

// socketPair makes a pair of connected stream sockets, ours for the poller.
func socketPair() (ours net.Conn, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(pair[0])
		syscall.CloseOnExec(pair[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	// Without these it works too, with more calls.
	_ = syscall.SetsockoptInt(pair[0], syscall.SOL_SOCKET, syscall.SO_SNDBUF, sendBuffer)
	_ = syscall.SetsockoptInt(pair[1], syscall.SOL_SOCKET, syscall.SO_SNDBUF, sendBuffer)
	_ = syscall.SetsockoptInt(pair[1], syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, wholeMessages)
	theirs = os.NewFile(uintptr(pair[1]), "worker socket")
	file := os.NewFile(uintptr(pair[0]), "pool socket")
	ours, err = net.FileConn(file) // a duplicate
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return ours, theirs, nil
}

// isGone reports whether err says that the other end of the socket is closed.
func isGone(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}
