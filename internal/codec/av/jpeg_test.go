package av_test

import (
	"bytes"
	"image"
	"math"
	"testing"

	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/testkit"
)

// decode is the frame of a clip; it is closed with the test.
func decode(t testing.TB, clip codectest.Clip) *av.Frame {
	t.Helper()
	frame, err := av.Decode(input(clip), codectest.MaxPixels)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(frame.Close)
	return frame
}

// pictureOf is the frame at a size; it is closed with the test. 0x0 is the frame's.
func pictureOf(t testing.TB, frame *av.Frame, width, height int) *av.Picture {
	t.Helper()
	if width == 0 {
		width, height = frame.Width(), frame.Height()
	}
	picture, err := frame.Picture(av.Geometry{Width: width, Height: height})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(picture.Close)
	return picture
}

func jpegOf(t testing.TB, picture *av.Picture, o av.JPEGOptions) []byte {
	t.Helper()
	data, err := picture.JPEG(o)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// isProgressive looks for the frame header of a progressive JPEG (ITU-T T.81, table B.1).
func isProgressive(data []byte) bool {
	return bytes.Contains(data[:min(len(data), 1024)], []byte{0xff, 0xc2, 0, 17, 8})
}

// The same coefficients in another order: a progressive JPEG shows exactly what the baseline one shows, in less bytes.
func TestProgressiveShowsTheSame(t *testing.T) {
	t.Parallel()
	frame := decode(t, codectest.Make(t, "mandelbrot=size=640x360", 1, "-crf", "18"))
	for _, size := range []image.Point{{0, 0}, {321, 179}, {17, 3}} {
		picture := pictureOf(t, frame, size.X, size.Y)
		for _, quality := range []int{1, 85, 100} {
			baseline := jpegOf(t, picture, av.JPEGOptions{Quality: quality})
			progressive := jpegOf(t, picture, av.JPEGOptions{Quality: quality, Progressive: true})
			if isProgressive(baseline) || !isProgressive(progressive) {
				t.Errorf("size %s, quality %d: progressive are %t and %t", size, quality, isProgressive(baseline), isProgressive(progressive))
			}
			if psnr := testkit.PSNR(testkit.DecodeJPEG(t, baseline), testkit.DecodeJPEG(t, progressive)); !math.IsInf(psnr, 1) {
				t.Errorf("size %s, quality %d: the pictures differ by %.1f dB", size, quality, psnr)
			}
			if size == (image.Point{}) && len(progressive) >= len(baseline) {
				t.Errorf("quality %d: %d bytes, and %d if progressive", quality, len(baseline), len(progressive))
			}
			// What was encoded before leaves no trace.
			if again := jpegOf(t, picture, av.JPEGOptions{Quality: quality}); !bytes.Equal(again, baseline) {
				t.Errorf("size %s, quality %d: after a progressive one the baseline JPEG is another one", size, quality)
			}
		}
	}
}

// Of one colour, a picture of any size is that colour up to its edges.
func TestJPEGOfEverySize(t *testing.T) {
	t.Parallel()
	frame := decode(t, codectest.Make(t, "color=c=0xb4dcf0:size=64x64,format=yuv444p", 1, "-crf", "1", "-colorspace", "smpte170m"))
	sizes := []image.Point{{1, 1}, {2, 1}, {1, 2}, {3, 5}, {15, 17}, {16, 16}, {17, 33}, {1, 500}, {500, 1}, {av.MaxSide, 1}, {1, av.MaxSide}, {4096, 2304}}
	for _, size := range sizes {
		t.Run(size.String(), func(t *testing.T) {
			t.Parallel()
			picture := pictureOf(t, frame, size.X, size.Y)
			for _, progressive := range []bool{false, true} {
				img := testkit.DecodeJPEG(t, jpegOf(t, picture, av.JPEGOptions{Quality: 60, Progressive: progressive}))
				if img.Bounds().Size() != size {
					t.Fatalf("picture of %s, wanted %s", img.Bounds().Size(), size)
				}
				last := img.Bounds().Max.Sub(image.Pt(1, 1))
				for _, at := range []image.Point{{}, {X: last.X}, {Y: last.Y}, last} {
					r, g, b, _ := img.At(at.X, at.Y).RGBA()
					for i, difference := range []int{int(r>>8) - 0xb4, int(g>>8) - 0xdc, int(b>>8) - 0xf0} {
						if difference < -3 || difference > 3 {
							t.Errorf("progressive %t: at %s %s is off by %d", progressive, at, [...]string{"red", "green", "blue"}[i], difference)
						}
					}
				}
			}
		})
	}
}

// Noise at quality 100 is the largest JPEG that can be, and most in rows that are repeated up to a whole block.
func TestNoiseFitsAtAnySize(t *testing.T) {
	t.Parallel()
	frame := decode(t, codectest.Make(t, noise("4096x64"), 1, "-qp", "1"))
	for _, height := range []int{1, 2, 17, 64} {
		for _, progressive := range []bool{false, true} {
			data := jpegOf(t, pictureOf(t, frame, 4096, height), av.JPEGOptions{Quality: 100, Progressive: progressive})
			testkit.DecodeJPEG(t, data)
			t.Logf("%d rows, progressive %t: %.1f bytes a pixel", height, progressive, float64(len(data))/float64(4096*height))
		}
	}
}

// noise is a source of independent samples.
func noise(size string) string {
	return "nullsrc=size=" + size + ",geq=random(1)*255:128+127*(random(2)-.5)*2:128+127*(random(3)-.5)*2,format=yuv420p"
}

// BenchmarkEncode is the encoding of a picture of 1080p, colours included.
func BenchmarkEncode(b *testing.B) {
	picture := pictureOf(b, decode(b, codectest.Make(b, "mandelbrot=size=1920x1080,noise=alls=6:allf=t,format=yuv420p", 1, "-b:v", "16M", "-colorspace", "bt709")), 0, 0)
	for name, encode := range map[string]func() ([]byte, error){
		"jpeg":        func() ([]byte, error) { return picture.JPEG(av.JPEGOptions{Quality: 85}) },
		"progressive": func() ([]byte, error) { return picture.JPEG(av.JPEGOptions{Quality: 85, Progressive: true}) },
		"webp":        func() ([]byte, error) { return picture.WebP(85) },
	} {
		b.Run(name, func(b *testing.B) {
			size := 0
			for b.Loop() {
				data, err := encode()
				if err != nil {
					b.Fatal(err)
				}
				size = len(data)
			}
			b.ReportMetric(float64(size), "B/picture")
			b.SetBytes(1920 * 1080)
		})
	}
}
