package rtmp

import (
	"errors"
	"io"
	"net"
	"sync"
)

// Sizes of read buffers, in bytes.
const (
	smallBufferSize = 4 << 10     // taken for one read at a time: handshake and commands fit into it
	largeBufferSize = maxLowWater // likewise, by a connection that filled a small one
	ownBufferSize   = 16 << 10    // held by a connection that cannot share one
)

// source reads a connection. The bytes that next returns are valid until done.
type source interface {
	next() ([]byte, error)
	done()
	// lowWater makes next wait until so many bytes are there, the end of the
	// connection or the read deadline; 1 for any. It returns an error where that
	// is not possible; next then waits for any byte.
	lowWater(bytes int) error
}

// buffers are the read buffers that connections share: an idle one holds none. A
// connection keeps its buffer while it obeys a command, which may wait for others,
// so those of the many that begin at once are small.
type buffers struct{ small, large sync.Pool } // of *[]byte

func (b *buffers) get(large bool) *[]byte {
	pool, size := &b.small, smallBufferSize
	if large {
		pool, size = &b.large, largeBufferSize
	}
	if buf, ok := pool.Get().(*[]byte); ok {
		return buf
	}
	buf := make([]byte, size)
	return &buf
}

func (b *buffers) put(buf *[]byte) {
	if len(*buf) == smallBufferSize {
		b.small.Put(buf)
		return
	}
	b.large.Put(buf)
}

// plainSource reads any connection, with a buffer of its own.
type plainSource struct {
	conn net.Conn
	buf  []byte
}

func newPlainSource(c net.Conn) *plainSource {
	return &plainSource{conn: c, buf: make([]byte, ownBufferSize)}
}

func (s *plainSource) next() ([]byte, error) {
	n, err := s.conn.Read(s.buf)
	switch {
	case n > 0:
		return s.buf[:n], nil // the error, if there is one, comes again
	case err == nil:
		return nil, io.ErrNoProgress
	}
	return nil, err
}

func (s *plainSource) done() {}

func (s *plainSource) lowWater(int) error { return errors.ErrUnsupported }
