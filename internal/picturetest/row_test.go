package picturetest

import (
	"image"
	"image/draw"
	"math"
	"strings"
	"testing"

	"github.com/stillcast/stillcast/internal/testkit"
)

// row is one line of the table: a stream, and what its pictures are compared with.
type row struct {
	codec, format, colors, size, structure, note string

	clip      testkit.Clip
	container string // in which ffmpeg writes it; empty means "flv"
	push      publisher
	tags      func(maker) []testkit.Tag // what is pushed byOwn

	shots int // empty means 2: one at the start, one at the next due time
	// frame is what frame n looks like in a picture of a size; nil means the clip's own.
	frame func(n int, size image.Point) image.Image
	// upright makes a picture readable that is turned or mirrored on purpose.
	upright func(image.Image) image.Image
	// below compares only what is below the strip.
	below bool
}

func (r row) name() string {
	return strings.Join([]string{r.codec, r.format, r.colors, r.size, r.structure, r.note}, ", ")
}

func (r row) wanted() int {
	if r.shots == 0 {
		return 2
	}
	return r.shots
}

// found is what the shots of a row showed, of each the worst.
type found struct {
	psnr float64
	bias float64 // of the channel that is furthest off
}

func (r row) check(t *testing.T, shots []shot) found {
	t.Helper()
	if len(shots) < r.wanted() {
		t.Fatalf("%d shots, wanted %d", len(shots), r.wanted())
	}
	worst := found{psnr: math.Inf(1)}
	for i, s := range shots {
		img := testkit.RGBA(testkit.DecodeJPEG(t, s.JPEG))
		if b := img.Bounds(); b.Dx() != s.Width || b.Dy() != s.Height {
			t.Errorf("shot %d: the event says %dx%d, the picture has %v", i, s.Width, s.Height, b.Size())
		}
		one := r.compare(t, i, img)
		worst.psnr, worst.bias = min(worst.psnr, one.psnr), max(worst.bias, one.bias)
	}
	if !(worst.psnr >= r.least()) {
		t.Errorf("PSNR %.2f dB, wanted at least %.0f", worst.psnr, r.least())
	}
	if !(worst.bias <= 1) {
		t.Errorf("bias %.2f, wanted at most 1", worst.bias)
	}
	return worst
}

// least is the PSNR in dB that 8 bit must have, and what has more bits to lose on its way to a JPEG.
func (r row) least() float64 {
	if r.clip.Depth > 8 {
		return 40
	}
	return 45
}

func (r row) compare(t *testing.T, i int, img image.Image) found {
	t.Helper()
	if r.upright != nil {
		img = r.upright(img)
	}
	n, ok := testkit.ReadStrip(img)
	if !ok {
		t.Fatalf("shot %d (%v): the strip cannot be read", i, img.Bounds().Size())
	}
	want := r.want(n, img.Bounds().Size())
	if r.below {
		img, want = belowStrip(img), belowStrip(want)
	}
	bias := testkit.Bias(want, img)
	one := found{testkit.PSNR(want, img), max(math.Abs(bias[0]), math.Abs(bias[1]), math.Abs(bias[2]))}
	t.Logf("shot %d: frame %d, %v, PSNR %.2f dB, bias %.2f", i, n, img.Bounds().Size(), one.psnr, bias)
	return one
}

func (r row) want(n int, size image.Point) image.Image {
	if r.frame != nil {
		return r.frame(n, size)
	}
	return r.clip.Frame(n)
}

// belowStrip cuts off the strip and a little more.
func belowStrip(img image.Image) image.Image {
	b := img.Bounds()
	b.Min.Y += b.Dy()/8 + 8
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Rect, img, b.Min, draw.Src)
	return out
}
