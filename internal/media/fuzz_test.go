package media_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stillcast/stillcast/internal/media"
)

// seeds are units of every codec, with their configurations.
func seeds(f *testing.F) (configs []*media.Config, units [][]byte) {
	f.Helper()
	record, sps, pps := h264Sets(f)
	add := func(c *media.Config, data []byte) { configs, units = append(configs, c), append(units, data) }
	h264 := config(f, media.H264, record)
	add(h264, unit(sps, pps, recovery([]byte{6}, 29, false), slice(0x65, 7)))
	add(h264, unit(slice(0x01, 6), slice(0x21, 6)))
	hevcSPS := hevcPicture{layers: 2, chroma: 1, width: 328, height: 184, window: []uint64{0, 4, 0, 2}}.sps()
	hevc := config(f, media.HEVC, hvcC(0, hevcVPS, hevcSPS, hevcPPS))
	add(hevc, unit(hevcVPS, hevcSPS, hevcPPS, recovery([]byte{39 << 1, 1}, 20, true), hevcSlice(21, 0)))
	add(hevc, unit(hevcSlice(2, 2)))
	av1 := config(f, media.AV1, unhex(f, av1Record))
	add(av1, append(av1Sequence(320, 180), av1KeyFrame(320, 180)...))
	add(av1, av1Inter(0, 1024, 1024))
	add(config(f, media.AV1, append([]byte{0x81, 0, 0, 0}, av1ModelSequence(640, 360)...)), av1ModelKey(false))
	vp9 := config(f, media.VP9, nil)
	add(vp9, vp9Super(vp9Key(320, 180), vp9Inter("1")))
	add(vp9, vp9Inter("0"))
	vp8 := config(f, media.VP8, nil)
	add(vp8, vp8Key(320, 180))
	add(vp8, vp8Inter("0"+"0010101000"+"0"+"00101010100000"+"00000011"+"00"))
	return configs, units
}

// FuzzUnit gives the parsers any unit with any record: nothing may break them,
// and what they say must agree.
func FuzzUnit(f *testing.F) {
	configs, units := seeds(f)
	for i, c := range configs {
		f.Add(uint8(c.Codec), c.Record, units[i])
	}
	f.Fuzz(func(t *testing.T, codec uint8, record, data []byte) {
		c := &media.Config{Codec: media.Codec(codec), Record: record}
		before := bytes.Clone(data)
		err := media.CheckUnit(c, data, pixels)
		if err != nil && errors.Is(err, media.ErrBroken) == errors.Is(err, media.ErrTooLarge) {
			t.Fatalf("%v is not one of the two errors", err)
		}
		start, disposable := media.StartOf(c, data), media.Disposable(c, data)
		if start.Kind == media.StartNone && start != (media.Start{}) || start.Frames < 0 {
			t.Fatalf("start %+v", start)
		}
		if start.Kind == media.StartKey && disposable {
			t.Fatalf("start %+v is disposable", start)
		}
		if again := media.StartOf(c, data); again != start || !bytes.Equal(before, data) {
			t.Fatalf("start %+v, then %+v", start, again)
		}
		if len(data) == 0 && (err == nil || start.Kind != media.StartNone || disposable) {
			t.Fatalf("an empty unit: %v, %+v, %t", err, start, disposable)
		}
	})
}

// FuzzParseConfig gives the parsers any record of any codec.
func FuzzParseConfig(f *testing.F) {
	configs, _ := seeds(f)
	for _, c := range configs {
		f.Add(uint8(c.Codec), c.Record)
	}
	f.Fuzz(func(t *testing.T, codec uint8, record []byte) {
		c, err := media.ParseConfig(media.Codec(codec), record, pixels)
		if err != nil {
			return
		}
		if (c.Width == 0) != (c.Height == 0) || c.Width < 0 || c.Height < 0 || c.Width*c.Height > pixels {
			t.Fatalf("size %dx%d", c.Width, c.Height)
		}
		if !bytes.Equal(c.Record, record) || c.Codec != media.Codec(codec) {
			t.Fatalf("%s with record %x", c.Codec, c.Record)
		}
		// The sets in the record are also checked in a unit, and nothing panics.
		_ = media.CheckUnit(c, record, pixels)
		_ = media.StartOf(c, record)
		_ = media.Disposable(c, record)
		if k, err := media.KeyFrameConfig(c.Codec, c, record, pixels); err == nil && k.Width*k.Height > pixels {
			t.Fatalf("size by a key frame %dx%d", k.Width, k.Height)
		}
	})
}
