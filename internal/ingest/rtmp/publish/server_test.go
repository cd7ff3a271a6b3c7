package publish_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/ingest/rtmp"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/publish"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/media/flv"
)

// ownServer starts Stillcast's server with a gate that asks for key.
func ownServer(t *testing.T, key stillcast.Secret) (address string, g *keyGate) {
	t.Helper()
	cfg := rtmp.DefaultConfig()
	cfg.Listen = "127.0.0.1:0"
	g = &keyGate{auth: stillcast.PushAuth{Key: key}, ended: make(chan stillcast.PushEnd, 1)}
	server, err := rtmp.New(t.Context(), cfg, g, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background()) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Shutdown(context.Background()), <-served); err != nil {
			t.Errorf("server: %v", err)
		}
	})
	return server.Addr().String(), g
}

// keyGate lets in who has the key, and is the push then.
type keyGate struct {
	auth  stillcast.PushAuth
	ended chan stillcast.PushEnd

	mu     sync.Mutex
	stream stillcast.Stream
	remote netip.AddrPort
	keys   [][]byte // data of the key frames
}

func (g *keyGate) Admit(_ context.Context, req ingest.Request) (ingest.Push, error) {
	if err := g.auth.Check(req.URL.Stream.Name, req.URL.Param, time.Now()); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stream, g.remote = req.URL.Stream, req.Remote
	return g, nil
}

func (g *keyGate) Codecs() []media.Codec          { return media.Codecs() }
func (g *keyGate) Configure(*media.Config) error  { return nil }
func (g *keyGate) Want(u media.Unit) bool         { return u.Key }
func (g *keyGate) OnStop(func(stillcast.PushEnd)) {}
func (g *keyGate) End(end stillcast.PushEnd)      { g.ended <- end }
func (g *keyGate) Take(au *media.AccessUnit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keys = append(g.keys, bytes.Clone(au.Data))
	au.Release()
}

func TestPushToOwnServer(t *testing.T) {
	file := ffmpegFile(t)
	address, g := ownServer(t, "key")
	url := "rtmp://" + address + "/live/s?" + stillcast.PushParam("key", "s", time.Now().Add(time.Minute))
	client, err := publish.Dial(t.Context(), url, publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	if err := publish.PushFile(t.Context(), client, file, publish.PushOptions{}); err != nil {
		t.Fatal(err)
	}
	// Two seconds of file; a server that is told of the end closes at once.
	if took := time.Since(started); took > 3900*time.Millisecond {
		t.Errorf("pushing took %s: the server did not close after deleteStream", took)
	}
	if end := <-g.ended; end.Code != stillcast.EndClient {
		t.Errorf("the push ended with code %d, %q; want %d", end.Code, end.Message, stillcast.EndClient)
	}
	if _, err := file.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	var want [][]byte
	for _, tag := range readFile(t, file) {
		if tag.Type == flv.Video && tag.Kind() == flv.KindFrame && tag.Data[0] == 0x17 {
			want = append(want, tag.Data[5:])
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if diff := cmp.Diff(want, g.keys, fast()); diff != "" || len(want) != 2 {
		t.Errorf("%d key frames (-want +got):\n%s", len(want), diff)
	}
	if want := (stillcast.Stream{Domain: "127.0.0.1", App: "live", Name: "s"}); g.stream != want {
		t.Errorf("stream %v, want %v", g.stream, want)
	}
}

func TestOwnServerRefuses(t *testing.T) {
	address, _ := ownServer(t, "key")
	url := "rtmp://" + address + "/live/s?" + stillcast.PushParam("wrong", "s", time.Now().Add(time.Minute))
	_, err := publish.Dial(t.Context(), url, publish.Options{})
	var got *publish.StatusError
	if !errors.As(err, &got) {
		t.Fatalf("Dial: %v, want a StatusError", err)
	}
	want := "server refused the push: NetStream.Publish.Denied: " +
		"txSecret: is wrong for this stream; it must be md5hex(key + stream + txTime)"
	if got.Error() != want {
		t.Errorf("error %q, want %q", got.Error(), want)
	}
}
