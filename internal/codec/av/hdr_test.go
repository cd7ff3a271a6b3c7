package av_test

import (
	"errors"
	"fmt"
	"image"
	"math"
	"strings"
	"testing"

	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/testkit"
)

// hdrCase is a clip of high dynamic range.
type hdrCase struct {
	name     string
	codec    media.Codec
	transfer string // ffmpeg's name
	format   string
	params   string  // further ones of x265
	peak     float64 // in cd/m²
}

func hdrCases() []hdrCase {
	return []hdrCase{
		{"PQ", media.HEVC, "smpte2084", "yuv420p10le", "", 1000},
		{"PQ of 4000 cd/m²", media.HEVC, "smpte2084", "yuv420p10le", ":max-cll=4000,400:hdr10=1", 4000},
		{"PQ of a screen of 600 cd/m²", media.HEVC, "smpte2084", "yuv420p10le", ":hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(6000000,50)", 600},
		{"PQ 4:2:2 12 bit", media.HEVC, "smpte2084", "yuv422p12le", "", 1000},
		{"PQ 4:4:4", media.HEVC, "smpte2084", "yuv444p10le", "", 1000},
		{"HLG", media.HEVC, "arib-std-b67", "yuv420p10le", "", 1000},
		{"PQ in AV1", media.AV1, "smpte2084", "yuv420p10le", "", 1000},
		{"HLG in VP9", media.VP9, "arib-std-b67", "yuv420p10le", "", 1000}, // by its record alone
	}
}

// clip is a picture whose samples are taken for those of HDR as they are.
func (c hdrCase) clip(t *testing.T, content string) codectest.Clip {
	t.Helper()
	source := content + ",scale=out_color_matrix=bt2020:out_range=tv:" + precise + ",format=" + c.format
	args := []string{"-color_trc", c.transfer, "-color_primaries", "bt2020", "-colorspace", "bt2020nc", "-color_range", "tv"}
	if c.codec == media.HEVC {
		args = append(args, "-x265-params", "log-level=error"+c.params)
	}
	return codectest.EncodeMP4(t, c.codec, source, 1, args...)
}

// The definition, pixel by pixel in double precision: ITU-R BT.2100 to light, BT.2390 to fit it under the white of BT.2408,
// to the primaries of sRGB, paler where these have no such colour.
type hdrReference struct {
	hlg  bool
	peak float64
}

const hdrWhite = 203

func pqLight(signal float64) float64 {
	const m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
	p := math.Pow(signal, 1/m2)
	return 10000 * math.Pow(max(p-c1, 0)/(c2-c3*p), 1/m1)
}

func pqSignal(light float64) float64 {
	const m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
	p := math.Pow(light/10000, m1)
	return math.Pow((c1+c2*p)/(1+c3*p), m2)
}

func hlgScene(signal float64) float64 {
	if signal <= 0.5 {
		return signal * signal / 3
	}
	return (math.Exp((signal-0.55991073)/0.17883277) + 0.28466892) / 12
}

// compressed is the EETF of ITU-R BT.2390.
func (r hdrReference) compressed(light float64) float64 {
	most := pqSignal(r.peak)
	in, target := min(pqSignal(light)/most, 1), pqSignal(hdrWhite)/most
	knee := 1.5*target - 0.5
	if in <= knee {
		return light
	}
	t := (in - knee) / (1 - knee)
	return pqLight(most * ((2*t*t*t-3*t*t+1)*knee + (t*t*t-2*t*t+t)*(1-knee) + (3*t*t-2*t*t*t)*target))
}

// show gives red, green and blue of sRGB for signals of BT.2020.
func (r hdrReference) show(signals [3]float64) [3]float64 {
	var light [3]float64
	for i, s := range signals {
		if s = min(max(s, 0), 1); r.hlg {
			light[i] = hlgScene(s)
		} else {
			light[i] = min(pqLight(s), r.peak)
		}
	}
	if r.hlg {
		factor := 1000 * math.Pow(0.2627*light[0]+0.6780*light[1]+0.0593*light[2], 0.2)
		for i := range light {
			light[i] *= factor
		}
	}
	gain := 1.0 / hdrWhite
	if most := max(light[0], light[1], light[2]); most > 0 {
		gain = r.compressed(most) / most / hdrWhite
	}
	matrix := [3][3]float64{{1.660491, -0.587641, -0.072850}, {-0.124550, 1.132900, -0.008349}, {-0.018151, -0.100579, 1.118730}}
	var out [3]float64
	for i, row := range matrix {
		out[i] = gain * (row[0]*light[0] + row[1]*light[1] + row[2]*light[2])
	}
	luminance := min(max(0.2126*out[0]+0.7152*out[1]+0.0722*out[2], 0), 1)
	keep := 1.0
	for _, v := range out {
		if v > 1 {
			keep = min(keep, (1-luminance)/(v-luminance))
		}
		if v < 0 {
			keep = min(keep, luminance/(luminance-v))
		}
	}
	for i, v := range out {
		v = luminance + keep*(v-luminance)
		if v <= 0.0031308 {
			out[i] = 12.92 * v
		} else {
			out[i] = 1.055*math.Pow(v, 1/2.4) - 0.055
		}
	}
	return out
}

func (r hdrReference) picture(p *planes) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, p.width, p.height))
	for y := range p.height {
		for x := range p.width {
			luma, cb, cr := p.at(x, y, false)
			red, green, blue := toRGB(luma, cb, cr, "bt2020")
			out := r.show([3]float64{red, green, blue})
			setRGB(img, x, y, out[0], out[1], out[2])
		}
	}
	return img
}

func hdrContents() map[string]string {
	const dimmed = ",lutrgb=r=val*0.75:g=val*0.75:b=val*0.75"
	return map[string]string{
		"photo":    "mandelbrot=size=320x180,gblur=sigma=8" + dimmed,
		"detail":   "mandelbrot=size=320x180,gblur=sigma=1" + dimmed,
		"gradient": "gradients=size=320x180:c0=black:c1=white:x0=0:y0=0:x1=320:y1=0:nb_colors=2",
	}
}

func TestHDR(t *testing.T) {
	t.Parallel()
	for _, c := range hdrCases() {
		for name, content := range hdrContents() {
			// Against each pixel by itself, where 4:2:0 has one colour for four.
			least, subsampled := 36.0, strings.HasPrefix(c.format, "yuv420")
			if name != "detail" && subsampled {
				least = 42
			} else if name == "detail" && !subsampled {
				continue
			}
			t.Run(c.name+" "+name, func(t *testing.T) {
				t.Parallel()
				clip := c.clip(t, content)
				data, err := shoot(input(clip), 0, 0, 100)
				if err != nil {
					t.Fatal(err)
				}
				got := testkit.DecodeJPEG(t, data)
				reference := hdrReference{hlg: c.transfer == "arib-std-b67", peak: c.peak}
				want := reference.picture(planesOf(t, clip, 320, 180, layoutOf(t, c.format)))
				psnr, bias := testkit.PSNR(got, want), testkit.Bias(want, got)
				t.Logf("%.1f dB, bias %.2f", psnr, bias)
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

// What people see of it: black stays black, grey grey, HDR's white for paper is nearly white, and more light is never darker.
func TestHDRGreys(t *testing.T) {
	t.Parallel()
	for transfer, paper := range map[string]float64{"smpte2084": pqSignal(hdrWhite), "arib-std-b67": 0.75} {
		t.Run(transfer, func(t *testing.T) {
			t.Parallel()
			const steps = 32
			// Columns of 16 pixels, from black to the largest signal.
			source := fmt.Sprintf("nullsrc=size=%dx64,format=yuv420p10le,geq=lum=64+876*floor(X/16)/%d:cb=512:cr=512", 16*steps, steps-1)
			clip := codectest.Encode(t, media.HEVC, source, 1, "-color_trc", transfer, "-color_primaries", "bt2020", "-colorspace", "bt2020nc", "-color_range", "tv")
			data, err := shoot(input(clip), 0, 0, 100)
			if err != nil {
				t.Fatal(err)
			}
			img := testkit.DecodeJPEG(t, data)
			before := -1
			for i := range steps {
				r, g, b, _ := img.At(16*i+8, 32).RGBA()
				red, green, blue := int(r>>8), int(g>>8), int(b>>8)
				if max(red, green, blue)-min(red, green, blue) > 2 {
					t.Errorf("step %d is %d, %d, %d, wanted grey", i, red, green, blue)
				}
				if green < before-1 {
					t.Errorf("step %d is %d, darker than the one before, %d", i, green, before)
				}
				before = green
				signal := float64(i) / (steps - 1)
				if i == 0 && green > 1 || signal > 0.99 && green < 254 {
					t.Errorf("step %d of %d is %d", i, steps, green)
				}
				if math.Abs(signal-paper) < 0.5/(steps-1) && (green < 215 || green > 240) {
					t.Errorf("white paper (signal %.2f) is %d, wanted 215 to 240", signal, green)
				}
			}
		})
	}
}

// What has no way to JPEG says so.
func TestColoursWithoutAWay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, matrix, format, transfer string }{
		{"constant luminance", "bt2020c", "yuv420p10le", "bt2020-10"},
		{"ICtCp", "ictcp", "yuv420p10le", "smpte2084"},
		{"YCgCo", "ycgco", "yuv420p", "bt709"},
		{"RGB in HDR", "rgb", "gbrp10le", "smpte2084"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clip := codectest.Encode(t, media.HEVC, "color=color=blue:size=320x180,format="+c.format, 1, "-colorspace", c.matrix, "-color_trc", c.transfer)
			_, err := shoot(input(clip), 0, 0, 85)
			if !errors.Is(err, av.ErrUnsupported) || !strings.Contains(err.Error(), "to JPEG") {
				t.Errorf("error is %v, wanted %v with the reason", err, av.ErrUnsupported)
			}
		})
	}
}
