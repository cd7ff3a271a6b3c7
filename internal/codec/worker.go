package codec

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/stillcast/stillcast/internal/codec/av"
)

// workerFD is the worker's end of the socket pair: the first of exec.Cmd's ExtraFiles.
const workerFD = 3

// RunWorker is the worker process. It talks to the pool that started it over
// file descriptor 3 and returns when the pool closes that, which is how a worker ends
// with its parent, however that ended. The caller must then end the process at
// once: a shot may still be running in C.
func RunWorker() error {
	// A Ctrl-C goes to the whole process group, but the parent finishes its shots first.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)

	conn, err := parentConn()
	if err != nil {
		return fmt.Errorf("open the socket of the pool (this command is started by Stillcast itself): %w", err)
	}
	defer conn.Close()
	w := &worker{conn: conn, in: bufio.NewReaderSize(conn, readerSize)}
	if w.limits, err = readSetup(w.in); err != nil {
		return fmt.Errorf("read setup: %w", err)
	}
	av.Setup()
	box, err := confine(w.limits)
	if err != nil {
		return fmt.Errorf("confine the worker: %w", err)
	}
	if _, err := conn.Write(appendHello(nil, box)); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	return w.serve()
}

func parentConn() (net.Conn, error) {
	file := os.NewFile(workerFD, "codec socket")
	conn, err := net.FileConn(file) // a duplicate
	if closeErr := file.Close(); err == nil && closeErr != nil {
		conn.Close()
		return nil, closeErr
	}
	return conn, err
}

// readerSize keeps the small reads of heads together; bodies are read past it.
const readerSize = 512

type worker struct {
	conn   net.Conn
	in     *bufio.Reader
	limits limits
	busy   atomic.Bool // a request was read and not answered yet
}

// serve reads requests while another goroutine makes the shots, so that the end of the
// parent is seen during a shot too.
func (w *worker) serve() error {
	requests := make(chan *Request)
	ended := make(chan error, 1)
	go func() { ended <- w.work(requests) }()
	for {
		r, err := readRequest(w.in, w.limits)
		if err != nil {
			return w.end(err, requests, ended)
		}
		w.busy.Store(true)
		select {
		case requests <- r:
		case err := <-ended:
			return err
		}
	}
}

// end waits for the other goroutine unless that is in C, where it may be for
// ever; the end of the process stops it.
func (w *worker) end(err error, requests chan<- *Request, ended <-chan error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		err = nil
	} else {
		err = fmt.Errorf("read request: %w", err)
	}
	if w.busy.Load() {
		return err
	}
	close(requests)
	return errors.Join(err, <-ended)
}

func (w *worker) work(requests <-chan *Request) error {
	for r := range requests {
		var message net.Buffers
		if result, err := shoot(r, w.limits.pixels); err != nil {
			message = net.Buffers{appendFailure(nil, err)}
		} else {
			message = result.buffers()
		}
		w.busy.Store(false)
		if _, err := message.WriteTo(w.conn); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
	}
	return nil
}
