package rtmp

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
)

// rejected sends a connect command and returns why it was rejected.
func (c *client) rejected() string {
	c.t.Helper()
	c.command("connect", 1.0, connectObject())
	for {
		r, ok := c.next()
		if !ok {
			c.t.Fatal("the connection ended without a word")
		}
		if len(r.values) == 0 {
			continue
		}
		info, _ := r.values[3].(amf0.Object)
		if level, _ := info.Get("level"); r.values[0] != "_error" || r.values[1] != 1.0 || r.code() != statusRejected || level != "error" {
			c.t.Fatalf("reply %v, want an _error to the connect command", r.values)
		}
		return r.description()
	}
}

func TestMaxConnections(t *testing.T) {
	cfg := testConfig()
	cfg.MaxConnections = 2
	f := start(t, cfg, newFakeGate())
	first, second := newClient(t, f.Addr()), newClient(t, f.Addr())
	for range 2 {
		over := newClient(t, f.Addr())
		if why := over.rejected(); why != "this server has 2 connections, as many as it may" {
			t.Errorf("reason %q", why)
		}
		over.expectEnd()
	}
	f.closedFor(t, reasonFull, 2)
	// Those that do not wait for the answer are counted, too.
	dial(t, f.Addr()).Close()
	f.closedFor(t, reasonFull, 3)
	if n := strings.Count(f.log.String(), "too many are open"); n != 1 {
		t.Errorf("%d log lines about it, want one", n)
	}
	f.open(t, 2)
	first.conn.Close()
	f.closedFor(t, reasonNetwork, 1)
	second.ping()
	f.open(t, 1)
	checkAlive(t, f)
}

// open waits until n connections are open.
func (f *fixture) open(t *testing.T, n int) {
	t.Helper()
	tick, late := time.NewTicker(time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for {
		f.mu.Lock()
		open := len(f.conns)
		f.mu.Unlock()
		if open == n {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%d connections are open, want %d; log:\n%s", open, n, f.log)
		}
	}
}

// There is no end to those who may come to be refused: beyond some they are
// closed at once.
func TestRefusalsAreBounded(t *testing.T) {
	cfg := testConfig()
	cfg.MaxConnections = 1
	f := start(t, cfg, newFakeGate())
	newClient(t, f.Addr())
	for range maxRefusing {
		newClient(t, f.Addr())
	}
	over := dial(t, f.Addr())
	if n, err := io.Copy(io.Discard, over); n != 0 {
		t.Errorf("%d bytes, %v; want it closed", n, err)
	}
	f.closedFor(t, reasonFull, 1)
}

func TestMaxConnectionsPerAddress(t *testing.T) {
	cfg := testConfig()
	cfg.Listen = "127.0.0.1:0, [::1]:0"
	cfg.MaxPerAddress = 2
	f := start(t, cfg, newFakeGate())
	first, _ := newClient(t, f.Addr()), newClient(t, f.Addr())
	third := newClient(t, f.Addr())
	if why := third.rejected(); why != "127.0.0.1/32 has 2 connections, as many as it may" {
		t.Errorf("reason %q", why)
	}
	third.expectEnd()
	f.closedFor(t, reasonAddress, 1)
	newClient(t, f.listeners[1].Addr()).connect() // another address
	first.conn.Close()
	f.closedFor(t, reasonNetwork, 1)
	f.open(t, 2)
	checkAlive(t, f)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.addresses) > 2 {
		t.Errorf("addresses %v", f.addresses)
	}
}
