// Package codectest makes video of every codec for tests of the codec by ffmpeg, and what
// ffmpeg itself shows of it for comparison. It is for tests alone.
package codectest

import (
	"bytes"
	"image"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stillcast/stillcast/internal/media"
)

// MaxPixels is the limit that clips are read with.
const MaxPixels = 4096 * 2304

// Clip is encoded video.
type Clip struct {
	Path   string // of the file
	Config *media.Config
	Units  [][]byte // the first is a key frame
}

// Make encodes frames of a source of ffmpeg's lavfi by libx264. args are further options
// of ffmpeg for the output.
func Make(t testing.TB, source string, frames int, args ...string) Clip {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.flv")
	command := []string{
		"-f", "lavfi", "-i", source, "-frames:v", strconv.Itoa(frames), "-an",
		"-c:v", "libx264", "-preset", "veryfast", "-threads", "2",
	}
	command = append(append(command, args...), "-f", "flv", path)
	run(t, command...)
	return Read(t, path)
}

// Raw is a picture of the clip as ffmpeg decodes it, without any conversion: its
// planes, one after the other, samples of more than 8 bits in two bytes, the lower one first. format is
// ffmpeg's name of the pixel format that the clip has.
func (c Clip) Raw(t testing.TB, n int, format string) []byte {
	t.Helper()
	return run(t, "-flags", "unaligned", "-noautorotate", "-i", c.Path, "-vf", "select=eq(n\\,"+strconv.Itoa(n)+")", "-frames:v", "1", "-pix_fmt", format, "-f", "rawvideo", "pipe:1")
}

// Key is the clip's first key frame alone.
func (c Clip) Key() [][]byte { return c.Units[:1] }

// WithUnit is the clip with another first access unit and no more.
func (c Clip) WithUnit(unit []byte) Clip {
	c.Units = [][]byte{slices.Clone(unit)}
	return c
}

// RGB is the clip's first picture as ffmpeg shows it after a filter that ends in full-range RGB.
func (c Clip) RGB(t testing.TB, width, height int, filter string) *image.RGBA {
	t.Helper()
	// Without the flag ffmpeg leaves columns that are to be cropped, for the sake of speed.
	raw := run(t, "-flags", "unaligned", "-noautorotate", "-i", c.Path, "-frames:v", "1", "-vf", filter+",format=rgb24", "-f", "rawvideo", "pipe:1")
	if len(raw) != width*height*3 {
		t.Fatalf("ffmpeg gave %d bytes; a picture of %dx%d has %d", len(raw), width, height, width*height*3)
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		copy(img.Pix[4*i:], raw[3*i:3*i+3])
		img.Pix[4*i+3] = 255
	}
	return img
}

func run(t testing.TB, args ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), "ffmpeg", append([]string{"-hide_banner", "-nostdin", "-loglevel", "error", "-y"}, args...)...)
	var out, faults bytes.Buffer
	command.Stdout, command.Stderr = &out, &faults
	if err := command.Run(); err != nil {
		t.Fatalf("ffmpeg %q: %v\n%s", args, err, faults.Bytes())
	}
	return out.Bytes()
}
