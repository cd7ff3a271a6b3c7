package rtmp

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// unit is an access unit that a fakePush took.
type unit struct {
	media.Unit
	Width int // of its configuration
	Data  string
}

// fakePush writes down what happens to it.
type fakePush struct {
	refuse error                 // returned by Configure
	want   func(media.Unit) bool // nil: key frames
	wanted chan media.Unit       // gets every unit that is wanted, when not nil
	takes  chan struct{}         // gets an element for every unit that is taken, when not nil
	forget bool                  // count units only
	hold   bool                  // keep units in held
	onStop func(stillcast.PushEnd)
	ended  chan struct{} // closed by the first End

	mu      sync.Mutex
	configs []media.Config
	asked   []media.Unit
	units   []unit
	took    int
	held    []*media.AccessUnit
	ends    []stillcast.PushEnd
}

func newFakePush() *fakePush {
	return &fakePush{ended: make(chan struct{})}
}

func (p *fakePush) Configure(c *media.Config) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.configs = append(p.configs, *c)
	return p.refuse
}

func (p *fakePush) Want(u media.Unit) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.forget {
		p.asked = append(p.asked, u)
	}
	want := u.Key
	if p.want != nil {
		want = p.want(u)
	}
	if want && p.wanted != nil {
		p.wanted <- u
	}
	return want
}

func (p *fakePush) Take(au *media.AccessUnit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.takes != nil {
		defer func() { p.takes <- struct{}{} }()
	}
	p.took++
	switch {
	case p.hold:
		p.held = append(p.held, au)
		return
	case p.forget:
		au.Release()
		return
	}
	p.units = append(p.units, unit{Unit: au.Unit, Width: au.Config.Width, Data: string(au.Data)})
	au.Release()
}

func (p *fakePush) OnStop(f func(stillcast.PushEnd)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onStop = f
}

// stop has the server want the end of the push.
func (p *fakePush) stop(end stillcast.PushEnd) {
	p.mu.Lock()
	f := p.onStop
	p.mu.Unlock()
	f(end)
}

func (p *fakePush) End(end stillcast.PushEnd) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ends = append(p.ends, end)
	if len(p.ends) == 1 {
		close(p.ended)
	}
}

// end waits for the end and returns it; there must be exactly one.
func (p *fakePush) end(t testing.TB) stillcast.PushEnd {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the push did not end")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ends) != 1 {
		t.Fatalf("the push ended %d times: %v", len(p.ends), p.ends)
	}
	return p.ends[0]
}

func (p *fakePush) taken() []unit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.units)
}

// fakeGate admits every push, or refuses it with err.
type fakeGate struct {
	err  error
	make func() *fakePush
	// codecs that it says it takes; nil for all.
	codecs []media.Codec
	hook   func()

	mu       sync.Mutex
	requests []ingest.Request
	pushes   chan *fakePush
}

func newFakeGate() *fakeGate {
	return &fakeGate{make: newFakePush, pushes: make(chan *fakePush, 1000)}
}

func (g *fakeGate) Admit(_ context.Context, req ingest.Request) (ingest.Push, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests = append(g.requests, req)
	if g.hook != nil {
		g.hook()
	}
	if g.err != nil {
		return nil, g.err
	}
	p := g.make()
	g.pushes <- p
	return p, nil
}

func (g *fakeGate) Codecs() []media.Codec {
	if g.codecs != nil {
		return g.codecs
	}
	return media.Codecs()
}

// push waits for the next admitted push.
func (g *fakeGate) push(t testing.TB) *fakePush {
	t.Helper()
	select {
	case p := <-g.pushes:
		return p
	case <-time.After(20 * time.Second):
		t.Fatal("no push was admitted")
		return nil
	}
}

func (g *fakeGate) request(t testing.TB) ingest.Request {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.requests) != 1 {
		t.Fatalf("%d pushes were asked for, want 1: %+v", len(g.requests), g.requests)
	}
	return g.requests[0]
}

// logBuffer collects log lines.
type logBuffer struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	wrote chan struct{} // has an element after a line was written
}

func newLogBuffer() *logBuffer { return &logBuffer{wrote: make(chan struct{}, 1)} }

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.wrote <- struct{}{}:
	default:
	}
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// fixture is a server under test with what it was given.
type fixture struct {
	*Server
	gate     *fakeGate
	log      *logBuffer
	registry *prometheus.Registry
}

func testConfig() Config {
	cfg := DefaultConfig()
	cfg.Listen = "127.0.0.1:0"
	return cfg
}

// start starts a server and stops it at the end of the test.
func start(t testing.TB, cfg Config, g *fakeGate) *fixture {
	t.Helper()
	f := &fixture{gate: g, log: newLogBuffer(), registry: prometheus.NewRegistry()}
	logger := slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if f.Server, err = New(t.Context(), cfg, g, logger, f.registry); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- f.Serve(context.Background()) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := f.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		f.checkMemory(t)
	})
	return f
}

// checkMemory demands that no memory of messages is in flight any more.
func (f *fixture) checkMemory(t testing.TB) {
	t.Helper()
	if v, c := f.video.Used(), f.commands.Used(); v != 0 || c != 0 {
		t.Errorf("%d bytes for pictures and %d for commands are still in flight", v, c)
	}
}

// metric returns the value of a metric with the given value of its one label,
// "" when it has none.
func (f *fixture) metric(t testing.TB, name, label string) float64 {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() != name || label != "" && m.GetLabel()[0].GetValue() != label {
				continue
			}
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s with label %q", name, label)
	return 0
}

// closedFor waits until n connections were closed for a reason. They are
// counted before it is logged.
func (f *fixture) closedFor(t testing.TB, r reason, n float64) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		got := f.metric(t, "stillcast_rtmp_connections_closed_total", string(r))
		if got >= n {
			return
		}
		select {
		case <-f.log.wrote:
		case <-late:
			t.Fatalf("%v connections closed for the reason %q, want %v; log:\n%s", got, r, n, f.log)
		}
	}
}

// newTestShared makes what a session needs besides a connection.
func newTestShared(t testing.TB, cfg Config, g gate) *shared {
	t.Helper()
	sh := &shared{
		cfg: cfg, gate: g, log: slog.New(slog.DiscardHandler),
		video: chunk.NewBudget(cfg.InFlightBytes), commands: chunk.NewBudget(cfg.InFlightBytes),
	}
	var err error
	if sh.metrics, err = newMetrics(prometheus.NewRegistry(), sh.video, sh.commands); err != nil {
		t.Fatal(err)
	}
	return sh
}

// playback feeds a session with data in pieces and ends it as a connection
// would. It returns why it was closed.
func playback(t testing.TB, sh *shared, data []byte, size int) *closing {
	t.Helper()
	remote := netip.MustParseAddrPort("192.0.2.1:4000")
	s := newSession(t.Context(), sh, remote, netip.MustParseAddrPort("192.0.2.2:1935"))
	why := s.closedByPeer(nil)
	for piece := range slices.Chunk(data, size) {
		if err := s.feed(piece); err != nil {
			why = closingOf(err)
			break
		}
		s.out.Reset()
	}
	s.finish(why)
	if v, c := sh.video.Used(), sh.commands.Used(); v != 0 || c != 0 {
		t.Errorf("%d bytes for pictures and %d for commands are still in flight", v, c)
	}
	return why
}

func TestReasonsAreCounted(t *testing.T) {
	sh := newTestShared(t, testConfig(), newFakeGate())
	counted := slices.Collect(maps.Keys(sh.metrics.closed))
	for _, r := range []reason{
		reasonClient, reasonNetwork, reasonNoData, reasonSlow, reasonFull, reasonNotRTMP, reasonProtocol, reasonLimit,
		reasonDenied, reasonPlay, reasonVideo, reasonEnded, reasonShutdown, reasonPanicking,
	} {
		if !slices.Contains(counted, r) {
			t.Errorf("closings for the reason %q are not counted", r)
		}
	}
}

var errTest = errors.New("test error")

func (g *stuckGate) Codecs() []media.Codec { return media.Codecs() }

// stuckGate does not decide before its context is done.
type stuckGate struct{ asked chan struct{} }

func (g *stuckGate) Admit(ctx context.Context, _ ingest.Request) (ingest.Push, error) {
	close(g.asked)
	<-ctx.Done()
	return nil, context.Cause(ctx)
}
