package rtmp

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
)

// writeCertificate writes a certificate for 127.0.0.1 with a name, and its key,
// into the folder.
func writeCertificate(t *testing.T, dir, name string) TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	files := TLS{Certificate: filepath.Join(dir, "chain.pem"), Key: filepath.Join(dir, "key.pem")}
	for path, block := range map[string]*pem.Block{files.Certificate: {Type: "CERTIFICATE", Bytes: certificate}, files.Key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func tlsConfig(t *testing.T) Config {
	t.Helper()
	cfg := testConfig()
	cfg.ListenTLS = "127.0.0.1:0"
	cfg.TLS = writeCertificate(t, t.TempDir(), "first")
	return cfg
}

// secure is a client's side of TLS on a connection, and the name in the server's
// certificate.
func secure(t *testing.T, conn net.Conn, change func(*tls.Config)) (*tls.Conn, string, error) {
	t.Helper()
	cfg := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the certificate is looked at here
	if change != nil {
		change(cfg)
	}
	c := tls.Client(conn, cfg)
	if err := c.HandshakeContext(t.Context()); err != nil {
		return nil, "", err
	}
	return c, c.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

func TestTLSPush(t *testing.T) {
	g := newFakeGate()
	f := start(t, tlsConfig(t), g)
	if f.TLSAddr() == nil || f.TLSAddr().String() == f.Addr().String() {
		t.Fatalf("addresses %v and %v", f.Addr(), f.TLSAddr())
	}
	conn, _, err := secure(t, dial(t, f.TLSAddr()), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := clientOn(t, conn, nil)
	c.publish()
	c.video(0, avcHeader()...)
	c.video(40, keyFrame(300_000)...)
	c.ping()
	c.command("deleteStream", 0.0, nil, 1.0)
	c.expect(statusUnpublish)
	c.expectEnd()
	p := g.push(t)
	if end := p.end(t); end.Code != stillcast.EndClient || end.Width != 320 {
		t.Errorf("end %+v", end)
	}
	if units := p.taken(); len(units) != 1 || len(units[0].Data) != 300_000 {
		t.Errorf("%d pictures", len(units))
	}
	if req := g.request(t); req.Remote.String() != conn.LocalAddr().String() || req.Local.String() != f.TLSAddr().String() {
		t.Errorf("push from %s to %s", req.Remote, req.Local)
	}
	checkAlive(t, f) // plain RTMP beside it
}

func TestFFmpegPushesOverTLS(t *testing.T) {
	g := newFakeGate()
	f := start(t, tlsConfig(t), g)
	out, err := ffmpeg(t, "rtmps://"+f.TLSAddr().String()+"/live/stream1?txSecret=ab&txTime=cd")
	if err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	p := g.push(t)
	if end := p.end(t); end.Code != stillcast.EndClient || end.Width != 320 {
		t.Errorf("end %+v", end)
	}
	if n := len(p.taken()); n != 3 || len(p.asked) != 75 {
		t.Errorf("%d key frames of %d frames, want 3 of 75", n, len(p.asked))
	}
}

func TestTLSRefuses(t *testing.T) {
	tests := []struct {
		name   string
		send   func(*testing.T, net.Conn)
		reason reason
		text   string
	}{
		{"TLS 1.1", func(t *testing.T, c net.Conn) {
			t.Helper()
			if _, _, err := secure(t, c, func(cfg *tls.Config) {
				cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS11, tls.VersionTLS11 //nolint:gosec // it is refused
			}); err == nil {
				t.Error("TLS 1.1 was accepted")
			}
		}, reasonTLS, "no TLS handshake"},
		{"plain RTMP", func(_ *testing.T, c net.Conn) {
			_, _ = c.Write(append([]byte{rtmpVersion}, make([]byte, 2*handshakeSize)...))
			_, _ = io.Copy(io.Discard, c)
		}, reasonTLS, "no TLS handshake"},
		{"nothing", func(_ *testing.T, c net.Conn) { _, _ = io.Copy(io.Discard, c) }, reasonSlow, "no TLS handshake within 100ms"},
		{"half a handshake", func(_ *testing.T, c net.Conn) {
			_, _ = c.Write([]byte{22, 3, 1, 2, 0, 1})
			_, _ = io.Copy(io.Discard, c)
		}, reasonSlow, "no TLS handshake within 100ms"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := tlsConfig(t)
			cfg.HandshakeTimeout = 100 * time.Millisecond
			f := start(t, cfg, newFakeGate())
			tt.send(t, dial(t, f.TLSAddr()))
			f.closedFor(t, tt.reason, 1)
			if !strings.Contains(f.log.String(), tt.text) {
				t.Errorf("the log does not say %q:\n%s", tt.text, f.log)
			}
		})
	}
}

// TLS on the port of plain RTMP is told apart from garbage.
func TestTLSOnThePlainPort(t *testing.T) {
	f := start(t, testConfig(), newFakeGate())
	if _, _, err := secure(t, dial(t, f.Addr()), nil); err == nil {
		t.Error("there is TLS on the plain port")
	}
	f.closedFor(t, reasonNotRTMP, 1)
	if !strings.Contains(f.log.String(), "not RTMP but TLS") {
		t.Errorf("log:\n%s", f.log)
	}
}

func TestTLSNeedsItsFiles(t *testing.T) {
	cfg := tlsConfig(t)
	if err := os.WriteFile(cfg.TLS.Key, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(t.Context(), cfg, newFakeGate(), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if e, ok := errors.AsType[*stillcast.Error](err); !ok || e.Field != "ingest.rtmp.tls" || !strings.Contains(e.Message, "cannot be used") {
		t.Errorf("New: %v", err)
	}
}

// New files are used for new connections, bad ones are not, and a push goes on.
func TestCertificateIsReplaced(t *testing.T) {
	g := newFakeGate()
	cfg := tlsConfig(t)
	f := start(t, cfg, g)
	conn, name, err := secure(t, dial(t, f.TLSAddr()), nil)
	if err != nil || name != "first" {
		t.Fatalf("certificate %q, %v", name, err)
	}
	live := clientOn(t, conn, nil)
	live.publish()
	names := func() string {
		t.Helper()
		f.mu.Lock()
		defer f.mu.Unlock()
		certificate, err := f.listeners[1].tls.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return certificate.Leaf.Subject.CommonName
	}
	writeCertificate(t, filepath.Dir(cfg.TLS.Key), "second")
	for tick := time.Tick(10 * time.Millisecond); names() != "second"; <-tick {
		if t.Context().Err() != nil {
			t.Fatal("the new certificate is not used")
		}
	}
	if _, name, err := secure(t, dial(t, f.TLSAddr()), nil); err != nil || name != "second" {
		t.Errorf("certificate %q, %v; want the new one", name, err)
	}
	live.video(0, avcHeader()...)
	live.video(40, keyFrame(1000)...)
	live.ping()
	if n := len(g.push(t).taken()); n != 1 {
		t.Errorf("%d pictures of the push that goes on, want 1", n)
	}
}

// Bad new files are logged once, and the certificate before stays.
func TestBadCertificateIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := writeCertificate(t, t.TempDir(), "first")
		log := newLogBuffer()
		c, err := openCertificate(files, slog.New(slog.NewTextHandler(log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		name := func() string {
			t.Helper()
			time.Sleep(certificateCheck)
			got, err := c.get(nil)
			if err != nil {
				t.Fatal(err)
			}
			return got.Leaf.Subject.CommonName
		}
		if err := os.WriteFile(files.Certificate, []byte("broken"), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if got := name(); got != "first" {
				t.Errorf("certificate %q", got)
			}
		}
		if err := os.Remove(files.Key); err != nil {
			t.Fatal(err)
		}
		if got := name(); got != "first" {
			t.Errorf("certificate %q without a key", got)
		}
		if n := strings.Count(log.String(), "the one before stays in use"); n != 2 {
			t.Errorf("%d log lines, want one for each change:\n%s", n, log)
		}
		writeCertificate(t, filepath.Dir(files.Key), "third")
		if got := name(); got != "third" {
			t.Errorf("certificate %q, want the good one", got)
		}
	})
}

// A PROXY header stands before TLS.
func TestProxyHeaderBeforeTLS(t *testing.T) {
	cfg := tlsConfig(t)
	cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	g := newFakeGate()
	f := start(t, cfg, g)
	conn := dial(t, f.TLSAddr())
	// Together with the first bytes of TLS.
	s, _, err := secure(t, &prefixed{Conn: conn, first: header(t, 2, "203.0.113.7:5000")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	clientOn(t, s, nil).publish()
	if req := g.request(t); req.Remote.String() != "203.0.113.7:5000" {
		t.Errorf("push from %s", req.Remote)
	}
}

// prefixed writes some bytes before the first that are written.
type prefixed struct {
	net.Conn
	first []byte
}

func (p *prefixed) Write(b []byte) (int, error) {
	if p.first == nil {
		return p.Conn.Write(b)
	}
	all := append(p.first, b...)
	p.first = nil
	_, err := p.Conn.Write(all)
	return len(b), err
}

// A paced stream over TLS gives its pictures, though the mark is the socket's.
func TestPacedTLSPushLosesNothing(t *testing.T) {
	g := newFakeGate()
	g.make = func() *fakePush {
		p := newFakePush()
		p.takes = make(chan struct{}, 100)
		return p
	}
	f := start(t, tlsConfig(t), g)
	conn, _, err := secure(t, dial(t, f.TLSAddr()), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := clientOn(t, conn, nil)
	c.publish()
	c.setChunkSize(4096)
	c.video(0, avcHeader()...)
	c.video(0, keyFrame(100_000)...)
	p := g.push(t)
	<-p.takes
	inter := append([]byte{0x27, 1, 0, 0, 0}, bytes.Repeat([]byte{1}, 20_000)...)
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	at := uint32(0)
	for marked := false; !marked; {
		<-tick.C
		at += 40
		c.video(at, inter...)
		marked = serverMark(t, f) > minLowWater
	}
	for _, size := range []int{50, 90_000, 20_000} {
		at += 40
		c.video(at, keyFrame(size)...)
		select {
		case <-p.takes:
		case <-time.After(20 * time.Second):
			t.Fatalf("a key frame of %d bytes did not come", size)
		}
	}
	if n := len(p.taken()); n != 4 {
		t.Errorf("%d pictures, want 4", n)
	}
}
