package rtmp

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media"
)

// nested returns a connect command whose object has others inside, to about
// size bytes.
func nested(size int) []byte {
	return []byte("\x02\x00\x07connect\x00\x3f\xf0\x00\x00\x00\x00\x00\x00" + strings.Repeat("\x03\x00\x01a", size/4))
}

// checkAlive demands that the server still takes a push.
func checkAlive(t *testing.T, f *fixture) {
	t.Helper()
	c := newClient(t, f.Addr())
	c.publish()
	c.video(0, avcHeader()...)
	c.video(40, keyFrame(100)...)
	c.ping()
	c.command("deleteStream", 0.0, nil, 1.0)
	c.expect(statusUnpublish)
	c.expectEnd()
}

// Whatever a connection sends costs this connection only, and is closed for the
// right reason.
func TestGarbageCloses(t *testing.T) {
	control := func(kind uint8, payload ...byte) func(*client) {
		return func(c *client) { c.send(chunk.Message{ChunkStream: 2, Type: kind, Payload: payload}) }
	}
	tests := []struct {
		name   string
		send   func(*client)
		reason reason
		text   string // in the log
	}{
		{"9.9 MB of nested AMF0", func(c *client) {
			c.setChunkSize(1 << 20)
			c.send(chunk.Message{ChunkStream: 3, Type: chunk.TypeCommandAMF0, Payload: nested(9_900_000)})
		}, reasonLimit, "command message is too long"},
		{"60 KB of nested AMF0", func(c *client) {
			c.send(chunk.Message{ChunkStream: 3, Type: chunk.TypeCommandAMF0, Payload: nested(60_000)})
		}, reasonLimit, "nested too deep"},
		{"60 KB of nested AMF0 as AMF3", func(c *client) {
			c.send(chunk.Message{ChunkStream: 3, Type: chunk.TypeCommandAMF3, Payload: append([]byte{0}, nested(60_000)...)})
		}, reasonLimit, "nested too deep"},
		{"SetChunkSize 0", control(chunk.TypeSetChunkSize, 0, 0, 0, 0), reasonProtocol, "chunk size is not allowed"},
		{"SetChunkSize of one byte", control(chunk.TypeSetChunkSize, 1), reasonProtocol, "malformed protocol control message"},
		{"1000 chunk streams of 16 MB", func(c *client) {
			for i := range 1000 {
				b := []byte{1, byte(i), byte(i >> 8), 0, 0, 0, 0xff, 0xff, 0xff, chunk.TypeVideo, 1, 0, 0, 0}
				c.write(append(b, make([]byte, 128)...))
			}
		}, reasonLimit, "too many messages in flight"},
		{"1000 chunk streams", func(c *client) {
			for i := range uint32(1000) {
				c.send(chunk.Message{ChunkStream: 3 + i, Type: chunk.TypeAudio, Payload: []byte{1}})
			}
		}, reasonLimit, "too many chunk streams"},
		{"picture above the limit", func(c *client) {
			c.publish()
			c.video(0, avcHeader()...)
			c.setChunkSize(1 << 20)
			c.video(0, keyFrame(8<<20)...)
		}, reasonLimit, "video message is too long"},
		{"sequence header above the limit", func(c *client) {
			c.publish()
			c.video(0, append([]byte{0x17, 0, 0, 0, 0}, make([]byte, media.MaxRecord+1)...)...)
		}, reasonVideo, "H.264 sequence header has 65537 bytes"},
		{"chunk without a header", func(c *client) { c.write([]byte{0xc7}) }, reasonProtocol, "header that was never sent"},
		{"publish before connect", func(c *client) { c.command("publish", 1.0, nil, "a", "live") }, reasonProtocol, "publish before connect"},
		{"connect twice", func(c *client) {
			c.connect()
			c.command("connect", 1.0, amf0.Object{})
		}, reasonProtocol, "second connect"},
		{"endless app", func(c *client) {
			c.command("connect", 1.0, amf0.Object{{Name: "app", Value: strings.Repeat("a", maxText+1)}})
		}, reasonLimit, "app of the connect command has 4097 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := start(t, testConfig(), newFakeGate())
			c := newClient(t, f.Addr())
			tt.send(c)
			c.expectEnd()
			f.closedFor(t, tt.reason, 1)
			if log := f.log.String(); !strings.Contains(log, tt.text) {
				t.Errorf("the log does not say %q:\n%s", tt.text, log)
			}
			checkAlive(t, f)
		})
	}
}

// What other servers die of, and what real encoders do send, changes nothing.
func TestGarbageIsSkipped(t *testing.T) {
	message := func(kind uint8, payload ...byte) chunk.Message {
		return chunk.Message{ChunkStream: 5, Type: kind, StreamID: 1, Payload: payload}
	}
	tests := []struct {
		name string
		m    chunk.Message
	}{
		{"user control of one byte", message(chunk.TypeUserControl, 0)},
		{"empty user control", message(chunk.TypeUserControl)},
		{"ping without a time", message(chunk.TypeUserControl, 0, 6)},
		{"empty audio", message(chunk.TypeAudio)},
		{"empty video", message(chunk.TypeVideo)},
		{"video of one byte", message(chunk.TypeVideo, 0x17)},
		{"enhanced video of one byte", message(chunk.TypeVideo, 0x91)},
		{"key frame without a picture", message(chunk.TypeVideo, 0x17, 1, 0, 0, 0)},
		{"end of sequence", message(chunk.TypeVideo, 0x17, 2, 0, 0, 0)},
		{"video metadata", message(chunk.TypeVideo, 0xd4, 'h', 'v', 'c', '1', 2, 0)},
		{"empty window", message(chunk.TypeWindowAckSize)},
		{"window 0", message(chunk.TypeWindowAckSize, 0, 0, 0, 0)},
		{"empty acknowledgement", message(chunk.TypeAck)},
		{"empty bandwidth", message(chunk.TypeSetPeerBandwidth)},
		{"empty command", message(chunk.TypeCommandAMF0)},
		{"empty AMF3 command", message(chunk.TypeCommandAMF3)},
		{"AMF3 command of a zero", message(chunk.TypeCommandAMF3, 0)},
		{"command that is a number", message(chunk.TypeCommandAMF0, 0, 0, 0, 0, 0, 0, 0, 0, 0)},
		{"command without arguments", message(chunk.TypeCommandAMF0, []byte("\x02\x00\x0dreleaseStream")...)},
		{"unknown command", message(chunk.TypeCommandAMF0, []byte("\x02\x00\x04what\x05\x05")...)},
		{"unreadable command", message(chunk.TypeCommandAMF0, 0xee, 1, 2)},
		{"cut command", message(chunk.TypeCommandAMF0, []byte("\x02\x00\x04wh")...)},
		{"empty metadata", message(chunk.TypeDataAMF0)},
		{"nested metadata", message(chunk.TypeDataAMF0, nested(100_000)...)},
		{"AMF3 metadata", message(chunk.TypeDataAMF3, 0, 1)},
		{"aggregate", message(chunk.TypeAggregate, make([]byte, 200_000)...)},
		{"shared object", message(19, 1, 2, 3)},
		{"unknown type", message(99, 1, 2, 3)},
		{"abort of an unknown chunk stream", message(chunk.TypeAbort, 0, 0, 1, 0)},
	}
	g := newFakeGate()
	f := start(t, testConfig(), g)
	for _, published := range []bool{false, true} {
		c := newClient(t, f.Addr())
		c.connect()
		if published {
			c.command("publish", 3.0, nil, "stream1", "live")
			c.expect(statusPublishStart)
			c.video(0, avcHeader()...)
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				c.t = t
				c.send(tt.m)
				c.ping() // the connection still works
			})
		}
		c.t = t
		if !published {
			c.conn.Close()
			continue
		}
		c.video(40, keyFrame(10)...)
		c.command("closeStream", 0.0, nil)
		c.expect(statusUnpublish)
		p := g.push(t)
		if end := p.end(t); end.Code != stillcast.EndClient {
			t.Errorf("end %+v", end)
		}
		if units := p.taken(); len(units) != 1 || units[0].Data != strings.Repeat("e", 10) {
			t.Errorf("units %+v, want the one key frame", units)
		}
	}
}

func TestVideoBeforePublish(t *testing.T) {
	g := newFakeGate()
	f := start(t, testConfig(), g)
	c := newClient(t, f.Addr())
	c.video(0, avcHeader()...)
	c.video(0, keyFrame(1000)...)
	c.publish()
	c.video(40, keyFrame(1000)...) // its sequence header came too early
	c.ping()
	p := g.push(t)
	if len(p.configs) != 0 || len(p.taken()) != 0 || len(p.asked) != 0 {
		t.Errorf("configurations %v, asked %v, units %d; want none", p.configs, p.asked, len(p.units))
	}
	c.video(80, avcHeader()...)
	c.video(80, avcHeader()...) // repeated: no news
	c.video(80, keyFrame(1000)...)
	c.ping()
	if units := p.taken(); len(p.configs) != 1 || len(units) != 1 || units[0].PTS.Milliseconds() != 80 {
		t.Errorf("%d configurations, units %+v; want one and one", len(p.configs), units)
	}
	if n := f.metric(t, "stillcast_rtmp_messages_total", "unconfigured"); n != 1 {
		t.Errorf("%v key frames counted as unconfigured, want 1", n)
	}
}

// A hundred connections that announce a large picture and stall reserve what
// they have sent, and no more.
func TestStalledPictures(t *testing.T) {
	g := newFakeGate()
	g.make = func() *fakePush {
		p := newFakePush()
		p.wanted = make(chan media.Unit, 1)
		return p
	}
	f := start(t, testConfig(), g)
	clients := make([]*client, 100)
	for i := range clients {
		c := newClient(t, f.Addr())
		clients[i] = c
		c.publish()
		c.video(0, avcHeader()...)
		// 7.9 MB announced, 128 bytes sent; the ping comes between chunks.
		c.write([]byte{6, 0, 0, 0, 0x78, 0x8b, 0xe0, chunk.TypeVideo, 1, 0, 0, 0})
		c.write(keyFrame(123))
		c.ping()
	}
	if used, most := f.video.Used(), int64(len(clients)*(32<<10)); used != most {
		t.Errorf("%d bytes reserved, want %d", used, most)
	}
	for _, c := range clients {
		c.conn.Close()
	}
	f.closedFor(t, reasonNetwork, float64(len(clients)))
	f.checkMemory(t)
}

// When the memory for pictures is spent, pictures are dropped, and no push.
func TestBudgetIsShared(t *testing.T) {
	cfg := testConfig()
	cfg.InFlightBytes = 16 << 20 // 14 MiB for pictures
	g := newFakeGate()
	f := start(t, cfg, g)
	picture := keyFrame(7_900_000)
	var clients []*client
	var rest [][]byte
	for range 3 {
		c := newClient(t, f.Addr())
		c.publish()
		c.video(0, avcHeader()...)
		var wire bytes.Buffer
		w := chunk.NewWriter(&wire)
		if err := w.Write(chunk.Message{ChunkStream: 6, Type: chunk.TypeVideo, StreamID: 1, Payload: picture}); err != nil {
			t.Fatal(err)
		}
		// Whole chunks of 128 bytes, so that the ping fits between.
		half := 12 + 128 + (5<<20)/129*129
		c.write(wire.Bytes()[:half])
		c.ping()
		clients, rest = append(clients, c), append(rest, wire.Bytes()[half:])
	}
	if used := f.video.Used(); used != 8<<20 {
		t.Errorf("%d bytes taken by three pictures of 5 MB, want 8 MiB for the first", used)
	}
	for i, c := range clients {
		c.write(rest[i])
		c.ping()
		want := 0
		if i == 0 {
			want = 1
		}
		if n := len(g.push(t).taken()); n != want {
			t.Errorf("push %d: %d pictures, want %d", i, n, want)
		}
	}
	if n := f.metric(t, "stillcast_rtmp_messages_total", "shed"); n != 2 {
		t.Errorf("%v pictures counted as shed, want 2", n)
	}
}

// Real sessions with flipped bytes, and random bytes where a session has got
// to: nothing may break, and every push must end once.
func TestBrokenBytes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	data := readRecording(t, "testdata/obs29.rtmp").data[:150<<10]
	publish := bytes.Index(data, []byte("onMetaData"))
	reasons := map[reason]int{}
	for i := range 160 {
		broken := bytes.Clone(data)
		if i < 80 {
			for range 1 + i/4 {
				broken[1+random.IntN(len(broken)-1)] ^= byte(1 + random.IntN(255))
			}
		} else {
			// After the handshake, or after publish.
			from := 1 + 2*handshakeSize
			if i%2 == 1 {
				from = publish - 40
			}
			broken = broken[:from+20_000]
			for j := from; j < len(broken); j++ {
				broken[j] = byte(random.IntN(256))
			}
		}
		g := newFakeGate()
		why := playback(t, newTestShared(t, testConfig(), g), broken, 1000)
		reasons[why.reason]++
		for range len(g.pushes) {
			(<-g.pushes).end(t)
		}
	}
	if reasons[reasonProtocol]+reasons[reasonLimit] == 0 || reasons[reasonPanicking] > 0 {
		t.Errorf("closed for: %v", reasons)
	}
}

func TestSkippingAllocatesNothing(t *testing.T) {
	r := readRecording(t, "testdata/ffmpeg51.rtmp")
	g := newFakeGate()
	g.make = func() *fakePush {
		p := newFakePush()
		p.want = func(media.Unit) bool { return false }
		return p
	}
	sh := newTestShared(t, testConfig(), g)
	s := newSession(t.Context(), sh, fixedAddr(), fixedAddr())
	// Up to "end of sequence", before the commands that end the push.
	stop := bytes.LastIndex(r.data, []byte{0x17, 2, 0, 0, 0}) + 5
	if err := s.feed(r.data[:stop]); err != nil {
		t.Fatal(err)
	}
	p := g.push(t)
	frames := len(p.asked)
	p.asked = slices.Grow(p.asked, 1<<13)
	var wire bytes.Buffer
	w := chunk.NewWriter(&wire)
	w.SetChunkSize(4096)
	for i := range uint32(100) {
		for _, m := range []chunk.Message{
			{ChunkStream: 6, Type: chunk.TypeVideo, StreamID: 1, Timestamp: 8000 + 40*i, Payload: append([]byte{0x27, 1, 0, 0, 0}, make([]byte, 20_000)...)},
			{ChunkStream: 4, Type: chunk.TypeAudio, StreamID: 1, Timestamp: 8000 + 40*i, Payload: make([]byte, 300)},
		} {
			if err := w.Write(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	n := testing.AllocsPerRun(20, func() {
		if err := s.feed(wire.Bytes()); err != nil {
			t.Error(err)
		}
		sh.metrics.add(wire.Len(), &s.counts)
	})
	if n != 0 {
		t.Errorf("%v allocations for 200 skipped messages, want none", n)
	}
	if len(p.asked) < frames+2000 {
		t.Errorf("asked for %d frames, want 2000 more than %d", len(p.asked), frames)
	}
	s.finish(s.closedByPeer(nil))
}
