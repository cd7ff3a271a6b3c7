package s3_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stillcast/stillcast/internal/objstore/objstoretest"
	"github.com/stillcast/stillcast/internal/objstore/s3"
)

// faulty returns a store between which and the server something is wrong.
func (g *gateway) faulty(t *testing.T, c s3.Config, fault objstoretest.Fault) *s3.Store {
	t.Helper()
	if fault == objstoretest.FaultDenied {
		c.SecretKey = "wrong"
		return g.open(t, c)
	}
	p := newProxy(t, g, fault)
	if g.virtual {
		if g.CAFile != "" {
			c.Endpoint, c.CAFile = "http://"+virtualDomain, ""
		}
		dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, p.address)
		}
		s, err := s3.OpenDial(c, dial)
		return opened(t, s, err)
	}
	c.Endpoint, c.CAFile = "http://"+p.address, ""
	return g.open(t, c)
}

// proxy stands before a server and keeps what it is asked.
type proxy struct {
	address  string
	conns    atomic.Int64 // how many came
	mu       sync.Mutex
	requests []*http.Request
	change   func(*http.Request) // before a request goes on; nil for nothing
	fault    objstoretest.Fault
	forward  *httputil.ReverseProxy
	release  chan struct{} // closed when silent requests may end
}

func newProxy(t *testing.T, g *gateway, fault objstoretest.Fault) *proxy {
	t.Helper()
	target, err := url.Parse(g.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{fault: fault, release: make(chan struct{})}
	p.forward = &httputil.ReverseProxy{
		// What is signed stays: the host too.
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		Transport: g.client(t).Transport,
	}
	server := httptest.NewUnstartedServer(p)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			p.conns.Add(1)
		}
	}
	server.Start()
	p.address = server.Listener.Addr().String()
	if fault == objstoretest.FaultRefused {
		server.Close()
		return p
	}
	t.Cleanup(func() { close(p.release); server.Close() })
	return p
}

// asked returns the requests since the last call.
func (p *proxy) asked() []*http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	requests := p.requests
	p.requests = nil
	return requests
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.requests = append(p.requests, r.Clone(context.WithoutCancel(r.Context())))
	p.mu.Unlock()
	if p.change != nil {
		p.change(r)
	}
	switch p.fault {
	case objstoretest.FaultThrottled:
		refuse(w, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
	case objstoretest.FaultBroken:
		refuse(w, http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
	case objstoretest.FaultUnavailable:
		w.WriteHeader(http.StatusServiceUnavailable)
	case objstoretest.FaultReset:
		_, _ = io.CopyN(io.Discard, r.Body, 100)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	case objstoretest.FaultSilent:
		_, _ = io.CopyN(io.Discard, r.Body, 100)
		select {
		case <-p.release:
		case <-r.Context().Done():
		}
	case objstoretest.FaultHalf:
		if r.Method == http.MethodGet {
			w = &halfWriter{ResponseWriter: w}
		}
		p.forward.ServeHTTP(w, r)
	default:
		p.forward.ServeHTTP(w, r)
	}
}

// refuse answers as S3 does.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("X-Amz-Request-Id", "4442587FB7D0A2F9")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>"+code+"</Code><Message>"+message+
		"</Message><Resource>/</Resource><RequestId>4442587FB7D0A2F9</RequestId></Error>")
}

// halfWriter breaks the connection after 50,000 bytes of the body.
type halfWriter struct {
	http.ResponseWriter
	written int
}

func (w *halfWriter) Write(b []byte) (int, error) {
	if w.written+len(b) < 50_000 {
		w.written += len(b)
		return w.ResponseWriter.Write(b)
	}
	_, _ = w.ResponseWriter.Write(b[:50_000-w.written])
	_ = http.NewResponseController(w.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}
