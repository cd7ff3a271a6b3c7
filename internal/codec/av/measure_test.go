package av_test

import (
	"fmt"
	"math"
	"math/bits"
	"testing"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/codec/codectest"
)

// measure measures the last of some frames of a source.
func measure(t testing.TB, source string, frames int, args ...string) av.Measures {
	t.Helper()
	m, err := decode(t, codectest.Make(t, source, frames, args...)).Measure()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The luma of a colour is known: 0.299 R + 0.587 G + 0.114 B, whatever the stream's own matrix, range and depth.
func TestMeanLumaIsThatOfJPEG(t *testing.T) {
	t.Parallel()
	const red, green, blue = 200, 40, 90
	const want = .299*red + .587*green + .114*blue
	colour := fmt.Sprintf("color=c=0x%02x%02x%02x", red, green, blue)
	cases := []struct {
		name, size, matrix, format string
		args                       []string
	}{
		{"BT.601", "640x480", "bt601", "yuv420p", nil},
		{"BT.709", "1280x720", "bt709", "yuv420p", nil},
		{"BT.709 in SD", "640x480", "bt709", "yuv420p", []string{"-colorspace", "bt709"}},
		{"BT.2020", "640x480", "bt2020", "yuv420p10le", []string{"-colorspace", "bt2020nc"}},
		{"10 bit", "1280x720", "bt709", "yuv420p10le", nil},
		{"4:2:2", "1280x720", "bt709", "yuv422p", nil},
		{"4:4:4", "1280x720", "bt709", "yuv444p", nil},
		{"RGB", "640x480", "bt601", "gbrp", []string{"-c:v", "libx264rgb"}},
		{"odd", "133x77", "bt601", "yuv444p", nil},
		{"tiny", "2x2", "bt601", "yuv444p", nil},
		{"interlaced", "1280x720", "bt709", "yuv420p", []string{"-flags", "+ilme+ildct", "-x264-params", "tff=1"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			source := colour + ":size=" + c.size + ",format=gbrp,scale=out_color_matrix=" + c.matrix + ":out_range=tv,format=" + c.format
			m := measure(t, source, 1, append([]string{"-crf", "4"}, c.args...)...)
			if math.Abs(m.Luma-want) > 1.5 || m.Variance > 2 || !m.Solid || m.Black || m.Hash != 0 {
				t.Errorf("measured %+v, wanted a luma of %.1f, solid", m, want)
			}
		})
	}
	t.Run("full range", func(t *testing.T) {
		t.Parallel()
		m := measure(t, colour+":size=640x480,format=gbrp,scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p", 1, "-color_range", "pc", "-crf", "4")
		if math.Abs(m.Luma-want) > 1.5 || !m.Solid {
			t.Errorf("measured %+v, wanted a luma of %.1f, solid", m, want)
		}
	})
}

// Black and white in equal parts have a variance of 127.5², in large fields and in ones too small for any thumbnail.
func TestVariance(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string]string{
		"halves": "lt(X\\,W/2)", "fields": "mod(floor(X/40)+floor(Y/40)\\,2)", "lines of 4": "mod(floor(X/4)\\,2)", "rows of 8": "mod(floor(Y/8)\\,2)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := measure(t, "nullsrc=size=1280x720,geq=lum="+shape+"*219+16:cb=128:cr=128,format=yuv420p", 1, "-crf", "1")
			if math.Abs(m.Luma-127.5) > 4 || math.Abs(m.Variance/(127.5*127.5)-1) > .05 || m.Solid || m.Black {
				t.Errorf("measured %+v, wanted a luma of 127.5 and a variance of %.0f, not solid", m, 127.5*127.5)
			}
		})
	}
}

func TestBlackAndSolid(t *testing.T) {
	t.Parallel()
	const dark = "color=black:size=1280x720"
	cases := []struct {
		name, source string
		black, solid bool
	}{
		{"black", dark, true, true},
		{"black of a camera with grain", dark + ",noise=c0s=12:c0f=t", true, true},
		{"black with coloured noise", dark + ",noise=alls=12:allf=t", true, true},
		{"black with a station's logo", dark + ",drawbox=x=1140:y=40:w=100:h=50:color=white:t=fill", true, true},
		{"black with a logo in the middle", dark + ",drawbox=x=540:y=310:w=200:h=100:color=white:t=fill", false, false},
		{"letterboxed picture", "testsrc2=size=1280x360,pad=1280:720:0:180", false, false},
		{"pillarboxed dim picture", "mandelbrot=size=400x720,eq=brightness=-0.2,pad=1280:720:440:0", false, false},
		{"lines of text on black", dark + ",drawtext=font=Sans:fontsize=40:fontcolor=white:x=80:y=80:line_spacing=20:text=" +
			"'A title in the first row\nA sentence that is a little longer\nAnd one more below'", false, false},
		{"dim grey", "color=0x202020:size=1280x720", false, true},
		{"dark blue", "color=0x000078:size=1280x720", false, true},
		{"red", "color=red:size=1280x720", false, true},
		{"grey with grain", "color=gray:size=1280x720,noise=c0s=16:c0f=t", false, true},
		{"snow", "color=gray:size=1280x720,noise=c0s=100:c0f=t", false, false},
		{"fine pattern", "nullsrc=size=1280x720,geq=lum=mod(X+Y\\,2)*219+16:cb=128:cr=128", false, false},
		{"gradient", "gradients=size=1280x720:c0=0x606060:c1=0x909090:nb_colors=2:x0=0:y0=0:x1=1280:y1=0,format=yuv420p", false, false},
		{"two colours of one luma", "color=0x646464:size=1280x720,drawbox=x=0:y=0:w=640:h=720:color=0xaa5a00:t=fill", false, false},
		{"bars", "smptehdbars=size=1280x720", false, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := measure(t, c.source+",format=yuv420p", 1, "-b:v", "4M", "-maxrate", "4M", "-bufsize", "4M")
			if m.Black != c.black || m.Solid != c.solid {
				t.Errorf("measured %+v, wanted black %t and solid %t", m, c.black, c.solid)
			}
		})
	}
}

func distance(a, b av.Measures) int { return bits.OnesCount64(a.Hash ^ b.Hash) }

// scenes are pictures that no one takes for one another.
func scenes() map[string]string {
	return map[string]string{
		"mandelbrot":         "mandelbrot=size=640x360:start_scale=3",
		"mandelbrot, nearer": "mandelbrot=size=640x360:start_scale=0.3",
		"test pattern":       "testsrc2=size=640x360",
		"other test pattern": "testsrc=size=640x360",
		"bars":               "smptehdbars=size=640x360",
		"other bars":         "pal75bars=size=640x360",
		"RGB":                "rgbtestsrc=size=640x360",
		"triangle":           "sierpinski=size=640x360:seed=1:type=triangle",
	}
}

// Whatever is done to a picture that leaves it the same picture for people is a near duplicate.
func TestNearDuplicates(t *testing.T) {
	t.Parallel()
	changes := map[string]struct {
		filter string
		args   []string
	}{
		"coded badly": {"null", []string{"-crf", "38"}},
		"noisy":       {"noise=alls=16:allf=t", []string{"-crf", "23"}},
		"smaller":     {"scale=320:180", []string{"-crf", "23"}},
		"enlarged":    {"scale=1280:720", []string{"-crf", "23"}},
		"brighter":    {"eq=brightness=0.02", []string{"-crf", "23"}},
		"paler":       {"eq=contrast=0.93", []string{"-crf", "23"}},
		"10 bit":      {"format=yuv420p10le", []string{"-crf", "23"}},
	}
	for _, scene := range []string{"mandelbrot", "mandelbrot, nearer", "test pattern", "bars", "triangle"} {
		t.Run(scene, func(t *testing.T) {
			t.Parallel()
			source := scenes()[scene]
			// Untagged, another size would stand for other colours.
			original := measure(t, source+",format=yuv420p", 1, "-crf", "18", "-colorspace", "bt709")
			for name, change := range changes {
				last := ",format=yuv420p"
				if name == "10 bit" {
					last = ""
				}
				changed := measure(t, source+",format=yuv420p,"+change.filter+last, 1, append(change.args, "-colorspace", "bt709")...)
				t.Logf("%s: distance %d", name, distance(original, changed))
				if distance(original, changed) > stillcast.DuplicateDistance {
					t.Errorf("%s: distance is %d, wanted at most %d", name, distance(original, changed), stillcast.DuplicateDistance)
				}
			}
		})
	}
}

// A still scene with the noise of its camera and of x264 stays a duplicate of itself, a cut never is one.
func TestStillSceneAndCuts(t *testing.T) {
	t.Parallel()
	found := map[string]av.Measures{}
	for name, source := range scenes() {
		still := source + ",format=yuv420p,loop=loop=-1:size=1,noise=alls=10:allf=t,format=yuv420p"
		args := []string{"-b:v", "500k", "-maxrate", "500k", "-bufsize", "500k", "-g", "100", "-bf", "2"}
		first, later := measure(t, still, 1, args...), measure(t, still, 8, args...)
		if distance(first, later) > stillcast.DuplicateDistance {
			t.Errorf("%s: distance to a frame later is %d, wanted at most %d", name, distance(first, later), stillcast.DuplicateDistance)
		}
		for other, m := range found {
			// Far beyond the limit, so that it leaves room for pictures that resemble each other.
			if d := distance(m, later); d < 2*stillcast.DuplicateDistance {
				t.Errorf("from %s to %s the distance is %d, wanted at least %d", other, name, d, 2*stillcast.DuplicateDistance)
			}
		}
		found[name] = later
	}
}

// Pictures of one colour are all alike, grainy or not: there is nothing in them to tell them apart but their luma.
func TestHashOfFlatPictures(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"color=black:size=1280x720", "color=white:size=640x360", "color=gray:size=1280x720,noise=alls=12:allf=t"} {
		if m := measure(t, source+",format=yuv420p", 1); m.Hash != 0 {
			t.Errorf("%s: hash is %#x, wanted 0", source, m.Hash)
		}
	}
}

func TestMeasureAgreesWithFFmpeg(t *testing.T) {
	t.Parallel()
	clip := codectest.Make(t, "mandelbrot=size=1280x720,format=yuv420p", 1, "-crf", "18", "-colorspace", "bt709")
	m, err := decode(t, clip).Measure()
	if err != nil {
		t.Fatal(err)
	}
	img := clip.RGB(t, 1280, 720, "scale=in_color_matrix=bt709:out_range=pc:"+precise)
	sum, squares, count := 0.0, 0.0, float64(len(img.Pix)/4)
	for i := 0; i < len(img.Pix); i += 4 {
		luma := .299*float64(img.Pix[i]) + .587*float64(img.Pix[i+1]) + .114*float64(img.Pix[i+2])
		sum += luma
		squares += luma * luma
	}
	mean := sum / count
	variance := squares/count - mean*mean
	t.Logf("luma %.2f and %.2f, variance %.0f and %.0f", m.Luma, mean, m.Variance, variance)
	if math.Abs(m.Luma-mean) > 1 || math.Abs(m.Variance/variance-1) > .05 {
		t.Errorf("measured %+v, wanted a luma of %.2f and a variance of %.0f", m, mean, variance)
	}
}

func BenchmarkMeasure(b *testing.B) {
	for _, c := range []struct{ size, format string }{{"1920x1080", "yuv420p"}, {"1920x1080", "yuv420p10le"}, {"3840x2160", "yuv420p"}, {"640x360", "yuv420p"}} {
		b.Run(c.size+"/"+c.format, func(b *testing.B) {
			frame := decode(b, codectest.Make(b, "mandelbrot=size="+c.size+",noise=alls=6:allf=t,format="+c.format, 1))
			for b.Loop() {
				if _, err := frame.Measure(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
