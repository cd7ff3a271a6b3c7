//go:build !unix

package rtmp

import "net"

// newSource returns how c is read.
func newSource(c net.Conn, _ *buffers) source { return newPlainSource(c) }

// newTLSSource returns how the TLS connection c is read.
func newTLSSource(c, _ net.Conn) source { return newPlainSource(c) }
