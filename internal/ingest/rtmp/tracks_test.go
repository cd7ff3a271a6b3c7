package rtmp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media"
)

// The parts of multitrack messages.
var (
	avcHex   = hex.EncodeToString(avcRecord())
	avcSize  = fmt.Sprintf("%06x", len(avcRecord()))
	vp9Small = hex.EncodeToString(vp9Key[5:])   // 320x180
	vp9Big   = hex.EncodeToString(vp9Large[5:]) // 640x360
	vp9Sizes = fmt.Sprintf("%06x", len(vp9Key[5:]))
	modifier = "02 000001" // a nanosecond
)

// taken describes the units of a push by codec, width and data.
func taken(p *fakePush) []string {
	var out []string
	for _, u := range p.taken() {
		out = append(out, fmt.Sprintf("%s %d key %t %x", u.Codec, u.Width, u.Key, u.Data))
	}
	return out
}

// Of several tracks one is captured, however they are packed.
func TestMultitrack(t *testing.T) {
	tests := []struct {
		name  string
		video []string
		want  []string
	}{
		{
			"default track plain, second numbered",
			[]string{"90 61766331" + avcHex, "96 00 76703039 01 0014820101010000", "91 61766331 000000 aa", "96 01 76703039 01" + vp9Small},
			[]string{"H.264 320 key true aa"},
		},
		{
			"second track comes first",
			[]string{"96 00 61766331 01" + avcHex, "96 01 61766331 01 000000 bb", "96 00 61766331 00" + avcHex, "96 01 61766331 01 000000 cc", "96 01 61766331 00 000000 dd"},
			[]string{"H.264 320 key true bb", "H.264 320 key true dd"},
		},
		{
			"a single track that is not the first number",
			[]string{"96 00 61766331 03" + avcHex, "96 01 61766331 03 000000 aa"},
			[]string{"H.264 320 key true aa"},
		},
		{
			"many tracks in a message",
			[]string{
				"96 10 61766331 00" + avcSize + avcHex + "01" + avcSize + avcHex,
				"96 11 61766331 00 000004 000000 aa 01 000004 000000 bb",
				"96 11 61766331 01 000004 000000 bb 00 000004 000000 cc",
				"a6 11 61766331 00 000004 000000 dd 01 000004 000000 ee", // no key frame: not wanted
				"96 11 61766331 01 000004 000000 ff",                     // the other track alone
			},
			[]string{"H.264 320 key true aa", "H.264 320 key true cc"},
		},
		{
			"many codecs in a message",
			[]string{
				"96 20 76766331 01 000001 00" + "61766331 00" + avcSize + avcHex,
				"96 21 76703039 01" + vp9Sizes + vp9Small + "61766331 00 000004 000000 aa",
				"96 21 61766331 00 000004 000000 bb 76766331 01 000002 cccc",
			},
			[]string{"H.264 320 key true aa", "H.264 320 key true bb"},
		},
		{
			"codec that needs no sequence header, in many tracks",
			[]string{"96 11 76703039 01" + vp9Sizes + vp9Big + "00" + vp9Sizes + vp9Small},
			[]string{"VP9 640 key true " + vp9Big}, // the first that begins is taken; see the next
		},
		{
			"and the lower number from its next key frame on",
			[]string{"96 11 76703039 01" + vp9Sizes + vp9Big, "96 11 76703039 00" + vp9Sizes + vp9Small + "01" + vp9Sizes + vp9Big},
			[]string{"VP9 640 key true " + vp9Big, "VP9 320 key true " + vp9Small},
		},
		{
			"unknown codec beside a known one",
			[]string{"96 00 76766331 01 00", "96 01 76766331 01 00", "90 61766331" + avcHex, "91 61766331 000000 aa"},
			[]string{"H.264 320 key true aa"},
		},
		{
			"modifiers in a row, beyond the first bytes",
			[]string{
				"97" + strings.Repeat(modifier+"07", 9) + modifier + "00 61766331" + avcHex,
				"97" + strings.Repeat(modifier+"07", 9) + modifier + "01 61766331 000000 aa",
				"97 ff 00ff" + strings.Repeat("00", 256) + "51 61766331 000000 bb",
				"a7" + strings.Repeat(modifier+"07", 9) + modifier + "01 61766331 000000 cc",
			},
			[]string{"H.264 320 key true aa", "H.264 320 key true bb"},
		},
		{"key frame whose modifiers never end", []string{"90 61766331" + avcHex, "97" + strings.Repeat(modifier+"07", 20)}, nil},
		{
			"end of sequence and metadata of a track",
			[]string{"90 61766331" + avcHex, "96 02 61766331 00", "d6 04 61766331 00 02", "92 61766331", "d4 61766331 020000"},
			nil,
		},
		{
			"empty tracks",
			[]string{"90 61766331" + avcHex, "96 11 61766331 00 000003 000000", "96 13 61766331 00 000000 01 000000", "96 13 61766331", "96 33 61766331 00"},
			nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newFakeGate()
			f := start(t, testConfig(), g)
			c := newClient(t, f.Addr())
			c.publish()
			for i, v := range tt.video {
				c.video(uint32(i)*40, unhex(strings.ReplaceAll(v, " ", ""))...)
			}
			c.ping()
			p := g.push(t)
			if diff := cmp.Diff(tt.want, taken(p)); diff != "" {
				t.Errorf("units (-want +got):\n%s", diff)
			}
			for _, u := range p.taken() {
				if u.PTS < u.DTS || u.PTS-u.DTS > 1 {
					t.Errorf("times %d, %d: a nanosecond apart at most", u.DTS, u.PTS)
				}
			}
		})
	}
}

// Where all is wanted, frames between key frames come out of messages with
// several tracks, too.
func TestMultitrackFrames(t *testing.T) {
	g := newFakeGate()
	g.make = func() *fakePush {
		p := newFakePush()
		p.want = func(media.Unit) bool { return true }
		return p
	}
	f := start(t, testConfig(), g)
	c := newClient(t, f.Addr())
	c.publish()
	for _, v := range []string{
		"96 10 61766331 01" + avcSize + avcHex + "00" + avcSize + avcHex,
		"96 11 61766331 01 000004 000000 aa 00 000004 000000 bb",
		"a6 11 61766331 01 000004 000000 cc 00 000004 000000 dd",
		"a6 11 61766331 00 000004 000000 ee 01 000004 000000 ff",
	} {
		c.video(0, unhex(v)...)
	}
	c.ping()
	want := []string{"H.264 320 key true bb", "H.264 320 key false dd", "H.264 320 key false ee"}
	if diff := cmp.Diff(want, taken(g.push(t))); diff != "" {
		t.Errorf("units (-want +got):\n%s", diff)
	}
}

// An unknown codec of the track that is captured ends the push, also in a message
// with others.
func TestMultitrackRefuses(t *testing.T) {
	for _, video := range []string{"96 00 76766331 00 00", "96 20 76766331 00 000001 00" + "61766331 01" + avcSize + avcHex} {
		g := newFakeGate()
		f := start(t, testConfig(), g)
		c := newClient(t, f.Addr())
		c.publish()
		c.video(0, unhex(video)...)
		if r := c.expect(statusPublishFailed); !strings.Contains(r.description(), `video codec "vvc1" is not supported`) {
			t.Errorf("description %q", r.description())
		}
		if end := g.push(t).end(t); end.Code != stillcast.EndRefused {
			t.Errorf("end %+v", end)
		}
		f.closedFor(t, reasonVideo, 1)
	}
}

// A sequence start as in MPEG-2 TS begins AV1 like a record.
func TestAV1Descriptor(t *testing.T) {
	g := newFakeGate()
	f := start(t, testConfig(), g)
	c := newClient(t, f.Addr())
	c.publish()
	c.video(0, unhex("95 61763031 80 04 81 00 0c 00")...)
	c.video(40, av1Key...)
	c.ping()
	p := g.push(t)
	if got, want := configured(p), "AV1 0x0, record of 4 bytes; AV1 320x180, record of 4 bytes"; got != want {
		t.Errorf("configurations %q, want %q", got, want)
	}
	if n := len(p.taken()); n != 1 {
		t.Errorf("%d pictures, want 1", n)
	}
}

// Sound of any kind changes nothing, whatever it is and however broken.
func TestSoundIsLeftAside(t *testing.T) {
	g := newFakeGate()
	f := start(t, testConfig(), g)
	c := newClient(t, f.Addr())
	c.publish()
	c.video(0, avcHeader()...)
	for _, sound := range []string{
		"af 00 1210", "af 01 21", "2f ffe3", "5f 00", "a0", "", // AAC, MP3, Nellymoser, cut off, none
		"90 4f707573 4f70757348656164", "91 4f707573 ff", "90 2e6d7033", "91 664c6143 00", "92 6d703461", // Opus, MP3, FLAC, end
		"95 01 4f707573 00 ff", "95 11 4f707573 00 000001 ff 01 000001 ee", "95 21 4f707573 00 000009", "97 02 000001 11 4f707573 00", "9f 00000000", "95",
	} {
		c.send(chunk.Message{ChunkStream: 4, Type: chunk.TypeAudio, StreamID: 1, Payload: unhex(sound)})
	}
	c.video(40, keyFrame(10)...)
	c.ping()
	if n := len(g.push(t).taken()); n != 1 {
		t.Errorf("%d pictures, want 1", n)
	}
	// A push of nothing but sound goes on.
	c = newClient(t, f.Addr())
	c.publish()
	c.send(chunk.Message{ChunkStream: 4, Type: chunk.TypeAudio, StreamID: 1, Payload: bytes.Repeat([]byte{0xaf}, 1000)})
	c.ping()
}
