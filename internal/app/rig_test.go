package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/codec"
	"github.com/stillcast/stillcast/internal/config"
)

// The test binary is also the codec worker and the server that tests kill.
const (
	roleKey      = "STILLCAST_TEST_ROLE"
	roleWorker   = "worker"
	roleServer   = "server"
	roleReceiver = "receiver"
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleKey) {
	case roleWorker:
		if err := codec.RunWorker(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case roleServer:
		os.Exit(serveForKill())
	case roleReceiver:
		os.Exit(serveReceiver())
	}
	goleak.VerifyTestMain(m)
}

func testWorker() codec.Program {
	return codec.Program{Path: "/proc/self/exe", Env: []string{roleKey + "=" + roleWorker}}
}

const (
	pushKey = stillcast.Secret("push-key")
	hookKey = stillcast.Secret("hook-key")
)

// testConfig listens on free ports and sends all events of all streams to hooks.
func testConfig(dir, hooks string) *config.Config {
	cfg := config.Default()
	cfg.DataDir = dir
	cfg.PublicURL = "http://127.0.0.1:0"
	cfg.Listen = config.Listen{RTMP: "127.0.0.1:0", HTTP: "127.0.0.1:0", Ops: "127.0.0.1:0"}
	cfg.Callback.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	cfg.Callback.Retry.Interval, cfg.Callback.PushRetry.Interval = time.Second, time.Second
	// The race detector reserves more address space than a worker may have.
	cfg.Codec.MemoryLimit = 0
	cfg.Resources = config.Resources{
		Domains:           []config.Domain{{Name: stillcast.AnyDomain, Auth: config.Auth{Enabled: true, Key: pushKey}}},
		SnapshotTemplates: []config.SnapshotTemplate{{Name: "t", Interval: 2 * time.Second, Bucket: "shots", AppID: 1250000000, Region: "ap-guangzhou"}},
		SnapshotRules:     []config.SnapshotRule{{Domain: stillcast.AnyDomain, Template: "t"}},
	}
	if hooks != "" {
		cfg.Resources.CallbackTemplates = []config.CallbackTemplate{{
			Name: "hooks", Key: hookKey, SnapshotURL: hooks + "/shot", StreamBeginURL: hooks + "/begin", StreamEndURL: hooks + "/end",
		}}
		cfg.Resources.CallbackRules = []config.CallbackRule{{Domain: stillcast.AnyDomain, Template: "hooks"}}
	}
	return &cfg
}

// logWriter hands the server's log to the test.
type logWriter struct{ t *testing.T }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Logf("server: %s", p)
	return len(p), nil
}

func testLogger(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(logWriter{t}, nil))
}

// startApp runs a server until the test ends.
func startApp(t *testing.T, cfg *config.Config) *App {
	t.Helper()
	a, err := New(t.Context(), Options{
		Config: cfg, Worker: testWorker(), Version: "test",
		Logger: testLogger(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

func pushURL(addr fmt.Stringer, name string) string {
	return "rtmp://" + addr.String() + "/live/" + name + "?" + stillcast.PushParam(pushKey, name, time.Now().Add(time.Hour))
}

// arrived is an event as a receiver got it, with its picture.
type arrived struct {
	callback.Event
	Meta callback.Meta
	JPEG []byte
	At   time.Time
}

// hooks is a real HTTP server that verifies events as a user's would.
type hooks struct {
	*httptest.Server
	t      *testing.T
	events chan arrived
	client *http.Client // that downloads the pictures

	mu    sync.Mutex
	fails int // requests to answer with 503 first
}

func newHooks(t *testing.T) *hooks {
	t.Helper()
	h := &hooks{t: t, events: make(chan arrived, 1024), client: http.DefaultClient}
	handler := callback.Handler(callback.Options{Keys: []string{hookKey.Reveal()}}, h.receive)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.failing() {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

// failNext answers the next n requests with 503.
func (h *hooks) failNext(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fails = n
}

func (h *hooks) failing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fails--
	return h.fails >= 0
}

func (h *hooks) receive(ctx context.Context, e callback.Event) error {
	got := arrived{Event: e, Meta: callback.MetaFrom(ctx), At: time.Now()}
	if shot, ok := e.(callback.Screenshot); ok {
		// Picture before notice: it must be there when the event is.
		jpeg, err := downloadWith(ctx, h.client, shot.PicFullURL)
		if ctx.Err() != nil {
			return context.Cause(ctx) // the sender was killed; it sends the event again
		}
		if err != nil {
			h.t.Errorf("picture of event %s: %v", got.Meta.EventID, err)
		}
		got.JPEG = jpeg
	}
	h.events <- got
	return nil
}

func download(ctx context.Context, url string) ([]byte, error) {
	return downloadWith(ctx, http.DefaultClient, url)
}

func downloadWith(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	reply, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", url, reply.Status)
	}
	return io.ReadAll(reply.Body)
}

// next returns the next event.
func (h *hooks) next() arrived {
	h.t.Helper()
	select {
	case e := <-h.events:
		return e
	case <-time.After(30 * time.Second):
		h.t.Fatal("no event for 30 s")
		return arrived{}
	}
}

// shot returns the next event 200, passing over others.
func (h *hooks) shot() (callback.Screenshot, arrived) {
	h.t.Helper()
	for {
		e := h.next()
		if shot, ok := e.Event.(callback.Screenshot); ok {
			return shot, e
		}
	}
}

// end returns the next event 0, passing over others.
func (h *hooks) end() callback.StreamEnd {
	h.t.Helper()
	for {
		if end, ok := h.next().Event.(callback.StreamEnd); ok {
			return end
		}
	}
}
