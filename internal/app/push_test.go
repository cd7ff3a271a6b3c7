package app

import (
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/testkit"
)

func TestFFmpegPushGivesPicturesAndSignedEvents(t *testing.T) {
	h := newHooks(t)
	a := startApp(t, testConfig(t.TempDir(), h.URL))
	source := testkit.Source{Width: 640, Height: 360, Rate: 25, Strip: testkit.StripClock}
	began := time.Now()
	url := pushURL(a.RTMPAddr(), "clock")
	publisher := testkit.PushFFmpeg(t, url, source, testkit.Encoding{KeyFrames: time.Second, Duration: 30 * time.Second, Audio: true})

	begin, ok := h.next().Event.(callback.StreamBegin)
	if !ok || begin.StreamID != "clock" || begin.AppName != "live" || begin.App != "127.0.0.1" ||
		begin.UserIP != "127.0.0.1" || begin.AppID != 1250000000 || begin.Sequence == "" {
		t.Fatalf("first event %+v, want the begin of the push", begin)
	}
	var last time.Time
	for i := range 4 {
		shot, e := h.shot()
		if i == 0 && e.At.Sub(began) > 5*time.Second {
			t.Errorf("first event %s after the start, want at most 5 s", e.At.Sub(began))
		}
		checkShot(t, shot, e, url, 640, 360)
		if e.Meta.Sequence != int64(i+1) || e.Meta.Attempt != 1 {
			t.Errorf("sequence %d attempt %d of shot %d, want no gaps and one attempt", e.Meta.Sequence, e.Meta.Attempt, i+1)
		}
		seen := checkClock(t, shot, e)
		if gap := seen.Sub(last); i > 0 && (gap < time.Second || gap > 3*time.Second) {
			t.Errorf("pictures %s apart, want the interval of 2 s", gap)
		}
		last = seen
	}
	publisher.Interrupt()
	end := h.end()
	if end.ErrCode != int(stillcast.EndClient) || end.Width != 640 || end.Height != 360 || end.Sequence != begin.Sequence || end.PushDuration == "0" {
		t.Errorf("end %+v, want the client's, with the video's size and the push's sequence", end)
	}
}

// checkShot compares the event with the contract and with its picture.
func checkShot(t *testing.T, shot callback.Screenshot, e arrived, url string, width, height int) {
	t.Helper()
	_, param, _ := strings.Cut(url, "?")
	if shot.EventType != 200 || shot.ChannelID != shot.StreamID || shot.StreamParam != param || shot.App != "127.0.0.1" || shot.AppName != "live" {
		t.Errorf("event %+v does not name its stream as the contract says", shot)
	}
	if !strings.HasPrefix(shot.PicURL, "/20") || !strings.HasSuffix(shot.PicURL, ".jpg") {
		t.Errorf("pic_url %q, want /YYYY-MM-DD/NAME.jpg", shot.PicURL)
	}
	if shot.FileSize != len(e.JPEG) {
		t.Errorf("file_size %d, but the picture has %d bytes", shot.FileSize, len(e.JPEG))
	}
	img := testkit.DecodeJPEG(t, e.JPEG)
	if b := img.Bounds(); b.Dx() != width || b.Dy() != height || shot.Width != width || shot.Height != height {
		t.Errorf("picture %v, event %dx%d; want %dx%d", b, shot.Width, shot.Height, width, height)
	}
}

// checkClock demands that create_time is the second that the picture shows, and
// returns what it shows.
func checkClock(t *testing.T, shot callback.Screenshot, e arrived) time.Time {
	t.Helper()
	number, ok := testkit.ReadStrip(testkit.DecodeJPEG(t, e.JPEG))
	if !ok {
		t.Fatal("the strip with the clock cannot be read in the picture")
	}
	seen := testkit.StripTime(number, e.At)
	created := time.Unix(shot.CreateTime, 0)
	// The frame was made up to a second before it arrived: encoder look-ahead.
	if off := created.Sub(seen); off < -time.Second || off > 1500*time.Millisecond {
		t.Errorf("create_time is %s away from the clock in the picture", off)
	}
	return seen
}

func TestPictureEqualsItsSourceFrame(t *testing.T) {
	for _, source := range []testkit.Source{
		{Width: 1280, Height: 720, Rate: 25, Strip: testkit.StripFrame},
		{Width: 640, Height: 360, Rate: 25, Strip: testkit.StripFrame, Matrix: testkit.BT601},
	} {
		t.Run(string(source.Matrix), func(t *testing.T) {
			h := newHooks(t)
			cfg := testConfig(t.TempDir(), h.URL)
			cfg.Resources.SnapshotTemplates[0].Quality = 95
			a := startApp(t, cfg)
			testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "s"), source, testkit.Encoding{
				KeyFrames: time.Second, Duration: 20 * time.Second, Args: []string{"-crf", "12"},
			})
			for range 2 {
				_, e := h.shot()
				img := testkit.DecodeJPEG(t, e.JPEG)
				n, ok := testkit.ReadStrip(img)
				if !ok {
					t.Fatal("the strip with the frame's number cannot be read")
				}
				psnr := testkit.PSNR(img, testkit.ReferenceFrame(t, source, n))
				t.Logf("frame %d: PSNR %.1f dB", n, psnr)
				if psnr < 40 {
					t.Errorf("frame %d: PSNR %.1f dB against the source, want at least 40", n, psnr)
				}
			}
		})
	}
}

func TestGStreamerPush(t *testing.T) {
	h := newHooks(t)
	a := startApp(t, testConfig(t.TempDir(), h.URL))
	url := pushURL(a.RTMPAddr(), "gst")
	testkit.PushGStreamer(t, url, testkit.Source{Width: 320, Height: 240, Rate: 25, Pattern: "smpte"},
		testkit.Encoding{KeyFrames: time.Second, Duration: 20 * time.Second})
	for range 2 {
		shot, e := h.shot()
		checkShot(t, shot, e, url, 320, 240)
	}
}

func TestRefusedPublisherSeesTheReason(t *testing.T) {
	a := startApp(t, testConfig(t.TempDir(), ""))
	url := "rtmp://" + a.RTMPAddr().String() + "/live/s?txSecret=00&txTime=7FFFFFFF"
	publisher := testkit.PushFFmpeg(t, url, testkit.Source{Width: 320, Height: 180}, testkit.Encoding{Duration: 5 * time.Second})
	if err := publisher.Wait(); err == nil {
		t.Error("ffmpeg pushed with a wrong txSecret")
	}
	if !strings.Contains(publisher.Said(), "txSecret") {
		t.Errorf("ffmpeg said %q, want the reason", publisher.Said())
	}
}

func TestChangedRulesActOnARunningStream(t *testing.T) {
	h := newHooks(t)
	cfg := testConfig(t.TempDir(), h.URL)
	cfg.Resources.SnapshotTemplates[0].Interval = 60 * time.Second
	a := startApp(t, cfg)
	testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "s"), testkit.Source{Width: 320, Height: 180, Rate: 25},
		testkit.Encoding{KeyFrames: 500 * time.Millisecond, Duration: 60 * time.Second})
	h.shot()
	cfg.Resources.SnapshotTemplates[0].Interval = 2 * time.Second
	cfg.Resources.SnapshotTemplates[0].Width = 160
	changed := time.Now()
	if err := a.Apply(t.Context(), cfg.Resources.Declaration()); err != nil {
		t.Fatal(err)
	}
	shot, e := h.shot()
	if took := e.At.Sub(changed); took > 4*time.Second {
		t.Errorf("the first shot of the shorter interval came after %s", took)
	}
	if shot.Width != 160 || shot.Height != 90 {
		t.Errorf("picture %dx%d after the change, want 160x90", shot.Width, shot.Height)
	}
}
