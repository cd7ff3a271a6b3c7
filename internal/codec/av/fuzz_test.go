package av_test

import (
	"bytes"
	"image/jpeg"
	"path/filepath"
	"testing"

	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/media"
)

// FuzzDecode decodes whatever comes, by any codec, in this process: an error or a JPEG is right.
func FuzzDecode(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.[fmi][lpv][v4f]")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range paths {
		clip := codectest.Read(f, path)
		f.Add(uint8(clip.Config.Codec), clip.Config.Record, clip.Units[0], uint8(16), uint8(0))
		f.Add(uint8(clip.Config.Codec), clip.Config.Record, clip.Units[0], uint8(33), uint8(17))
	}
	f.Fuzz(func(t *testing.T, codec uint8, record, unit []byte, width, height uint8) {
		const maxPixels = 256 * 256 // the limit is tested elsewhere
		frame, err := av.Decode(av.Input{Codec: media.Codec(codec), Record: record, Units: [][]byte{unit}}, maxPixels)
		if err != nil {
			return
		}
		defer frame.Close()
		if frame.Width()*frame.Height() > maxPixels {
			t.Errorf("frame of %dx%d pixels, wanted at most %d", frame.Width(), frame.Height(), maxPixels)
		}
		if width == 0 || height == 0 {
			return
		}
		// A part of the frame in a part of the picture.
		shownWidth, shownHeight := frame.Width(), frame.Height()
		if frame.Turned() {
			shownWidth, shownHeight = shownHeight, shownWidth
		}
		picture, err := frame.Picture(av.Geometry{
			Width: int(width), Height: int(height),
			Crop: av.Rect{X: shownWidth / 3, Y: shownHeight / 5, Width: shownWidth - shownWidth/3, Height: shownHeight - shownHeight/5},
			Box:  av.Rect{X: int(width) / 4, Width: int(width) - int(width)/4, Height: int(height)},
		})
		if err != nil {
			return
		}
		defer picture.Close()
		data, err := picture.JPEG(av.JPEGOptions{Quality: 85})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
			t.Error(err)
		}
	})
}
