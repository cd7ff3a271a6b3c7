package rtmp

import (
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/testkit"
)

// Real publishers besides ffmpeg 5.1, of which each speaks its own RTMP. OBS has
// a test of its own; HEVC, AV1 and VP9 of FFmpeg 8 are pushed in picturetest.
func TestPublishers(t *testing.T) {
	t.Parallel()
	source := testkit.Source{Width: 320, Height: 180, Rate: 25}
	encoding := testkit.Encoding{KeyFrames: 400 * time.Millisecond, Duration: 2 * time.Second}
	byGStreamer := func(push func(testing.TB, string, testkit.Source, testkit.Encoding) *testkit.Process) func(*testing.T, string) *testkit.Process {
		return func(t *testing.T, url string) *testkit.Process {
			t.Helper()
			s := source
			s.Pattern = "ball"
			return push(t, url, s, encoding)
		}
	}
	tests := []struct {
		name string
		push func(*testing.T, string) *testkit.Process
		end  []stillcast.EndCode
	}{
		{"FFmpeg 8", func(t *testing.T, url string) *testkit.Process {
			t.Helper()
			return testkit.PushFFmpeg8(t, url, testkit.MakeFile(t, "flv", source, encoding))
		}, []stillcast.EndCode{stillcast.EndClient, stillcast.EndNetwork}},
		{"GStreamer rtmp2sink", byGStreamer(testkit.PushGStreamer), []stillcast.EndCode{stillcast.EndClient}},
		{"GStreamer rtmpsink", byGStreamer(testkit.PushLibrtmp), []stillcast.EndCode{stillcast.EndClient, stillcast.EndNetwork}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newFakeGate()
			f := start(t, testConfig(), g)
			publisher := tt.push(t, "rtmp://"+f.Addr().String()+"/live/room?txSecret=0a&txTime=6f")
			p := g.push(t)
			end := p.end(t)
			if end.Code != tt.end[0] && end.Code != tt.end[len(tt.end)-1] || end.Width != 320 || end.Height != 180 {
				t.Errorf("end %+v", end)
			}
			if req := g.request(t); req.URL.Stream.String() != "127.0.0.1/live/room" || req.URL.Param != "txSecret=0a&txTime=6f" {
				t.Errorf("push URL %+v", req.URL)
			}
			units := p.taken()
			if len(units) < 4 || len(units) > 6 || len(p.asked) < 45 || len(p.asked) > 51 {
				t.Errorf("%d key frames of %d frames, want 5 of 50; it said:\n%s", len(units), len(p.asked), publisher.Said())
			}
			for _, u := range units {
				if media.StartOf(&p.configs[0], []byte(u.Data)).Kind != media.StartKey {
					t.Errorf("key frame at %s is none", u.DTS)
				}
			}
		})
	}
}
