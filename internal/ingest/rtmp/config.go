// Package rtmp accepts RTMP pushes: it shakes hands, reads commands, asks
// whether a push may begin, and hands over the access units that are wanted.
// Nothing can be played from it.
//
// One goroutine serves a connection: it reads bytes (conn.go), feeds them to
// the protocol's state (session.go), which knows no sockets, and writes what
// that answers. How messages are put together is in package chunk; what
// strangers' bytes can cost is bounded there and in Config.
//
// The protocol is Adobe's RTMP specification 1.0, with what publishers really
// do; Enhanced RTMP v2 for other codecs than H.264.
package rtmp

import (
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media"
)

// Config is the settings of the RTMP server.
type Config struct {
	// Listen is the address to listen on, "HOST:PORT". It comes from listen.rtmp.
	Listen string `yaml:"-"`
	// HandshakeTimeout is how long a handshake may take.
	HandshakeTimeout time.Duration `yaml:"handshake_timeout"`
	// PublishTimeout is how long it may take from there to the publish command.
	PublishTimeout time.Duration `yaml:"publish_timeout"`
	// IdleTimeout ends a push of which nothing came for so long.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// MaxConnections is how many connections may be open; more are closed at once.
	MaxConnections int `yaml:"max_connections"`
	// InFlightBytes bounds the memory of pictures that are half received, over
	// all pushes; those beyond it are dropped and counted. Commands, which come
	// before a push is authorised, have an eighth of it for themselves.
	InFlightBytes int64 `yaml:"in_flight_bytes"`
	// MaxPixels is the largest picture, width times height before cropping.
	MaxPixels int `yaml:"max_pixels"`
	// Limits bounds what one connection may send.
	Limits chunk.Limits `yaml:"limits"`
}

// DefaultConfig returns the settings of a configuration that says nothing.
func DefaultConfig() Config {
	return Config{
		Listen:           "127.0.0.1:1935",
		HandshakeTimeout: 5 * time.Second,
		PublishTimeout:   10 * time.Second,
		IdleTimeout:      30 * time.Second,
		MaxConnections:   10_000,
		InFlightBytes:    256 << 20,
		MaxPixels:        4096 * 2304,
		Limits:           chunk.DefaultLimits(),
	}
}

// Bounds of settings.
const (
	maxTimeout    = time.Hour
	minInFlight   = 16 << 20
	minPixels     = 16 * 16 // one macroblock
	commandsShare = 8       // commands have one part of so many of InFlightBytes
)

// Validate reports the first setting that is not allowed.
func (c Config) Validate() error {
	if c.Listen == "" {
		return stillcast.Errorf(stillcast.CodeInvalid, "listen.rtmp", "is empty; expected HOST:PORT, as in 127.0.0.1:1935")
	}
	timeouts := []struct {
		field string
		value time.Duration
	}{
		{"handshake_timeout", c.HandshakeTimeout},
		{"publish_timeout", c.PublishTimeout},
		{"idle_timeout", c.IdleTimeout},
	}
	for _, t := range timeouts {
		if t.value <= 0 || t.value > maxTimeout {
			return stillcast.Errorf(stillcast.CodeInvalid, t.field, "is %s; it must be above 0 and at most %s", t.value, maxTimeout)
		}
	}
	switch {
	case c.MaxConnections < 1:
		return stillcast.Errorf(stillcast.CodeInvalid, "max_connections", "is %d; at least 1 is needed", c.MaxConnections)
	case c.InFlightBytes < minInFlight:
		return stillcast.Errorf(stillcast.CodeInvalid, "in_flight_bytes", "is %d; at least %d are needed", c.InFlightBytes, minInFlight)
	case c.MaxPixels < minPixels || c.MaxPixels > media.MaxH264Pixels:
		return stillcast.Errorf(stillcast.CodeInvalid, "max_pixels", "is %d; allowed are %d to %d", c.MaxPixels, minPixels, media.MaxH264Pixels)
	}
	return stillcast.Within("limits", c.Limits.Validate())
}
