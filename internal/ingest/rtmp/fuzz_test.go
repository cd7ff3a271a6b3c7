package rtmp

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
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

// afterPublish is the begin of script, with other messages after the publish
// command.
func afterPublish(t testing.TB, messages ...chunk.Message) []byte {
	t.Helper()
	b := bytes.NewBuffer(script(t)[:connectEnd(t)])
	w := chunk.NewWriter(b)
	for _, m := range append([]chunk.Message{commandMessage(t, "publish", 2.0, nil, "s?a=b", "live")}, messages...) {
		if err := w.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// hostileMessages are what servers are known to die of, and what is rare.
func hostileMessages(t testing.TB) [][]chunk.Message {
	t.Helper()
	video := func(at uint32, payload string) chunk.Message {
		return chunk.Message{ChunkStream: 65599, Type: chunk.TypeVideo, StreamID: 1, Timestamp: at, Payload: unhex(payload)}
	}
	control := func(kind uint8, payload string) chunk.Message {
		return chunk.Message{ChunkStream: 2, Type: kind, Payload: unhex(payload)}
	}
	return [][]chunk.Message{
		{{ChunkStream: 3, Type: chunk.TypeCommandAMF0, Payload: nested(4000)}, {ChunkStream: 3, Type: chunk.TypeDataAMF0, Payload: nested(4000)}},
		{control(chunk.TypeUserControl, "00"), control(chunk.TypeAudio, ""), control(chunk.TypeVideo, ""), control(chunk.TypeCommandAMF3, "00")},
		{control(chunk.TypeSetChunkSize, "00000000")},
		{control(chunk.TypeSetChunkSize, "00000001"), video(1<<32-1, "17 00 000000"+avcHex), video(0, "17 01 000000 aa")},
		{video(1<<31-1, "96 10 61766331 00"+avcSize+avcHex+"01"+avcSize+avcHex), video(0, "96 11 61766331 01 000004 000000 bb 00 000004 000000 cc")},
		{video(0, "96 21 76703039 01"+vp9Sizes+vp9Big+"76703039 00"+vp9Sizes+vp9Small), video(40, "a6 21 76703039 00 000001 aa")},
		{video(0, "95 61763031 80 04 81 00 0c 00"), video(0, "97"+strings.Repeat(modifier+"07", 9)+modifier+"01 61763031 0a0b")},
		{video(0, "1c 00 000000 01"), control(chunk.TypeAbort, "0001003f"), video(40, "17 02 000000")},
	}
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
	for _, m := range hostileMessages(f) {
		f.Add(afterPublish(f, m...), uint16(61))
	}
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
