package rtmp

import (
	"net"
	"runtime"
	"testing"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media"
)

// Bounds of what a connection may keep, in bytes of heap and stacks.
const (
	mostIdle      = 32 << 10
	mostStreaming = 256 << 10
)

// held is the memory that is in use now.
func held() uint64 {
	var m runtime.MemStats
	for range 3 { // what pools kept goes in two rounds
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// many opens connections that get as far as reach takes them, and returns what
// the process keeps for each, with the few hundred bytes of the client's side.
func many(t *testing.T, n int, reach func(net.Conn)) uint64 {
	t.Helper()
	cfg := testConfig()
	cfg.MaxConnections, cfg.MaxPerAddress = n, n
	g := newFakeGate()
	g.pushes = make(chan *fakePush, n)
	g.make = func() *fakePush {
		p := newFakePush()
		p.forget = true
		p.want = func(media.Unit) bool { return false }
		return p
	}
	f := start(t, cfg, g)
	f.log = newLogBuffer()
	before := held()
	for range n {
		reach(dial(t, f.Addr()))
	}
	return (held() - before) / uint64(n)
}

// answered reads until the server has sent so many bytes.
func answered(t *testing.T, c net.Conn, least int) {
	t.Helper()
	buf := make([]byte, 4096)
	for got := 0; got < least; {
		n, err := c.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got += n
	}
}

func TestMemoryOfConnections(t *testing.T) {
	const n = 1000
	hello := append([]byte{rtmpVersion}, make([]byte, 2*handshakeSize)...)
	published := script(t)[:connectEnd(t)+len(published(t))]
	tests := []struct {
		name  string
		most  uint64
		reach func(net.Conn)
	}{
		{"connected", mostIdle, func(net.Conn) {}},
		{"handshake done", mostIdle, func(c net.Conn) {
			_, _ = c.Write(hello)
			answered(t, c, 1+2*handshakeSize)
		}},
		{"published", mostIdle, func(c net.Conn) {
			_, _ = c.Write(published)
			answered(t, c, 1+2*handshakeSize+500)
		}},
		{"streaming", mostStreaming, func(c net.Conn) {
			_, _ = c.Write(published)
			w := chunk.NewWriter(c)
			for i := range uint32(3) {
				_ = w.Write(chunk.Message{ChunkStream: 6, Type: chunk.TypeVideo, StreamID: 1, Timestamp: 40 * i, Payload: append([]byte{0x27, 1, 0, 0, 0}, make([]byte, 20_000)...)})
				_ = w.Write(chunk.Message{ChunkStream: 4, Type: chunk.TypeAudio, StreamID: 1, Timestamp: 40 * i, Payload: make([]byte, 300)})
			}
			// The pong tells that all was read.
			_ = w.Write(chunk.Message{ChunkStream: 2, Type: chunk.TypeUserControl, Payload: []byte{0, 6, 1, 2, 3, 4}})
			answered(t, c, 1+2*handshakeSize+500+12)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			each := many(t, n, tt.reach)
			t.Logf("%d bytes for each of %d connections", each, n)
			if each > tt.most {
				t.Errorf("%d bytes for each connection, at most %d are allowed", each, tt.most)
			}
		})
	}
}

// published is the publish command of [script], with its header.
func published(t *testing.T) []byte {
	t.Helper()
	payload := commandMessage(t, "publish", 2.0, nil, "s?a=b", "live").Payload
	return make([]byte, 12+len(payload))
}
