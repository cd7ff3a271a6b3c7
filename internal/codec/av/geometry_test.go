package av_test

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/testkit"
)

// photo709 is soft enough for filters that differ in detail, with the same colours for whoever reads it.
const photo709 = "mandelbrot=size=%s,gblur=sigma=3,scale=out_color_matrix=bt709:out_range=tv:" + precise + ",format=%s"

const rgb709 = "scale=in_color_matrix=bt709:in_range=tv:out_range=pc:" + repeating

// draw makes one picture of a clip's last frame.
func draw(t *testing.T, clip codectest.Clip, g av.Geometry) image.Image {
	t.Helper()
	frame, err := av.Decode(input(clip), codectest.MaxPixels)
	if err != nil {
		t.Fatal(err)
	}
	defer frame.Close()
	return drawFrame(t, frame, g)
}

func drawFrame(t *testing.T, frame *av.Frame, g av.Geometry) image.Image {
	t.Helper()
	picture, err := frame.Picture(g)
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	data, err := picture.JPEG(av.JPEGOptions{Quality: 98})
	if err != nil {
		t.Fatal(err)
	}
	return testkit.DecodeJPEG(t, data)
}

// All orientations that a display orientation message can say (ITU-T H.264, D.2.27: flip first, then rotate to the left).
func TestOrientations(t *testing.T) {
	t.Parallel()
	cases := []struct {
		format, bsf, reference string
		turned                 bool
	}{
		{"yuv420p", "rotate=90", "transpose=cclock", true},
		{"yuv420p", "rotate=180", "hflip,vflip", false},
		{"yuv420p", "rotate=270", "transpose=clock", true},
		{"yuv420p", "flip=horizontal", "hflip", false},
		{"yuv420p", "flip=vertical", "vflip", false},
		{"yuv420p", "flip=horizontal:rotate=90", "hflip,transpose=cclock", true},
		{"yuv420p", "flip=vertical:rotate=90", "vflip,transpose=cclock", true},
		{"yuv420p", "rotate=3", "null", false},
		{"yuv422p", "rotate=90", "transpose=cclock", true},
		{"yuv444p", "flip=vertical", "vflip", false},
		{"yuv420p10le", "rotate=270", "transpose=clock", true},
		{"gray", "flip=vertical:rotate=90", "vflip,transpose=cclock", true},
	}
	for _, c := range cases {
		t.Run(c.format+" "+c.bsf, func(t *testing.T) {
			t.Parallel()
			clip := codectest.Encode(t, media.H264, fmt.Sprintf(photo709, "320x192", c.format), 1, "-colorspace", "bt709", "-bsf:v", "h264_metadata=display_orientation=insert:"+c.bsf)
			width, height := 320, 192
			if c.turned {
				width, height = height, width
			}
			frame, err := av.Decode(input(clip), codectest.MaxPixels)
			if err != nil {
				t.Fatal(err)
			}
			defer frame.Close()
			if frame.Width() != 320 || frame.Height() != 192 || frame.Turned() != c.turned {
				t.Errorf("frame of %dx%d, turned %t, wanted 320x192, turned %t", frame.Width(), frame.Height(), frame.Turned(), c.turned)
			}
			got := drawFrame(t, frame, av.Geometry{Width: width, Height: height})
			want := clip.RGB(t, width, height, c.reference+","+rgb709)
			if psnr := testkit.PSNR(got, want); psnr < 37 {
				t.Errorf("PSNR is %.1f dB, wanted at least 37", psnr)
			}
			// A smaller one of the same frame, cut and turned.
			part := drawFrame(t, frame, av.Geometry{Width: width / 2, Height: height / 4, Crop: av.Rect{X: 0, Y: height / 2, Width: width, Height: height / 2}})
			want = clip.RGB(t, width/2, height/4, fmt.Sprintf("%s,crop=%d:%d:0:%d,scale=%d:%d:flags=area+accurate_rnd,%s", c.reference, width, height/2, height/2, width/2, height/4, rgb709))
			if psnr := testkit.PSNR(part, want); psnr < 33 {
				t.Errorf("PSNR of the lower half is %.1f dB, wanted at least 33", psnr)
			}
		})
	}
}

func TestCropAndBox(t *testing.T) {
	t.Parallel()
	// In the order crop, scale, bars.
	const scale = "scale=%d:%d:flags=area+accurate_rnd:in_range=tv:out_range=tv,"
	cases := []struct {
		name     string
		geometry av.Geometry
		filter   string
	}{
		{"cover", av.Geometry{Width: 360, Height: 360, Crop: av.Rect{X: 280, Width: 720, Height: 720}}, "crop=720:720:280:0," + fmt.Sprintf(scale, 360, 360)},
		{"cover of the size itself", av.Geometry{Width: 720, Height: 720, Crop: av.Rect{X: 280, Width: 720, Height: 720}}, "crop=720:720:280:0,"},
		{"a corner at an odd place", av.Geometry{Width: 100, Height: 100, Crop: av.Rect{X: 1179, Y: 619, Width: 101, Height: 101}}, "crop=102:102:1178:618," + fmt.Sprintf(scale, 100, 100)},
		{"letterbox", av.Geometry{Width: 640, Height: 640, Box: av.Rect{Y: 140, Width: 640, Height: 360}}, fmt.Sprintf(scale, 640, 360) + "pad=640:640:0:140,"},
		{"pillarbox", av.Geometry{Width: 1000, Height: 360, Box: av.Rect{X: 180, Width: 640, Height: 360}}, fmt.Sprintf(scale, 640, 360) + "pad=1000:360:180:0,"},
		{"box at an odd place", av.Geometry{Width: 641, Height: 401, Box: av.Rect{Y: 21, Width: 641, Height: 359}}, fmt.Sprintf(scale, 641, 360) + "format=yuv444p,pad=641:401:0:20,"},
		{"both", av.Geometry{Width: 400, Height: 400, Crop: av.Rect{Y: 180, Width: 640, Height: 360}, Box: av.Rect{X: 50, Y: 116, Width: 300, Height: 168}}, "crop=640:360:0:180," + fmt.Sprintf(scale, 300, 168) + "pad=400:400:50:116,"},
	}
	clip := codectest.Encode(t, media.H264, fmt.Sprintf(photo709, "1280x720", "yuv420p"), 1, "-colorspace", "bt709")
	frame, err := av.Decode(input(clip), codectest.MaxPixels)
	if err != nil {
		t.Fatal(err)
	}
	defer frame.Close()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := drawFrame(t, frame, c.geometry)
			want := clip.RGB(t, c.geometry.Width, c.geometry.Height, c.filter+rgb709)
			psnr := testkit.PSNR(got, want)
			t.Logf("%.1f dB", psnr)
			if psnr < 35 {
				t.Errorf("PSNR is %.1f dB, wanted at least 35", psnr)
			}
		})
	}
}

// Bars are black whatever the colours and the format of the stream are, up to the edge of the picture.
func TestBarsAreBlack(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"yuv420p", "yuvj420p", "yuv444p", "yuv420p10le", "gray"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			clip := codectest.Encode(t, media.H264, "color=color=0xe02080:size=320x180,format="+format, 1)
			img := draw(t, clip, av.Geometry{Width: 321, Height: 401, Box: av.Rect{Y: 111, Width: 321, Height: 179}})
			// JPEG rings by 8 pixels at most.
			for _, y := range []int{0, 101, 300, 400} {
				for _, x := range []int{0, 160, 320} {
					if c := color.GrayModel.Convert(img.At(x, y)).(color.Gray); c.Y > 1 {
						t.Errorf("pixel %d,%d is %v, wanted black", x, y, img.At(x, y))
					}
				}
			}
			if c := color.GrayModel.Convert(img.At(160, 200)).(color.Gray); c.Y < 50 {
				t.Errorf("the middle is %v, wanted the picture", img.At(160, 200))
			}
		})
	}
}

func TestGeometryOutsideOfTheFrame(t *testing.T) {
	t.Parallel()
	clip := codectest.Encode(t, media.H264, "testsrc2=size=320x180", 1)
	frame, err := av.Decode(input(clip), codectest.MaxPixels)
	if err != nil {
		t.Fatal(err)
	}
	defer frame.Close()
	for _, g := range []av.Geometry{
		{Width: 10, Height: 10, Crop: av.Rect{X: 311, Width: 10, Height: 10}},
		{Width: 10, Height: 10, Crop: av.Rect{X: -1, Width: 10, Height: 10}},
		{Width: 10, Height: 10, Crop: av.Rect{Width: 10, Height: 181}},
		{Width: 10, Height: 10, Crop: av.Rect{X: 5, Width: 0, Height: 10}},
		{Width: 10, Height: 10, Crop: av.Rect{X: 5, Width: math.MaxInt, Height: 10}},
		{Width: 10, Height: 10, Box: av.Rect{X: 5, Width: 6, Height: 10}},
		{Width: 10, Height: 10, Box: av.Rect{Y: 5, Width: 5, Height: math.MaxInt - 2}},
	} {
		if picture, err := frame.Picture(g); !errors.Is(err, av.ErrUnsupported) {
			t.Errorf("%+v: error is %v, wanted %v", g, err, av.ErrUnsupported)
			picture.Close()
		}
	}
}

// The mean of a picture stays, however small it becomes: nothing is cut off or added on the way.
func TestReducedKeepsItsMean(t *testing.T) {
	t.Parallel()
	clip := codectest.Encode(t, media.H264, "mandelbrot=size=1920x1080,noise=alls=10:all_seed=1,format=yuv420p", 1)
	frame, err := av.Decode(input(clip), codectest.MaxPixels)
	if err != nil {
		t.Fatal(err)
	}
	defer frame.Close()
	want := meanOf(drawFrame(t, frame, av.Geometry{Width: 1920, Height: 1080}))
	for _, size := range []image.Point{{1280, 720}, {960, 540}, {854, 480}, {853, 479}, {640, 360}, {480, 270}, {320, 180}, {161, 91}, {64, 36}, {9, 8}, {3, 2}, {1, 1}, {1920, 4}, {2, 1080}, {1, 3000}} {
		got := meanOf(drawFrame(t, frame, av.Geometry{Width: size.X, Height: size.Y}))
		for i := range got {
			if math.Abs(got[i]-want[i]) > 1.5 { // a step of chroma is more than one of red
				t.Errorf("mean of %s is %.1f, wanted %.1f", size, got, want)
				break
			}
		}
	}
}

func meanOf(img image.Image) (mean [3]float64) {
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			for i, v := range [3]uint32{r, g, b} {
				mean[i] += float64(v) / 257
			}
		}
	}
	for i := range mean {
		mean[i] /= float64(img.Bounds().Dx() * img.Bounds().Dy())
	}
	return mean
}

// One pixel wide lines of colour must stay beside the lines of luma that they belong to, up to the last column.
func TestChromaStaysWithLuma(t *testing.T) {
	t.Parallel()
	// Half blue and half yellow: the edge of colour and that of brightness are one.
	const source = "color=color=yellow:size=%dx%d,drawbox=x=0:y=0:w=iw*7/8:h=ih:color=blue:t=fill,format=yuv444p"
	for _, from := range []image.Point{{1280, 720}, {853, 479}} {
		clip := codectest.Encode(t, media.H264, fmt.Sprintf(source, from.X, from.Y), 1)
		for _, width := range []int{1281, 853, 641, 639, 427, 213, 161} {
			img := draw(t, clip, av.Geometry{Width: width, Height: 101})
			luma, chroma := edge(img, func(c color.YCbCr) float64 { return float64(c.Y) }), edge(img, func(c color.YCbCr) float64 { return -float64(c.Cb) })
			if want := float64(width) * 7 / 8; math.Abs(luma-want) > 1.5 || math.Abs(chroma-want) > 1.5 || math.Abs(luma-chroma) > 0.65 {
				t.Errorf("%s to %d: luma changes at %.1f, chroma at %.1f, wanted %.1f", from, width, luma, chroma, want)
			}
		}
	}
}

// edge is where a value that jumps up once along the middle row has half of its way.
func edge(img image.Image, value func(color.YCbCr) float64) float64 {
	ycc := img.(*image.YCbCr)
	y := img.Bounds().Dy() / 2
	at := func(x int) float64 { return value(ycc.YCbCrAt(x, y)) }
	low, high := at(0), at(img.Bounds().Dx()-1)
	sum := 0.0
	for x := range img.Bounds().Dx() {
		sum += (high - at(x)) / (high - low)
	}
	return sum
}
