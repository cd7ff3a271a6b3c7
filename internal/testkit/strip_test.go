package testkit_test

import (
	"image"
	"image/color"
	"math"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/testkit"
)

// jpegOfFrame takes frame n of a video file by ffmpeg, scaled to a width and height, as JPEG.
func jpegOfFrame(t *testing.T, path string, n int, scale string) image.Image {
	t.Helper()
	filter := "select=eq(n\\," + strconv.Itoa(n) + "),scale=" + scale +
		":in_color_matrix=bt709:in_range=tv:out_color_matrix=bt601:out_range=pc,format=yuvj420p"
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-nostdin", "-loglevel", "error", "-i", path,
		"-vf", filter, "-frames:v", "1", "-q:v", "4", "-c:v", "mjpeg", "-f", "image2pipe", "pipe:1").Output()
	if err != nil {
		t.Fatalf("taking frame %d: %v", n, err)
	}
	return testkit.DecodeJPEG(t, out)
}

func TestStripSurvivesH264ScalingAndJPEG(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		source testkit.Source
		scale  string
	}{
		"720p":                    {testkit.Source{Width: 1280, Height: 720}, "iw:ih"},
		"720p to a fifth":         {testkit.Source{Width: 1280, Height: 720}, "256:144"},
		"360p":                    {testkit.Source{Width: 640, Height: 360, Rate: 25, Pattern: "smptehdbars"}, "iw:ih"},
		"portrait":                {testkit.Source{Width: 540, Height: 960, Pattern: "mandelbrot"}, "iw:ih"},
		"360p to another shape":   {testkit.Source{Width: 640, Height: 360}, "300:300"},
		"360p enlarged":           {testkit.Source{Width: 640, Height: 360, Clock: true}, "1921:1081"},
		"no multiple of 24 wide":  {testkit.Source{Width: 854, Height: 480}, "iw:ih"},
		"no multiple of 16 high":  {testkit.Source{Width: 720, Height: 406, Pattern: "testsrc"}, "iw:ih"},
		"coded with heavy losses": {testkit.Source{Width: 640, Height: 362}, "iw:ih"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.source.Strip = testkit.StripFrame
			encoding := testkit.Encoding{Duration: 3 * time.Second}
			if name == "coded with heavy losses" {
				encoding.Args = []string{"-crf", "40"}
			}
			path := testkit.MakeFile(t, "flv", test.source, encoding)
			for _, n := range []int{0, 1, 37, 63} {
				got, ok := testkit.ReadStrip(jpegOfFrame(t, path, n, test.scale))
				if !ok || got != n {
					t.Errorf("frame %d: read %d, %v", n, got, ok)
				}
			}
		})
	}
}

func TestReadStripRefusesPicturesWithoutOne(t *testing.T) {
	t.Parallel()
	blank := func(shade uint8) image.Image {
		img := image.NewGray(image.Rect(0, 0, 640, 360))
		for i := range img.Pix {
			img.Pix[i] = shade
		}
		return img
	}
	tests := map[string]image.Image{
		"black":              blank(0),
		"grey":               blank(128),
		"white":              blank(255),
		"smaller than bits":  image.NewGray(image.Rect(0, 0, 8, 8)),
		"empty":              image.NewGray(image.Rectangle{}),
		"a picture":          testkit.ReferenceFrame(t, testkit.Source{Width: 640, Height: 360}, 12),
		"another picture":    testkit.ReferenceFrame(t, testkit.Source{Width: 640, Height: 360, Pattern: "smptebars"}, 12),
		"rows that disagree": damagedStrip(t),
	}
	for name, img := range tests {
		if n, ok := testkit.ReadStrip(img); ok {
			t.Errorf("%s: read %d, wanted nothing", name, n)
		}
	}
}

// damagedStrip is a good picture in which one block of the second row is painted over.
func damagedStrip(t *testing.T) image.Image {
	t.Helper()
	source := testkit.Source{Width: 480, Height: 320, Strip: testkit.StripFrame}
	img, ok := testkit.ReferenceFrame(t, source, 0).(*image.RGBA)
	if !ok {
		t.Fatal("the reference frame cannot be painted on")
	}
	if n, ok := testkit.ReadStrip(img); !ok || n != 0 {
		t.Fatalf("before the damage: read %d, %v", n, ok)
	}
	for y := 20; y < 40; y++ {
		for x := range 20 {
			img.Set(x, y, color.Black)
		}
	}
	return img
}

func TestStripOfAWallClock(t *testing.T) {
	t.Parallel()
	before := time.Now()
	source := testkit.Source{Width: 640, Height: 360, Strip: testkit.StripClock}
	img := testkit.ReferenceFrame(t, source, 0)
	after := time.Now()

	n, ok := testkit.ReadStrip(img)
	if !ok {
		t.Fatal("the strip is not readable")
	}
	made := testkit.StripTime(n, after)
	if made.Before(before.Add(-100*time.Millisecond)) || made.After(after) {
		t.Errorf("made at %v, wanted between %v and %v", made, before, after)
	}
}

func TestStripTimeIsTheNearest(t *testing.T) {
	t.Parallel()
	made := time.UnixMilli(1_767_225_600_300)
	n := int(made.UnixMilli() / 100 % (1 << 24))
	for _, away := range []time.Duration{0, time.Second, -time.Second, 9 * 24 * time.Hour, -9 * 24 * time.Hour} {
		if got := testkit.StripTime(n, made.Add(away)); !got.Equal(made) {
			t.Errorf("seen %v away: %v, wanted %v", away, got, made)
		}
	}
}

func TestPSNR(t *testing.T) {
	t.Parallel()
	flat := func(size image.Point, shade uint8) image.Image {
		img := image.NewGray(image.Rectangle{Max: size})
		for i := range img.Pix {
			img.Pix[i] = shade
		}
		return img
	}
	size := image.Pt(16, 16)
	if got := testkit.PSNR(flat(size, 7), flat(size, 7)); !math.IsInf(got, 1) {
		t.Errorf("of equal pictures: %v", got)
	}
	if got := testkit.PSNR(flat(size, 0), flat(size, 255)); got != 0 {
		t.Errorf("of black and white: %v, wanted 0", got)
	}
	// A difference of 10 everywhere: 20·log10(255/10).
	if got := testkit.PSNR(flat(size, 100), flat(size, 110)); math.Abs(got-28.1308) > 0.001 {
		t.Errorf("of a difference of 10: %v, wanted 28.1308", got)
	}
	if got := testkit.PSNR(flat(size, 1), flat(image.Pt(16, 17), 1)); got != 0 {
		t.Errorf("of different sizes: %v, wanted 0", got)
	}
}
