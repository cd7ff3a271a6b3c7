package api

import (
	"io"
	"net"
)

// readConn gives what it has in pieces.
type readConn struct {
	net.Conn
	left []byte
	size int
}

func (c *readConn) Read(b []byte) (int, error) {
	if len(c.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.left[:min(c.size, len(c.left))])
	c.left = c.left[n:]
	return n, nil
}
