package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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
)

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// clients keeps one HTTP client per destination, so that no destination can use
// up, or see, the connections of another.
type clients struct {
	dial    dialFunc
	perHost int
	timeout time.Duration

	mu sync.Mutex
	by map[stillcast.Destination]*http.Client
}

func newClients(config Config, dial dialFunc) *clients {
	if dial == nil {
		g := newGuard(config.AllowNetworks)
		dial = (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second, Control: g.control}).DialContext
	}
	return &clients{
		dial:    dial,
		perHost: config.DestinationSlots,
		timeout: config.Retry.Timeout,
		by:      make(map[stillcast.Destination]*http.Client),
	}
}

func (c *clients) of(d stillcast.Destination) *http.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	client, ok := c.by[d]
	if !ok {
		client = c.newClient()
		c.by[d] = client
	}
	return client
}

func (c *clients) newClient() *http.Client {
	return &http.Client{
		// A redirect could lead anywhere, and would turn the POST into a GET.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  nil, // with one, the guard would see the proxy's address only
			DialContext:            c.dial,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    handshakeTimeout,
			MaxIdleConnsPerHost:    c.perHost,
			IdleConnTimeout:        idleTimeout,
			MaxResponseHeaderBytes: maxHeader,
			DisableCompression:     true, // a few bytes would unpack to many
		},
	}
}

// forget closes the connections of the destinations that are not in use.
func (c *clients) forget(inUse func(stillcast.Destination) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for d, client := range c.by {
		if !inUse(d) {
			client.CloseIdleConnections()
			delete(c.by, d)
		}
	}
}

// answer is what came back of a request.
type answer struct {
	status int    // 0 without an answer
	reply  string // the first bytes of the body
	err    error  // nil for status 200 only; holds no part of the URL's query
}

// post sends one request. A connection that had been idle and turns out to be
// closed before a byte of the answer came is replaced at once, within the request.
func (c *clients) post(ctx context.Context, d stillcast.Destination, target *url.URL, header http.Header, body []byte) answer {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return answer{err: c.explain(ctx, err)}
	}
	r.Header = header
	// This key without a value is not sent; it tells net/http that the request
	// may be repeated on another connection (see http.Transport).
	r.Header["Idempotency-Key"] = nil
	resp, err := c.of(d).Do(r)
	if err != nil {
		return answer{err: c.explain(ctx, err)}
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, err: judge(resp.StatusCode)}
	// The status is the answer: an error in the body does not change it.
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	a.reply = string(reply)
	if err == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody-maxReply))
	}
	return a
}

func judge(status int) error {
	switch {
	case status == http.StatusOK:
		return nil
	case status >= 300 && status < 400:
		return fmt.Errorf("answered %d %s; redirects are not followed, only 200 counts", status, http.StatusText(status))
	}
	return fmt.Errorf("answered %d %s; only 200 counts", status, http.StatusText(status))
}

// explain returns an error for people, without the URL that net/http puts before
// it and whose query may hold secrets.
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
	if outer := (*url.Error)(nil); errors.As(err, &outer) {
		return outer.Err
	}
	return err
}
