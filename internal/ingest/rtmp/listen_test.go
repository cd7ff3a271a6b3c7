package rtmp

import (
	"context"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
)

// All addresses take pushes, and each push knows where it was accepted.
func TestSeveralAddresses(t *testing.T) {
	cfg := testConfig()
	cfg.Listen = "127.0.0.1:0, [::1]:0"
	g := newFakeGate()
	f := start(t, cfg, g)
	for i, l := range f.listeners {
		c := newClient(t, l.Addr())
		c.publish()
		g.push(t)
		req := g.requests[i]
		if req.Local.String() != l.Addr().String() || req.Remote.Addr() != req.Local.Addr() {
			t.Errorf("push from %s to %s, listening on %s", req.Remote, req.Local, l.Addr())
		}
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	cfg := testConfig()
	cfg.Listen = "unix:" + path
	cfg.UnixMode = "600"
	cfg.MaxPerAddress = 1 // there is none
	g := newFakeGate()
	f := start(t, cfg, g)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v; want the mode 0600", info, err)
	}
	newClient(t, f.Addr())
	c := newClient(t, f.Addr())
	c.publish()
	c.video(0, avcHeader()...)
	c.video(40, keyFrame(200_000)...)
	c.ping()
	p := g.push(t)
	if n := len(p.taken()); n != 1 {
		t.Errorf("%d pictures, want 1", n)
	}
	if req := g.request(t); req.Remote.IsValid() || req.Local.IsValid() {
		t.Errorf("push from %s to %s, want no addresses", req.Remote, req.Local)
	}
	if err := f.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// stale leaves a socket behind that nobody answers on.
func stale(t *testing.T, path string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Type() != fs.ModeSocket {
		t.Fatalf("no stale socket: %v, %v", info, err)
	}
}

func TestUnixSocketThatIsThere(t *testing.T) {
	dir := t.TempDir()
	listenOn := func(path string) (*Server, error) {
		cfg := testConfig()
		cfg.Listen = "unix:" + path
		return New(t.Context(), cfg, newFakeGate(), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	}
	left := filepath.Join(dir, "left")
	stale(t, left)
	s, err := listenOn(left)
	if err != nil {
		t.Fatalf("on a socket that a killed server left: %v", err)
	}
	if _, err := listenOn(left); stillcast.CodeOf(err) != stillcast.CodeConflict || !strings.Contains(err.Error(), "is in use by another program") {
		t.Errorf("on a socket in use: %v", err)
	}
	if err := s.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listenOn(file); stillcast.CodeOf(err) != stillcast.CodeInvalid || !strings.Contains(err.Error(), "exists and is no socket") {
		t.Errorf("on a file: %v", err)
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != "precious" {
		t.Errorf("the file was touched: %q, %v", data, err)
	}
	if _, err := listenOn(filepath.Join(dir, "no", "folder")); stillcast.CodeOf(err) != stillcast.CodeInvalid {
		t.Errorf("in no folder: %v", err)
	}
}

// One address that cannot be had leaves none in use.
func TestListenAllOrNothing(t *testing.T) {
	f := start(t, testConfig(), newFakeGate())
	path := filepath.Join(t.TempDir(), "s")
	cfg := testConfig()
	cfg.Listen = "unix:" + path + "," + f.Addr().String()
	_, err := New(t.Context(), cfg, newFakeGate(), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if stillcast.CodeOf(err) != stillcast.CodeConflict {
		t.Errorf("New: %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the first address is still listened on: %v", err)
	}
}
