package av_test

import (
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/testkit"
)

// decodeWebP decodes by ffmpeg's own decoder, in the colours that RFC 9649 gives a WebP.
func decodeWebP(t testing.TB, data []byte, width, height int) *image.RGBA {
	t.Helper()
	path := filepath.Join(t.TempDir(), "picture.webp")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return codectest.Clip{Path: path}.RGB(t, width, height, "scale=in_color_matrix=bt601:in_range=tv:out_range=pc:"+precise)
}

func webpOf(t testing.TB, picture *av.Picture, quality int) []byte {
	t.Helper()
	data, err := picture.WebP(quality)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestWebPIsWhatFFmpegShows(t *testing.T) {
	t.Parallel()
	cases := []pictureCase{
		{name: "BT.709", tag: "bt709", psnr: 43},
		{name: "BT.709 untagged", psnr: 43},
		{name: "BT.601", size: "640x480", matrix: "bt601", psnr: 43},
		{name: "BT.2020", matrix: "bt2020", tag: "bt2020nc", psnr: 43},
		{name: "full range", full: true, format: "yuvj420p", tag: "bt709", psnr: 43},
		{name: "full range BT.601", matrix: "bt601", full: true, format: "yuvj420p", tag: "smpte170m", psnr: 43},
		{name: "10 bit", format: "yuv420p10le", tag: "bt709", psnr: 43},
		{name: "grey", format: "gray", tag: "bt709", psnr: 43},
		{name: "odd", blur: "6", size: "853x479", format: "yuv444p", tag: "bt709", psnr: 40},
	}
	for _, c := range cases {
		c = c.withDefaults()
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clip := c.clip(t)
			frame := decode(t, clip)
			data := webpOf(t, pictureOf(t, frame, 0, 0), 100)
			got := decodeWebP(t, data, frame.Width(), frame.Height())
			want := clip.RGB(t, frame.Width(), frame.Height(), "scale=in_color_matrix="+c.matrix+":in_range="+c.rangeName()+":out_range=pc:"+precise)
			psnr := testkit.PSNR(got, want)
			t.Logf("%.1f dB", psnr)
			if psnr < c.psnr {
				t.Errorf("PSNR is %.1f dB, wanted at least %.1f", psnr, c.psnr)
			}
		})
	}
}

// A wrong range or matrix shows on one colour as no mean over a picture does.
func TestWebPOfEverySize(t *testing.T) {
	t.Parallel()
	frame := decode(t, codectest.Make(t, "color=c=0xb4dcf0:size=64x64,format=yuv444p", 1, "-crf", "1", "-colorspace", "smpte170m"))
	for _, size := range []image.Point{{1, 1}, {2, 1}, {1, 2}, {3, 5}, {15, 17}, {16, 16}, {17, 33}, {av.MaxWebPSide, 1}, {1, av.MaxWebPSide}, {641, 361}} {
		t.Run(size.String(), func(t *testing.T) {
			t.Parallel()
			img := decodeWebP(t, webpOf(t, pictureOf(t, frame, size.X, size.Y), 95), size.X, size.Y)
			last := size.Sub(image.Pt(1, 1))
			for _, at := range []image.Point{{}, {X: last.X}, {Y: last.Y}, last} {
				pixel := img.RGBAAt(at.X, at.Y)
				for i, difference := range []int{int(pixel.R) - 0xb4, int(pixel.G) - 0xdc, int(pixel.B) - 0xf0} {
					if difference < -3 || difference > 3 {
						t.Errorf("at %s %s is off by %d", at, [...]string{"red", "green", "blue"}[i], difference)
					}
				}
			}
		})
	}
}

func TestWebPRefusesSizesThatNoWebPHas(t *testing.T) {
	t.Parallel()
	frame := decode(t, codectest.Make(t, "testsrc2=size=64x64", 1))
	for _, size := range []image.Point{{av.MaxWebPSide + 1, 8}, {8, av.MaxWebPSide + 1}} {
		data, err := pictureOf(t, frame, size.X, size.Y).WebP(85)
		if !errors.Is(err, av.ErrTooLarge) || !strings.Contains(err.Error(), "each side of a WebP has 1 to 16383") || data != nil {
			t.Errorf("size %s: %d bytes and error %v, wanted %v", size, len(data), err, av.ErrTooLarge)
		}
	}
}

// Noise is the largest WebP that can be.
func TestNoiseFitsIntoWebP(t *testing.T) {
	t.Parallel()
	frame := decode(t, codectest.Make(t, "color=gray:size=1920x1080,noise=alls=100:allf=t,format=yuv420p", 1, "-qp", "20"))
	data := webpOf(t, pictureOf(t, frame, 0, 0), 100)
	t.Logf("%.1f MiB", float64(len(data))/(1<<20))
	if len(data) < 5<<20 {
		t.Errorf("%d bytes are no noise, this tests nothing", len(data))
	}
	decodeWebP(t, data, frame.Width(), frame.Height())
}

func TestWebPQualityIsHeldToItsRange(t *testing.T) {
	t.Parallel()
	picture := pictureOf(t, decode(t, codectest.Make(t, "mandelbrot=size=320x180", 1)), 0, 0)
	sizes := map[int]int{}
	for _, quality := range []int{-5, 0, 1, 50, 100, 1000} {
		sizes[quality] = len(webpOf(t, picture, quality))
	}
	if sizes[-5] != sizes[1] || sizes[0] != sizes[1] || sizes[1000] != sizes[100] || sizes[1] >= sizes[50] || sizes[50] >= sizes[100] {
		t.Errorf("sizes by quality are %v, wanted them to grow between 1 and 100", sizes)
	}
}
