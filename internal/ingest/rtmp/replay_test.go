package rtmp

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/media"
)

// recording is what a text beside a recording says about it.
type recording struct {
	data      []byte
	name      string // of the publish command
	keyFrames []keyFrameLine
	headers   int // sequence headers
	stopped   bool
}

type keyFrameLine struct {
	timestamp uint32
	size      int
}

func readRecording(t testing.TB, path string) recording {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(strings.TrimSuffix(path, ".rtmp") + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	r := recording{data: data}
	publish := regexp.MustCompile(`\[publish \d+ <nil> (\S+) live\]`)
	key := regexp.MustCompile(`keyframe ts=(\d+) len=(\d+) (.*)`)
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	for lines.Scan() {
		line := lines.Text()
		if m := publish.FindStringSubmatch(line); m != nil {
			r.name = m[1]
		}
		if strings.Contains(line, "video seq header") {
			r.headers++
		}
		if strings.Contains(line, "FCUnpublish") {
			r.stopped = true
		}
		m := key.FindStringSubmatch(line)
		// "End of sequence" and colour information are marked as key frames, too.
		if m == nil || strings.HasPrefix(m[3], "17 02") || strings.HasPrefix(m[3], "d4") {
			continue
		}
		timestamp, err1 := strconv.ParseUint(m[1], 10, 32)
		size, err2 := strconv.Atoi(m[2])
		if err1 != nil || err2 != nil {
			t.Fatalf("%s: %s", path, line)
		}
		r.keyFrames = append(r.keyFrames, keyFrameLine{uint32(timestamp), size})
	}
	if r.name == "" || r.headers == 0 || len(r.keyFrames) == 0 {
		t.Fatalf("%s: the text lacks publish, sequence header or key frames: %+v", path, r)
	}
	return r
}

// dts returns the key frames' times: the first as it is, then steps that are
// small, modulo 2^31.
func (r recording) dts() []time.Duration {
	out := []time.Duration{time.Duration(r.keyFrames[0].timestamp) * time.Millisecond}
	for i, k := range r.keyFrames[1:] {
		step := (k.timestamp - r.keyFrames[i].timestamp) & (1<<31 - 1)
		out = append(out, out[i]+time.Duration(step)*time.Millisecond)
	}
	return out
}

func recordings(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.rtmp")
	if err != nil || len(paths) < 6 {
		t.Fatalf("recordings: %v, %v", paths, err)
	}
	return paths
}

// replay sends a recording blindly over a real connection.
func replay(t *testing.T, f *fixture, data []byte) {
	t.Helper()
	conn := dial(t, f.Addr())
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, conn)
	}()
	for piece := range slices.Chunk(data, 997) {
		if _, err := conn.Write(piece); err != nil {
			break // the server may hang up before the last byte
		}
	}
	conn.(interface{ CloseWrite() error }).CloseWrite()
	<-drained
}

func TestReplay(t *testing.T) {
	for _, path := range recordings(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			r := readRecording(t, path)
			g := newFakeGate()
			f := start(t, testConfig(), g)
			replay(t, f, r.data)
			p := g.push(t)
			end := p.end(t)
			checkRequest(t, g.request(t), f, r)
			codec := media.H264
			if strings.Contains(path, "hevc") {
				codec = media.HEVC
			}
			checkPictures(t, p, r, codec)
			checkEnd(t, f, end, r)
		})
	}
}

func checkRequest(t *testing.T, req ingest.Request, f *fixture, r recording) {
	t.Helper()
	name, param, _ := strings.Cut(r.name, "?")
	want := ingest.PushURL{Stream: stillcast.Stream{Domain: "127.0.0.1", App: "live", Name: name}, Param: param}
	if diff := cmp.Diff(want, req.URL); diff != "" {
		t.Errorf("push URL (-want +got):\n%s", diff)
	}
	if req.Local.String() != f.Addr().String() || !req.Remote.Addr().IsLoopback() {
		t.Errorf("from %s to %s, want to %s", req.Remote, req.Local, f.Addr())
	}
}

func checkPictures(t *testing.T, p *fakePush, r recording, codec media.Codec) {
	t.Helper()
	if len(p.configs) != 1 || p.configs[0].Width != 320 || p.configs[0].Height != 180 || p.configs[0].Codec != codec {
		t.Fatalf("configurations %+v, want one of %s with 320x180 pixels", p.configs, codec)
	}
	header := 5 // of the message; HEVC is in Enhanced RTMP here
	if codec == media.HEVC {
		header = 8
	}
	var dts []time.Duration
	var sizes, wantSizes []int
	for _, u := range p.units {
		if !u.Key || u.Codec != codec || u.Width != 320 || len(u.Data) != u.Size-header {
			t.Errorf("unit %+v with %d bytes", u.Unit, len(u.Data))
		}
		if err := media.CheckUnit(&p.configs[0], []byte(u.Data), 640*480); err != nil {
			t.Error(err)
		}
		if s := media.StartOf(&p.configs[0], []byte(u.Data)); s.Kind != media.StartKey {
			t.Errorf("decoding cannot start at the key frame: %+v", s)
		}
		if n := len(u.Data); n < 5 || u.Data[:2] != "\x00\x00" {
			t.Errorf("the data does not begin with a length: %x", u.Data[:min(n, 8)])
		}
		dts, sizes = append(dts, u.DTS), append(sizes, u.Size)
	}
	for _, k := range r.keyFrames {
		wantSizes = append(wantSizes, k.size)
	}
	if diff := cmp.Diff(r.dts(), dts); diff != "" {
		t.Errorf("decoding times of key frames (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantSizes, sizes); diff != "" {
		t.Errorf("sizes of key frames (-want +got):\n%s", diff)
	}
	var last time.Duration
	for _, u := range p.asked {
		if u.PTS < u.DTS {
			t.Fatalf("presentation time %s before decoding time %s", u.PTS, u.DTS)
		}
		if u.DTS < last {
			t.Fatalf("decoding time %s after %s", u.DTS, last)
		}
		last = u.DTS
	}
	if len(p.asked) < 50 {
		t.Errorf("asked for %d frames only", len(p.asked))
	}
}

func checkEnd(t *testing.T, f *fixture, end stillcast.PushEnd, r recording) {
	t.Helper()
	code, why := stillcast.EndNetwork, reasonNetwork
	if r.stopped {
		code, why = stillcast.EndClient, reasonClient
	}
	if end.Code != code || end.Width != 320 || end.Height != 180 || end.At.IsZero() {
		t.Errorf("end %+v, want code %d with 320x180", end, code)
	}
	f.closedFor(t, why, 1)
	received := f.metric(t, "stillcast_rtmp_received_bytes_total", "")
	if received > float64(len(r.data)) || received < float64(len(r.data))-1000 {
		t.Errorf("%v bytes counted of %d", received, len(r.data))
	}
	if kept := f.metric(t, "stillcast_rtmp_messages_total", "kept"); kept < float64(len(r.keyFrames)) {
		t.Errorf("%v messages counted as kept", kept)
	}
}

// A push of a codec that is not taken ends at its sequence header.
func TestReplayRefused(t *testing.T) {
	g := newFakeGate()
	g.make = func() *fakePush {
		p := newFakePush()
		p.refuse = stillcast.Errorf(stillcast.CodeInvalid, "video codec", "HEVC is not supported; allowed: H.264")
		return p
	}
	f := start(t, testConfig(), g)
	replay(t, f, readRecording(t, "testdata/ffmpeg8-hevc.rtmp").data)
	p := g.push(t)
	end := p.end(t)
	if len(p.configs) != 1 || p.configs[0].Codec != media.HEVC || len(p.configs[0].Record) != 2412 || p.configs[0].Record[0] != 1 {
		t.Errorf("configurations %+v, want one of HEVC with the whole record", p.configs)
	}
	if len(p.asked) != 0 {
		t.Errorf("asked for %d frames after the refusal", len(p.asked))
	}
	if end.Code != stillcast.EndRefused || !strings.Contains(end.Message, "HEVC is not supported") {
		t.Errorf("end %+v", end)
	}
	f.closedFor(t, reasonVideo, 1)
}

// How the bytes are split changes nothing.
func TestReplaySplit(t *testing.T) {
	for _, path := range recordings(t) {
		data := readRecording(t, path).data
		data = data[:min(len(data), 200<<10)]
		var first []unit
		var firstWhy string
		for i, size := range []int{len(data), 1, 61, 4096} {
			g := newFakeGate()
			why := playback(t, newTestShared(t, testConfig(), g), data, size).Error()
			units := g.push(t).taken()
			if i == 0 {
				first, firstWhy = units, why
			}
			if why != firstWhy {
				t.Errorf("%s in pieces of %d bytes: closed for %q, whole for %q", path, size, why, firstWhy)
			}
			if diff := cmp.Diff(first, units); diff != "" {
				t.Fatalf("%s in pieces of %d bytes (-whole +pieces):\n%s", path, size, diff)
			}
		}
	}
}
