package faulttest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/app"
	"github.com/stillcast/stillcast/internal/codec"
	"github.com/stillcast/stillcast/internal/config"
)

const configKey = "STILLCAST_TEST_CONFIG"

// addresses are what a server listens on.
type addresses struct{ RTMP, HTTP, Ops string }

// serve is the server: what "stillcast serve --config FILE" does, with its
// addresses on standard output, until its standard input says "stop", and no longer
// than the test lives.
func serve() error {
	ctx := context.Background()
	cfg, err := config.Load(os.Getenv(configKey))
	if err != nil {
		return err
	}
	a, err := app.New(ctx, app.Options{
		Config: cfg, Version: "test", Logger: cfg.Log.Logger(os.Stderr),
		Worker: codec.Program{Path: "/proc/self/exe", Env: []string{roleKey + "=" + roleWorker}},
	})
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return errors.Join(err, a.Stop(ctx))
	}
	ready := addresses{a.RTMPAddr().String(), a.HTTPAddr().String(), a.OpsAddr().String()}
	if err := json.NewEncoder(os.Stdout).Encode(ready); err != nil {
		return err
	}
	if line, err := bufio.NewReader(os.Stdin).ReadString('\n'); line != "stop\n" {
		return fmt.Errorf("the test has ended: %w", err)
	}
	return a.Stop(ctx)
}

// server is a running process of serve.
type server struct {
	addresses

	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	log   *serverLog
	ready chan struct{} // closed when addresses are set, or it ended before
	ended chan struct{} // closed after err is set
	err   error
}

// start starts a server and does not wait for it.
func (w *world) start() *server {
	w.t.Helper()
	s := &server{t: w.t, log: w.log, ready: make(chan struct{}), ended: make(chan struct{})}
	// Not bound to t.Context: a test that ends stops it first.
	s.cmd = exec.Command("/proc/self/exe")
	// Killed processes of the race detector must not wait for a second.
	s.cmd.Env = append(os.Environ(), roleKey+"="+roleServer, configKey+"="+w.config, "GORACE=atexit_sleep_ms=0")
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		w.t.Fatal(err)
	}
	// Pipes of our own, so that what a killed process has written is read to the end.
	out, outOfServer, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	s.cmd.Stdout, s.cmd.Stderr = outOfServer, s.log
	if err := s.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	_ = outOfServer.Close()
	go func() {
		defer close(s.ready)
		defer out.Close()
		if json.NewDecoder(out).Decode(&s.addresses) == nil {
			w.fleet.pushTo(s.RTMP)
		}
	}()
	go func() {
		s.err = s.cmd.Wait()
		w.fleet.pushTo("")
		close(s.ended)
	}()
	w.t.Cleanup(s.kill)
	return s
}

// serving waits until a server serves.
func (s *server) serving() *server {
	s.t.Helper()
	select {
	case <-s.ready:
		if s.RTMP == "" {
			<-s.ended
			s.t.Fatalf("the server did not start (%v); its log ends with:\n%s", s.err, s.log.tail())
		}
	case <-time.After(patience):
		s.t.Fatalf("the server did not start in %s", patience)
	}
	return s
}

// kill ends the server as a power switch would, with no chance to tidy up.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.ended
	<-s.ready
}

// stop ends it in order.
func (s *server) stop() {
	s.t.Helper()
	if _, err := io.WriteString(s.in, "stop\n"); err != nil {
		s.t.Errorf("stop the server: %v", err)
	}
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatalf("the server did not stop in %s", patience)
	}
	if s.err != nil {
		s.t.Errorf("the server ended with %v; its log ends with:\n%s", s.err, s.log.tail())
	}
}

// serverLog reads the logs of all servers of a test.
type serverLog struct {
	mu    sync.Mutex
	half  []byte
	lines []string // the last ones
	taken map[string]bool
}

const keptLines = 100

// Write implements io.Writer.
func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.half = append(l.half, p...)
	for {
		line, rest, whole := strings.Cut(string(l.half), "\n")
		if !whole {
			return len(p), nil
		}
		l.half = []byte(rest)
		l.note(line)
	}
}

// note keeps a line, and the id of the event that it acknowledges.
func (l *serverLog) note(line string) {
	if strings.Contains(line, `msg="shot taken"`) {
		_, after, _ := strings.Cut(line, " event=")
		id, _, _ := strings.Cut(after, " ")
		l.taken[id] = true
		return
	}
	if strings.Contains(line, "outcome=delivered") {
		return
	}
	l.lines = append(l.lines, line)
	if len(l.lines) > keptLines {
		l.lines = l.lines[1:]
	}
}

// next begins the log of another server: the line that a kill cut off is none.
func (l *serverLog) next() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.half = nil
}

func (l *serverLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// acknowledged returns the ids of the events of the shots that were taken.
func (l *serverLog) acknowledged() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	ids := make([]string, 0, len(l.taken))
	for id := range l.taken {
		ids = append(ids, id)
	}
	return ids
}

// configText is the configuration of a server with its data in dir.
func configText(dir, hooks, storage, template string) string {
	return fmt.Sprintf(`
data_dir: %q
public_url: http://127.0.0.1:0
listen: {rtmp: 127.0.0.1:0, http: 127.0.0.1:0, ops: 127.0.0.1:0}
codec: {memory_limit: 0}  # the race detector reserves more address space than a worker may have
api: {credentials: [{secret_id: %s, secret_key: %s}]}
callback:
  allow_networks: [127.0.0.0/8]
  retry: {attempts: 100, interval: 200ms}
  push_retry: {attempts: 100, interval: 200ms}
storage: %s
resources:
  domains: [{name: "*", auth: {key: %s}}]
  snapshot_templates: [{name: t, interval: 2s, bucket: shots, app_id: 1250000000, region: ap-guangzhou, renditions: [{width: 80}]%s}]
  snapshot_rules: [{domain: "*", template: t}]
  callback_templates: [{name: hooks, key: %s, signing_secret: %q, extras: true,
    snapshot_url: "%[9]s/shot", stream_begin_url: "%[9]s/begin", stream_end_url: "%[9]s/end"}]
  callback_rules: [{domain: "*", template: hooks}]
`, dir, secretID, secretKey, storage, pushKey, template, hookKey, signingSecret, hooks)
}

func writeConfig(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "stillcast.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
