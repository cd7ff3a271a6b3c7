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
	raw := rawConn(c)
	if raw == nil {
		return newPlainSource(c)
	}
	s := &socketSource{raw: raw, shared: shared, water: newWaterMark(raw)}
	s.try = s.attempt
	return s
}

func rawConn(c net.Conn) syscall.RawConn {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// socketSource takes a buffer only while there is something to read.
type socketSource struct {
	raw    syscall.RawConn
	shared *buffers
	try    func(fd uintptr) bool // attempt, made once
	water  *waterMark

	buf   *[]byte // nil between done and next
	large bool    // a small one was filled
	n     int
	err   error
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
	s.buf = s.shared.get(s.large)
	for {
		s.n, s.err = syscall.Read(int(fd), *s.buf) //nolint:gosec // a file descriptor
		if !errors.Is(s.err, syscall.EINTR) {
			break
		}
	}
	if !errors.Is(s.err, syscall.EAGAIN) {
		s.large = s.large || s.n == len(*s.buf)
		return true
	}
	s.done()
	return false
}

func (s *socketSource) lowWater(bytes int) error { return s.water.set(bytes) }

// tlsSource reads a TLS connection, whose socket has the low-water mark.
type tlsSource struct {
	*plainSource
	water *waterMark
}

// newTLSSource returns how the TLS connection c over the socket is read.
func newTLSSource(c, socket net.Conn) source {
	plain := newPlainSource(c)
	raw := rawConn(socket)
	if raw == nil {
		return plain
	}
	return &tlsSource{plainSource: plain, water: newWaterMark(raw)}
}

// tlsRecord is the most that may have been read of a TLS record that is not whole
// yet: 16 KiB and what encryption adds (RFC 8446, section 5.2).
const tlsRecord = 16<<10 + 256 + 5

// lowWater waits for less than it is asked for: some of that may have left the
// socket already, as the begin of a record.
func (s *tlsSource) lowWater(bytes int) error { return s.water.set(max(1, bytes-tlsRecord)) }

// waterMark is the low-water mark of a socket.
type waterMark struct {
	raw     syscall.RawConn
	control func(fd uintptr) // made once
	mark    int
	err     error
}

func newWaterMark(raw syscall.RawConn) *waterMark {
	w := &waterMark{raw: raw}
	w.control = func(fd uintptr) { w.err = setLowWater(fd, w.mark) }
	return w
}

func (w *waterMark) set(bytes int) error {
	w.mark = bytes
	if err := w.raw.Control(w.control); err != nil {
		return err
	}
	return w.err
}
