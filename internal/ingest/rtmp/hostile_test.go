package rtmp

import (
	"bytes"
	"encoding/binary"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media"
)

// crowd is how many connections a test of many makes: STILLCAST_RTMP_CROWD, or a
// number that fits into a quick test and the usual limit of open files.
func crowd(t *testing.T) int {
	t.Helper()
	text, ok := os.LookupEnv("STILLCAST_RTMP_CROWD")
	if !ok {
		return 1000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("STILLCAST_RTMP_CROWD=%q is no number of connections", text)
	}
	return n
}

// beside pushes while attack is under way: others must not starve.
func beside(t *testing.T, f *fixture, attack func()) {
	t.Helper()
	c := newClient(t, f.Addr())
	c.publish()
	c.video(0, avcHeader()...)
	p := f.gate.push(t)
	attack()
	for i := range uint32(20) {
		c.video(40*(i+1), keyFrame(1000)...)
	}
	c.ping()
	if n := len(p.taken()); n != 20 {
		t.Errorf("%d pictures of the push beside, want 20", n)
	}
	checkAlive(t, f)
}

// Connections that shake hands and then say nothing are closed when their time
// is over; meanwhile others push.
func TestCrowdThatNeverPublishes(t *testing.T) {
	t.Parallel()
	n := crowd(t)
	cfg := testConfig()
	cfg.MaxConnections, cfg.MaxPerAddress = n+10, n+10
	cfg.HandshakeTimeout, cfg.ConnectTimeout = 2*time.Second, 2*time.Second
	f := start(t, cfg, newFakeGate())
	beside(t, f, func() {
		for i := range n {
			c := dial(t, f.Addr())
			hello := append([]byte{rtmpVersion}, make([]byte, 2*handshakeSize)...)
			if i%2 == 0 {
				hello = hello[:100] // not even that
			}
			if _, err := c.Write(hello); err != nil {
				t.Fatal(err)
			}
		}
	})
	f.closedFor(t, reasonSlow, float64(n))
}

// Handshakes that come byte by byte have no more time than others.
func TestSlowHandshakes(t *testing.T) {
	cfg := testConfig()
	cfg.HandshakeTimeout = 300 * time.Millisecond
	f := start(t, cfg, newFakeGate())
	const n = 50
	beside(t, f, func() {
		for range n {
			c := dial(t, f.Addr())
			done := make(chan struct{})
			t.Cleanup(func() { c.Close(); <-done })
			go func() {
				defer close(done)
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for b := byte(rtmpVersion); ; b = 0 {
					if _, err := c.Write([]byte{b}); err != nil {
						return
					}
					<-tick.C
				}
			}()
		}
	})
	f.closedFor(t, reasonSlow, n)
}

// A publisher that asks and never reads the answers is closed: its answers are
// not gathered.
func TestPublisherThatDoesNotRead(t *testing.T) {
	t.Parallel() // it takes as long as an answer may
	cfg := testConfig()
	f := start(t, cfg, newFakeGate())
	c := dial(t, f.Addr())
	if err := c.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if err := c.SetWriteDeadline(time.Now().Add(15 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var pings bytes.Buffer
	w := chunk.NewWriter(&pings)
	for range 1000 {
		if err := w.Write(chunk.Message{ChunkStream: 2, Type: chunk.TypeUserControl, Payload: []byte{0, 6, 1, 2, 3, 4}}); err != nil {
			t.Fatal(err)
		}
	}
	beside(t, f, func() {
		_, _ = c.Write(append([]byte{rtmpVersion}, make([]byte, 2*handshakeSize)...))
		for {
			if _, err := c.Write(pings.Bytes()); err != nil {
				return // the server has stopped reading, and closed
			}
		}
	})
	f.closedFor(t, reasonNetwork, 1)
	if !strings.Contains(f.log.String(), "the connection broke: i/o timeout") {
		t.Errorf("log:\n%.2000s", f.log)
	}
}

// A gigabyte announced on many connections and chunk streams takes memory for
// what really came.
func TestDeclaredAndNeverSent(t *testing.T) {
	g := newFakeGate()
	f := start(t, testConfig(), g)
	beside(t, f, func() {
		for range 20 {
			c := newClient(t, f.Addr())
			c.publish()
			c.video(0, avcHeader()...)
			f.gate.push(t)
			for id := range byte(10) { // messages in flight
				c.write([]byte{20 + id, 0, 0, 0, 0x7f, 0xff, 0xf0, chunk.TypeVideo, 1, 0, 0, 0})
				c.write(keyFrame(123))
			}
			c.ping()
		}
	})
	if used, most := f.video.Used(), int64(20*10*(32<<10)); used != most {
		t.Errorf("%d bytes reserved, want %d", used, most)
	}
}

// Timestamps may jump anywhere and wrap: pictures come, with steps that are taken
// for what they are.
func TestTimestampsThatJump(t *testing.T) {
	tests := []struct {
		name  string
		stamp []uint32
		steps []int64 // in milliseconds, between pictures
	}{
		{"wrap at 2^32", []uint32{1<<32 - 20, 20}, []int64{40}},
		{"wrap at 2^31", []uint32{1<<31 - 20, 20}, []int64{40}},
		{"past 2^31 without a wrap", []uint32{1<<31 - 20, 1<<31 + 20}, []int64{40}},
		{"forth and back", []uint32{0, 3_600_000, 40}, []int64{3_600_000, -3_599_960}},
		{"into the extended field and out", []uint32{0xFFFFFE, 0xFFFFFF, 0x1000000, 0xFFFFFD}, []int64{1, 1, -3}},
		{"standing still", []uint32{7, 7, 7}, []int64{0, 0}},
		{"anywhere", []uint32{0, 1 << 30, 1<<31 + 5, 1<<32 - 1, 1, 1<<31 - 1}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newFakeGate()
			f := start(t, testConfig(), g)
			c := newClient(t, f.Addr())
			c.publish()
			c.video(tt.stamp[0], avcHeader()...)
			for _, at := range tt.stamp {
				c.video(at, keyFrame(10)...)
			}
			c.ping()
			var steps []int64
			units := g.push(t).taken()
			for i := range units[1:] {
				steps = append(steps, (units[i+1].DTS - units[i].DTS).Milliseconds())
			}
			if len(units) != len(tt.stamp) {
				t.Errorf("%d pictures, want %d", len(units), len(tt.stamp))
			}
			if diff := cmp.Diff(tt.steps, steps); tt.steps != nil && diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

// Video may come on any chunk stream, also interleaved, aborted and empty.
func TestChunkStreamsOfVideo(t *testing.T) {
	g := newFakeGate()
	f := start(t, testConfig(), g)
	c := newClient(t, f.Addr())
	c.publish()
	c.video(0, avcHeader()...)
	want := 0
	for _, id := range []uint32{2, 3, 63, 64, 319, 320, 65599} {
		c.send(chunk.Message{ChunkStream: id, Type: chunk.TypeVideo, StreamID: 1, Timestamp: id, Payload: keyFrame(1000)})
		c.send(chunk.Message{ChunkStream: id, Type: chunk.TypeVideo, StreamID: 1, Timestamp: id})
		want++
	}
	c.ping()
	p := g.push(t)
	if n := len(p.taken()); n != want {
		t.Errorf("%d pictures, want %d", n, want)
	}
	// Half a picture, then its abort, then a whole one on the same chunk stream.
	c.write([]byte{6, 0, 0, 0, 0, 8, 0, chunk.TypeVideo, 1, 0, 0, 0})
	c.write(keyFrame(123))
	c.send(chunk.Message{ChunkStream: 2, Type: chunk.TypeAbort, Payload: binary.BigEndian.AppendUint32(nil, 6)})
	if used := f.video.Used(); used > 32<<10 {
		t.Errorf("%d bytes in flight", used)
	}
	c.video(40, keyFrame(500)...)
	c.ping()
	if units := p.taken(); len(units) != want+1 || len(units[want].Data) != 500 {
		t.Errorf("%d pictures after an abort, want %d", len(units), want+1)
	}
	f.checkMemory(t)
}

// New parameter sets in mid-push are told before the pictures that need them.
func TestParameterSetsThatChange(t *testing.T) {
	g := newFakeGate()
	f := start(t, testConfig(), g)
	c := newClient(t, f.Addr())
	c.publish()
	changed := avcHeader()
	changed[len(changed)-3] ^= 1 // of the PPS
	c.video(0, avcHeader()...)
	c.video(0, keyFrame(10)...)
	c.video(40, changed...)
	c.video(40, keyFrame(20)...)
	c.video(80, avcHeader()...)
	c.video(80, keyFrame(30)...)
	c.ping()
	p := g.push(t)
	if len(p.configs) != 3 || len(p.taken()) != 3 || bytes.Equal(p.configs[0].Record, p.configs[1].Record) || !bytes.Equal(p.configs[0].Record, p.configs[2].Record) {
		t.Errorf("%d configurations and %d pictures, want 3 and 3", len(p.configs), len(p.taken()))
	}
}

// Where sockets have no low-water mark, or no buffer can be shared, all is as
// elsewhere.
func TestPlainReads(t *testing.T) {
	cfg := testConfig()
	cfg.PlainReads = true
	g := newFakeGate()
	f := start(t, cfg, g)
	r := readRecording(t, "testdata/ffmpeg51.rtmp")
	replay(t, f, r.data)
	p := g.push(t)
	if end := p.end(t); end.Code != stillcast.EndClient {
		t.Errorf("end %+v", end)
	}
	checkPictures(t, p, r, media.H264)
	checkAlive(t, f)
}

// A flood of commands costs the flooder: answers stay small and others go on.
func TestFloodOfCommands(t *testing.T) {
	f := start(t, testConfig(), newFakeGate())
	c := newClient(t, f.Addr())
	c.connect()
	beside(t, f, func() {
		for range 500 {
			c.command("createStream", 2.0, nil)
			if r, ok := c.next(); !ok || len(r.values) != 4 {
				t.Fatalf("reply %+v", r)
			}
		}
	})
}
