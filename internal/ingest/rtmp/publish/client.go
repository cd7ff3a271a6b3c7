// Package publish is an RTMP publisher: it pushes FLV tags to a server, and
// whole files in real time (Adobe RTMP specification 1.0, section 7.2).
package publish

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media/flv"
)

// closeGrace is how long the end of a push may take: for the last bytes to be
// sent, and for the server to close after them.
const closeGrace = 2 * time.Second

// reasonGrace is how long a reason of the server is waited for when it takes no
// more.
const reasonGrace = 500 * time.Millisecond

var (
	// ErrClosed says that the client was closed by its own Close.
	ErrClosed = errors.New("push is closed")
	// ErrDisconnected says that the server closed the connection without giving
	// a reason.
	ErrDisconnected = errors.New("server closed the connection")
)

// Client is one push. Write and Close are called from one goroutine; the other
// methods may be called from any.
type Client struct {
	conn    net.Conn
	target  target
	timeout time.Duration
	inbox   *inbox
	stream  uint32 // message stream id, as createStream gave it

	metadata []byte        // the last data message, for its memory
	done     chan struct{} // closed when err is set

	received chan struct{} // closed when the receiving goroutine has ended
	reason   error         // why it has; read only after received is closed

	sending sync.Mutex // guards writer
	writer  *chunk.Writer

	deadline sync.Mutex // guards hurrying and the deadline of writes
	hurrying bool       // the deadline stands, see hurry

	state sync.Mutex // guards err
	err   error      // why the push is over; nil while it is not

	closing  sync.Once // guards closeErr
	closeErr error
}

// Dial connects to the server of rawURL, rtmp://HOST[:1935]/APP/STREAM?QUERY,
// and starts a push. APP may have several parts; the query is sent with the
// stream's name. ctx and opts.Timeout bound the start, not the push.
//
// A URL or option that is not allowed gives a *stillcast.Error of CodeInvalid;
// what the server refuses gives a *[StatusError]. The caller calls Close.
func Dial(ctx context.Context, rawURL string, opts Options) (*Client, error) {
	t, err := parseTarget(rawURL)
	if err != nil {
		return nil, err
	}
	if opts, err = opts.complete(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, opts.Timeout,
		fmt.Errorf("server took longer than %s: %w", opts.Timeout, context.DeadlineExceeded))
	defer cancel()
	conn, err := opts.Dial(ctx, "tcp", t.address)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", t.address, preferCause(ctx, err))
	}
	c := &Client{
		conn: conn, target: t, timeout: opts.Timeout,
		inbox: newInbox(conn), writer: chunk.NewWriter(conn),
		received: make(chan struct{}), done: make(chan struct{}),
	}
	if err := c.start(ctx, opts); err != nil {
		conn.Close()
		return nil, fmt.Errorf("push to %s: %w", t.address, err)
	}
	go c.receive()
	return c, nil
}

// preferCause returns why ctx ended, if it did, rather than what that led to.
func preferCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// start does all that comes before the first tag; ctx interrupts it.
func (c *Client) start(ctx context.Context, opts Options) error {
	stop := context.AfterFunc(ctx, func() {
		c.hurry(0)
		c.conn.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // a closed connection needs no deadline
	})
	err := handshake(c.conn)
	if err == nil {
		err = c.open(opts)
	}
	if !stop() {
		return context.Cause(ctx)
	}
	return err
}

// Write sends one tag. Metadata (onMetaData) is wrapped in @setDataFrame, as
// servers expect it. tag.Data is not kept. When the push is over, the error
// says why: a *[StatusError] of the server, [ErrDisconnected], [ErrClosed], or
// what the network gave.
func (c *Client) Write(tag flv.Tag) error {
	if err := c.Err(); err != nil {
		return err
	}
	m, err := c.message(tag)
	if err != nil {
		return err
	}
	if err := c.send(m); err != nil {
		return c.broken(err)
	}
	return nil
}

// Done is closed when the push is over, for whatever reason.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err returns why the push is over, as Write does, and nil while it is not.
func (c *Client) Err() error {
	c.state.Lock()
	defer c.state.Unlock()
	return c.err
}

// Close ends the push: it tells the server, waits up to two seconds for it to
// have read everything, and closes the connection. It returns why the push was
// over before, or could not be ended well; further calls return the same.
func (c *Client) Close() error {
	c.closing.Do(func() { c.closeErr = c.close() })
	return c.closeErr
}

func (c *Client) close() error {
	err := c.fail(ErrClosed)
	c.hurry(closeGrace)
	if err == nil {
		err = c.finish()
	}
	c.conn.Close()
	<-c.received
	return c.better(err)
}

// finish sends the end of the push and waits for the server to close its side
// first. Closing at once, with something of the server's still unread, would
// reset the connection and could take the last tags with it.
func (c *Client) finish() error {
	if err := c.sendEnd(); err != nil {
		return err
	}
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return nil
	}
	timer := time.NewTimer(closeGrace)
	defer timer.Stop()
	select {
	case <-c.received:
	case <-timer.C:
	}
	return nil
}

// fail sets why the push is over. It returns what was set before, which then
// stands, and nil when there was nothing.
func (c *Client) fail(err error) error {
	c.state.Lock()
	defer c.state.Unlock()
	if c.err != nil {
		return c.err
	}
	c.err = err
	close(c.done)
	return nil
}

// broken returns the reason for a failed write, and sets it. A server that
// refuses what it gets says so and closes, so that may be about to be read.
func (c *Client) broken(err error) error {
	c.hurry(reasonGrace)
	c.conn.SetReadDeadline(time.Now().Add(reasonGrace)) //nolint:errcheck // reading a closed connection ends anyway
	if before := c.fail(err); before != nil {
		err = before
	}
	<-c.received
	if err = c.better(err); errors.Is(c.reason, ErrDisconnected) {
		err = c.reason
	}
	c.state.Lock()
	defer c.state.Unlock()
	c.err = err
	return err
}

// better returns what the server said, if it said something, else err. It is
// called after the receiving goroutine has ended.
func (c *Client) better(err error) error {
	if said, ok := errors.AsType[*StatusError](c.reason); ok {
		return said
	}
	return err
}

// hurry gives all writes from now on, also one that is waiting, no more than d
// together.
func (c *Client) hurry(d time.Duration) {
	c.deadline.Lock()
	defer c.deadline.Unlock()
	c.hurrying = true
	c.conn.SetWriteDeadline(time.Now().Add(d)) //nolint:errcheck // writing to a closed connection ends anyway
}

// allow gives the next write the usual time.
func (c *Client) allow() error {
	c.deadline.Lock()
	defer c.deadline.Unlock()
	if c.hurrying {
		return nil
	}
	return c.conn.SetWriteDeadline(time.Now().Add(c.timeout))
}

// send writes one message.
func (c *Client) send(m chunk.Message) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	err := c.allow()
	if err == nil {
		err = c.writer.Write(m)
	}
	if err != nil {
		return fmt.Errorf("send to the server: %w", err)
	}
	return nil
}
