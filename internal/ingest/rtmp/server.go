package rtmp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

const (
	minBackoff = 5 * time.Millisecond // after a failed accept; it doubles
	maxBackoff = time.Second
)

// Server is the RTMP server. Its methods are safe for concurrent use.
type Server struct {
	shared
	listeners []listener
	buffers   buffers

	ctx    context.Context // of all connections
	cancel context.CancelFunc

	mu        sync.Mutex
	conns     map[*conn]struct{}
	refusing  int                  // of them, those that are only told why they are refused
	addresses map[netip.Prefix]int // the others, by ingest.AddressKey
	stopping  bool
	serving   sync.WaitGroup // connections
	fullAt    time.Time      // of the last log line about it
}

// New returns a server that listens on cfg.Listen and cfg.ListenTLS, and accepts
// nothing yet. All arguments are required. Errors about the addresses name the
// keys listen.rtmp and listen.rtmps.
func New(ctx context.Context, cfg Config, g gate, logger *slog.Logger, reg prometheus.Registerer) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if g == nil || logger == nil || reg == nil {
		return nil, errors.New("make RTMP server: gate, logger and registerer are required")
	}
	commands := cfg.InFlightBytes / commandsShare
	s := &Server{
		shared: shared{
			cfg: cfg, gate: g, log: logger,
			video:    chunk.NewBudget(cfg.InFlightBytes - commands),
			commands: chunk.NewBudget(commands),
		},
		conns: make(map[*conn]struct{}), addresses: make(map[netip.Prefix]int),
	}
	secure, err := secureConfig(cfg, logger)
	if err != nil {
		return nil, err
	}
	if s.listeners, err = listenAll(ctx, cfg, secure); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(reg, s.video, s.commands); err != nil {
		closeAll(s.listeners)
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return s, nil
}

// secureConfig returns the settings of TLS, nil where nothing listens for it.
func secureConfig(cfg Config, logger *slog.Logger) (*tls.Config, error) {
	if cfg.ListenTLS == "" {
		return nil, nil
	}
	c, err := openCertificate(cfg.TLS, logger)
	if err != nil {
		return nil, err
	}
	return c.config(), nil
}

// Addr returns the first address that the server listens on for RTMP.
func (s *Server) Addr() net.Addr { return s.listeners[0].Addr() }

// TLSAddr returns the first address that the server listens on for RTMPS, nil
// when there is none.
func (s *Server) TLSAddr() net.Addr {
	for _, l := range s.listeners {
		if l.tls != nil {
			return l.Addr()
		}
	}
	return nil
}

// Serve accepts connections until ctx is done or Shutdown is called, and then
// returns nil. The connections go on until Shutdown.
func (s *Server) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { closeAll(s.listeners) })
	defer stop()
	var accepting sync.WaitGroup
	for _, l := range s.listeners[1:] {
		accepting.Go(func() { s.acceptAll(ctx, l) })
	}
	s.acceptAll(ctx, s.listeners[0])
	accepting.Wait()
	return nil
}

// acceptAll accepts the connections of one listener until it is closed.
func (s *Server) acceptAll(ctx context.Context, l listener) {
	backoff := minBackoff
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			backoff = minBackoff
			s.accept(c, l.tls)
			continue
		case errors.Is(err, net.ErrClosed):
			return
		}
		// Too many open files, mostly: it passes when connections end.
		s.log.Error("connection not accepted", slog.Any("error", err), slog.Duration("retry_after", backoff))
		if !wait(ctx, s.ctx, backoff) {
			return
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// wait waits for d; false when one of the contexts is done before.
func wait(ctx, other context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-other.Done():
	}
	return false
}

func (s *Server) accept(nc net.Conn, secure *tls.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := len(s.conns)-s.refusing >= s.cfg.MaxConnections
	if s.stopping || full && s.refusing >= maxRefusing {
		s.turnAway(nc)
		return
	}
	c := newConn(s.ctx, nc, &s.shared, &s.buffers)
	c.tls, c.enter = secure, s.enter
	if full {
		s.refuse(c, reasonFull, fmt.Sprintf("this server has %d connections, as many as it may", s.cfg.MaxConnections))
	}
	s.conns[c] = struct{}{}
	s.metrics.connections.Inc()
	s.serving.Go(func() {
		defer s.forget(c)
		c.serve()
	})
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if c.refused {
		s.refusing--
	}
	if c.counted.IsValid() {
		if s.addresses[c.counted]--; s.addresses[c.counted] == 0 {
			delete(s.addresses, c.counted)
		}
	}
	s.metrics.connections.Dec()
}

// Shutdown stops accepting, ends every push with stillcast.EndInterrupted,
// tells the publishers, and waits until all connections are closed. When ctx is
// done before, it closes them at once and returns an error that wraps ctx's. It
// may be called more than once.
func (s *Server) Shutdown(ctx context.Context) error {
	closeAll(s.listeners)
	s.mu.Lock()
	s.stopping = true
	for c := range s.conns {
		c.stop(closeWith(reasonShutdown, stillcast.EndInterrupted, "server is shutting down").telling(statusUnpublish))
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.serving.Wait()
		close(done)
	}()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = fmt.Errorf("shut down RTMP server: connections closed by force: %w", context.Cause(ctx))
		s.cancel()
		s.mu.Lock()
		for c := range s.conns {
			c.net.Close()
		}
		s.mu.Unlock()
		<-done
	}
	s.cancel()
	return err
}
