package testkit_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/testkit"
)

func TestReferenceFrameIsWhatAGoodShotShows(t *testing.T) {
	t.Parallel()
	source := testkit.Source{Width: 1280, Height: 720, Strip: testkit.StripFrame, Clock: true}
	encoding := testkit.Encoding{Duration: 3 * time.Second, Args: []string{"-crf", "18"}}
	path := testkit.MakeFile(t, "flv", source, encoding)

	shot := jpegOfFrame(t, path, 60, "iw:ih")
	same := testkit.PSNR(testkit.ReferenceFrame(t, source, 60), shot)
	other := testkit.PSNR(testkit.ReferenceFrame(t, source, 61), shot)
	t.Logf("same frame %.1f dB, the next one %.1f dB", same, other)
	if same < 33 {
		t.Errorf("the same frame: %.1f dB, wanted at least 33", same)
	}
	if other > same-6 {
		t.Errorf("the next frame: %.1f dB, too near the same frame's %.1f", other, same)
	}
}

// A wrong matrix or range shows: else a test that compares with a reference could not see wrong colours.
func TestReferenceFrameTellsWrongColors(t *testing.T) {
	t.Parallel()
	right := testkit.Source{Width: 640, Height: 360, Matrix: testkit.BT709}
	reference := testkit.ReferenceFrame(t, right, 5)
	tests := map[string]testkit.Source{
		"BT.601":     {Width: 640, Height: 360, Matrix: testkit.BT601},
		"BT.2020":    {Width: 640, Height: 360, Matrix: testkit.BT2020},
		"full range": {Width: 640, Height: 360, Matrix: testkit.BT709, FullRange: true},
	}
	for name, wrong := range tests {
		if psnr := testkit.PSNR(reference, testkit.ReferenceFrame(t, wrong, 5)); psnr > 34 {
			t.Errorf("%s against BT.709: %.1f dB, wanted a difference that shows", name, psnr)
		}
	}
}

func TestMakeFileMakesAFileOnce(t *testing.T) {
	t.Parallel()
	source := testkit.Source{Width: 320, Height: 180}
	second := testkit.Encoding{Duration: time.Second}
	path := testkit.MakeFile(t, "mp4", source, second)
	if again := testkit.MakeFile(t, "mp4", source, second); again != path {
		t.Errorf("the same file twice: %s and %s", path, again)
	}
	second.KeyFrames = 500 * time.Millisecond
	if other := testkit.MakeFile(t, "mp4", source, second); other == path {
		t.Error("another encoding got the same file")
	}
}

func TestFileSaysItsColors(t *testing.T) {
	t.Parallel()
	tests := map[string]testkit.Source{
		"tv,smpte170m,smpte170m,smpte170m": {Matrix: testkit.BT601},
		"tv,bt709,bt709,bt709":             {},
		"tv,bt2020nc,bt2020-10,bt2020":     {Matrix: testkit.BT2020},
		"pc,bt709,bt709,bt709":             {FullRange: true},
	}
	for want, source := range tests {
		source.Width, source.Height = 320, 180
		path := testkit.MakeFile(t, "mp4", source, testkit.Encoding{Duration: 200 * time.Millisecond})
		out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error",
			"-show_entries", "stream=color_range,color_space,color_transfer,color_primaries", "-of", "csv=p=0", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(string(out)); got != want {
			t.Errorf("the file says %q, wanted %q", got, want)
		}
	}
}
