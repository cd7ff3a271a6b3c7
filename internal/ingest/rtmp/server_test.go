package rtmp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
)

func fixedAddr() netip.AddrPort { return netip.MustParseAddrPort("192.0.2.1:4000") }

func TestConfigValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	tests := []struct {
		field  string
		change func(*Config)
	}{
		{"listen.rtmp", func(c *Config) { c.Listen = "" }},
		{"listen.rtmp", func(c *Config) { c.Listen = "unix:" }},
		{"tls", func(c *Config) { c.ListenTLS = ":443" }},
		{"tls", func(c *Config) { c.TLS.Key = "key.pem" }},
		{"unix_mode", func(c *Config) { c.UnixMode = "rw" }},
		{"unix_mode", func(c *Config) { c.UnixMode = "1777" }},
		{"connect_timeout", func(c *Config) { c.ConnectTimeout = 0 }},
		{"max_connections_per_address", func(c *Config) { c.MaxPerAddress = -1 }},
		{"max_bitrate", func(c *Config) { c.MaxBitrate = 1 }},
		{"amf.depth", func(c *Config) { c.AMF.Depth = 1000 }},
		{"amf.values", func(c *Config) { c.AMF.Values = 0 }},
		{"amf.string_bytes", func(c *Config) { c.AMF.StringBytes = 0 }},
		{"handshake_timeout", func(c *Config) { c.HandshakeTimeout = 0 }},
		{"publish_timeout", func(c *Config) { c.PublishTimeout = -time.Second }},
		{"idle_timeout", func(c *Config) { c.IdleTimeout = 2 * time.Hour }},
		{"max_connections", func(c *Config) { c.MaxConnections = 0 }},
		{"in_flight_bytes", func(c *Config) { c.InFlightBytes = 1 }},
		{"max_pixels", func(c *Config) { c.MaxPixels = 1 }},
		{"limits.video_bytes", func(c *Config) { c.Limits.VideoBytes = 1 }},
	}
	for _, tt := range tests {
		cfg := DefaultConfig()
		tt.change(&cfg)
		err := cfg.Validate()
		e, ok := errors.AsType[*stillcast.Error](err)
		if !ok || e.Field != tt.field || e.Code != stillcast.CodeInvalid {
			t.Errorf("%s: %v", tt.field, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	f := start(t, testConfig(), newFakeGate())
	logger := slog.New(slog.DiscardHandler)
	tests := []struct {
		name   string
		listen string
		gate   gate
		code   stillcast.Code
		text   string
	}{
		{"address in use", f.Addr().String(), newFakeGate(), stillcast.CodeConflict, "listen.rtmp: address " + f.Addr().String() + " is in use"},
		{"no address", "127.0.0.1:99999", newFakeGate(), stillcast.CodeInvalid, `listen.rtmp: cannot listen on "127.0.0.1:99999"`},
		{"no gate", "127.0.0.1:0", nil, "", "are required"},
	}
	for _, tt := range tests {
		cfg := testConfig()
		cfg.Listen = tt.listen
		_, err := New(t.Context(), cfg, tt.gate, logger, prometheus.NewRegistry())
		if err == nil || !strings.Contains(err.Error(), tt.text) || stillcast.CodeOf(err) != tt.code {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, err := New(t.Context(), testConfig(), newFakeGate(), logger, f.registry); err == nil || !strings.Contains(err.Error(), "register RTMP metrics") {
		t.Errorf("registered twice: %v", err)
	}
	cfg := testConfig()
	cfg.IdleTimeout = 0
	if _, err := New(t.Context(), cfg, newFakeGate(), logger, prometheus.NewRegistry()); stillcast.CodeOf(err) != stillcast.CodeInvalid {
		t.Errorf("invalid configuration: %v", err)
	}
}

func TestNotRTMP(t *testing.T) {
	f := start(t, testConfig(), newFakeGate())
	c := dial(t, f.Addr())
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, c) // to the end, or to a reset
	f.closedFor(t, reasonNotRTMP, 1)
	log := f.log.String()
	if strings.Count(log, "\n") != 1 || !strings.Contains(log, "not RTMP: first byte 0x47, expected 0x03") || !strings.Contains(log, "remote="+c.LocalAddr().String()) {
		t.Errorf("log:\n%s", log)
	}
}

func TestShutdown(t *testing.T) {
	g := newFakeGate()
	f := start(t, testConfig(), g)
	live, idle := newClient(t, f.Addr()), dial(t, f.Addr())
	live.publish()
	p := g.push(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for range 2 { // more than once, at the same time
		wg.Go(func() {
			if err := f.Shutdown(ctx); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		})
	}
	if r := live.expect(statusUnpublish); r.description() != "server is shutting down" {
		t.Errorf("description %q", r.description())
	}
	live.expectEnd()
	live.conn.Close()
	if _, err := idle.Read(make([]byte, 1)); err == nil {
		t.Error("the idle connection is still open")
	}
	wg.Wait()
	if end := p.end(t); end.Code != stillcast.EndInterrupted || end.Message != "server is shutting down" {
		t.Errorf("end %+v", end)
	}
	if c, err := new(net.Dialer).DialContext(t.Context(), "tcp", f.Addr().String()); err == nil {
		c.Close()
		t.Error("connections are still accepted")
	}
}

// A gate that hangs does not keep a shutdown from ending: its context is done.
func TestShutdownByForce(t *testing.T) {
	asked := make(chan struct{})
	g := &stuckGate{asked: asked}
	registry := prometheus.NewRegistry()
	s, err := New(t.Context(), testConfig(), g, slog.New(slog.DiscardHandler), registry)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(t.Context()) }()
	c := newClient(t, s.Addr())
	c.connect()
	c.command("publish", 3.0, nil, "stream1", "live")
	<-asked
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errTest)
	if err := s.Shutdown(ctx); !errors.Is(err, errTest) {
		t.Errorf("Shutdown: %v, want it to wrap %v", err, errTest)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestServeEndsWithContext(t *testing.T) {
	s, err := New(t.Context(), testConfig(), newFakeGate(), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestEndedByServer(t *testing.T) {
	g := newFakeGate()
	f := start(t, testConfig(), g)
	c := newClient(t, f.Addr())
	c.publish()
	c.video(0, avcHeader()...)
	c.ping()
	p := g.push(t)
	p.stop(stillcast.PushEnd{Code: stillcast.EndControl, Message: "dropped by an operator"})
	if r := c.expect(statusUnpublish); r.description() != "dropped by an operator" {
		t.Errorf("description %q", r.description())
	}
	c.expectEnd()
	if end := p.end(t); end.Code != stillcast.EndControl || end.Message != "dropped by an operator" || end.Width != 320 {
		t.Errorf("end %+v", end)
	}
	f.closedFor(t, reasonEnded, 1)
}

// A publisher that goes away without a word ends its push, by a reset too.
func TestNetworkEnds(t *testing.T) {
	for _, linger := range []int{-1, 0} { // 0 makes Close send a reset
		g := newFakeGate()
		f := start(t, testConfig(), g)
		c := newClient(t, f.Addr())
		c.publish()
		if err := c.conn.(*net.TCPConn).SetLinger(linger); err != nil {
			t.Fatal(err)
		}
		c.conn.Close()
		end := g.push(t).end(t)
		if end.Code != stillcast.EndNetwork || end.Message == "" || strings.Contains(end.Message, "127.0.0.1") {
			t.Errorf("end %+v", end)
		}
		f.closedFor(t, reasonNetwork, 1)
	}
}

func TestRefusedVideo(t *testing.T) {
	broken := avcHeader()
	broken[len(broken)-14] = 0xff
	tests := []struct {
		name  string
		video []byte
		text  string
	}{
		{"unknown FLV codec", []byte{0x14, 1, 2, 3}, "FLV video codec 4 (On2 VP6) is not supported; allowed: H.264, HEVC, AV1, VP9, VP8"},
		{"unknown FourCC", []byte{0x90, 'v', 'v', 'c', '1', 1}, `video codec "vvc1" is not supported`},
		{"no avcC", []byte{0x17, 0, 0, 0, 0}, "avcC record has 0 bytes"},
		{"truncated avcC", avcHeader()[:30], "avcC record ends inside SPS 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newFakeGate()
			f := start(t, testConfig(), g)
			c := newClient(t, f.Addr())
			c.publish()
			c.video(0, tt.video...)
			if r := c.expect(statusPublishFailed); !strings.Contains(r.description(), tt.text) {
				t.Errorf("description %q, want %q", r.description(), tt.text)
			}
			c.expectEnd()
			if end := g.push(t).end(t); end.Code != stillcast.EndRefused || !strings.Contains(end.Message, tt.text) {
				t.Errorf("end %+v", end)
			}
			f.closedFor(t, reasonVideo, 1)
		})
	}
}

// A defect in what handles a push costs that connection only.
func TestPanicIsContained(t *testing.T) {
	g := newFakeGate()
	g.hook = func() { panic("test panic") }
	f := start(t, testConfig(), g)
	c := newClient(t, f.Addr())
	c.connect()
	c.command("publish", 3.0, nil, "stream1", "live")
	c.expectEnd()
	f.closedFor(t, reasonPanicking, 1)
	if log := f.log.String(); !strings.Contains(log, "test panic") || !strings.Contains(log, "fakes_test.go") && !strings.Contains(log, "server_test.go") {
		t.Errorf("the log lacks the panic or its stack:\n%s", log)
	}
	g.mu.Lock()
	g.hook = nil
	g.mu.Unlock()
	checkAlive(t, f)
}
