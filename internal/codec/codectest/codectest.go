// Package codectest makes H.264 for tests of the codec by ffmpeg, and what
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
	Path   string // FLV file
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

// Read reads an FLV file of H.264.
func Read(t testing.TB, path string) Clip {
	t.Helper()
	clip := Clip{Path: path}
	for _, tag := range videoTags(t, path) {
		kind, data := tag[1], tag[5:]
		switch kind {
		case 0:
			config, err := media.H264Config(data, MaxPixels)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			clip.Config = config
		case 1:
			clip.Units = append(clip.Units, data)
		}
	}
	if clip.Config == nil || len(clip.Units) == 0 {
		t.Fatalf("%s holds no H.264", path)
	}
	return clip
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
	raw := run(t, "-flags", "unaligned", "-i", c.Path, "-frames:v", "1", "-vf", filter+",format=rgb24", "-f", "rawvideo", "pipe:1")
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
