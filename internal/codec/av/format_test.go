package av_test

import (
	"fmt"
	"image"
	"strings"
	"testing"

	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/testkit"
)

// softContent has no more detail than 4:2:0 can show.
const softContent = "mandelbrot=size=%s,gblur=sigma=8"

// Every pixel format that an encoder of ours can make of a codec, against its own samples in double precision.
func TestFormats(t *testing.T) {
	t.Parallel()
	formats := map[media.Codec]string{
		media.H264: "yuv420p yuv422p yuv444p yuv420p10le yuv422p10le yuv444p10le gray gray10le gbrp",
		media.HEVC: "yuv420p yuv422p yuv444p yuv420p10le yuv422p10le yuv444p10le yuv420p12le yuv422p12le yuv444p12le gray gray10le gray12le gbrp gbrp10le gbrp12le",
		media.AV1:  "yuv420p yuv422p yuv444p yuv420p10le yuv422p10le yuv444p10le yuv420p12le yuv422p12le yuv444p12le gray gray10le gbrp gbrp10le",
		media.VP9:  "yuv420p yuv422p yuv444p yuv440p yuv420p10le yuv422p10le yuv444p10le yuv440p10le yuv420p12le yuv444p12le gbrp gbrp10le",
		media.VP8:  "yuv420p",
	}
	for codec, names := range formats {
		for format := range strings.FieldsSeq(names) {
			t.Run(codec.String()+" "+format, func(t *testing.T) {
				t.Parallel()
				got, want := shootFormat(t, codec, format, image.Pt(320, 180))
				psnr := testkit.PSNR(got, want)
				bias := testkit.Bias(want, got)
				t.Logf("%.1f dB, bias %.2f", psnr, bias)
				least := 45.0 // of 10 and 12 bits, too
				if strings.HasPrefix(format, "yuv444") || strings.HasPrefix(format, "gbrp") {
					least = 43 // what the chroma of 4:2:0 can show
				}
				if psnr < least {
					t.Errorf("PSNR is %.1f dB, wanted at least %.0f", psnr, least)
				}
				for _, b := range bias {
					if b < -1 || b > 1 {
						t.Errorf("bias is %.2f, wanted at most 1", bias)
					}
				}
			})
		}
	}
}

// shootFormat makes a picture of soft content in a pixel format, and its reference.
func shootFormat(t *testing.T, codec media.Codec, format string, size image.Point) (got, want image.Image) {
	t.Helper()
	rgb := strings.HasPrefix(format, "gbr")
	content := softContent
	if size.X < 3 { // ffmpeg's blur cannot
		content = "color=color=0x4080c0:size=16x16,format=rgb24,scale=%s"
	}
	filter := fmt.Sprintf(content, fmt.Sprintf("%dx%d", size.X, size.Y))
	args := []string{"-pix_fmt", format}
	if rgb {
		filter += ",format=" + format
		args = append(args, "-colorspace", "rgb")
	} else {
		filter += ",scale=out_color_matrix=bt601:out_range=tv:" + precise + ",format=" + format
		args = append(args, "-colorspace", "smpte170m", "-color_range", "tv")
	}
	if rgb && codec == media.H264 {
		args = append(args, "-c:v", "libx264rgb")
	}
	clip := codectest.Encode(t, codec, filter, 1, args...)
	data, err := shoot(input(clip), 0, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	got = testkit.DecodeJPEG(t, data)
	if got.Bounds().Size() != size {
		t.Fatalf("picture of %s, wanted %s", got.Bounds().Size(), size)
	}
	if rgb {
		return got, clip.RGB(t, size.X, size.Y, "null")
	}
	if codec == media.H264 && strings.HasPrefix(format, "gray") {
		format = strings.Replace(format, "gray", "yuv420p", 1) // is what libavcodec makes of it, without colour
	}
	return got, planesOf(t, clip, size.X, size.Y, layoutOf(t, format)).rgb("bt601", false)
}

// Sizes that are no multiple of anything, down to one pixel.
func TestSizes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		codec  media.Codec
		format string
		sizes  []image.Point
	}{
		{media.VP9, "yuv420p", []image.Point{{1, 1}, {2, 2}, {3, 5}, {16, 16}, {17, 15}, {853, 479}, {130, 4320}}},
		{media.VP9, "yuv444p", []image.Point{{3, 5}, {853, 479}}},
		{media.VP8, "yuv420p", []image.Point{{16, 16}, {17, 15}, {853, 479}}},
		{media.AV1, "yuv420p", []image.Point{{16, 16}, {17, 15}, {853, 479}}},
		{media.HEVC, "yuv420p10le", []image.Point{{854, 478}, {66, 2160}}},
		{media.H264, "yuv444p", []image.Point{{1, 1}, {3, 5}, {853, 479}}},
		{media.H264, "yuv420p", []image.Point{{2, 2}, {16, 16}, {34, 4320}}},
	} {
		for _, size := range c.sizes {
			t.Run(fmt.Sprintf("%s %s %s", c.codec, c.format, size), func(t *testing.T) {
				t.Parallel()
				got, want := shootFormat(t, c.codec, c.format, size)
				psnr := testkit.PSNR(got, want)
				t.Logf("%.1f dB", psnr)
				if psnr < 40 {
					t.Errorf("PSNR is %.1f dB, wanted at least 40", psnr)
				}
			})
		}
	}
}
