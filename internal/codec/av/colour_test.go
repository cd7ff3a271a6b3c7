package av_test

import (
	"fmt"
	"image"
	"testing"

	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/testkit"
)

// Contents that colours are judged by.
const (
	barsContent  = "smptehdbars=size=%s"
	photoContent = "mandelbrot=size=%s,gblur=sigma=1,noise=alls=6:all_seed=1"
)

// The figures that a picture at quality 100 must reach, whatever the stream says of its colours or does not.
func TestColoursAreExact(t *testing.T) {
	t.Parallel()
	const leastPSNR, mostBias = 45, 1.0
	for _, matrix := range []string{"bt601", "bt709", "bt2020", "smpte240m", "fcc"} {
		for _, full := range []bool{false, true} {
			for _, tagged := range []bool{true, false} {
				if !tagged && matrix != "bt601" && matrix != "bt709" {
					continue
				}
				for name, content := range map[string]string{"bars": barsContent, "photo": photoContent} {
					c := colourCase{matrix: matrix, full: full, tagged: tagged}
					t.Run(fmt.Sprintf("%s of %s", name, c), func(t *testing.T) {
						t.Parallel()
						got, want := c.shoot(t, content)
						psnr, bias := testkit.PSNR(got, want), testkit.Bias(want, got)
						t.Logf("%.1f dB, bias %.2f", psnr, bias)
						if psnr < leastPSNR {
							t.Errorf("PSNR is %.1f dB, wanted at least %d", psnr, leastPSNR)
						}
						for i, channel := range []string{"red", "green", "blue"} {
							if bias[i] > mostBias || bias[i] < -mostBias {
								t.Errorf("%s is off by %.2f, wanted at most %.1f", channel, bias[i], mostBias)
							}
						}
					})
				}
			}
		}
	}
}

type colourCase struct {
	matrix       string // ffmpeg's scale's name
	full, tagged bool
}

func (c colourCase) String() string {
	text := c.matrix + " limited"
	if c.full {
		text = c.matrix + " full"
	}
	if !c.tagged {
		text += " untagged"
	}
	return text
}

// size is one whose untagged streams have the matrix.
func (c colourCase) size() image.Point {
	if c.matrix == "bt709" && !c.tagged {
		return image.Pt(1280, 144)
	}
	return image.Pt(320, 180)
}

// shoot makes the picture and its reference.
func (c colourCase) shoot(t *testing.T, content string) (got, want image.Image) {
	t.Helper()
	size := c.size()
	rangeName := map[bool]string{false: "tv", true: "pc"}[c.full]
	source := fmt.Sprintf(content, fmt.Sprintf("%dx%d", size.X, size.Y)) + ",scale=out_color_matrix=" + c.matrix + ":out_range=" + rangeName + ",format=yuv420p"
	args := []string{"-color_range", rangeName}
	if c.tagged {
		args = append(args, tagArgs(map[string]string{"bt601": "smpte170m", "bt2020": "bt2020nc"}[c.matrix])...)
		if c.matrix != "bt601" && c.matrix != "bt2020" {
			args = append(args, tagArgs(c.matrix)...)
		}
	}
	clip := codectest.Encode(t, media.H264, source, 1, args...)
	data, err := shoot(input(clip), 0, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	// What ffmpeg calls full range; by another name it would convert.
	format := map[bool]string{false: "yuv420p", true: "yuvj420p"}[c.full]
	return testkit.DecodeJPEG(t, data), planesOf(t, clip, size.X, size.Y, layoutOf(t, format)).rgb(c.matrix, c.full)
}

// rows has every way of colour conversion in it.
var rows = program{main: "rows.c", sources: []string{"rows.c", "rows_avx2.c", "rows_neon.c", "colour.c"}, libraries: []string{"libavutil"}}

// Every way of colour conversion gives the bytes of the portable one, at every width, and reads and writes nothing else.
func TestRowsAreTheSameEveryWay(t *testing.T) {
	t.Parallel()
	rows.test(t)
}

// BenchmarkColour is the conversion of one picture of 1920x1080, by every way that this processor has.
func BenchmarkColour(b *testing.B) {
	rows.measure(b)
}
