package console

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestClient(t *testing.T) {
	cfg := DefaultConfig()
	cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, test := range []struct {
		name, remote, proto, hops string
		tls                       bool
		addr                      string
		https                     bool
	}{
		{name: "direct", remote: "192.0.2.1:1", addr: "192.0.2.1"},
		{name: "direct over TLS", remote: "192.0.2.1:1", tls: true, addr: "192.0.2.1", https: true},
		{name: "made up", remote: "192.0.2.1:1", proto: "https", hops: "203.0.113.9", addr: "192.0.2.1"},
		{name: "proxy", remote: "10.1.1.1:1", proto: "https", hops: "203.0.113.9", addr: "203.0.113.9", https: true},
		{name: "proxy without TLS", remote: "10.1.1.1:1", proto: "http", hops: "203.0.113.9", addr: "203.0.113.9"},
		{name: "proxies", remote: "10.1.1.1:1", proto: "HTTPS, http", hops: "6.6.6.6, 203.0.113.9, 10.2.2.2", addr: "203.0.113.9", https: true},
		{name: "only proxies", remote: "10.1.1.1:1", hops: "10.2.2.2", addr: "10.2.2.2"},
		{name: "proxy that says nothing", remote: "10.1.1.1:1", addr: "10.1.1.1"},
		{name: "proxy that says nonsense", remote: "10.1.1.1:1", proto: "httpsx", hops: "203.0.113.9, unknown", addr: "10.1.1.1"},
		{name: "mapped", remote: "[::ffff:10.1.1.1]:1", proto: "https", hops: "2001:db8::1", addr: "2001:db8::1", https: true},
		{name: "IPv6", remote: "[fd00::1]:1", proto: "https", hops: "::ffff:203.0.113.9", addr: "203.0.113.9", https: true},
		{name: "no address", remote: "@", proto: "https", hops: "203.0.113.9", addr: "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: test.remote, Header: http.Header{}}
		if test.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if test.proto != "" {
			r.Header.Set("X-Forwarded-Proto", test.proto)
		}
		for hop := range strings.SplitSeq(test.hops, ", ") {
			r.Header.Add("X-Forwarded-For", hop)
		}
		if got := cfg.client(r); got.addr.String() != test.addr || got.https != test.https {
			t.Errorf("%s: %s, https %t; want %s, %t", test.name, got.addr, got.https, test.addr, test.https)
		}
	}
}

func TestCookiesOverHTTPS(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Config.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	b := r.browser()
	b.header = http.Header{"X-Forwarded-Proto": {"https"}}
	a := b.login("admin", r.admin)
	b.wantTo(a, Path)
	cookies := a.header.Values("Set-Cookie")
	if len(cookies) != 2 {
		t.Errorf("cookies %q", cookies)
	}
	for _, c := range cookies {
		for _, want := range []string{"; Path=/;", "; Secure", "; HttpOnly", "; SameSite=Strict"} {
			if !strings.HasPrefix(c, "__Host-stillcast_") || !strings.Contains(c, want) || strings.Contains(c, "Domain") {
				t.Errorf("the cookie %s lacks %q", c, want)
			}
		}
	}
	// What came over HTTP, where others may have written it, is no cookie here.
	value, _, _ := strings.Cut(strings.TrimPrefix(cookies[0], "__Host-"), ";")
	b = r.browser()
	b.header = http.Header{"X-Forwarded-Proto": {"https"}, "Cookie": {value}}
	b.wantTo(b.get("account"), Path+"login?back=%2Fconsole%2Faccount")
	b.header.Set("Cookie", "__Host-"+value)
	b.want(b.get("account"), http.StatusOK)
}

func TestConfigFaults(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for field, damage := range map[string]func(*Config){
		"session_lifetime": func(c *Config) { c.SessionLifetime = maxLifetime + 1 },
		"idle_lifetime":    func(c *Config) { c.IdleLifetime = minLifetime - 1 },
		"trusted_proxies":  func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.1.1.1/8")} },
	} {
		c := DefaultConfig()
		damage(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("%s: %v", field, err)
		}
	}
}
