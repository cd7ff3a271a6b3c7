package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
	"github.com/stillcast/stillcast/internal/console"
	"github.com/stillcast/stillcast/internal/ledger"
	"github.com/stillcast/stillcast/internal/pictures"
)

// httpServer is an [http.Server] whose listener is bound before it serves.
type httpServer struct {
	key      string // of the configuration, for errors
	listener net.Listener
	server   *http.Server
	serving  sync.WaitGroup
	started  bool
}

func newHTTPServer(ctx context.Context, key, addr string, log *slog.Logger) (*httpServer, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, key, "cannot listen on %s: %v; choose a free address", addr, err)
	}
	return &httpServer{key: key, listener: listener, server: &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}, nil
}

// takeURLsAsHosts lets tccli call the control API, see [api.HostListener].
func (s *httpServer) takeURLsAsHosts() {
	s.listener = api.HostListener{Listener: s.listener}
	s.server.ConnContext = api.HostContext
}

func (s *httpServer) addr() net.Addr { return s.listener.Addr() }

// handle sets the handler; it must be called before start.
func (s *httpServer) handle(h http.Handler) { s.server.Handler = h }

func (s *httpServer) start(failed func(error)) {
	s.started = true
	s.serving.Go(func() {
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			failed(fmt.Errorf("serve %s: %w", s.key, err))
		}
	})
}

func (s *httpServer) stop(ctx context.Context) error {
	if !s.started {
		return s.listener.Close()
	}
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.server.Close())
	}
	s.serving.Wait()
	return err
}

// publicURL replaces the port 0 of base, of a server that listens on any free
// port, by the one it got.
func publicURL(base string, addr net.Addr) string {
	u, err := url.Parse(base)
	tcp, ok := addr.(*net.TCPAddr)
	if err != nil || !ok || u.Port() != "0" {
		return base
	}
	u.Host = net.JoinHostPort(u.Hostname(), strconv.Itoa(tcp.Port))
	return u.String()
}

func (a *App) publicHandler() (http.Handler, error) {
	mux := http.NewServeMux()
	if local := a.pictures.primary.local; local != nil {
		handler, err := pictures.New(local, a.logger("pictures"), a.registry)
		if err != nil {
			return nil, fmt.Errorf("make the handler of the pictures: %w", err)
		}
		mux.Handle(pictures.Path, handler)
	}
	mux.HandleFunc(ledger.Path, a.serveLedger)
	mux.HandleFunc(console.Path, a.serveConsole)
	mux.HandleFunc("/", a.front)
	return mux, nil
}

func (a *App) opsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{Registry: a.registry}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// readyz is for load balancers: pushes are taken, and shots can be recorded.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	if !a.ready.Load() {
		say(w, http.StatusServiceUnavailable, "not serving: starting or stopping")
		return
	}
	if _, _, err := a.state.SpoolStats(r.Context()); err != nil {
		say(w, http.StatusServiceUnavailable, "state unavailable: "+err.Error())
		return
	}
	text := []string{"ready"}
	for _, store := range a.uploader.Broken() {
		text = append(text, "object store "+store+" does not work; pictures wait in the spool")
	}
	say(w, http.StatusOK, strings.Join(text, "\n"))
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // a reader that went away needs no answer
}
