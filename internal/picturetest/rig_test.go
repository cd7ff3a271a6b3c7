package picturetest

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
	"github.com/stillcast/stillcast/internal/app"
	"github.com/stillcast/stillcast/internal/codec"
	"github.com/stillcast/stillcast/internal/config"
)

// The test binary is also the codec worker.
const workerKey = "STILLCAST_TEST_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(workerKey) != "" {
		if err := codec.RunWorker(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

const (
	pushKey = stillcast.Secret("push-key")
	hookKey = stillcast.Secret("hook-key")
)

// Apps of the server, each with a template of its own name.
const (
	appKeyframe = "keyframe"
	appExact    = "exact"
)

// interval is that of both templates, the shortest that is allowed.
const interval = stillcast.MinInterval

// rig is a server and the receiver of its events.
type rig struct {
	t   *testing.T
	app *app.App

	mu    sync.Mutex
	shots map[string]chan shot // by stream
}

// shot is an event 200 with its picture.
type shot struct {
	callback.Screenshot
	JPEG []byte
}

func startRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, shots: map[string]chan shot{}}
	receiver := httptest.NewServer(callback.Handler(callback.Options{Keys: []string{hookKey.Reveal()}}, r.receive))
	t.Cleanup(receiver.Close)
	var err error
	r.app, err = app.New(t.Context(), app.Options{
		Config: serverConfig(t.TempDir(), receiver.URL), Version: "test",
		Worker: codec.Program{Path: "/proc/self/exe", Env: []string{workerKey + "=1"}},
		Logger: slog.New(slog.NewTextHandler(logWriter{t}, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.app.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	if err := r.app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

func serverConfig(dir, receiver string) *config.Config {
	cfg := config.Default()
	cfg.DataDir = dir
	cfg.PublicURL = "http://127.0.0.1:0"
	cfg.Listen = config.Listen{RTMP: "127.0.0.1:0", HTTP: "127.0.0.1:0", Ops: "127.0.0.1:0"}
	cfg.Callback.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	// The race detector reserves more address space than a worker may have.
	cfg.Codec.MemoryLimit = 0
	keyframe := config.SnapshotTemplate{
		Name: appKeyframe, Interval: interval, Quality: 100, Bucket: "shots", AppID: 1250000000, Region: "ap-guangzhou", Facts: true,
	}
	exact := keyframe
	exact.Name, exact.Accuracy = appExact, stillcast.AccuracyExact
	cfg.Resources = config.Resources{
		Domains:           []config.Domain{{Name: stillcast.AnyDomain, Auth: config.Auth{Enabled: true, Key: pushKey}}},
		SnapshotTemplates: []config.SnapshotTemplate{keyframe, exact},
		SnapshotRules: []config.SnapshotRule{
			{Domain: stillcast.AnyDomain, App: appKeyframe, Template: appKeyframe},
			{Domain: stillcast.AnyDomain, App: appExact, Template: appExact},
		},
		CallbackTemplates: []config.CallbackTemplate{{Name: "hooks", Key: hookKey, SnapshotURL: receiver}},
		CallbackRules:     []config.CallbackRule{{Domain: stillcast.AnyDomain, Template: "hooks"}},
	}
	return &cfg
}

// logWriter hands the server's log to the test.
type logWriter struct{ t *testing.T }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Logf("server: %s", p)
	return len(p), nil
}

func (r *rig) pushURL(appName, stream string) string {
	return "rtmp://" + r.app.RTMPAddr().String() + "/" + appName + "/" + stream + "?" +
		stillcast.PushParam(pushKey, stream, time.Now().Add(time.Hour))
}

func (r *rig) receive(ctx context.Context, e callback.Event) error {
	event, ok := e.(callback.Screenshot)
	if !ok {
		return nil
	}
	jpeg, err := download(ctx, event.PicFullURL)
	if err != nil {
		r.t.Errorf("picture of stream %s: %v", event.StreamID, err)
	}
	r.of(event.StreamID) <- shot{event, jpeg}
	return nil
}

// of are the shots of a stream; there are fewer than it holds.
func (r *rig) of(stream string) chan shot {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shots[stream] == nil {
		r.shots[stream] = make(chan shot, 64)
	}
	return r.shots[stream]
}

func download(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", url, reply.Status)
	}
	return io.ReadAll(reply.Body)
}

// take waits for so many shots of a stream, or until nothing has come for so long that nothing will.
func (r *rig) take(stream string, count int, over <-chan struct{}) []shot {
	const patience = 10 * time.Second
	var taken []shot
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for len(taken) < count {
		select {
		case s := <-r.of(stream):
			taken = append(taken, s)
			timer.Reset(patience)
			continue
		case <-over:
			// The last shots may still be on their way.
			over = nil
			timer.Reset(patience / 4)
			continue
		case <-timer.C:
		}
		break
	}
	return taken
}
