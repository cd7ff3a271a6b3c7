package rtmp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media"
)

// Video messages by hand.
var (
	vp9Key    = unhex("91 76703039 82 498342 20 13f0 0b30 00") // 320x180 pixels
	vp9Large  = unhex("91 76703039 82 498342 20 27f0 1670 00") // 640x360 pixels
	vp9Inter  = unhex("a1 76703039 86 00 40 00")
	vp8Key    = unhex("91 76703038 10 00 00 9d 01 2a 4001 b400")
	av1Key    = unhex("91 61763031 0a0b 000000043cfecc02f80040 3204 10000000") // with its sequence header, 320x180 pixels
	av1Record = unhex("90 61763031 81000c00 0a0b 000000043cfecc02f80040")
	vp9Record = unhex("90 76703039 0014820101010000")
	vp9Empty  = unhex("90 76703039")
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// configured describes the configurations of a push.
func configured(p *fakePush) string {
	var out []string
	for _, c := range p.configs {
		out = append(out, fmt.Sprintf("%s %dx%d, record of %d bytes", c.Codec, c.Width, c.Height, len(c.Record)))
	}
	return strings.Join(out, "; ")
}

// Codecs whose key frames say everything need no sequence header, and codec and
// size may change in mid-push.
func TestConfigurations(t *testing.T) {
	tests := []struct {
		name  string
		video [][]byte
		want  string
		units int
	}{
		{"VP9 without a sequence header", [][]byte{vp9Inter, vp9Key, vp9Inter, vp9Key}, "VP9 320x180, record of 0 bytes", 2},
		{"VP9 with a sequence header", [][]byte{vp9Record, vp9Key}, "VP9 0x0, record of 8 bytes; VP9 320x180, record of 8 bytes", 1},
		{"VP9 with a repeated sequence header", [][]byte{vp9Record, vp9Key, vp9Record, vp9Key}, "VP9 0x0, record of 8 bytes; VP9 320x180, record of 8 bytes", 2},
		{"VP9 with an empty sequence header", [][]byte{vp9Empty, vp9Key}, "VP9 0x0, record of 0 bytes; VP9 320x180, record of 0 bytes", 1},
		{"VP9 that changes its size", [][]byte{vp9Key, vp9Large}, "VP9 320x180, record of 0 bytes; VP9 640x360, record of 0 bytes", 2},
		{"VP8", [][]byte{vp8Key}, "VP8 320x180, record of 0 bytes", 1},
		{"AV1 without a sequence header message", [][]byte{av1Key}, "AV1 320x180, record of 0 bytes", 1},
		{"AV1", [][]byte{av1Record, av1Key, av1Record}, "AV1 320x180, record of 17 bytes", 1},
		{"H.264 without a sequence header", [][]byte{keyFrame(10)}, "", 0},
		{
			"codec changes",
			[][]byte{avcHeader(), keyFrame(10), vp9Key, keyFrame(10), avcHeader(), keyFrame(10), av1Key},
			"H.264 320x180, record of 46 bytes; VP9 320x180, record of 0 bytes; H.264 320x180, record of 46 bytes; AV1 320x180, record of 0 bytes", 4,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newFakeGate()
			f := start(t, testConfig(), g)
			c := newClient(t, f.Addr())
			c.publish()
			for i, v := range tt.video {
				c.video(uint32(i)*40, v...)
			}
			c.ping()
			c.conn.Close()
			p := g.push(t)
			p.end(t)
			if got := configured(p); got != tt.want {
				t.Errorf("configurations %q, want %q", got, tt.want)
			}
			if len(p.units) != tt.units {
				t.Errorf("%d units, want %d", len(p.units), tt.units)
			}
		})
	}
}

// A size that is not allowed ends the push, wherever it stands.
func TestTooLargeVideo(t *testing.T) {
	cfg := testConfig()
	cfg.MaxPixels = 320*180 - 1
	for name, video := range map[string][]byte{"VP9": vp9Key, "VP8": vp8Key, "AV1": av1Key, "AV1 record": av1Record, "H.264": avcHeader()} {
		t.Run(name, func(t *testing.T) {
			g := newFakeGate()
			f := start(t, cfg, g)
			c := newClient(t, f.Addr())
			c.publish()
			c.video(0, video...)
			if r := c.expect(statusPublishFailed); !strings.Contains(r.description(), "picture is too large") {
				t.Errorf("description %q", r.description())
			}
			c.expectEnd()
			if end := g.push(t).end(t); end.Code != stillcast.EndRefused {
				t.Errorf("end %+v", end)
			}
		})
	}
}

// What is not taken is refused with what is.
func TestUnknownCodecNamesAllowed(t *testing.T) {
	g := newFakeGate()
	g.codecs = []media.Codec{media.H264, media.HEVC}
	f := start(t, testConfig(), g)
	c := newClient(t, f.Addr())
	c.publish()
	c.video(0, 0x91, 'v', 'v', 'c', '1', 1)
	if r := c.expect(statusPublishFailed); r.description() != `video codec "vvc1" is not supported; allowed: H.264, HEVC` {
		t.Errorf("description %q", r.description())
	}
}

var testRemote = netip.MustParseAddrPort("192.0.2.1:4000")

func connectObject() amf0.Object {
	return amf0.Object{{Name: "app", Value: "live"}, {Name: "tcUrl", Value: "rtmp://push.example.com/live"}}
}

// pushing makes a session in mid-push and returns it with one picture as its
// publisher sends it.
func pushing(t testing.TB, p *fakePush, size int) (s *session, picture []byte) {
	t.Helper()
	g := newFakeGate()
	g.make = func() *fakePush { return p }
	s = newSession(t.Context(), newTestShared(t, testConfig(), g), testRemote, testRemote)
	s.handshake = nil
	var wire bytes.Buffer
	w := chunk.NewWriter(&wire)
	send := func(m chunk.Message) {
		if err := w.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	send(chunk.Message{ChunkStream: 2, Type: chunk.TypeSetChunkSize, Payload: []byte{0, 0, 0x10, 0}})
	w.SetChunkSize(4096)
	send(commandMessage(t, "connect", 1.0, connectObject()))
	send(commandMessage(t, "publish", 3.0, nil, "stream1", "live"))
	send(chunk.Message{ChunkStream: 6, Type: chunk.TypeVideo, StreamID: 1, Payload: avcHeader()})
	if err := s.feed(wire.Bytes()); err != nil {
		t.Fatal(err)
	}
	wire.Reset()
	inter := keyFrame(size)
	inter[0] = 0x27
	send(chunk.Message{ChunkStream: 6, Type: chunk.TypeVideo, StreamID: 1, Payload: inter})
	return s, wire.Bytes()
}

// Where every picture is wanted, its memory comes from the pool and goes back.
func TestKeepingAllocatesLittle(t *testing.T) {
	p := newFakePush()
	p.forget = true
	p.want = func(media.Unit) bool { return true }
	s, picture := pushing(t, p, 20<<10)
	allocated := testing.AllocsPerRun(200, func() {
		if err := s.feed(picture); err != nil {
			t.Fatal(err)
		}
	})
	// The access unit, how it is released, and what the pool keeps of a buffer.
	if allocated > 5 {
		t.Errorf("%v allocations for a picture", allocated)
	}
	if used := s.video.Used(); used != 0 {
		t.Errorf("%d bytes are still in flight", used)
	}
	if p.took < 200 {
		t.Errorf("%d pictures were taken", p.took)
	}
}

// A picture that is held holds no memory of the budget, so that who keeps many
// cannot make the server drop others.
func TestHeldPicturesAreNotInFlight(t *testing.T) {
	p := newFakePush()
	p.hold = true
	p.want = func(media.Unit) bool { return true }
	s, picture := pushing(t, p, 20<<10)
	for range 10 {
		if err := s.feed(picture); err != nil {
			t.Fatal(err)
		}
	}
	if used := s.video.Used(); used != 0 || len(p.held) != 10 {
		t.Errorf("%d bytes in flight with %d pictures held", used, len(p.held))
	}
	want := string(bytes.Repeat([]byte{0x65}, 20<<10))
	for i, au := range p.held {
		if diff := cmp.Diff(want, string(au.Data)); diff != "" {
			t.Errorf("picture %d was overwritten: %.200s", i, diff)
		}
		au.Release()
	}
}

func BenchmarkFeed(b *testing.B) {
	for _, all := range []bool{false, true} {
		b.Run(fmt.Sprintf("wanted=%t", all), func(b *testing.B) {
			p := newFakePush()
			p.forget = true
			p.want = func(media.Unit) bool { return all }
			s, picture := pushing(b, p, 20<<10)
			b.SetBytes(int64(len(picture)))
			b.ReportAllocs()
			for b.Loop() {
				if err := s.feed(picture); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
