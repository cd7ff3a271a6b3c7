package testkit

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"os/exec"
	"strconv"
	"testing"
)

// Clip is a [Scene] in a file.
type Clip struct {
	Scene
	Coding

	Rate   int // frames per second; 0 means 10
	Frames int // 0 means 26
	// Untagged leaves out what the colours are, all but the range.
	Untagged bool
	// Filter is what ffmpeg does to the frames before it encodes them: filters, separated by commas.
	Filter string
	// Codec is ffmpeg's name of the encoder.
	Codec string
	// Args are further options of ffmpeg for the output.
	Args []string
}

const (
	clipRate   = 10
	clipFrames = 26
)

func (c Clip) withDefaults() Clip {
	c.Coding = c.Coding.withDefaults()
	if c.Rate == 0 {
		c.Rate = clipRate
	}
	if c.Frames == 0 {
		c.Frames = clipFrames
	}
	return c
}

// File encodes the clip into a file of ffmpeg's format and returns its path.
// Samples reach the encoder as they were computed: nothing converts them on
// the way. Like [MakeFile] it makes each file once.
func (c Clip) File(t testing.TB, format string) string {
	t.Helper()
	c = c.withDefaults()
	frames := newFrames(c)
	args := c.args(format)
	// The first frames stand for the code that computes them all.
	path, err := keep(t, format, func(half string) error { return encode(t, frames, append(args, half)) }, args, c.Frames, frames.sample())
	if err != nil {
		t.Fatalf("making a clip: %v", err)
	}
	return path
}

func (c Clip) args(format string) []string {
	args := append(ffmpegQuiet(), "-f", "rawvideo", "-pix_fmt", c.pixelFormat(),
		"-video_size", fmt.Sprintf("%dx%d", c.Width, c.Height), "-framerate", strconv.Itoa(c.Rate), "-i", "pipe:0",
		"-c:v", c.Codec, "-threads", "1")
	args = append(args, c.colors()...)
	args = append(args, c.Args...)
	return append(args, "-fflags", "+bitexact", "-flags:v", "+bitexact", "-f", format)
}

// colors says what the frames say of their colours, and the encoder of the stream.
func (c Clip) colors() []string {
	source := Source{Matrix: c.Matrix, FullRange: c.FullRange || c.Chroma == ChromaRGB}
	args := []string{"-color_range", source.rangeName()}
	frame := "setparams=range=" + source.rangeName()
	if c.Filter != "" {
		frame = c.Filter + "," + frame
	}
	if !c.Untagged {
		transfer := source.transfer()
		if c.Curve != "" {
			transfer = string(c.Curve)
		}
		// The two call the matrix that is none by different names.
		matrix, frameMatrix := string(c.Matrix), string(c.Matrix)
		if c.Chroma == ChromaRGB {
			matrix, frameMatrix = "rgb", "gbr"
		}
		args = append(args, "-colorspace", matrix, "-color_primaries", source.primaries(), "-color_trc", transfer)
		frame += ":colorspace=" + frameMatrix + ":color_primaries=" + source.primaries() + ":color_trc=" + transfer
	}
	if c.Interlaced {
		frame += ":field_mode=tff"
	}
	return append(args, "-vf", frame)
}

func encode(t testing.TB, frames io.Reader, args []string) error {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "ffmpeg", args...)
	cmd.Stdin, cmd.Stderr = frames, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w\n%s", cmd, err, said.String())
	}
	return nil
}

// frames reads as the raw video of a clip. Only what moves is computed anew for each frame.
type frames struct {
	clip  Clip
	scene *painting
	still *samples
	now   *samples
	next  int // number of the next frame
	bytes []byte
	rest  []byte // of bytes: not read yet
}

func newFrames(c Clip) *frames {
	f := &frames{clip: c, scene: c.paint()}
	f.still = newSamples(c.Coding, c.Width, c.Height)
	f.now = newSamples(c.Coding, c.Width, c.Height)
	f.still.draw(&painting{Scene: f.scene.Scene, still: f.scene.still, empty: true}, 0, image.Rect(0, 0, c.Width, c.Height))
	return f
}

// sample are the bytes of a frame in the middle.
func (f *frames) sample() []byte {
	f.draw(f.clip.Frames / 2)
	return bytes.Clone(f.bytes)
}

func (f *frames) Read(out []byte) (int, error) {
	if len(f.rest) == 0 {
		if f.next == f.clip.Frames {
			return 0, io.EOF
		}
		f.draw(f.next)
		f.next++
		f.rest = f.bytes
	}
	n := copy(out, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *frames) draw(n int) {
	for i := range f.now.planes {
		copy(f.now.planes[i], f.still.planes[i])
	}
	f.now.draw(f.scene, n, f.scene.strip())
	f.now.draw(f.scene, n, f.scene.box(n))
	f.bytes = f.now.appendTo(f.bytes[:0])
}

// Frame is frame n as a perfect picture shows it: that of the scene, but for what its coding cannot say.
func (c Clip) Frame(n int) *image.RGBA {
	img := c.Scene.Frame(n)
	switch {
	case c.Chroma == ChromaNone:
		return changed(img, c.withDefaults().grey)
	case c.Curve != "":
		return changed(img, c.dimmed)
	}
	return img
}

func (c Clip) grey(color rgb) rgb {
	kr, kb := c.Matrix.weights()
	luma := kr*color[0] + (1-kr-kb)*color[1] + kb*color[2]
	return rgb{luma, luma, luma}
}

func changed(img *image.RGBA, change func(rgb) rgb) *image.RGBA {
	for i := 0; i < len(img.Pix); i += 4 {
		p := img.Pix[i : i+3]
		c := change(rgb{float64(p[0]) / 255, float64(p[1]) / 255, float64(p[2]) / 255})
		p[0], p[1], p[2] = toByte(c[0]), toByte(c[1]), toByte(c[2])
	}
	return img
}
