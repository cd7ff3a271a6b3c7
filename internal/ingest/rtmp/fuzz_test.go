package rtmp

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

// script is a session of few bytes: a seed that mutations get far with.
func script(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	b.Write(append([]byte{rtmpVersion}, make([]byte, 2*handshakeSize)...))
	w := chunk.NewWriter(&b)
	connect := amf0.Object{{Name: "app", Value: "live"}, {Name: "tcUrl", Value: "rtmp://h/live"}}
	messages := []chunk.Message{
		commandMessage(t, "connect", 1.0, connect),
		commandMessage(t, "publish", 2.0, nil, "s?a=b", "live"),
		{ChunkStream: 2, Type: chunk.TypeWindowAckSize, Payload: []byte{0, 0, 0, 100}},
		{ChunkStream: 2, Type: chunk.TypeUserControl, Payload: []byte{0, 6, 1, 2, 3, 4}},
		{ChunkStream: 6, Type: chunk.TypeVideo, StreamID: 1, Payload: avcHeader()},
		{ChunkStream: 6, Type: chunk.TypeVideo, StreamID: 1, Timestamp: 1 << 24, Payload: keyFrame(300)},
		{ChunkStream: 6, Type: chunk.TypeVideo, StreamID: 1, Payload: append([]byte("\x90hvc1"), 1, 2, 3)},
		{ChunkStream: 6, Type: chunk.TypeVideo, StreamID: 1, Payload: append([]byte("\x97\x00\xaa\x01hvc1\x00\x00\x28"), 1, 2, 3)},
		{ChunkStream: 2, Type: chunk.TypeAbort, Payload: []byte{0, 0, 0, 6}},
		commandMessage(t, "deleteStream", 0.0, nil, 1.0),
	}
	for _, m := range messages {
		if err := w.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// FuzzSession checks that no bytes break a connection, that a push ends exactly
// once and no memory is lost, and that it does not matter how the bytes are
// split.
func FuzzSession(f *testing.F) {
	for _, path := range recordings(f) {
		data := readRecording(f, path).data
		f.Add(data[:min(len(data), 32<<10)], uint16(997))
	}
	f.Add(script(f), uint16(7))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), uint16(1))
	cfg := testConfig()
	cfg.MaxPixels = 1 << 20
	video, commands := chunk.NewBudget(cfg.InFlightBytes), chunk.NewBudget(cfg.InFlightBytes)
	counted, err := newMetrics(prometheus.NewRegistry(), video, commands)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, piece uint16) {
		run := func(size int) []string {
			g := newFakeGate()
			sh := &shared{cfg: cfg, gate: g, log: slog.New(slog.DiscardHandler), metrics: counted, video: video, commands: commands}
			why := playback(t, sh, data, size)
			said := []string{string(why.reason), why.Error()}
			for range len(g.pushes) {
				p := <-g.pushes
				if len(p.ends) != 1 {
					t.Fatalf("a push ended %d times", len(p.ends))
				}
				for _, c := range p.configs {
					said = append(said, fmt.Sprintf("configured %v %x", c.Codec, c.Record))
				}
				for _, u := range p.units {
					said = append(said, fmt.Sprintf("unit %v %x", u.Unit, u.Data))
				}
				said = append(said, fmt.Sprint(p.asked, p.ends[0].Code, p.ends[0].Width))
			}
			for _, req := range g.requests {
				said = append(said, req.URL.Stream.String(), req.URL.Param)
			}
			return said
		}
		whole, pieces := run(len(data)+1), run(int(piece)+1)
		if diff := cmp.Diff(whole, pieces); diff != "" {
			t.Fatalf("whole and in pieces of %d bytes:\n%s", int(piece)+1, diff)
		}
	})
}
