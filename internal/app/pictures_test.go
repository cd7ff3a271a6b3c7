package app

import (
	"bytes"
	"image"
	"image/color"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/webp"

	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/receiver"
	"github.com/stillcast/stillcast/internal/testkit"
)

// newReceiver runs the receiver of "stillcast listen", which saves what it gets.
func newReceiver(t *testing.T) (url string, events <-chan receiver.Received) {
	t.Helper()
	got := make(chan receiver.Received, 1024)
	r, err := receiver.New(receiver.Options{
		Addr: "127.0.0.1:0", Keys: []string{hookKey.Reveal()}, Save: t.TempDir(), OnEvent: func(e receiver.Received) { got <- e },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Start()
	t.Cleanup(func() {
		if err := r.Stop(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return "http://" + r.Addr().String(), got
}

func nextShot(t *testing.T, events <-chan receiver.Received) (callback.Screenshot, receiver.Received) {
	t.Helper()
	for {
		select {
		case e := <-events:
			if e.Verified != nil {
				t.Fatalf("event refused: %v", e.Verified)
			}
			if shot, ok := e.Event.(callback.Screenshot); ok {
				return shot, e
			}
		case <-time.After(30 * time.Second):
			t.Fatal("no shot for 30 s")
		}
	}
}

func readWebP(t *testing.T, path string) (image.Image, []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	planes, ok := img.(*image.YCbCr)
	if !ok {
		t.Fatalf("%s is a %T", path, img)
	}
	return limitedRGB(planes), data
}

// limitedRGB shows BT.601 of limited range, which WebP is (RFC 9649, section
// 2.5); package image takes all planes for JPEG's.
func limitedRGB(planes *image.YCbCr) image.Image {
	rgb := image.NewRGBA(planes.Bounds())
	clip := func(v float64) uint8 { return uint8(max(0, min(255, v+0.5))) }
	for y := range planes.Bounds().Dy() {
		for x := range planes.Bounds().Dx() {
			p := planes.YCbCrAt(x, y)
			luma, cb, cr := 255./219*(float64(p.Y)-16), 255./224*(float64(p.Cb)-128), 255./224*(float64(p.Cr)-128)
			rgb.SetRGBA(x, y, color.RGBA{clip(luma + 1.402*cr), clip(luma - 0.344136*cb - 0.714136*cr), clip(luma + 1.772*cb), 255})
		}
	}
	return rgb
}

func TestRenditionsFactsAndEXIFInWebP(t *testing.T) {
	url, events := newReceiver(t)
	cfg := testConfig(t.TempDir(), url)
	template := &cfg.Resources.SnapshotTemplates[0]
	template.Format, template.Quality, template.EXIF, template.Facts = "webp", 90, true, true
	template.Renditions = []config.Size{{Width: 320}, {Height: 90}}
	a := startApp(t, cfg)
	source := testkit.Source{Width: 640, Height: 360, Rate: 25, Strip: testkit.StripFrame}
	testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "cam"), source, testkit.Encoding{KeyFrames: time.Second, Duration: 30 * time.Second})
	for i := range 2 {
		shot, e := nextShot(t, events)
		if e.Picture.Err != nil || e.Picture.Format != "webp" || shot.Width != 640 || shot.Height != 360 || !strings.HasSuffix(shot.PicURL, "-640x360.webp") {
			t.Fatalf("picture %+v of %+v", e.Picture, shot)
		}
		img, data := readWebP(t, e.Picture.Path)
		number, ok := testkit.ReadStrip(img)
		if !ok {
			t.Fatal("the strip with the frame's number cannot be read")
		}
		psnr := testkit.PSNR(img, testkit.ReferenceFrame(t, source, number))
		t.Logf("frame %d: PSNR %.1f dB", number, psnr)
		if psnr < 40 {
			t.Errorf("frame %d: PSNR %.1f dB against the source, want at least 40", number, psnr)
		}
		checkFacts(t, shot.Stillcast, i == 0, number)
		checkEXIF(t, data)
		if len(e.Renditions) != 2 {
			t.Fatalf("%d renditions, want 2", len(e.Renditions))
		}
		for j, want := range []struct {
			width, height int
			end           string
		}{{320, 180, "-320x180.webp"}, {160, 90, "-160x90.webp"}} {
			said, got := shot.Stillcast.Renditions[j], e.Renditions[j]
			if got.Err != nil || got.Format != "webp" || got.Width != want.width || got.Height != want.height ||
				got.Bytes != said.FileSize || !strings.HasSuffix(said.PicURL, want.end) {
				t.Errorf("rendition %d: %+v, of which its event says %+v", j, got, said)
				continue
			}
			_, data := readWebP(t, got.Path)
			checkEXIF(t, data)
		}
	}
}

func checkFacts(t *testing.T, f *callback.Facts, first bool, number int) {
	t.Helper()
	if f == nil {
		t.Fatal("the event has no facts")
	}
	if f.Accuracy != "keyframe" || f.Black || f.Solid || f.DecodeMS <= 0 || f.EncodeMS <= 0 ||
		f.Luma < 20 || f.Luma > 235 || f.Variance < 100 || !regexp.MustCompile("^[0-9a-f]{16}$").MatchString(f.Hash) {
		t.Errorf("facts %+v", f)
	}
	if first == (f.Distance != nil) || first && f.AgeMS != 0 {
		t.Errorf("first %v, but distance %v and age %d ms", first, f.Distance, f.AgeMS)
	}
	// The frame's timestamp is that of its number, but for where the encoder's begins.
	if off := f.TimestampMS - int64(number)*40; off < 0 || off > 200 {
		t.Errorf("frame %d has the timestamp %d ms", number, f.TimestampMS)
	}
}

// checkEXIF looks for what must stand in a picture; that it is EXIF, readable by
// others, is tested where it is written.
func checkEXIF(t *testing.T, picture []byte) {
	t.Helper()
	for _, want := range []string{"127.0.0.1/live/cam", "Stillcast test", time.Now().UTC().Add(8 * time.Hour).Format("2006:01:02 ")} {
		if !bytes.Contains(picture, []byte(want)) {
			t.Errorf("the picture's EXIF lacks %q", want)
		}
	}
}

// A picture that does not change gives its first shot, and then one for each
// heartbeat.
func TestSkipUnchanged(t *testing.T) {
	h := newHooks(t)
	cfg := testConfig(t.TempDir(), h.URL)
	template := &cfg.Resources.SnapshotTemplates[0]
	template.SkipUnchanged, template.Heartbeat, template.Facts = true, 4*time.Second, true
	a := startApp(t, cfg)
	testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "s"), testkit.Source{Width: 320, Height: 180, Rate: 25, Pattern: "smptebars"},
		testkit.Encoding{KeyFrames: 500 * time.Millisecond, Duration: 40 * time.Second})
	var last time.Time
	for i := range 3 {
		shot, e := h.shot()
		if e.Meta.Sequence != int64(i+1) {
			t.Errorf("sequence %d of shot %d, want no gap", e.Meta.Sequence, i+1)
		}
		f := shot.Stillcast
		if i > 0 && (!f.Duplicate || f.Distance == nil || *f.Distance > 4) {
			t.Errorf("shot %d of the same picture has the facts %+v", i+1, f)
		}
		// Without skipping it would be 2 s; a key frame is at most 250 ms off.
		if gap := e.Meta.At.Sub(last); i > 0 && gap < 3*time.Second {
			t.Errorf("shots %s apart, want the heartbeat of 4 s", gap)
		}
		last = e.Meta.At
	}
}
