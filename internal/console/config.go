package console

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
)

// Config is the console's part of the configuration file.
type Config struct {
	// Enabled says whether there is a console.
	Enabled bool `yaml:"enabled"`
	// SessionLifetime is how long a login is good for, whatever is done with it.
	SessionLifetime time.Duration `yaml:"session_lifetime"`
	// IdleLifetime is how long one is good for that is not used. A page that is
	// open, such as a wall, uses it.
	IdleLifetime time.Duration `yaml:"idle_lifetime"`
	// TrustedProxies are the networks of the reverse proxies before the console.
	// What they say in X-Forwarded-Proto and X-Forwarded-For is believed, and
	// nobody else.
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"`
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{Enabled: true, SessionLifetime: 30 * 24 * time.Hour, IdleLifetime: 7 * 24 * time.Hour, TrustedProxies: []netip.Prefix{}}
}

const (
	minLifetime = time.Minute
	maxLifetime = 365 * 24 * time.Hour
)

// Validate reports the first setting that is not allowed, as [stillcast.Error].
func (c Config) Validate() error {
	switch {
	case c.SessionLifetime < minLifetime || c.SessionLifetime > maxLifetime:
		return stillcast.Errorf(stillcast.CodeInvalid, "session_lifetime", "is %s; allowed are %s to %s", c.SessionLifetime, minLifetime, maxLifetime)
	case c.IdleLifetime < minLifetime || c.IdleLifetime > c.SessionLifetime:
		return stillcast.Errorf(stillcast.CodeInvalid, "idle_lifetime",
			"is %s; allowed are %s to %s, the value of session_lifetime", c.IdleLifetime, minLifetime, c.SessionLifetime)
	}
	for _, p := range c.TrustedProxies {
		if !p.IsValid() || p != p.Masked() || p.Addr().Is4In6() {
			return stillcast.Errorf(stillcast.CodeInvalid, "trusted_proxies", "holds %s, which is no network; write it as 10.0.0.0/8 or fd00::/8", p)
		}
	}
	return nil
}

// client is the other end of a request.
type client struct {
	addr  netip.Addr // zero: not known
	https bool       // the browser speaks HTTPS, to the server or to a trusted proxy
}

// client finds out who sent a request: what a trusted proxy says, else the other
// end of the connection.
func (c Config) client(r *http.Request) client {
	from := client{https: r.TLS != nil}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		from.addr = peer.Addr().Unmap()
	}
	if !c.trusts(from.addr) {
		return from
	}
	scheme, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	from.https = from.https || strings.EqualFold(strings.TrimSpace(scheme), "https")
	// Each proxy adds at the end whom it heard from. The last that is none of
	// ours is the browser; what stands before it may be made up.
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && c.trusts(from.addr); i-- {
		addr, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		from.addr = addr.Unmap()
	}
	return from
}

func (c Config) trusts(addr netip.Addr) bool {
	for _, p := range c.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
