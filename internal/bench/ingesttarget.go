package bench

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const targetStillcast = "stillcast"

// ingestTarget is a server to push to: this program's, a bare reader, or another.
type ingestTarget struct {
	name    string
	mark    int    // of the bare reader; else 0
	command string // of another server; else ""
}

// served is a server under load, in a process of its own.
type served struct {
	*process

	address string
	key     string  // of pushes; "" for bare messages
	server  *server // this program's; nil for others
	foreign bool    // another program
}

// stop ends it.
func (r *served) stop() error {
	switch {
	case r.server != nil:
		return r.server.stop()
	case !r.foreign || ended(r.process):
		return r.process.stop()
	}
	_ = r.process.stop() // how another program ends when it is told to is its own affair
	return nil
}

// ingestConfig is what a measurement of receiving sets. Its publishers share a
// machine with the server, where they may be slow to begin, and idle ones send
// nothing.
const ingestConfig = `data_dir: %[1]q
public_url: http://127.0.0.1:0
listen: {rtmp: "127.0.0.1:0", http: "127.0.0.1:0", ops: "127.0.0.1:0"}
ingest: {rtmp: {max_connections: %[2]d, handshake_timeout: 1m, connect_timeout: 1m, publish_timeout: 1m, idle_timeout: 10m}}
callback: {allow_networks: [127.0.0.0/8]}
resources:
  domains: [{name: "*", auth: {key: %[3]q}}]
`

// ingestRule is what is added when shots are taken.
const ingestRule = `  snapshot_templates: [{name: bench, interval: %[1]s}]
  snapshot_rules: [{domain: "*", app: bench, template: bench}]
  callback_templates: [{name: bench, key: %[2]q, snapshot_url: %[3]q}]
  callback_rules: [{domain: "*", app: bench, template: bench}]
`

// start starts a target in a folder that is empty.
func (b *ingestBench) start(ctx context.Context, t ingestTarget, dir string) (*served, error) {
	switch {
	case t.mark > 0:
		return b.startBare(ctx, t.mark)
	case t.command != "":
		return startOther(ctx, t.command)
	}
	s := newServer()
	data := filepath.Join(dir, "data")
	text := fmt.Sprintf(ingestConfig, data, 2*max(b.options.Streams, b.options.Idle)+spareFiles, s.key.Reveal())
	if b.options.Interval > 0 {
		hookKey := rand.Text()
		if err := s.listenForEvents(hookKey, data); err != nil {
			return nil, err
		}
		text += fmt.Sprintf(ingestRule, b.options.Interval, hookKey, s.events.url())
	}
	if err := s.run(ctx, b.options.Program, dir, text); err != nil {
		return nil, err
	}
	return &served{process: s.process, address: s.rtmp, key: s.key.Reveal(), server: s}, nil
}

func (b *ingestBench) startBare(ctx context.Context, mark int) (*served, error) {
	p, err := b.options.Program.startPart(partReceive, order{Mark: mark})
	if err != nil {
		return nil, err
	}
	if err := p.await(ctx, p.ready, patience); err != nil {
		stopErr := p.stop()
		return nil, cmp.Or(err, stopErr)
	}
	return &served{process: p.process, address: p.said().Address}, nil
}

// startOther starts another server and waits until it accepts connections.
func startOther(ctx context.Context, command string) (*served, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	args := strings.Fields(strings.ReplaceAll(command, addressPlaceholder, address))
	path, err := exec.LookPath(args[0])
	if err != nil {
		return nil, fmt.Errorf("find the program: %w", err)
	}
	p, err := start(args[0], &exec.Cmd{Path: path, Args: args}, nil, nil)
	if err != nil {
		return nil, err
	}
	r := &served{process: p, address: address, key: rand.Text(), foreign: true}
	accepts := make(chan struct{})
	waiting, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if knock(waiting, address) {
			close(accepts)
		}
	}()
	err = p.await(ctx, accepts, startTime)
	cancel()
	<-done
	if err != nil {
		stopErr := p.stop()
		return nil, cmp.Or(err, stopErr)
	}
	return r, nil
}

// knock connects until something accepts, and says whether it did before ctx ended.
func knock(ctx context.Context, address string) bool {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			conn.Close()
			return true
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return false
		}
	}
}

func listenLocal(ctx context.Context) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	return l, nil
}
