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
	"net/netip"
	"strconv"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media"
)

// Config is the settings of the RTMP server.
type Config struct {
	// Listen is the addresses to listen on for RTMP, with commas between them:
	// "HOST:PORT" or "unix:/PATH". It comes from listen.rtmp.
	Listen string `yaml:"-"`
	// ListenTLS is the same for RTMPS; "" for none. It comes from listen.rtmps.
	ListenTLS string `yaml:"-"`
	// TLS is what RTMPS needs.
	TLS TLS `yaml:"tls"`
	// TrustedProxies are the networks of load balancers. Connections from there
	// must begin with a PROXY header, which says who the publisher is; those from
	// elsewhere must not.
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"`
	// UnixMode is the mode of unix sockets, in octal digits.
	UnixMode string `yaml:"unix_mode"`
	// HandshakeTimeout is how long it may take to the end of the handshake, with
	// the PROXY header and the TLS handshake before it.
	HandshakeTimeout time.Duration `yaml:"handshake_timeout"`
	// ConnectTimeout is how long it may take from there to the connect command.
	ConnectTimeout time.Duration `yaml:"connect_timeout"`
	// PublishTimeout is how long it may take from there to the publish command.
	PublishTimeout time.Duration `yaml:"publish_timeout"`
	// IdleTimeout ends a push of which nothing came for so long.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// MaxConnections is how many connections may be open. More are refused.
	MaxConnections int `yaml:"max_connections"`
	// MaxPerAddress is how many of them may come from one address, or one network
	// of IPv6 (/64); 0 for as many as may be open.
	MaxPerAddress int `yaml:"max_connections_per_address"`
	// MaxBitrate ends a push that sends more bits per second over bitrateWindow;
	// 0 for no limit.
	MaxBitrate int64 `yaml:"max_bitrate"`
	// InFlightBytes bounds the memory of pictures that are half received, over
	// all pushes; those beyond it are dropped and counted. Commands, which come
	// before a push is authorised, have an eighth of it for themselves.
	InFlightBytes int64 `yaml:"in_flight_bytes"`
	// MaxPixels is the largest picture, width times height before cropping.
	MaxPixels int `yaml:"max_pixels"`
	// Limits bounds what one connection may send.
	Limits chunk.Limits `yaml:"limits"`
	// AMF bounds one command.
	AMF amf0.Limits `yaml:"amf"`

	// PlainReads reads as where sockets have no low-water mark, and no buffer can be
	// shared.
	PlainReads bool `yaml:"-"`
}

// TLS is what RTMPS needs. The files are read again when they have changed.
type TLS struct {
	Certificate string `yaml:"certificate"` // file: PEM, with the chain
	Key         string `yaml:"key"`         // file: PEM
}

// DefaultConfig returns the settings of a configuration that says nothing.
func DefaultConfig() Config {
	return Config{
		Listen:           "127.0.0.1:1935",
		UnixMode:         "660",
		HandshakeTimeout: 5 * time.Second,
		ConnectTimeout:   5 * time.Second,
		PublishTimeout:   10 * time.Second,
		IdleTimeout:      30 * time.Second,
		MaxConnections:   10_000,
		MaxPerAddress:    2_000,
		MaxBitrate:       200_000_000,
		InFlightBytes:    256 << 20,
		MaxPixels:        4096 * 2304,
		Limits:           chunk.DefaultLimits(),
		AMF:              amf0.DefaultLimits(),
	}
}

// Bounds of settings.
const (
	maxTimeout    = time.Hour
	minBitrate    = 100_000
	minInFlight   = 16 << 20
	minPixels     = 16 * 16 // one macroblock
	commandsShare = 8       // commands have one part of so many of InFlightBytes
)

// Validate reports the first setting that is not allowed.
func (c Config) Validate() error {
	if _, err := c.addresses(); err != nil {
		return err
	}
	if err := c.validateTimeouts(); err != nil {
		return err
	}
	switch {
	case c.MaxConnections < 1:
		return stillcast.Errorf(stillcast.CodeInvalid, "max_connections", "is %d; at least 1 is needed", c.MaxConnections)
	case c.MaxPerAddress < 0:
		return stillcast.Errorf(stillcast.CodeInvalid, "max_connections_per_address", "is %d; at least 1 is needed, or 0 for no limit", c.MaxPerAddress)
	case c.MaxBitrate != 0 && c.MaxBitrate < minBitrate:
		return stillcast.Errorf(stillcast.CodeInvalid, "max_bitrate", "is %d; at least %d bits per second are needed, or 0 for no limit", c.MaxBitrate, minBitrate)
	case c.InFlightBytes < minInFlight:
		return stillcast.Errorf(stillcast.CodeInvalid, "in_flight_bytes", "is %d; at least %d are needed", c.InFlightBytes, minInFlight)
	case c.MaxPixels < minPixels || c.MaxPixels > media.MaxH264Pixels:
		return stillcast.Errorf(stillcast.CodeInvalid, "max_pixels", "is %d; allowed are %d to %d", c.MaxPixels, minPixels, media.MaxH264Pixels)
	case (c.TLS.Certificate == "") != (c.TLS.Key == ""):
		return stillcast.Errorf(stillcast.CodeInvalid, "tls", "has a certificate or a key alone; both files are needed")
	}
	if _, err := c.unixMode(); err != nil {
		return err
	}
	if err := c.Limits.Validate(); err != nil {
		return stillcast.Within("limits", err)
	}
	return stillcast.Within("amf", c.AMF.Validate())
}

func (c Config) validateTimeouts() error {
	timeouts := []struct {
		field string
		value time.Duration
	}{
		{"handshake_timeout", c.HandshakeTimeout},
		{"connect_timeout", c.ConnectTimeout},
		{"publish_timeout", c.PublishTimeout},
		{"idle_timeout", c.IdleTimeout},
	}
	for _, t := range timeouts {
		if t.value <= 0 || t.value > maxTimeout {
			return stillcast.Errorf(stillcast.CodeInvalid, t.field, "is %s; it must be above 0 and at most %s", t.value, maxTimeout)
		}
	}
	return nil
}

func (c Config) unixMode() (uint32, error) {
	mode, err := strconv.ParseUint(c.UnixMode, 8, 32)
	if err != nil || mode > 0o777 {
		return 0, stillcast.Errorf(stillcast.CodeInvalid, "unix_mode", "is %q; expected octal digits, 600 to 777", c.UnixMode)
	}
	return uint32(mode), nil
}
