package rtmp

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/pires/go-proxyproto"
)

// behindProxy is a server that trusts the loopback.
func behindProxy(t *testing.T, change func(*Config)) (*fixture, *fakeGate) {
	t.Helper()
	cfg := testConfig()
	cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	if change != nil {
		change(&cfg)
	}
	g := newFakeGate()
	return start(t, cfg, g), g
}

// header returns a PROXY header of the version.
func header(t testing.TB, version byte, source string) []byte {
	t.Helper()
	from, to := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(source)), net.TCPAddrFromAddrPort(netip.MustParseAddrPort("198.51.100.1:1935"))
	if from.IP.To4() == nil {
		to = net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[2001:db8::1]:1935"))
	}
	b, err := proxyproto.HeaderProxyFromAddrs(version, from, to).Format()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestProxyHeader(t *testing.T) {
	local := proxyproto.Header{Version: 2, Command: proxyproto.LOCAL}
	health, err := local.Format()
	if err != nil {
		t.Fatal(err)
	}
	tlv := proxyproto.HeaderProxyFromAddrs(2, net.TCPAddrFromAddrPort(netip.MustParseAddrPort("203.0.113.9:5000")), net.TCPAddrFromAddrPort(netip.MustParseAddrPort("198.51.100.1:1935")))
	if err := tlv.SetTLVs([]proxyproto.TLV{{Type: proxyproto.PP2_TYPE_NOOP, Value: make([]byte, 2000)}}); err != nil {
		t.Fatal(err)
	}
	long, err := tlv.Format()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		header []byte
		want   string // "" for the proxy's own address
	}{
		{"version 1", header(t, 1, "203.0.113.7:5000"), "203.0.113.7:5000"},
		{"version 2", header(t, 2, "203.0.113.7:5000"), "203.0.113.7:5000"},
		{"version 2, IPv6", header(t, 2, "[2001:db8::7]:5000"), "[2001:db8::7]:5000"},
		{"version 2 with much else", long, "203.0.113.9:5000"},
		{"version 1, unknown", []byte("PROXY UNKNOWN\r\n"), ""},
		{"version 2, for itself", health, ""},
	}
	for _, tt := range tests {
		for _, piece := range []int{1, 1 << 16} {
			t.Run(tt.name, func(t *testing.T) {
				f, g := behindProxy(t, nil)
				conn := dial(t, f.Addr())
				// The header may come alone, in pieces, or with what follows.
				first := tt.header
				if piece == 1 {
					for _, b := range first {
						if _, err := conn.Write([]byte{b}); err != nil {
							t.Fatal(err)
						}
					}
					first = nil
				}
				c := clientOn(t, conn, bytes.Clone(first))
				c.publish()
				g.push(t)
				want := tt.want
				if want == "" {
					want = conn.LocalAddr().String()
				}
				if req := g.request(t); req.Remote.String() != want || req.Local.String() != f.Addr().String() {
					t.Errorf("push from %s to %s, want from %s to %s", req.Remote, req.Local, want, f.Addr())
				}
				if !strings.Contains(f.log.String(), "remote="+want) {
					t.Errorf("the log does not name %s:\n%s", want, f.log)
				}
			})
		}
	}
}

// The bytes after the header, however many, are the publisher's.
func TestProxyHeaderBeforeARecording(t *testing.T) {
	f, g := behindProxy(t, nil)
	r := readRecording(t, "testdata/ffmpeg51.rtmp")
	replay(t, f, append(header(t, 2, "203.0.113.7:5000"), r.data...))
	p := g.push(t)
	p.end(t)
	if n := len(p.taken()); n != len(r.keyFrames) {
		t.Errorf("%d key frames, want %d", n, len(r.keyFrames))
	}
}

func TestProxyHeaderIsRequired(t *testing.T) {
	handshake := append([]byte{rtmpVersion}, make([]byte, 2*handshakeSize)...)
	datagram, err := proxyproto.HeaderProxyFromAddrs(2, &net.UDPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 1}, &net.UDPAddr{IP: net.IPv4(203, 0, 113, 8), Port: 1}).Format()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		data []byte
		text string
	}{
		{"none", handshake, "no PROXY header from the trusted proxy 127.0.0.1"},
		{"broken", []byte("PROXY TCP4 999.0.0.1 1.2.3.4 1 2\r\n"), "no PROXY header from the trusted proxy 127.0.0.1"},
		{"endless", bytes.Repeat([]byte("PROXY "), 1000), "no PROXY header from the trusted proxy 127.0.0.1"},
		{"60 KB announced", append([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\xf0\x00"), make([]byte, 60<<10)...), "no PROXY header from the trusted proxy 127.0.0.1"},
		{"of a datagram", datagram, "is not for a TCP connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, g := behindProxy(t, nil)
			c := dial(t, f.Addr())
			_, _ = c.Write(tt.data)
			_, _ = io.Copy(io.Discard, c)
			f.closedFor(t, reasonProxy, 1)
			if !strings.Contains(f.log.String(), tt.text) {
				t.Errorf("the log does not say %q:\n%s", tt.text, f.log)
			}
			if len(g.requests) != 0 {
				t.Error("the push was let in")
			}
		})
	}
}

// Whoever may not speak for others is no RTMP publisher when it does.
func TestProxyHeaderOfStrangersIsRefused(t *testing.T) {
	for _, version := range []byte{1, 2} {
		f, _ := behindProxy(t, func(c *Config) {
			c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::/0")}
		})
		c := dial(t, f.Addr())
		_, _ = c.Write(header(t, version, "203.0.113.7:5000"))
		_, _ = io.Copy(io.Discard, c)
		f.closedFor(t, reasonNotRTMP, 1)
		if !strings.Contains(f.log.String(), "its sender is not in trusted_proxies") {
			t.Errorf("the log does not say why:\n%s", f.log)
		}
		checkAlive(t, f) // others need no header
	}
}

// A proxy that sends nothing has the time of a handshake; one that only looks
// whether the port is open is not worth a word.
func TestProxyThatSendsNothing(t *testing.T) {
	f, _ := behindProxy(t, func(c *Config) { c.HandshakeTimeout = 50_000_000 })
	for _, begin := range []string{"PROXY TCP4", "\r\n\r\n\x00\r\nQ", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x01"} {
		c := dial(t, f.Addr())
		_, _ = c.Write([]byte(begin))
		_, _ = io.Copy(io.Discard, c)
	}
	f.closedFor(t, reasonSlow, 3)
	if !strings.Contains(f.log.String(), "no PROXY header within 50ms") {
		t.Errorf("log:\n%s", f.log)
	}
	dial(t, f.Addr()).Close()
	f.closedFor(t, reasonNetwork, 1)
}

// Connections are counted for the publishers, not for the proxy.
func TestProxiedAddressesAreCounted(t *testing.T) {
	f, _ := behindProxy(t, func(c *Config) { c.MaxPerAddress = 1 })
	clientOn(t, dial(t, f.Addr()), header(t, 2, "[2001:db8::7]:1")).connect()
	clientOn(t, dial(t, f.Addr()), header(t, 2, "203.0.113.7:1")).connect()
	over := clientOn(t, dial(t, f.Addr()), header(t, 2, "[2001:db8::8]:1"))
	if why := over.rejected(); why != "2001:db8::/64 has 1 connections, as many as it may" {
		t.Errorf("reason %q", why)
	}
	f.closedFor(t, reasonAddress, 1)
}
