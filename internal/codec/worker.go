package codec

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/stillcast/stillcast/internal/codec/av"
)

// What a worker gets as exec.Cmd's ExtraFiles.
const (
	workerFD = 3 // its end of the socket pair
	lifeFD   = 4 // the end for reading of a pipe on which nothing ever comes but the end
)

const startedByItself = "this command is started by Stillcast itself"

// RunWorker is the worker process. It talks to the pool that started it over
// file descriptor 3 and returns when the pool closes that or number 4, which is how a worker ends
// with its parent, however that ended. The caller must then end the process at
// once: a shot may still be running in C, and nothing is closed.
func RunWorker() error {
	// A Ctrl-C goes to the whole process group, but the parent finishes its shots first.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)

	// Both before the worker is confined: a number is made a file, and the poller of Go's runtime set up, by calls that
	// it may not make afterwards.
	socket := parentSocket()
	life, err := parentLife()
	if err != nil {
		return fmt.Errorf("open the pipe of the pool (%s): %w", startedByItself, err)
	}
	most, err := readSetup(socket)
	if err != nil {
		return fmt.Errorf("read setup (%s): %w", startedByItself, err)
	}
	av.Setup()
	box, err := confine(most)
	if err != nil {
		return fmt.Errorf("confine the worker: %w", err)
	}
	if _, err := socket.Write(appendHello(nil, box)); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	ended := make(chan error, 2) // room for both
	go func() { ended <- serve(socket, most) }()
	go func() { ended <- watchParent(life) }()
	return <-ended
}

// parentSocket is the socket of the pool. Its reads and writes block their thread: the poller of Go's runtime
// would take several system calls more for each shot.
func parentSocket() *os.File { return os.NewFile(workerFD, "codec socket") }

// parentLife is the pipe whose end is that of the pool. It is waited for by the poller.
func parentLife() (*os.File, error) {
	if err := syscall.SetNonblock(lifeFD, true); err != nil {
		return nil, err
	}
	return os.NewFile(lifeFD, "life of the pool"), nil
}

// watchParent returns when the pool has closed its end of the pipe, so that the end of
// the parent is seen during a shot, too.
func watchParent(life *os.File) error {
	if _, err := life.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("watch the life of the pool: %w", err)
	}
	return nil
}

// keptRoom is the largest room for a request that is kept for the next one: most are one key frame.
const keptRoom = 2 << 20

// serve reads and answers one request after the other.
func serve(socket *os.File, l limits) error {
	var room []byte // of a request, to be used again
	for {
		r, body, err := readRequest(room, socket, l)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
			return nil
		case err != nil:
			return fmt.Errorf("read request: %w", err)
		}
		var message net.Buffers
		if result, err := shoot(r, l.pixels); err != nil {
			message = net.Buffers{appendFailure(nil, err)}
		} else {
			message = result.buffers()
		}
		_, err = message.WriteTo(socket)
		switch {
		case errors.Is(err, syscall.EPIPE):
			return nil
		case err != nil:
			return fmt.Errorf("write answer: %w", err)
		}
		if room = body; cap(room) > keptRoom {
			room = nil
		}
	}
}
