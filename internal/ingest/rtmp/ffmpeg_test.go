package rtmp

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
)

// ffmpeg pushes three seconds of a test picture with a key frame per second, as
// fast as it can unless the input options say otherwise, and returns what it
// printed.
func ffmpeg(t *testing.T, target string, input ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	arguments := append([]string{"-hide_banner", "-loglevel", "error", "-nostdin"}, input...)
	arguments = append(arguments,
		"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=3",
		"-f", "lavfi", "-i", "sine=duration=3",
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-c:a", "aac",
		"-f", "flv", target)
	out, err := exec.CommandContext(ctx, "ffmpeg", arguments...).CombinedOutput()
	return string(out), err
}

func TestFFmpegPushes(t *testing.T) {
	g := newFakeGate()
	f := start(t, testConfig(), g)
	out, err := ffmpeg(t, "rtmp://"+f.Addr().String()+"/live/stream1?txSecret=ab&txTime=cd")
	if err != nil || out != "" {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	p := g.push(t)
	if end := p.end(t); end.Code != stillcast.EndClient || end.Width != 320 || end.Height != 180 {
		t.Errorf("end %+v", end)
	}
	req := g.request(t)
	if got := req.URL.Stream.String() + "?" + req.URL.Param; got != "127.0.0.1/live/stream1?txSecret=ab&txTime=cd" {
		t.Errorf("push URL %s", got)
	}
	units := p.taken()
	if len(units) != 3 || len(p.asked) != 75 {
		t.Fatalf("%d key frames of %d frames, want 3 of 75", len(units), len(p.asked))
	}
	for i, u := range units {
		if got, want := u.DTS-units[0].DTS, time.Duration(i)*time.Second; got != want {
			t.Errorf("key frame %d comes %s after the first, want %s", i, got, want)
		}
	}
}

func TestFFmpegIsRefused(t *testing.T) {
	g := newFakeGate()
	g.err = stillcast.Errorf(stillcast.CodeDenied, "txTime", "expired at 2026-01-02T03:04:05Z")
	f := start(t, testConfig(), g)
	out, err := ffmpeg(t, "rtmp://"+f.Addr().String()+"/live/stream1?txSecret=ab&txTime=cd")
	if err == nil {
		t.Error("ffmpeg reports success")
	}
	if !strings.Contains(out, "txTime: expired at 2026-01-02T03:04:05Z") {
		t.Errorf("ffmpeg does not print the reason:\n%s", out)
	}
}

// A push that is refused in its midst fails in ffmpeg, too.
func TestFFmpegIsRefusedLater(t *testing.T) {
	g := newFakeGate()
	g.make = func() *fakePush {
		p := newFakePush()
		p.refuse = stillcast.Errorf(stillcast.CodeInvalid, "codec", "is not to our taste")
		return p
	}
	f := start(t, testConfig(), g)
	out, err := ffmpeg(t, "rtmp://"+f.Addr().String()+"/live/stream1", "-re")
	if err == nil {
		t.Error("ffmpeg reports success")
	}
	if end := g.push(t).end(t); end.Code != stillcast.EndRefused || end.Message != "codec: is not to our taste" {
		t.Errorf("end %+v", end)
	}
	if !strings.Contains(out, "codec: is not to our taste") {
		t.Errorf("ffmpeg does not print the reason:\n%s", out)
	}
}
