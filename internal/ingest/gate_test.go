package ingest

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = stillcast.Secret("master")

// notebook is a Journal and Sink that a test reads.
type notebook struct {
	mu    sync.Mutex
	fails int // journal calls to fail first
	lines []string
	ends  []stillcast.PushEnd
}

func (n *notebook) write(line string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fails > 0 {
		n.fails--
		return errors.New("database is away")
	}
	n.lines = append(n.lines, line)
	return nil
}

func (n *notebook) BeginPush(_ context.Context, p stillcast.Push) error {
	return n.write("begin " + p.Stream.Name)
}

func (n *notebook) EndPush(_ context.Context, p stillcast.Push, end stillcast.PushEnd) error {
	n.mu.Lock()
	n.ends = append(n.ends, end)
	n.mu.Unlock()
	return n.write("end " + p.Stream.Name)
}

func (n *notebook) Configure(*media.Config)  {}
func (n *notebook) Want(u media.Unit) bool   { return u.Key }
func (n *notebook) Take(a *media.AccessUnit) { a.Release() }
func (n *notebook) Close()                   { _ = n.write("closed") }

func newGate(t *testing.T, n *notebook) *Gate {
	t.Helper()
	resources := stillcast.NewResources(stillcast.ResourceSet{Domains: []stillcast.Domain{
		{Name: "push.example.com", Auth: stillcast.PushAuth{Key: key}},
		{Name: "open.example.com", Auth: stillcast.PushAuth{Disabled: true}},
	}})
	return NewGate(GateOptions{
		Resources: func() *stillcast.Resources { return resources },
		Journal:   n, Supports: func(c media.Codec) bool { return c == media.H264 },
		Open:   func(stillcast.Push, <-chan struct{}) Sink { return n },
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
}

func request(domain, name, param string) Request {
	return Request{
		URL:    PushURL{Stream: stillcast.Stream{Domain: domain, App: "live", Name: name}, Param: param},
		Remote: netip.MustParseAddrPort("192.0.2.1:1000"), Local: netip.MustParseAddrPort("192.0.2.2:1935"),
	}
}

func TestAdmit(t *testing.T) {
	future, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	tests := []struct {
		name, domain, param string
		code                stillcast.Code
		text                string
	}{
		{"good", "push.example.com", stillcast.PushParam(key, "s", future), "", ""},
		{"no authorisation asked", "open.example.com", "", "", ""},
		{"unknown domain", "else.example.com", "", stillcast.CodeDenied, `push domain: "else.example.com" is not registered`},
		{"no query", "push.example.com", "", stillcast.CodeDenied, "txTime: is missing"},
		{"no secret", "push.example.com", "txTime=70000000", stillcast.CodeDenied, "txSecret: is missing"},
		{"wrong secret", "push.example.com", stillcast.PushParam("other", "s", future), stillcast.CodeDenied, "txSecret: is wrong"},
		{"other stream's secret", "push.example.com", stillcast.PushParam(key, "t", future), stillcast.CodeDenied, "txSecret: is wrong"},
		{"expired", "push.example.com", stillcast.PushParam(key, "s", past), stillcast.CodeDenied, "txTime: expired at "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGate(t, &notebook{})
			p, err := g.Admit(t.Context(), request(tt.domain, "s", tt.param))
			if stillcast.CodeOf(err) != tt.code || err != nil && !strings.HasPrefix(err.Error(), tt.text) {
				t.Errorf("error %v, want code %q and text %q", err, tt.code, tt.text)
			}
			if err == nil {
				p.End(stillcast.PushEnd{Code: stillcast.EndClient})
			}
			if err := g.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSecondPushOfALiveStreamIsRefused(t *testing.T) {
	n := &notebook{}
	g := newGate(t, n)
	first, err := g.Admit(t.Context(), request("open.example.com", "s", ""))
	if err != nil {
		t.Fatal(err)
	}
	_, err = g.Admit(t.Context(), request("open.example.com", "s", ""))
	if stillcast.CodeOf(err) != stillcast.CodeConflict || !strings.Contains(err.Error(), "is live already, pushed from 192.0.2.1") {
		t.Errorf("second push: %v, want a conflict that names the first", err)
	}
	first.End(stillcast.PushEnd{Code: stillcast.EndClient})
	again, err := g.Admit(t.Context(), request("open.example.com", "s", ""))
	if err != nil {
		t.Fatalf("push after the first ended: %v", err)
	}
	again.End(stillcast.PushEnd{})
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestJournalIsWrittenThroughAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &notebook{fails: 5}
		g := newGate(t, n)
		p, err := g.Admit(t.Context(), request("open.example.com", "s", ""))
		if err != nil {
			t.Fatalf("a database that is away refused a publisher: %v", err)
		}
		time.Sleep(time.Minute)
		if err := p.Configure(&media.Config{Codec: media.H264, Width: 64, Height: 48}); err != nil {
			t.Fatal(err)
		}
		p.End(stillcast.PushEnd{Code: stillcast.EndNetwork})
		if err := g.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"begin s", "closed", "end s"}, n.lines); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}
		end := n.ends[len(n.ends)-1]
		if end.Code != stillcast.EndNetwork || end.Width != 64 || end.Height != 48 || end.At.IsZero() {
			t.Errorf("end = %+v, want its code, size and time", end)
		}
	})
}

func TestCloseGivesUpOnADeadDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, &notebook{fails: 1 << 30})
		p, err := g.Admit(t.Context(), request("open.example.com", "s", ""))
		if err != nil {
			t.Fatal(err)
		}
		p.End(stillcast.PushEnd{})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := g.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v, want that its time was over", err)
		}
	})
}

func TestUnsupportedCodecIsNamed(t *testing.T) {
	g := newGate(t, &notebook{})
	p, err := g.Admit(t.Context(), request("open.example.com", "s", ""))
	if err != nil {
		t.Fatal(err)
	}
	err = p.Configure(&media.Config{Codec: media.HEVC})
	if diff := cmp.Diff([]media.Codec{media.H264}, g.Codecs()); diff != "" {
		t.Errorf("codecs (-want +got):\n%s", diff)
	}
	if want := "video codec: HEVC is not supported; allowed: H.264"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
	p.End(stillcast.PushEnd{Code: stillcast.EndRefused})
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPushWithoutVideoIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, &notebook{})
		p, err := g.Admit(t.Context(), request("open.example.com", "radio", ""))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := testutil.ToFloat64(g.metrics.noVideo); got != 1 {
			t.Errorf("pushes without video counted: %v, want 1", got)
		}
		p.End(stillcast.PushEnd{})
		if err := g.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// stopOf is why the server wants the push to end, nil when it does not.
func stopOf(p Push) (why *stillcast.PushEnd) {
	p.OnStop(func(end stillcast.PushEnd) { why = &end })
	return why
}

func TestStopIsToldOnce(t *testing.T) {
	g := newGate(t, &notebook{})
	p := admit(t, g, "open.example.com", "s", "")
	var told []string
	p.OnStop(func(end stillcast.PushEnd) { told = append(told, end.Message) })
	for _, why := range []string{"first", "second"} {
		g.Drop(g.Live()[0].Stream, stillcast.PushEnd{Code: stillcast.EndControl, Message: why})
	}
	p.End(stillcast.PushEnd{})
	if len(told) != 1 || told[0] != "first" {
		t.Errorf("told %q, want the first reason, once", told)
	}
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDropEndsALivePush(t *testing.T) {
	g := newGate(t, &notebook{})
	p, err := g.Admit(t.Context(), request("open.example.com", "s", ""))
	if err != nil {
		t.Fatal(err)
	}
	s := g.Live()[0].Stream
	if !g.Drop(s, stillcast.PushEnd{Code: stillcast.EndControl, Message: "dropped"}) {
		t.Error("Drop found no live push")
	}
	end := stopOf(p)
	if end == nil || end.Message != "dropped" {
		t.Fatalf("stopped with %+v, want the reason given to Drop", end)
	}
	p.End(*end)
	if g.Drop(s, stillcast.PushEnd{}) {
		t.Error("Drop found a push that ended")
	}
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
