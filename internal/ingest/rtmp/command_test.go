package rtmp

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media"
)

func TestRefusedPush(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		stream string
		status string
		text   string
	}{
		{"denied", stillcast.Errorf(stillcast.CodeDenied, "txSecret", "is wrong"), "s", statusDenied, "txSecret: is wrong"},
		{"conflict", stillcast.Errorf(stillcast.CodeConflict, "", "the stream is live already"), "s", statusBadName, "the stream is live already"},
		{"unknown domain", stillcast.Errorf(stillcast.CodeNotFound, "push domain", "is unknown"), "s", statusBadName, "push domain: is unknown"},
		{"limit", stillcast.Errorf(stillcast.CodeLimit, "", "too many pushes"), "s", statusPublishFailed, "too many pushes"},
		{"not for people", errors.New("open /var/lib: no such file"), "s", statusPublishFailed, "internal error; the push was not accepted"},
		{"too slow", context.DeadlineExceeded, "s", statusPublishFailed, "the push could not be checked in time"},
		{"no stream name", nil, "", statusBadName, "stream name: is empty"},
		{"endless name", nil, strings.Repeat("s", maxText), statusBadName, "stream name: has 4113 bytes with its query; at most 4096 are allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newFakeGate()
			g.err = tt.err
			f := start(t, testConfig(), g)
			c := newClient(t, f.Addr())
			c.connect()
			c.command("publish", 3.0, nil, tt.stream+"?txSecret=hunter2", "live")
			if r := c.expect(tt.status); !strings.Contains(r.description(), tt.text) {
				t.Errorf("description %q, want %q", r.description(), tt.text)
			}
			c.expectEnd()
			f.closedFor(t, reasonDenied, 1)
			if strings.Contains(f.log.String(), "hunter2") {
				t.Error("the log holds the secret of the push URL")
			}
		})
	}
}

// Nothing is said to be accepted before the gate has said so.
func TestAdmissionComesFirst(t *testing.T) {
	g := newFakeGate()
	asked, proceed := make(chan struct{}), make(chan struct{})
	g.hook = func() { close(asked); <-proceed }
	f := start(t, testConfig(), g)
	c := newClient(t, f.Addr())
	c.connect()
	c.command("publish", 3.0, nil, "stream1", "live")
	<-asked
	select {
	case r := <-c.replies:
		t.Errorf("reply %v before the gate decided", r.values)
	default:
	}
	close(proceed)
	c.expect(statusPublishStart)
	req := g.request(t)
	if got := req.URL.Stream.String(); got != "push.example.com/live/stream1" {
		t.Errorf("stream %s", got)
	}
	// A connection carries one push.
	c.command("publish", 4.0, nil, "stream2", "live")
	if r := c.expect(statusBadName); !strings.Contains(r.description(), "already pushes") {
		t.Errorf("description %q", r.description())
	}
	c.ping()
}

func TestPlay(t *testing.T) {
	f := start(t, testConfig(), newFakeGate())
	c := newClient(t, f.Addr())
	c.connect()
	c.command("createStream", 2.0, nil)
	c.command("play", 3.0, nil, "stream1")
	if r := c.expect(statusPlayFailed); r.description() != "Stillcast only takes pushes" {
		t.Errorf("description %q", r.description())
	}
	c.expectEnd()
	f.closedFor(t, reasonPlay, 1)
}

// Replies carry the transaction of their command; commands without one get no
// reply where GStreamer expects none.
func TestReplies(t *testing.T) {
	g := newFakeGate()
	g.codecs = []media.Codec{media.H264, media.HEVC}
	f := start(t, testConfig(), g)
	c := newClient(t, f.Addr())
	c.command("connect", 1.0, amf0.Object{{Name: "app", Value: "live"}, {Name: "tcUrl", Value: "rtmp://h/live"}, {Name: "objectEncoding", Value: 3.0}})
	var kinds []uint8
	for len(kinds) == 0 || kinds[len(kinds)-1] != chunk.TypeCommandAMF0 {
		r, ok := c.next()
		if !ok {
			t.Fatal("the connection ended")
		}
		kinds = append(kinds, r.kind)
		if r.kind == chunk.TypeCommandAMF0 {
			info := r.values[3].(amf0.Object)
			if v, _ := info.Get("objectEncoding"); r.values[0] != "_result" || r.values[1] != 1.0 || v != 0.0 {
				t.Errorf("reply to connect: %v", r.values)
			}
			properties := r.values[2].(amf0.Object)
			list, _ := properties.Get("fourCcList")
			infos, _ := properties.Get("videoFourCcInfoMap")
			caps, _ := properties.Get("capsEx")
			sound, _ := properties.Get("audioFourCcInfoMap")
			want := []any{
				[]any{"avc1", "hvc1"},
				amf0.Object{{Name: "avc1", Value: 1.0}, {Name: "hvc1", Value: 1.0}},
				amf0.Object{{Name: "*", Value: 1.0}},
				14.0, // multitrack, ModEx, nanoseconds
			}
			if diff := cmp.Diff(want, []any{list, infos, sound, caps}); diff != "" {
				t.Errorf("Enhanced RTMP in the reply to connect (-want +got):\n%s", diff)
			}
		}
	}
	// SetChunkSize is the chunk reader's.
	if want := "\x05\x06\x14"; string(kinds) != want {
		t.Errorf("message types %v, want %v", kinds, []byte(want))
	}
	c.command("releaseStream", 0.0, nil, "s")
	c.command("FCPublish", 0.0, nil, "s")
	c.command("releaseStream", 2.0, nil, "s")
	c.command("createStream", 3.0, nil)
	for _, want := range [][]any{{"_result", 2.0, nil, nil}, {"_result", 3.0, nil, 1.0}} {
		r, _ := c.next()
		if len(r.values) != 4 || r.values[0] != want[0] || r.values[1] != want[1] || r.values[3] != want[3] {
			t.Errorf("reply %v, want %v", r.values, want)
		}
	}
}

// SetChunkSize may come before connect, as from OBS; a command may be AMF3.
func TestAMF3Commands(t *testing.T) {
	g := newFakeGate()
	f := start(t, testConfig(), g)
	c := newClient(t, f.Addr())
	c.setChunkSize(4096)
	c.connect()
	m := commandMessage(t, "publish", 3.0, nil, "stream1", "record")
	m.Type, m.Payload = chunk.TypeCommandAMF3, append([]byte{0}, m.Payload...)
	c.send(m)
	c.expect(statusPublishStart)
	m = commandMessage(t, "FCUnpublish", 4.0, nil, "stream1")
	m.Type = chunk.TypeCommandAMF3 // without the byte 0
	c.send(m)
	c.expect(statusUnpublish)
	if end := g.push(t).end(t); end.Code != stillcast.EndClient || !strings.Contains(end.Message, "FCUnpublish") {
		t.Errorf("end %+v", end)
	}
}

func TestAcknowledgements(t *testing.T) {
	f := start(t, testConfig(), newFakeGate())
	c := newClient(t, f.Addr())
	c.publish()
	c.send(chunk.Message{ChunkStream: 2, Type: chunk.TypeWindowAckSize, Payload: []byte{0, 1, 0, 0}})
	var last uint32
	for range 3 {
		c.send(chunk.Message{ChunkStream: 4, Type: chunk.TypeAudio, Payload: make([]byte, 70_000)})
		r, _ := c.next()
		if r.kind != chunk.TypeAck || len(r.payload) != 4 {
			t.Fatalf("reply %+v, want an acknowledgement", r)
		}
		n := uint32(r.payload[0])<<24 | uint32(r.payload[1])<<16 | uint32(r.payload[2])<<8 | uint32(r.payload[3])
		if n < last+65536 {
			t.Errorf("%d bytes acknowledged after %d, the window has 65536", n, last)
		}
		last = n
	}
}
