package rtmp

import (
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest"
)

const (
	// maxRefusing is how many connections beyond the limits are told why they are
	// refused at a time; more are closed at once.
	maxRefusing = 64
	fullLog     = time.Minute // between two log lines about too many connections
)

// turnAway closes a connection at once: there is no room even to say why. s.mu is
// held.
func (s *Server) turnAway(nc net.Conn) {
	defer nc.Close()
	if s.stopping {
		s.metrics.closed[reasonShutdown].Inc()
		return
	}
	s.metrics.closed[reasonFull].Inc()
	s.warn(nc.RemoteAddr().String())
}

// refuse lets a connection go on up to its connect command, which is answered
// with why. s.mu is held.
func (s *Server) refuse(c *conn, r reason, why string) {
	c.refused = true
	s.refusing++
	c.session.refusal = closeWith(r, stillcast.EndRefused, why)
	s.warn(c.session.remote.String())
}

// warn logs now and then that connections are refused. s.mu is held.
func (s *Server) warn(remote string) {
	now := time.Now()
	if now.Sub(s.fullAt) < fullLog {
		return
	}
	s.fullAt = now
	s.log.Warn("connection refused: too many are open", slog.Int("max_connections", s.cfg.MaxConnections),
		slog.Int("max_connections_per_address", s.cfg.MaxPerAddress), slog.Int("open", len(s.conns)-s.refusing), slog.String("remote", remote))
}

// enter counts the address of a connection, which is known only after a proxy's
// header. One that has too many connections is refused.
func (s *Server) enter(c *conn) *closing {
	key := ingest.AddressKey(c.session.remote.Addr())
	if s.cfg.MaxPerAddress == 0 || !key.IsValid() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.refused:
		return nil
	case s.addresses[key] < s.cfg.MaxPerAddress:
		s.addresses[key]++
		c.counted = key
		return nil
	}
	why := fmt.Sprintf("%s has %d connections, as many as it may", key, s.cfg.MaxPerAddress)
	if s.refusing >= maxRefusing {
		return closeWith(reasonAddress, stillcast.EndRefused, why)
	}
	s.refuse(c, reasonAddress, why)
	return nil
}
