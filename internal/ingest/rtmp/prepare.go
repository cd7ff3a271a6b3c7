package rtmp

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"

	"github.com/pires/go-proxyproto"

	"github.com/stillcast/stillcast"
)

// prepare does what comes before the first byte of RTMP: a trusted proxy says
// whom it speaks for, the address is counted, and TLS is set up. All of it has
// the time of the handshake.
func (c *conn) prepare() *closing {
	if c.fromProxy() {
		if why := c.readProxyHeader(); why != nil {
			return why
		}
	}
	if c.enter != nil {
		if why := c.enter(c); why != nil {
			return why
		}
	}
	if c.tls != nil {
		return c.shakeTLS()
	}
	return nil
}

// fromProxy says whether the connection comes from a network of trusted proxies.
func (c *conn) fromProxy() bool {
	peer := c.session.remote.Addr().WithZone("")
	for _, network := range c.session.cfg.TrustedProxies {
		if network.Contains(peer) {
			return true
		}
	}
	return false
}

// proxyBuffer is read at once of what a proxy sends; a usual header fits into it.
const proxyBuffer = 256

// readProxyHeader takes the publisher's address from the PROXY header, version 1
// or 2, which a trusted proxy must send (HAProxy, "The PROXY protocol"). What was
// read after it is kept in early.
func (c *conn) readProxyHeader() *closing {
	if why := c.arm(); why != nil {
		return why
	}
	r := bufio.NewReaderSize(c.net, proxyBuffer)
	proxy := c.session.remote
	if _, err := r.Peek(1); errors.Is(err, io.EOF) {
		return c.session.closedByPeer(nil) // a load balancer looks whether somebody listens
	}
	err := waitForLine(r)
	var header *proxyproto.Header
	if err == nil {
		header, err = proxyproto.Read(r)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return closeWith(reasonSlow, stillcast.EndNoData, fmt.Sprintf("no PROXY header within %s", c.session.cfg.HandshakeTimeout))
	case err != nil:
		return closeWith(reasonProxy, stillcast.EndRefused, fmt.Sprintf("no PROXY header from the trusted proxy %s: %v", proxy.Addr(), err))
	}
	if rest := r.Buffered(); rest > 0 {
		c.early, _ = r.Peek(rest)
	}
	return c.takeAddress(header)
}

// waitForLine waits until the line of a header of version 1 is there, which is read
// in one go and may come in pieces.
func waitForLine(r *bufio.Reader) error {
	const longest = 107 // bytes, with its end
	for n := 1; n <= longest; n = r.Buffered() + 1 {
		if _, err := r.Peek(n); err != nil {
			return err
		}
		b, err := r.Peek(r.Buffered())
		if err != nil || b[0] != 'P' || bytes.IndexByte(b, '\n') >= 0 {
			return err
		}
	}
	return nil
}

// takeAddress makes the address in a PROXY header the publisher's. A proxy that
// speaks for itself, as in a health check, or does not know, says LOCAL or
// UNKNOWN: then it is the publisher.
func (c *conn) takeAddress(h *proxyproto.Header) *closing {
	if h.Command.IsLocal() || h.TransportProtocol.IsUnspec() {
		return nil
	}
	source, _, ok := h.TCPAddrs()
	if !ok {
		return closeWith(reasonProxy, stillcast.EndRefused, "the PROXY header is not for a TCP connection")
	}
	proxy := c.session.remote
	c.session.setRemote(addrPort(source))
	c.session.log = c.session.log.With(slog.String("proxy", proxy.String()))
	return nil
}

// shakeTLS sets up TLS. From then on c.io is the encrypted connection.
func (c *conn) shakeTLS() *closing {
	if why := c.arm(); why != nil {
		return why
	}
	deadline := c.started.Add(c.session.cfg.HandshakeTimeout)
	if err := c.net.SetWriteDeadline(deadline); err != nil {
		return c.session.closedByPeer(err)
	}
	under := c.net
	if len(c.early) > 0 {
		under = &earlyConn{Conn: c.net, early: c.early}
		c.early = nil
	}
	t := tls.Server(under, c.tls)
	if err := t.Handshake(); err != nil { //nolint:noctx // bounded by the deadlines
		return c.tlsError(err)
	}
	c.io, c.source = t, newTLSSource(t, c.net)
	if c.session.cfg.PlainReads {
		c.source = newPlainSource(t)
	}
	return nil
}

func (c *conn) tlsError(err error) *closing {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return closeWith(reasonSlow, stillcast.EndNoData, fmt.Sprintf("no TLS handshake within %s", c.session.cfg.HandshakeTimeout))
	case errors.Is(err, io.EOF):
		return c.session.closedByPeer(nil)
	}
	return closeWith(reasonTLS, stillcast.EndRefused, "no TLS handshake: "+cause(err).Error())
}

// earlyConn is a connection of which some bytes were read already.
type earlyConn struct {
	net.Conn
	early []byte
}

func (e *earlyConn) Read(p []byte) (int, error) {
	if len(e.early) == 0 {
		return e.Conn.Read(p)
	}
	n := copy(p, e.early)
	e.early = e.early[n:]
	return n, nil
}
