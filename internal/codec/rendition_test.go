package codec

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os/exec"
	"testing"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/testkit"
)

// decodeWebP decodes by ffmpeg.
func decodeWebP(t testing.TB, data []byte) image.Image {
	t.Helper()
	command := exec.CommandContext(t.Context(), "ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-f", "webp_pipe", "-i", "pipe:0", "-c:v", "png", "-f", "image2pipe", "pipe:1")
	command.Stdin = bytes.NewReader(data)
	out, err := command.Output()
	if err != nil {
		t.Fatalf("decode a WebP picture of %d bytes: %v", len(data), err)
	}
	img, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// quarters is a source of 640x360 whose left quarter is red, the middle green, the right quarter blue.
const quarters = "color=red:size=160x360[l];color=lime:size=320x360[m];color=blue:size=160x360[r];[l][m][r]hstack=inputs=3"

// mark names the nearest pure colour.
func mark(c color.Color) string {
	r, g, b, _ := c.RGBA()
	bits := 0
	for i, v := range []uint32{r, g, b} {
		if v > 0x8000 {
			bits |= 1 << i
		}
	}
	return [...]string{"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"}[bits]
}

// One frame gives a picture and its renditions, each of its own size, fit and format.
func TestRenditions(t *testing.T) {
	t.Parallel()
	p := startPool(t, testConfig(1), "real")
	r := request(codectest.Make(t, quarters, 1, "-pix_fmt", "yuv420p"))
	r.Pictures = []stillcast.PictureSpec{
		{Quality: 90},
		{Size: stillcast.Size{Width: 320}, Format: stillcast.FormatWebP, Quality: 80},
		{Size: stillcast.Size{Width: 200, Height: 200}, Fit: stillcast.FitContain, Quality: 80},
		{Size: stillcast.Size{Width: 200, Height: 200}, Fit: stillcast.FitCover, Format: stillcast.FormatWebP, Quality: 80},
		{Size: stillcast.Size{Width: 360, Height: 640}, Quality: 80, Progressive: true},
	}
	made, err := p.Shoot(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	wanted := []struct {
		size   size
		colors map[image.Point]string
	}{
		{size{640, 360}, map[image.Point]string{{80, 10}: "red", {320, 180}: "green", {560, 350}: "blue"}},
		{size{320, 180}, map[image.Point]string{{40, 5}: "red", {160, 90}: "green", {280, 175}: "blue"}},
		{size{200, 200}, map[image.Point]string{{25, 35}: "black", {25, 55}: "red", {100, 100}: "green", {175, 145}: "blue", {175, 165}: "black"}},
		{size{200, 200}, map[image.Point]string{{6, 100}: "red", {30, 100}: "green", {170, 100}: "green", {194, 100}: "blue"}}, // 360 of 640 pixels
		{size{640, 360}, map[image.Point]string{{80, 10}: "red", {320, 180}: "green", {560, 350}: "blue"}},
	}
	for i, want := range wanted {
		decode := testkit.DecodeJPEG
		if r.Pictures[i].Format == stillcast.FormatWebP {
			decode = decodeWebP
		}
		got := made.Pictures[i]
		img := decode(t, got.Data)
		if inside := (size{img.Bounds().Dx(), img.Bounds().Dy()}); inside != want.size || (size{got.Width, got.Height}) != want.size {
			t.Errorf("picture %d is of %s and said to be of %dx%d, wanted %s", i, inside, got.Width, got.Height, want.size)
			continue
		}
		for at, name := range want.colors {
			if shown := mark(img.At(at.X, at.Y)); shown != name {
				t.Errorf("picture %d is %s at %s, wanted %s", i, shown, at, name)
			}
		}
	}
	if !bytes.Contains(made.Pictures[4].Data, []byte("\xff\xc2")) {
		t.Error("the last picture is not progressive (ITU-T T.81, table B.1: SOF2)")
	}
}

// A rendition that cannot be made costs the shot, with a word about which size it was.
func TestRenditionTooLarge(t *testing.T) {
	t.Parallel()
	p := startPool(t, testConfig(1), "real")
	r := request(codectest.Make(t, "testsrc2=size=16x320", 1))
	r.Pictures = append(r.Pictures, stillcast.PictureSpec{Size: stillcast.Size{Width: 3000}, Quality: 80})
	_, err := p.Shoot(t.Context(), r)
	wantError(t, err, ErrTooLarge, "a jpeg picture of 3000x60000 pixels; at most 9437184 pixels")
}

// Every codec is decoded in the sandbox that the product has.
func TestCodecsInTheSandbox(t *testing.T) {
	t.Parallel()
	p := startBuilt(t, DefaultConfig())
	for _, codec := range []media.Codec{media.H264, media.HEVC, media.AV1, media.VP9, media.VP8} {
		clip := codectest.Encode(t, codec, quarters+",format=yuv420p", 5)
		for _, units := range [][][]byte{clip.Key(), clip.Units} {
			r := request(clip)
			r.Units = units
			r.Pictures = append(r.Pictures, stillcast.PictureSpec{Size: stillcast.Size{Width: 320}, Format: stillcast.FormatWebP, Quality: 80})
			made, err := p.Shoot(t.Context(), r)
			if err != nil {
				t.Errorf("%s, %d access units: %v", codec, len(units), err)
				continue
			}
			for i, img := range []image.Image{testkit.DecodeJPEG(t, made.Pictures[0].Data), decodeWebP(t, made.Pictures[1].Data)} {
				y := img.Bounds().Dy() / 2
				if got := [...]string{mark(img.At(10, y)), mark(img.At(2*y, y)), mark(img.At(img.Bounds().Dx()-10, y))}; got != [...]string{"red", "green", "blue"} {
					t.Errorf("%s, %d access units, picture %d: colours are %v", codec, len(units), i, got)
				}
			}
		}
	}
	if n := restarts(p, reasonDied); n != 0 {
		t.Errorf("%d workers died", n)
	}
}
