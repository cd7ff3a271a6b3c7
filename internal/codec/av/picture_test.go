package av_test

import (
	"image"
	"testing"

	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/testkit"
)

const (
	// Every step of the reference is precise, so that what is left of a difference comes from the code under test.
	precise = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
	// The JPEG decoder of the standard library repeats chroma; so must the reference.
	repeating = "flags=neighbor+accurate_rnd+full_chroma_int+full_chroma_inp"
)

// pictureCase is a kind of H.264 and what its picture must look like.
type pictureCase struct {
	name      string
	pattern   string // "mandelbrot" if empty
	blur      string // "1.5" if empty
	size      string // of the coded frame, "1280x720" if empty
	matrix    string // of the colours, as ffmpeg's scale names it; "bt709" if empty
	full      bool   // range
	format    string // of the pixels, "yuv420p" if empty
	tag       string // of the matrix in the stream, as ffmpeg's encoders name it; none if empty
	filter    string // before the encoder
	args      []string
	display   image.Point // size to ask for; zero is that of the frame
	reference string      // filter before the reference's conversion to RGB
	psnr      float64     // at quality 95, at least
}

func pictureCases() []pictureCase {
	return []pictureCase{
		{name: "baseline", tag: "bt709", args: []string{"-profile:v", "baseline"}, psnr: 44},
		{name: "main", tag: "bt709", args: []string{"-profile:v", "main"}, psnr: 44},
		{name: "high", tag: "bt709", args: []string{"-profile:v", "high"}, psnr: 44},
		{name: "CAVLC", tag: "bt709", args: []string{"-coder", "0"}, psnr: 44},
		{name: "several slices", tag: "bt709", args: []string{"-x264-params", "slices=4"}, psnr: 44},
		{name: "BT.709 untagged by its width", size: "1280x544", psnr: 44},
		{name: "cropped", size: "854x478", tag: "bt709", psnr: 44},
		{name: "cropped at every side", size: "1280x720", tag: "bt709", args: []string{"-bsf:v", "h264_metadata=crop_left=6:crop_right=10:crop_top=4:crop_bottom=14"}, psnr: 44},
		// At odd sizes the reference's chroma is off by up to one sample, so these are soft.
		{name: "odd", blur: "6", size: "853x479", format: "yuv444p", tag: "bt709", psnr: 38},
		{
			name: "interlaced", tag: "bt709", filter: ",tinterlace=mode=interleave_top,setfield=tff", args: []string{"-flags", "+ilme+ildct"},
			reference: "field=type=top,scale=1280:720:flags=bilinear+accurate_rnd,", psnr: 41,
		},
		{name: "enlarged", size: "960x720", tag: "bt709", display: image.Pt(1280, 720), reference: "scale=1280:720:" + precise + ",", psnr: 42},
		{name: "reduced", tag: "bt709", display: image.Pt(640, 360), reference: "scale=640:360:flags=area+accurate_rnd,", psnr: 42},
		{name: "reduced to an odd size", blur: "15", tag: "bt709", display: image.Pt(641, 361), reference: "scale=641:361:flags=area+accurate_rnd,", psnr: 40},
		{name: "stretched", tag: "bt709", display: image.Pt(640, 720), reference: "scale=640:720:flags=area+accurate_rnd,", psnr: 40},
		{
			name: "interlaced and reduced", tag: "bt709", filter: ",tinterlace=mode=interleave_top,setfield=tff", args: []string{"-flags", "+ilme+ildct"},
			display: image.Pt(1280, 360), reference: "field=type=top,", psnr: 42,
		},
	}
}

func (c pictureCase) withDefaults() pictureCase {
	for value, preset := range map[*string]string{&c.pattern: "mandelbrot", &c.blur: "1.5", &c.size: "1280x720", &c.matrix: "bt709", &c.format: "yuv420p"} {
		if *value == "" {
			*value = preset
		}
	}
	return c
}

func (c pictureCase) rangeName() string {
	if c.full {
		return "pc"
	}
	return "tv"
}

// clip is the case as H.264 of high quality.
func (c pictureCase) clip(t *testing.T) codectest.Clip {
	t.Helper()
	source := c.pattern + "=size=" + c.size + ",gblur=sigma=" + c.blur + "," +
		"scale=out_color_matrix=" + c.matrix + ":out_range=" + c.rangeName() + ":" + precise + ",format=" + c.format + c.filter
	args := append([]string{"-crf", "8", "-color_range", c.rangeName()}, c.args...)
	return codectest.Make(t, source, 1, append(args, tagArgs(c.tag)...)...)
}

func tagArgs(matrix string) []string {
	if matrix == "" {
		return nil
	}
	return []string{"-colorspace", matrix}
}

// want is the picture as ffmpeg shows it when it is told which colours these are.
func (c pictureCase) want(t *testing.T, clip codectest.Clip, bounds image.Rectangle) *image.RGBA {
	t.Helper()
	colours := "scale=in_color_matrix=" + c.matrix + ":in_range=" + c.rangeName() + ":out_range=pc:" + repeating
	return clip.RGB(t, bounds.Dx(), bounds.Dy(), c.reference+colours)
}

func TestPictureIsWhatFFmpegShows(t *testing.T) {
	t.Parallel()
	for _, c := range pictureCases() {
		c = c.withDefaults()
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clip := c.clip(t)
			data, err := shoot(input(clip), c.display.X, c.display.Y, 95)
			if err != nil {
				t.Fatal(err)
			}
			got := testkit.DecodeJPEG(t, data)
			if c.display != (image.Point{}) && got.Bounds().Size() != c.display {
				t.Errorf("picture of %s, wanted %s", got.Bounds().Size(), c.display)
			}
			psnr := testkit.PSNR(got, c.want(t, clip, got.Bounds()))
			t.Logf("%.1f dB", psnr)
			if psnr < c.psnr {
				t.Errorf("PSNR is %.1f dB, wanted at least %.1f", psnr, c.psnr)
			}
			if _, ok := got.(*image.YCbCr); !ok {
				t.Errorf("picture is a %T, wanted 4:2:0", got)
			}
		})
	}
}

// bars are seven of colour, at 75 %.
var bars = [7][3]int{{191, 191, 191}, {191, 191, 0}, {0, 191, 191}, {0, 191, 0}, {191, 0, 191}, {191, 0, 0}, {0, 0, 191}}

// The colours of SMPTE's bars are known without any library.
func TestColourBars(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, pattern, size, tag string
		left, right              float64 // of the bars, as parts of the width
	}{
		{"BT.709 tagged", "smptehdbars", "1280x720", "bt709", 1. / 8, 7. / 8},
		{"BT.709 untagged", "smptehdbars", "1920x1080", "", 1. / 8, 7. / 8},
		{"BT.601 untagged", "smptebars", "640x480", "", 0, 1},
		{"BT.601 tagged", "smptebars", "1280x720", "smpte170m", 0, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clip := codectest.Make(t, c.pattern+"=size="+c.size+",format=yuv420p", 1, append(tagArgs(c.tag), "-crf", "8")...)
			data, err := shoot(input(clip), 0, 0, 95)
			if err != nil {
				t.Fatal(err)
			}
			img := testkit.DecodeJPEG(t, data)
			for i, want := range bars {
				at := c.left + (c.right-c.left)*(float64(i)+.5)/float64(len(bars))
				checkPatch(t, img, int(at*float64(img.Bounds().Dx())), img.Bounds().Dy()/4, want)
			}
		})
	}
}

func checkPatch(t *testing.T, img image.Image, x, y int, want [3]int) {
	t.Helper()
	const side, most = 16, 2.0
	var sums [3]float64
	for dy := range side {
		for dx := range side {
			r, g, b, _ := img.At(x+dx-side/2, y+dy-side/2).RGBA()
			for i, v := range [3]uint32{r, g, b} {
				sums[i] += float64(v) / 257
			}
		}
	}
	for i, sum := range sums {
		if mean := sum / (side * side); mean < float64(want[i])-most || mean > float64(want[i])+most {
			t.Errorf("patch at %d,%d: %s is %.1f, wanted %d", x, y, [...]string{"red", "green", "blue"}[i], mean, want[i])
		}
	}
}

func TestQualityIsHeldToItsRange(t *testing.T) {
	t.Parallel()
	clip := codectest.Make(t, "testsrc2=size=320x180", 1)
	sizes := map[int]int{}
	for _, quality := range []int{-5, 0, 1, 50, 100, 1000} {
		data, err := shoot(input(clip), 0, 0, quality)
		if err != nil {
			t.Fatal(err)
		}
		testkit.DecodeJPEG(t, data)
		sizes[quality] = len(data)
	}
	if sizes[-5] != sizes[1] || sizes[0] != sizes[1] || sizes[1000] != sizes[100] {
		t.Errorf("sizes by quality are %v, wanted those of 1 and 100 at the ends", sizes)
	}
	if sizes[1] >= sizes[50] || sizes[50] >= sizes[100] {
		t.Errorf("sizes by quality are %v, wanted them to grow", sizes)
	}
}

// Noise at quality 100 is the largest JPEG that can be.
func TestNoiseFits(t *testing.T) {
	t.Parallel()
	clip := codectest.Make(t, "nullsrc=size=320x180,geq=random(1)*255:128+127*(random(2)-.5)*2:128+127*(random(3)-.5)*2,format=yuv420p", 1, "-qp", "1")
	data, err := shoot(input(clip), 0, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	testkit.DecodeJPEG(t, data)
	t.Logf("%.1f bytes a pixel", float64(len(data))/(320*180))
}

func TestSampleAspect(t *testing.T) {
	t.Parallel()
	clip := codectest.Make(t, "testsrc2=size=320x180,setsar=4/3", 1)
	frame, err := av.Decode(input(clip), codectest.MaxPixels)
	if err != nil {
		t.Fatal(err)
	}
	defer frame.Close()
	if num, den := frame.SampleAspect(); num != 4 || den != 3 {
		t.Errorf("sample aspect is %d:%d, wanted 4:3", num, den)
	}
	if frame.Width() != 320 || frame.Height() != 180 {
		t.Errorf("frame is %dx%d, wanted 320x180", frame.Width(), frame.Height())
	}
}
