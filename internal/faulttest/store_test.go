package faulttest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/state"
	"github.com/stillcast/stillcast/internal/testkit"
)

// trouble is how a store treats a picture.
type trouble func(w http.ResponseWriter, r *http.Request, store http.Handler)

// troubles are what stores and the networks before them do.
func troubles() map[string]trouble {
	return map[string]trouble{
		"answers 503": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable")
		},
		"throttles": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Retry-After", "1")
			refuse(w, http.StatusServiceUnavailable, "SlowDown")
		},
		"never answers": func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
		"resets in mid-body": func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
			reset(w)
		},
		"resets instead of the answer": func(w http.ResponseWriter, r *http.Request, store http.Handler) {
			store.ServeHTTP(unheard{http.Header{}}, r) // it is stored
			reset(w)
		},
		"works now and then": func(w http.ResponseWriter, r *http.Request, store http.Handler) {
			switch rand.IntN(3) {
			case 0:
				refuse(w, http.StatusInternalServerError, "InternalError")
			case 1:
				reset(w)
			default:
				store.ServeHTTP(w, r)
			}
		},
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>trouble</Message></Error>`, code)
}

// reset ends the connection as a machine does that is switched off.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // it has ended
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// unheard is an answer that nobody gets.
type unheard struct{ header http.Header }

func (u unheard) Header() http.Header         { return u.header }
func (u unheard) Write(p []byte) (int, error) { return len(p), nil }
func (u unheard) WriteHeader(int)             {}

// proxy stands before a store and makes trouble of pictures that are put.
type proxy struct {
	address string
	store   http.Handler
	server  *http.Server
	served  chan struct{}

	mu       sync.Mutex
	trouble  trouble // nil: it works
	troubled int     // requests that had trouble, since it was made
	stored   []string
}

func newProxy(t *testing.T, endpoint string) *proxy {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	p := &proxy{address: "127.0.0.1:0", store: &httputil.ReverseProxy{
		// The Host of the request stays: its signature covers it.
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, r.In.Host
		},
		Transport: transport, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { reset(w) },
	}}
	p.listen(t)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) listen(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	p.address = l.Addr().String()
	p.server, p.served = &http.Server{Handler: p}, make(chan struct{})
	go func() {
		defer close(p.served)
		_ = p.server.Serve(l) // until close
	}()
}

// close breaks all connections; nobody listens any more.
func (p *proxy) close() {
	_ = p.server.Close()
	<-p.served
}

// ServeHTTP implements http.Handler.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	makes := p.trouble
	if r.Method != http.MethodPut {
		makes = nil
	}
	if makes != nil {
		p.troubled++
	}
	p.mu.Unlock()
	if makes != nil {
		makes(w, r, p.store)
		return
	}
	p.store.ServeHTTP(w, r)
	if r.Method == http.MethodPut {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stored = append(p.stored, r.URL.Path)
	}
}

// makes begins a trouble, or ends it, and returns how many pictures met one before.
func (p *proxy) makes(trouble trouble) (before int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trouble = trouble
	return p.troubled
}

func (p *proxy) met() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.troubled
}

func (p *proxy) order() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.stored)
}

// TestStoreTroubles takes a server through all that a store may do, and is gone in
// the end and comes back; nothing is lost, no picture is damaged, and shots that
// waited are stored in order. An outage of hours is in internal/spool, in fake time.
func TestStoreTroubles(t *testing.T) {
	t.Parallel()
	g := testkit.StartVersityGW(t, testkit.VersityGWOptions{}, testBucket)
	p := newProxy(t, g.Endpoint)
	w := newS3World(t, g, "http://"+p.address)
	const publishers = 8
	w.fleet.begin(t, publishers)
	s := w.start().serving()
	more := func(what string, n int) {
		t.Helper()
		before := len(w.log.acknowledged())
		w.until(what, func(context.Context) bool { return len(w.log.acknowledged()) >= before+n })
	}
	for range max(1, rounds(t, 1)/10) {
		for name, trouble := range troubles() {
			before := p.makes(trouble)
			more("shot while the store "+name, 1)
			w.until("picture for a store that "+name, func(context.Context) bool { return p.met() >= before+3 })
			p.makes(nil)
			taken := len(w.log.acknowledged())
			w.until("events after the store "+name, func(context.Context) bool { return w.receiver.count() >= taken })
		}
	}
	p.close()
	more("shots while the store is gone", publishers)
	began := w.log.acknowledged()
	more("shots while the store is gone", rounds(t, 1)*publishers)
	waited := slices.DeleteFunc(w.log.acknowledged(), func(id string) bool { return slices.Contains(began, id) })
	events := w.receiver.count()
	p.listen(t)
	w.until("events after the store was gone", func(context.Context) bool { return w.receiver.count() >= events+len(waited) })
	w.fleet.end()
	s.stop()
	w.mustBeWhole(slices.Concat(w.settle(), w.audit(), w.auditOrder(p.order(), waited)))
}

// auditOrder: shots that were only taken once the store was known to be gone were
// stored as they were taken, but for those that were taken at the same time, and for
// the first: whether the store is back may be tried with one that is young.
func (w *world) auditOrder(stored, waited []string) (faults []string) {
	w.t.Helper()
	const sameTime = time.Second // half of the interval: a stream has no two shots in it
	latest, probed := time.Time{}, false
	shots := w.rows().shots
	slices.SortFunc(shots, func(a, b state.ShotStatus) int { return cmp.Compare(placeOf(stored, a), placeOf(stored, b)) })
	for _, shot := range shots {
		if !slices.Contains(waited, shot.EventID) {
			continue
		}
		if !probed {
			probed = true
			continue
		}
		if early := latest.Sub(shot.Captured); early > sameTime {
			faults = append(faults, fmt.Sprintf("%s was stored after a shot that is younger by %s", shot.PicURL(), early))
		}
		if shot.Captured.After(latest) {
			latest = shot.Captured
		}
	}
	w.t.Logf("%d shots waited for the store that was gone", len(waited))
	return faults
}

func placeOf(stored []string, shot state.ShotStatus) int {
	return slices.IndexFunc(stored, func(path string) bool { return strings.HasSuffix(path, shot.PicURL()) })
}
