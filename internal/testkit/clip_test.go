package testkit_test

import (
	"image"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stillcast/stillcast/internal/testkit"
)

// frameOf decodes frame n of a file by ffmpeg, told the colours, into red, green and blue.
func frameOf(t *testing.T, path string, clip testkit.Clip, n int, matrix string) image.Image {
	t.Helper()
	span := "tv"
	if clip.FullRange {
		span = "pc"
	}
	filter := "select=eq(n\\," + strconv.Itoa(n) + "),scale=in_color_matrix=" + matrix + ":in_range=" + span +
		":out_range=pc:flags=neighbor+accurate_rnd+full_chroma_int,format=rgba"
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-nostdin", "-loglevel", "error", "-i", path,
		"-vf", filter, "-frames:v", "1", "-f", "rawvideo", "pipe:1").Output()
	if err != nil {
		t.Fatalf("taking frame %d: %v", n, err)
	}
	img := image.NewRGBA(image.Rect(0, 0, clip.Width, clip.Height))
	if len(out) != len(img.Pix) {
		t.Fatalf("frame %d has %d bytes, wanted %d", n, len(out), len(img.Pix))
	}
	copy(img.Pix, out)
	return img
}

// What is in the file is what Frame says, by another converter of colours than the program's and the kit's own.
func TestClipShowsItsScene(t *testing.T) {
	t.Parallel()
	bars := testkit.Scene{Width: 640, Height: 360, Pattern: testkit.PatternBars}
	photo := testkit.Scene{Width: 640, Height: 360, Pattern: testkit.PatternPhoto}
	tests := map[string]struct {
		scene  testkit.Scene
		coding testkit.Coding
		matrix string // ffmpeg's name
	}{
		"BT.601":         {bars, testkit.Coding{Matrix: testkit.BT601}, "bt601"},
		"BT.709":         {photo, testkit.Coding{}, "bt709"},
		"BT.709 full":    {bars, testkit.Coding{FullRange: true}, "bt709"},
		"BT.2020 10 bit": {photo, testkit.Coding{Matrix: testkit.BT2020, Depth: 10}, "bt2020"},
		"4:2:2":          {bars, testkit.Coding{Chroma: testkit.Chroma422}, "bt709"},
		"4:4:4 12 bit":   {photo, testkit.Coding{Chroma: testkit.Chroma444, Depth: 12}, "bt709"},
		"grey":           {photo, testkit.Coding{Chroma: testkit.ChromaNone, FullRange: true}, "bt709"},
		"RGB":            {bars, testkit.Coding{Chroma: testkit.ChromaRGB}, "bt709"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clip := testkit.Clip{Scene: test.scene, Coding: test.coding, Frames: 8, Codec: "ffv1"}
			img := frameOf(t, clip.File(t, "matroska"), clip, 6, test.matrix)
			if n, ok := testkit.ReadStrip(img); !ok || n != 6 {
				t.Errorf("the strip says %d, %v; wanted 6", n, ok)
			}
			psnr, bias := testkit.PSNR(clip.Frame(6), img), testkit.Bias(clip.Frame(6), img)
			t.Logf("%.1f dB, bias %.2f", psnr, bias)
			if psnr < 38 {
				t.Errorf("%.1f dB, wanted at least 38: the file shows something else", psnr)
			}
			if other := testkit.PSNR(clip.Frame(7), img); other > 30 {
				t.Errorf("%.1f dB beside the next frame, wanted a difference that shows", other)
			}
		})
	}
}

// A wrong matrix or range costs a picture so much that no test takes it for a right one.
func TestSceneTellsWrongColors(t *testing.T) {
	t.Parallel()
	for _, pattern := range []testkit.Pattern{testkit.PatternBars, testkit.PatternPhoto, testkit.PatternSmooth} {
		clip := testkit.Clip{Scene: testkit.Scene{Width: 640, Height: 360, Pattern: pattern}, Frames: 2, Codec: "ffv1"}
		path := clip.File(t, "matroska")
		full := clip
		full.FullRange = true
		for name, psnr := range map[string]float64{
			"BT.601":     testkit.PSNR(clip.Frame(1), frameOf(t, path, clip, 1, "bt601")),
			"BT.2020":    testkit.PSNR(clip.Frame(1), frameOf(t, path, clip, 1, "bt2020")),
			"full range": testkit.PSNR(clip.Frame(1), frameOf(t, path, full, 1, "bt709")),
		} {
			t.Logf("%s taken for %s: %.1f dB", pattern, name, psnr)
			if psnr > 39 {
				t.Errorf("%s taken for %s: %.1f dB, wanted a difference that shows", pattern, name, psnr)
			}
		}
	}
}

func TestClipSaysItsColors(t *testing.T) {
	t.Parallel()
	tests := map[string]testkit.Clip{
		"tv,smpte170m,smpte170m,smpte170m": {Coding: testkit.Coding{Matrix: testkit.BT601}},
		"pc,bt709,bt709,bt709":             {Coding: testkit.Coding{FullRange: true}},
		"tv,bt2020nc,smpte2084,bt2020":     {Coding: testkit.Coding{Matrix: testkit.BT2020, Curve: testkit.CurvePQ, Depth: 10}},
		"tv,bt2020nc,arib-std-b67,bt2020":  {Coding: testkit.Coding{Matrix: testkit.BT2020, Curve: testkit.CurveHLG, Depth: 10}},
		"tv,unknown,unknown,unknown":       {Untagged: true},
		"pc,unknown,unknown,unknown":       {Untagged: true, Coding: testkit.Coding{FullRange: true}},
		"pc,gbr,bt709,bt709":               {Coding: testkit.Coding{Chroma: testkit.ChromaRGB}},
	}
	for want, clip := range tests {
		clip.Width, clip.Height, clip.Frames, clip.Codec = 320, 180, 2, "libx265"
		clip.Args = []string{"-preset", "ultrafast", "-x265-params", "log-level=error"}
		out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error",
			"-show_entries", "stream=color_range,color_space,color_transfer,color_primaries", "-of", "csv=p=0", clip.File(t, "hevc")).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(string(out)); got != want {
			t.Errorf("the file says %q, wanted %q", got, want)
		}
	}
}

func TestFieldsAreOfTwoMoments(t *testing.T) {
	t.Parallel()
	scene := testkit.Scene{Width: 320, Height: 180, Pattern: testkit.PatternSmooth, Interlaced: true}
	clip := testkit.Clip{Scene: scene, Frames: 4, Codec: "ffv1"}
	woven := frameOf(t, clip.File(t, "matroska"), clip, 2, "bt709")
	// Where the box begins in even rows it does not in odd ones.
	differ := 0
	for x := range 320 {
		even, _, _, _ := woven.At(x, 100).RGBA()
		odd, _, _, _ := woven.At(x, 101).RGBA()
		if math.Abs(float64(even)-float64(odd)) > 0x1000 {
			differ++
		}
	}
	if differ < 8 {
		t.Errorf("two rows differ in %d pixels, wanted the sides of a box that moves", differ)
	}
}

func TestBias(t *testing.T) {
	t.Parallel()
	black, img := image.NewRGBA(image.Rect(0, 0, 4, 4)), image.NewRGBA(image.Rect(0, 0, 4, 4))
	for i := range img.Pix {
		img.Pix[i], black.Pix[i] = 10, 10
		if i%4 == 3 {
			img.Pix[i], black.Pix[i] = 255, 255
		}
	}
	img.Pix[0], img.Pix[1] = 42, 2
	if got := testkit.Bias(black, img); got != [3]float64{2, -0.5, 0} {
		t.Errorf("%v, wanted 2, -0.5 and 0", got)
	}
	if got := testkit.Bias(black, image.NewRGBA(image.Rect(0, 0, 4, 5))); !math.IsNaN(got[0]) {
		t.Errorf("of different sizes: %v, wanted NaN", got)
	}
}
