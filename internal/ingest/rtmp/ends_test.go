package rtmp

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/media"
)

// diary is a journal that hands ends to a test.
type diary struct {
	begins chan stillcast.Push
	ends   chan stillcast.PushEnd
}

func (d *diary) BeginPush(_ context.Context, p stillcast.Push) error {
	d.begins <- p
	return nil
}

func (d *diary) EndPush(_ context.Context, _ stillcast.Push, end stillcast.PushEnd) error {
	d.ends <- end
	return nil
}

// nobody takes key frames and throws them away.
type nobody struct{}

func (nobody) Configure(*media.Config) {}
func (nobody) Want(u media.Unit) bool  { return u.Key }
func (nobody) Take(a *media.AccessUnit) {
	a.Release()
}
func (nobody) Close() {}

// whole is the server with the real gate.
type whole struct {
	server *Server
	gate   *ingest.Gate
	diary  *diary
}

func startWhole(t *testing.T, change func(*Config)) whole {
	t.Helper()
	cfg := testConfig()
	cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	if change != nil {
		change(&cfg)
	}
	d := &diary{begins: make(chan stillcast.Push, 10), ends: make(chan stillcast.PushEnd, 10)}
	resources := stillcast.NewResources(stillcast.ResourceSet{Domains: []stillcast.Domain{{Name: "push.example.com", Auth: stillcast.PushAuth{Disabled: true}}}})
	logger := slog.New(slog.DiscardHandler)
	g := ingest.NewGate(ingest.GateOptions{
		Resources: func() *stillcast.Resources { return resources }, Journal: d, Supports: func(c media.Codec) bool { return c != media.VP8 },
		Open: func(stillcast.Push, <-chan struct{}) ingest.Sink { return nobody{} }, Logger: logger, Registerer: prometheus.NewRegistry(),
	})
	s, err := New(t.Context(), cfg, g, logger, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background()) }()
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := g.Close(context.Background()); err != nil {
			t.Error(err)
		}
		<-served
	})
	return whole{server: s, gate: g, diary: d}
}

// Each way in which a push can end, with what events 1 and 0 say of it.
func TestEndsOfPushes(t *testing.T) {
	stream := stillcast.Stream{Domain: "push.example.com", App: "live", Name: "stream1"}
	tests := []struct {
		name   string
		change func(*Config)
		end    func(*client, whole)
		code   stillcast.EndCode
		text   string
		status string // that the publisher is told
	}{
		{"FCUnpublish", nil, func(c *client, _ whole) { c.command("FCUnpublish", 4.0, nil, "stream1") }, stillcast.EndClient, "FCUnpublish", statusUnpublish},
		{"deleteStream", nil, func(c *client, _ whole) { c.command("deleteStream", 4.0, nil, 1.0) }, stillcast.EndClient, "deleteStream", statusUnpublish},
		{"closeStream", nil, func(c *client, _ whole) { c.command("closeStream", 4.0, nil) }, stillcast.EndClient, "closeStream", statusUnpublish},
		{"closed without a word", nil, func(c *client, _ whole) { c.conn.Close() }, stillcast.EndNetwork, "without a stop command", ""},
		{"reset", nil, func(c *client, _ whole) {
			_ = c.conn.(*net.TCPConn).SetLinger(0)
			c.conn.Close()
		}, stillcast.EndNetwork, "the connection broke", ""},
		{"no data", func(c *Config) { c.IdleTimeout = 50 * time.Millisecond }, func(*client, whole) {}, stillcast.EndNoData, "nothing received for 50ms", statusPublishFailed},
		{"dropped", nil, func(_ *client, w whole) {
			w.gate.Drop(stream, stillcast.PushEnd{Code: stillcast.EndControl, Message: "21/100: dropped"})
		}, stillcast.EndControl, "21/100", statusUnpublish},
		{"forbidden", nil, func(_ *client, w whole) {
			w.gate.SetBans([]stillcast.Ban{{Stream: stream, Until: time.Now().Add(time.Hour)}})
		}, stillcast.EndControl, "21/101", statusUnpublish},
		{"domain disabled", nil, func(_ *client, w whole) {
			w.gate.DropDomain("push.example.com", stillcast.PushEnd{Code: stillcast.EndControl, Message: "the push domain was disabled"})
		}, stillcast.EndControl, "disabled", statusUnpublish},
		{"unknown codec", nil, func(c *client, _ whole) { c.video(40, 0x90, 'v', 'v', 'c', '1', 1) }, stillcast.EndRefused, `"vvc1" is not supported`, statusPublishFailed},
		{"codec without a decoder", nil, func(c *client, _ whole) { c.video(40, vp8Key...) }, stillcast.EndRefused, "VP8 is not supported", statusPublishFailed},
		{"picture too large", nil, func(c *client, _ whole) {
			c.setChunkSize(1 << 20)
			c.video(40, keyFrame(8<<20)...)
		}, stillcast.EndRefused, "video message is too long", statusPublishFailed},
		{"bitrate", func(c *Config) { c.MaxBitrate = minBitrate }, func(c *client, _ whole) {
			for range 20 {
				c.video(40, keyFrame(10_000)...)
			}
		}, stillcast.EndRefused, "bitrate: more than 100000 bits per second", statusPublishFailed},
		{"malformed", nil, func(c *client, _ whole) { c.write([]byte{0xc7}) }, stillcast.EndRefused, "header that was never sent", statusPublishFailed},
		{"server stops", nil, func(_ *client, w whole) { go func() { _ = w.server.Shutdown(context.Background()) }() }, stillcast.EndInterrupted, "shutting down", statusUnpublish},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := startWhole(t, tt.change)
			c := clientOn(t, dial(t, w.server.Addr()), header(t, 2, "203.0.113.7:5000"))
			c.publish()
			c.video(0, avcHeader()...)
			c.ping()
			begin := <-w.diary.begins
			if begin.Stream != stream || begin.Remote.String() != "203.0.113.7:5000" || begin.Node != "127.0.0.1" || begin.ID == "" || begin.Param != "txSecret=ab&txTime=cd" {
				t.Errorf("begin %+v", begin)
			}
			tt.end(c, w)
			if tt.status != "" {
				c.expect(tt.status)
				c.expectEnd()
			}
			end := <-w.diary.ends
			if end.Code != tt.code || !strings.Contains(end.Message, tt.text) {
				t.Errorf("end %d %q, want %d with %q", end.Code, end.Message, tt.code, tt.text)
			}
			if end.Width != 320 || end.Height != 180 || end.At.Before(begin.Started) {
				t.Errorf("end %+v of a push of 320x180 that began at %s", end, begin.Started)
			}
		})
	}
}

// A push that was refused never began, so that it has no end.
func TestRefusedPushHasNoEvents(t *testing.T) {
	w := startWhole(t, nil)
	c := clientOn(t, dial(t, w.server.Addr()), header(t, 2, "203.0.113.7:5000"))
	c.command("connect", 1.0, connectObject())
	c.expect(statusConnected)
	c.command("publish", 3.0, nil, "", "live")
	c.expect(statusBadName)
	c.expectEnd()
	if len(w.diary.begins)+len(w.diary.ends) != 0 {
		t.Error("a refused push was journalled")
	}
}

// A bad authorisation is answered after the delay that the gate asks for; whoever
// hangs up meanwhile, or a server that stops, does not wait.
func TestRefusalIsHeldBack(t *testing.T) {
	held := func(t *testing.T, delay time.Duration) (*fixture, *client) {
		t.Helper()
		g := newFakeGate()
		g.err = &ingest.Refusal{Reason: ingest.ReasonSecretWrong, Delay: delay, Err: errTest}
		f := start(t, testConfig(), g)
		c := newClient(t, f.Addr())
		c.connect()
		c.command("publish", 3.0, nil, "s", "live")
		return f, c
	}
	t.Run("delay", func(t *testing.T) {
		began := time.Now()
		_, c := held(t, 200*time.Millisecond)
		c.expect(statusPublishFailed)
		if took := time.Since(began); took < 200*time.Millisecond {
			t.Errorf("answered after %s", took)
		}
	})
	t.Run("hangs up", func(t *testing.T) {
		f, c := held(t, time.Hour)
		c.conn.Close()
		f.closedFor(t, reasonDenied, 1)
	})
	t.Run("server stops", func(t *testing.T) {
		f, c := held(t, time.Hour)
		if err := f.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		c.expectEnd()
	})
}
