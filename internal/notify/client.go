package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/stillcast/stillcast"
)

// Limits of one request.
const (
	connectTimeout   = 5 * time.Second
	handshakeTimeout = 5 * time.Second
	idleTimeout      = 60 * time.Second // of a kept connection
	maxHeader        = 64 << 10         // bytes of the answer's header that are read
	maxBody          = 64 << 10         // bytes of its body that are read
	maxReply         = 1 << 10          // bytes of its body that are kept
)

var (
	errStopping = errors.New("cut short because Stillcast is stopping")
	errTimeout  = errors.New("no answer in time")
	errPlain    = errors.New("the receiver answers HTTP, not HTTPS; give its URL as http://")
)

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// clients keeps one HTTP client per destination, so that no destination can use
// up, or see, the connections of another.
type clients struct {
	dial    dialFunc
	perHost int
	timeout time.Duration

	mu sync.Mutex
	by map[stillcast.Destination]*http.Transport
}

// guarded returns a way to dial that reaches no address that is not allowed, by
// the names that a resolver gives; nil means the machine's.
func guarded(allowed []netip.Prefix, resolver *net.Resolver) dialFunc {
	d := net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second, Control: newGuard(allowed).control, Resolver: resolver}
	return d.DialContext
}

func newClients(config Config, dial dialFunc) *clients {
	if dial == nil {
		dial = guarded(config.AllowNetworks, nil)
	}
	return &clients{
		dial:    dial,
		perHost: config.DestinationSlots,
		timeout: config.Retry.Timeout,
		by:      make(map[stillcast.Destination]*http.Transport),
	}
}

func (c *clients) of(d stillcast.Destination) *http.Transport {
	c.mu.Lock()
	defer c.mu.Unlock()
	transport, ok := c.by[d]
	if !ok {
		transport = c.newTransport()
		c.by[d] = transport
	}
	return transport
}

func (c *clients) newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // with one, the guard would see the proxy's address only
		DialContext:            c.dial,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    handshakeTimeout,
		MaxIdleConnsPerHost:    c.perHost,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // a few bytes would unpack to many
	}
}

// forget closes the connections of the destinations that are not in use.
func (c *clients) forget(inUse func(stillcast.Destination) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for d, transport := range c.by {
		if !inUse(d) {
			transport.CloseIdleConnections()
			delete(c.by, d)
		}
	}
}

// answer is what came back of a request.
type answer struct {
	status     int    // 0 without an answer
	reply      string // the first bytes of the body
	retryAfter string // the header
	err        error  // nil with an answer; holds no part of the URL's query
}

// post sends one request. A connection that had been idle and turns out to be
// closed before a byte of the answer came is replaced at once, within the request.
func (c *clients) post(ctx context.Context, d stillcast.Destination, target *url.URL, header http.Header, body []byte) answer {
	return c.send(ctx, c.of(d), target, header, body)
}

// postOnce sends one request over a connection of its own.
func (c *clients) postOnce(ctx context.Context, target *url.URL, header http.Header, body []byte) answer {
	transport := c.newTransport()
	defer transport.CloseIdleConnections()
	transport.DisableKeepAlives = true
	return c.send(ctx, transport, target, header, body)
}

func (c *clients) send(ctx context.Context, transport *http.Transport, target *url.URL, header http.Header, body []byte) answer {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimeout)
	defer cancel()
	reader := func() io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }
	r := (&http.Request{
		Method: http.MethodPost, URL: target, Host: target.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: reader(), ContentLength: int64(len(body)), GetBody: func() (io.ReadCloser, error) { return reader(), nil },
	}).WithContext(ctx)
	// This key without a value is not sent; it tells net/http that the request
	// may be repeated on another connection (see http.Transport).
	r.Header["Idempotency-Key"] = nil
	// Not an http.Client, which would follow redirects: they could lead anywhere.
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return answer{err: c.explain(ctx, err)}
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, retryAfter: resp.Header.Get("Retry-After")}
	// The status is the answer: an error in the body does not change it.
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	a.reply = string(reply)
	if err == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody-maxReply))
	}
	return a
}

// explain returns an error for people. It holds nothing of the URL but its host:
// a transport, unlike an http.Client, does not put the URL before its errors.
func (c *clients) explain(ctx context.Context, err error) error {
	if blocked := (*blockedError)(nil); errors.As(err, &blocked) {
		return blocked
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errTimeout):
		return fmt.Errorf("%w: %s passed", errTimeout, c.timeout)
	case cause != nil:
		return cause
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok && string(record.RecordHeader[:]) == "HTTP/" {
		return errPlain
	}
	return err
}
