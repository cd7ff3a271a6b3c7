package browser

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/app"
	"github.com/stillcast/stillcast/internal/codec"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/testkit"
)

//go:embed package-lock.json
var lock []byte

// The test binary is also the codec worker.
const (
	roleKey    = "STILLCAST_TEST_ROLE"
	roleWorker = "worker"
)

func TestMain(m *testing.M) {
	if os.Getenv(roleKey) == roleWorker {
		if err := codec.RunWorker(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// screenshotsKey names the environment variable of the folder that takes the
// screenshots; without it they go with the test.
const screenshotsKey = "STILLCAST_SCREENSHOTS"

// rig is a server behind an address that outlives it, as behind a reverse proxy.
type rig struct {
	t        *testing.T
	config   *config.Config
	server   *app.App
	password string
	front    *httptest.Server

	log       inForce
	target    atomic.Pointer[httputil.ReverseProxy] // nil while there is no server
	slept     atomic.Int64                          // how often the network went away without a word
	listening atomic.Int64                          // connections that hear what is live
	mostHeard atomic.Int64                          // of these at once
}

func newRig(t *testing.T, changes ...func(*config.Config)) *rig {
	t.Helper()
	cfg := config.Default()
	cfg.DataDir = t.TempDir()
	cfg.PublicURL = "http://127.0.0.1:0"
	cfg.Listen = config.Listen{RTMP: "127.0.0.1:0", HTTP: "127.0.0.1:0", Ops: "127.0.0.1:0"}
	cfg.Codec.MemoryLimit = 0 // the race detector reserves more address space
	cfg.Resources = config.Resources{
		Domains: []config.Domain{{Name: stillcast.AnyDomain}},
		SnapshotTemplates: []config.SnapshotTemplate{
			{Name: "every 2 s", Interval: 2 * time.Second, Renditions: []config.Size{{Width: 240}}},
		},
		SnapshotRules: []config.SnapshotRule{{Domain: stillcast.AnyDomain, Template: "every 2 s"}},
	}
	for _, change := range changes {
		change(&cfg)
	}
	r := &rig{t: t, config: &cfg}
	r.front = httptest.NewServer(http.HandlerFunc(r.forward))
	r.start()
	t.Cleanup(func() {
		r.stop()
		r.front.Close()
	})
	return r
}

func (r *rig) start() {
	r.t.Helper()
	var err error
	r.server, err = app.New(r.t.Context(), app.Options{
		Config: r.config, Worker: codec.Program{Path: "/proc/self/exe", Env: []string{roleKey + "=" + roleWorker}},
		Version: "test", Logger: slog.New(&r.log),
	})
	if err == nil {
		err = r.server.Start(r.t.Context())
	}
	if err != nil {
		r.t.Fatal(err)
	}
	console, password := r.server.ConsoleURL()
	if password != "" {
		r.password = password.Reveal()
	}
	target, err := url.Parse(console)
	if err != nil {
		r.t.Fatal(err)
	}
	target.Path = ""
	r.target.Store(&httputil.ReverseProxy{
		Rewrite:       func(p *httputil.ProxyRequest) { p.SetURL(target); p.Out.Host = p.In.Host },
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		ErrorLog:      slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	})
}

func (r *rig) stop() {
	r.t.Helper()
	r.target.Store(nil)
	if err := r.server.Stop(context.Background()); err != nil {
		r.t.Errorf("stop: %v", err)
	}
}

func (r *rig) forward(w http.ResponseWriter, req *http.Request) {
	if strings.HasSuffix(req.URL.Path, "/wall/events") {
		now := r.listening.Add(1)
		defer r.listening.Add(-1)
		for most := r.mostHeard.Load(); now > most && !r.mostHeard.CompareAndSwap(most, now); most = r.mostHeard.Load() {
		}
		w = &mutable{w, &r.slept, r.slept.Load()}
	}
	proxy := r.target.Load()
	if proxy == nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = recover() }() // the proxy ends a connection by a panic
	proxy.ServeHTTP(w, req)
}

// mutable is an answer of which nothing arrives any more once the network went away
// and said nothing, as while a laptop sleeps. The connection seems to stay open.
type mutable struct {
	http.ResponseWriter

	slept *atomic.Int64
	began int64
}

func (m *mutable) Write(b []byte) (int, error) {
	if m.slept.Load() != m.began {
		return len(b), nil
	}
	return m.ResponseWriter.Write(b)
}

func (m *mutable) Unwrap() http.ResponseWriter { return m.ResponseWriter }

// push pushes a picture of one colour that a white box crosses, unless it is black.
func (r *rig) push(name, color string) *testkit.Process {
	r.t.Helper()
	box := "white"
	if color == "black" {
		box = color
	}
	return testkit.Start(r.t, "ffmpeg", "-nostdin", "-loglevel", "error", "-re", "-f", "lavfi",
		"-i", "color="+color+":size=640x360:rate=10,drawbox=x=mod(t*40\\,600):y=100:w=40:h=120:color="+box+":t=fill", "-t", "600",
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-pix_fmt", "yuv420p", "-f", "flv",
		"rtmp://"+r.server.RTMPAddr().String()+"/live/"+name)
}

// script is a script in a browser, which asks the test for what only it can do.
type script struct {
	rig *rig
	do  map[string]func()
}

// run runs a script: each line "DO word" that it prints is one wish.
func (s script) run(code string, arguments map[string]any) {
	t := s.rig.t
	t.Helper()
	shots := os.Getenv(screenshotsKey)
	if shots == "" {
		shots = t.ArtifactDir()
	} else if abs, err := filepath.Abs(shots); err == nil {
		shots = abs
	}
	all := map[string]any{"url": s.rig.front.URL, "password": s.rig.password, "screenshots": shots}
	maps.Copy(all, arguments)
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "--input-type=module", "--eval", helpers+code, string(raw))
	cmd.Dir = testkit.NPMFolder(t, "browser", lock)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatalf("start node (scripts/setup.sh test installs it): %v", err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		wish, ok := strings.CutPrefix(lines.Text(), "DO ")
		if !ok {
			t.Log(lines.Text())
			continue
		}
		if s.do[wish] == nil {
			t.Errorf("the script wants %q", wish)
		} else {
			s.do[wish]()
		}
		if _, err := stdin.Write([]byte("done\n")); err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the script failed: %v", err)
	}
}

//go:embed helpers.mjs
var helpers string
