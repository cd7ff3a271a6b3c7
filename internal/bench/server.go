package bench

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/stillcast/stillcast"
)

// startTime is how long a server may take to serve.
const startTime = 30 * time.Second

// serverConfig is what a measurement sets; all else has its default, as for users.
const serverConfig = `data_dir: %[1]q
public_url: http://127.0.0.1:0
listen: {rtmp: "127.0.0.1:0", http: "127.0.0.1:0", ops: "127.0.0.1:0"}
codec: {workers: %[2]d}
callback: {allow_networks: [127.0.0.0/8]}
resources:
  domains: [{name: "*", auth: {key: %[3]q}}]
  snapshot_templates: [{name: bench, interval: %[4]s}]
  snapshot_rules: [{domain: "*", app: bench, template: bench}]
  callback_templates: [{name: bench, key: %[5]q, snapshot_url: %[6]q}]
  callback_rules: [{domain: "*", app: bench, template: bench}]
`

// server is "stillcast serve" in a process of its own, with its events' receiver
// in this one.
type server struct {
	*process
	rtmp, ops string // addresses
	key       stillcast.Secret
	events    *events // nil when it sends none

	ready chan struct{}

	mu       sync.Mutex
	serving  string // the line that says so
	warnings int
	warning  string // the first
}

// startServer starts a server that takes a shot of each stream at every interval,
// in a folder that is empty.
func (b *bench) startServer(ctx context.Context, dir string, interval time.Duration) (*server, error) {
	s := newServer()
	hookKey := rand.Text()
	data := filepath.Join(dir, "data")
	if err := s.listenForEvents(hookKey, data); err != nil {
		return nil, err
	}
	text := fmt.Sprintf(serverConfig, data, b.options.Workers, s.key.Reveal(), interval, hookKey, s.events.url())
	return s, s.run(ctx, b.options.Program, dir, text)
}

func newServer() *server {
	return &server{key: stillcast.Secret(rand.Text()), ready: make(chan struct{})}
}

// listenForEvents makes the receiver of a server's events, whose data are in that
// folder.
func (s *server) listenForEvents(key, data string) (err error) {
	s.events, err = listenForEvents(key, filepath.Join(data, "pictures", "_"))
	return err
}

// run starts the server with a configuration and waits until it serves. After an
// error nothing is left of it.
func (s *server) run(ctx context.Context, program Program, dir, text string) error {
	config := filepath.Join(dir, "stillcast.yaml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return errors.Join(fmt.Errorf("write the server's configuration: %w", err), s.stopEvents())
	}
	var err error
	if s.process, err = start("the server", program.command("serve", "--config", config), nil, s.listen); err != nil {
		return errors.Join(err, s.stopEvents())
	}
	err = s.await(ctx, s.ready, startTime)
	if err == nil {
		err = s.addresses()
	}
	if err != nil {
		stopErr := s.stop()
		return cmp.Or(err, stopErr) // the first says why, and what follows from it nothing more
	}
	return nil
}

// listen takes a line of the server's log.
func (s *server) listen(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.serving == "" && strings.Contains(line, "msg=serving "):
		s.serving = line
		close(s.ready)
	case strings.Contains(line, "level=WARN"), strings.Contains(line, "level=ERROR"):
		if s.warnings++; s.warnings == 1 {
			s.warning = line
		}
	}
}

func (s *server) addresses() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, to := range map[string]*string{"rtmp": &s.rtmp, "ops": &s.ops} {
		found := regexp.MustCompile(` ` + name + `=(\S+)`).FindStringSubmatch(s.serving)
		if found == nil {
			return fmt.Errorf("the server does not say its %s address: %s", name, s.serving)
		}
		*to = found[1]
	}
	return nil
}

// stop ends the server, then the receiver, so that the last events arrive.
func (s *server) stop() error { return errors.Join(s.process.stop(), s.stopEvents()) }

func (s *server) stopEvents() error {
	if s.events == nil {
		return nil
	}
	return s.events.stop()
}
