package rtmp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

const (
	minBackoff = 5 * time.Millisecond // after a failed accept; it doubles
	maxBackoff = time.Second
	fullLog    = time.Minute // between two log lines about too many connections
)

// Server is the RTMP server. Its methods are safe for concurrent use.
type Server struct {
	shared
	listener net.Listener
	buffers  buffers

	ctx    context.Context // of all connections
	cancel context.CancelFunc

	mu       sync.Mutex
	conns    map[*conn]struct{}
	stopping bool
	serving  sync.WaitGroup // connections
	fullAt   time.Time      // of the last log line about it
}

// New returns a server that listens on cfg.Listen and accepts nothing yet. All
// arguments are required. Errors about the address name the key listen.rtmp.
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
		conns: make(map[*conn]struct{}),
	}
	var err error
	if s.listener, err = listen(ctx, cfg.Listen); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(reg, s.video, s.commands); err != nil {
		s.listener.Close()
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return s, nil
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, stillcast.Errorf(stillcast.CodeConflict, "listen.rtmp",
			"address %s is in use by another program; stop that, or listen on another address", address)
	case err != nil:
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "listen.rtmp", "cannot listen on %q: %v", address, cause(err))
	}
	return l, nil
}

// Addr returns the address that the server listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve accepts connections until ctx is done or Shutdown is called, and then
// returns nil. The connections go on until Shutdown.
func (s *Server) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.listener.Close() })
	defer stop()
	backoff := minBackoff
	for {
		c, err := s.listener.Accept()
		switch {
		case err == nil:
			backoff = minBackoff
			s.accept(c)
			continue
		case errors.Is(err, net.ErrClosed):
			return nil
		}
		// Too many open files, mostly: it passes when connections end.
		s.log.Error("connection not accepted", slog.Any("error", err), slog.Duration("retry_after", backoff))
		if !wait(ctx, s.ctx, backoff) {
			return nil
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

func (s *Server) accept(nc net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping || len(s.conns) >= s.cfg.MaxConnections {
		s.turnAway(nc)
		return
	}
	c := newConn(s.ctx, nc, &s.shared, &s.buffers)
	s.conns[c] = struct{}{}
	s.metrics.connections.Inc()
	s.serving.Go(func() {
		defer s.forget(c)
		c.serve()
	})
}

// turnAway closes a connection that there is no room for. s.mu is held.
func (s *Server) turnAway(nc net.Conn) {
	defer nc.Close()
	if s.stopping {
		s.metrics.closed[reasonShutdown].Inc()
		return
	}
	s.metrics.closed[reasonFull].Inc()
	if now := time.Now(); now.Sub(s.fullAt) >= fullLog {
		s.fullAt = now
		s.log.Warn("connection refused: too many are open", slog.Int("max_connections", s.cfg.MaxConnections),
			slog.String("remote", nc.RemoteAddr().String()))
	}
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.metrics.connections.Dec()
}

// Shutdown stops accepting, ends every push with stillcast.EndInterrupted,
// tells the publishers, and waits until all connections are closed. When ctx is
// done before, it closes them at once and returns an error that wraps ctx's. It
// may be called more than once.
func (s *Server) Shutdown(ctx context.Context) error {
	s.listener.Close()
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
