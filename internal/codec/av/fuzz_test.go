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

// FuzzDecode decodes whatever comes in this process: an error or a JPEG is right.
func FuzzDecode(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.flv")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range paths {
		clip := codectest.Read(f, path)
		f.Add(clip.Config.Record, clip.Units[0], uint8(16), uint8(0))
		f.Add(clip.Config.Record, clip.Units[0], uint8(33), uint8(17))
	}
	f.Fuzz(func(t *testing.T, record, unit []byte, width, height uint8) {
		const maxPixels = 256 * 256 // the limit is tested elsewhere
		frame, err := av.Decode(av.Input{Codec: media.H264, Record: record, Units: [][]byte{unit}}, maxPixels)
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
		picture, err := frame.Scale(int(width), int(height))
		if err != nil {
			return
		}
		defer picture.Close()
		data, err := picture.JPEG(85)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
			t.Error(err)
		}
	})
}
