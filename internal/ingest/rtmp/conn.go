package rtmp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/stillcast/stillcast"
)

const (
	// writeTimeout bounds how long a publisher may take to read our answers,
	// which fit into any socket buffer.
	writeTimeout = 5 * time.Second
	// lingerTimeout is how long a refused publisher may take to read why: a
	// connection closed with unread bytes is reset, and the reason lost.
	lingerTimeout = time.Second
	// keptOut is the largest output buffer in bytes that a connection keeps.
	keptOut = 1 << 10
)

// conn serves one connection.
type conn struct {
	net     net.Conn // the socket
	io      net.Conn // what answers go to: the socket, or TLS over it
	source  source
	session *session
	tls     *tls.Config          // nil for plain RTMP
	enter   func(*conn) *closing // counts the publisher's address; nil for tests
	early   []byte               // bytes that were read before there was a source

	// Under the server's lock.
	refused bool         // it is only told why it is refused
	counted netip.Prefix // its address, where that is counted

	started  time.Time
	since    time.Time // when the handshake was done, then when the connect command was there
	step     step
	lastByte time.Time
	armed    time.Time // the read deadline that is set
	pace     pace
	meter    meter

	mu      sync.Mutex
	stopped *closing // set from outside, see stop
	watched bool     // stop is called when the server wants the push to end
}

func newConn(ctx context.Context, c net.Conn, sh *shared, bufs *buffers) *conn {
	now := time.Now()
	nc := &conn{
		net: c, io: c,
		session: newSession(ctx, sh, addrPort(c.RemoteAddr()), addrPort(c.LocalAddr())),
		started: now, lastByte: now,
	}
	if sh.cfg.PlainReads {
		nc.source = newPlainSource(c)
	} else {
		nc.source = newSource(c, bufs)
	}
	return nc
}

// addrPort returns the zero value for what has no address: unix sockets.
func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := tcp.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// serve serves the connection to its end. Whatever goes wrong in here costs
// this connection only.
func (c *conn) serve() {
	defer c.net.Close()
	why := c.guarded(c.prepare)
	if why == nil {
		why = c.guarded(c.loop)
	}
	c.source.done()
	c.hold(why.delay)
	if r := c.session.refusal; r != nil && why.reason != r.reason {
		// It left before it could be told.
		why = closeWith(r.reason, why.end.Code, r.end.Message+"; "+why.end.Message)
	}
	live := c.session.push != nil
	if again := c.guarded(func() *closing { c.session.finish(why); return nil }); again != nil {
		why = again
	}
	c.report(why, live)
	c.farewell(why)
}

// guarded calls f and turns a panic into a closing.
func (c *conn) guarded(f func() *closing) (why *closing) {
	defer func() {
		if p := recover(); p != nil {
			c.session.log.Error("connection handler panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			why = closeWith(reasonPanicking, stillcast.EndInterrupted, "internal error")
		}
	}()
	return f()
}

// loop reads and answers until the connection is to be closed.
func (c *conn) loop() *closing {
	for {
		if why := c.arm(); why != nil {
			return why
		}
		data, err := c.read()
		if err != nil {
			if why := c.readError(err); why != nil {
				return why
			}
			continue
		}
		c.lastByte = time.Now()
		n := len(data)
		err = c.session.feed(data)
		c.session.metrics.add(n, &c.session.counts)
		c.source.done()
		if err != nil {
			return closingOf(err)
		}
		if err := c.flush(); err != nil {
			return c.session.closedByPeer(err)
		}
		if why := c.measure(n); why != nil {
			return why
		}
		c.watch()
		c.adjust(n)
	}
}

// read returns the next bytes, which are valid until the source's done.
func (c *conn) read() ([]byte, error) {
	if len(c.early) > 0 {
		data := c.early
		c.early = nil
		return data, nil
	}
	return c.source.next()
}

// deadline is when the connection is closed unless more bytes come or it gets
// further.
func (c *conn) deadline() time.Time {
	cfg := &c.session.cfg
	if now := c.session.step(); now != c.step {
		c.step, c.since = now, c.lastByte
	}
	switch c.step {
	case stepPush:
		return c.lastByte.Add(cfg.IdleTimeout)
	case stepHandshake:
		return c.started.Add(cfg.HandshakeTimeout)
	case stepConnect:
		return c.since.Add(cfg.ConnectTimeout)
	}
	return c.since.Add(cfg.PublishTimeout)
}

// arm sets the read deadline, unless the connection was stopped meanwhile. For
// a push that sends all the time it sets it now and then only: readError looks
// at what time it really is.
func (c *conn) arm() *closing {
	deadline, slack := c.deadline(), c.session.cfg.IdleTimeout/16
	if c.pace.ever {
		wake := min(pacedWake, c.session.cfg.IdleTimeout/4)
		if paced := time.Now().Add(wake); paced.Before(deadline) {
			deadline, slack = paced, wake/2
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped != nil {
		return c.stopped
	}
	if late := deadline.Sub(c.armed); late >= 0 && late < slack && !c.armed.IsZero() {
		return nil
	}
	c.armed = deadline
	if err := c.net.SetReadDeadline(deadline); err != nil {
		return c.session.closedByPeer(err)
	}
	return nil
}

// readError says what a failed read means; nil to go on.
func (c *conn) readError(err error) *closing {
	switch {
	case errors.Is(err, io.EOF):
		return c.session.closedByPeer(nil)
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return c.session.closedByPeer(err)
	}
	if time.Now().Before(c.deadline()) {
		c.armed = time.Time{}
		return nil // stopped, bytes came since the deadline was set, or time to read what is there: arm tells
	}
	cfg := &c.session.cfg
	switch c.session.step() {
	case stepPush:
		return closeWith(reasonNoData, stillcast.EndNoData, fmt.Sprintf("nothing received for %s", cfg.IdleTimeout)).telling(statusPublishFailed)
	case stepHandshake:
		return closeWith(reasonSlow, stillcast.EndNoData, fmt.Sprintf("no RTMP handshake within %s", cfg.HandshakeTimeout))
	case stepConnect:
		return closeWith(reasonSlow, stillcast.EndNoData, fmt.Sprintf("no connect command within %s", cfg.ConnectTimeout))
	}
	return closeWith(reasonSlow, stillcast.EndNoData, fmt.Sprintf("no publish command within %s", cfg.PublishTimeout)).telling(statusPublishFailed)
}

// stop makes the loop end with why, from another goroutine. The first one
// counts.
func (c *conn) stop(why *closing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped == nil {
		c.stopped = why
	}
	// Wakes the read; when that fails, the connection is closed and it woke up.
	c.net.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // see above
}

// watch listens for the server's wish to end the push, from when it began.
func (c *conn) watch() {
	if c.session.push == nil || c.watched {
		return
	}
	c.watched = true
	c.session.push.OnStop(func(end stillcast.PushEnd) {
		c.stop(&closing{reason: reasonEnded, status: statusUnpublish, end: end})
	})
}

// flush sends what the session answered.
func (c *conn) flush() error {
	out := &c.session.out
	if out.Len() == 0 {
		return nil
	}
	if err := c.net.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return fmt.Errorf("set write deadline: %w", err)
	}
	_, err := out.WriteTo(c.io)
	if out.Cap() > keptOut {
		*out = bytes.Buffer{}
	}
	if err != nil {
		return fmt.Errorf("answer publisher: %w", err)
	}
	return nil
}

// farewell sends the last answer. A publisher that was told something gets the
// time to read it: the sending half is closed, and what it still sends is read
// until it closes its own.
func (c *conn) farewell(why *closing) {
	if err := c.flush(); err != nil || why.status == "" && !why.told || !c.session.connected {
		return
	}
	half, ok := c.io.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	if c.net.SetReadDeadline(time.Now().Add(lingerTimeout)) != nil {
		return
	}
	for {
		if _, err := c.source.next(); err != nil {
			return
		}
		c.source.done()
	}
}

// hold lets a refused publisher wait for its answer. What it sends meanwhile is
// thrown away; when it closes the connection, or the server does, that is the end.
func (c *conn) hold(delay time.Duration) {
	if delay == 0 {
		return
	}
	until := time.Now().Add(delay)
	for c.wakeAt(until) {
		if _, err := c.source.next(); err != nil {
			return
		}
		c.source.done()
	}
}

// wakeAt sets the read deadline; false when the connection was stopped.
func (c *conn) wakeAt(at time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped == nil && c.net.SetReadDeadline(at) == nil
}

// report logs and counts how the connection ended.
func (c *conn) report(why *closing, live bool) {
	c.session.metrics.closed[why.reason].Inc()
	log := c.session.log.With(
		slog.String("reason", string(why.reason)), slog.String("cause", why.end.Message),
		slog.Duration("lasted", time.Since(c.started)), slog.Uint64("received_bytes", c.session.received))
	switch {
	case live:
		log.Debug("push ended")
	case why.reason == reasonNotRTMP || why.reason == reasonLimit || why.reason == reasonProtocol || why.reason == reasonProxy || why.reason == reasonTLS:
		log.Info("connection closed")
	default:
		log.Debug("connection closed")
	}
}
