//go:build unix

package rtmp

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// newSource returns how c is read: with a shared buffer where c is a socket.
func newSource(c net.Conn, shared *buffers) source {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return newPlainSource(c)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return newPlainSource(c)
	}
	s := &socketSource{raw: raw, shared: shared}
	s.try, s.control = s.attempt, s.setMark
	return s
}

// socketSource takes a buffer only while there is something to read.
type socketSource struct {
	raw    syscall.RawConn
	shared *buffers
	// attempt and setMark, made once
	try     func(fd uintptr) bool
	control func(fd uintptr)

	buf *[]byte // nil between done and next
	n   int
	err error

	mark    int
	markErr error
}

func (s *socketSource) next() ([]byte, error) {
	s.n, s.err = 0, nil
	err := s.raw.Read(s.try)
	switch {
	case err != nil:
	case s.err != nil:
		err = os.NewSyscallError("read", s.err)
	case s.n == 0:
		err = io.EOF
	default:
		return (*s.buf)[:s.n], nil
	}
	s.done()
	return nil, err
}

func (s *socketSource) done() {
	if s.buf != nil {
		s.shared.put(s.buf)
		s.buf = nil
	}
}

// attempt reads once; false makes the runtime wait until there is something.
func (s *socketSource) attempt(fd uintptr) bool {
	s.buf = s.shared.get()
	for {
		s.n, s.err = syscall.Read(int(fd), *s.buf) //nolint:gosec // a file descriptor
		if !errors.Is(s.err, syscall.EINTR) {
			break
		}
	}
	if !errors.Is(s.err, syscall.EAGAIN) {
		return true
	}
	s.done()
	return false
}

func (s *socketSource) lowWater(bytes int) error {
	s.mark = bytes
	if err := s.raw.Control(s.control); err != nil {
		return err
	}
	return s.markErr
}

func (s *socketSource) setMark(fd uintptr) { s.markErr = setLowWater(fd, s.mark) }
