package media_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/media"
)

// vp9Key is the beginning of a key frame of profile 0.
func vp9Key(width, height uint64) []byte {
	var b bits
	b.raw("10" + "00" + "0" + "0" + "1" + "0") // marker, profile, not existing, key, shown, not resilient
	b.number(0x498342, 24)
	b.raw("001" + "0") // BT.601, limited
	b.number(width-1, 16)
	b.number(height-1, 16)
	return append(b.bytes(), 0, 0, 0)
}

// vp9Inter is the beginning of a frame of profile 0 that takes the size of its
// second reference.
func vp9Inter(shown string) []byte {
	var b bits
	b.raw("10" + "00" + "0" + "1" + shown + "0")
	if shown == "0" {
		b.raw("0") // not intra-only
	}
	b.raw("00")
	b.number(1, 8)
	b.number(0, 12)
	b.raw("01")
	return append(b.bytes(), 0, 0, 0)
}

// vp9Super makes one unit of several frames.
func vp9Super(frames ...[]byte) []byte {
	var out, sizes []byte
	for _, f := range frames {
		out = append(out, f...)
		sizes = append(sizes, byte(len(f)), byte(len(f)>>8))
	}
	marker := 0xc8 | byte(len(frames)-1)
	return append(append(append(out, marker), sizes...), marker)
}

func TestUnitsOfVP9(t *testing.T) {
	c := config(t, media.VP9, nil)
	started := media.Start{Kind: media.StartKey}
	hidden := vp9Key(320, 180)
	hidden[0] &^= 2
	var intra bits
	intra.raw("10" + "10" + "0" + "1" + "0" + "1" + "1") // profile 1, hidden, resilient, intra-only
	intra.number(0x498342, 24)
	intra.raw("111" + "0") // RGB, reserved
	intra.number(1, 8)
	intra.number(319, 16)
	intra.number(179, 16)
	tests := []struct {
		name  string
		data  []byte
		start media.Start
	}{
		{"key frame", vp9Key(320, 180), started},
		{"inter frame", vp9Inter("1"), media.Start{}},
		{"intra-only frame", intra.bytes(), media.Start{}},
		{"existing frame", []byte{0x88}, media.Start{}},
		{"hidden key frame", hidden, media.Start{}},
		{"hidden and shown frame", vp9Super(vp9Inter("0"), vp9Inter("1")), media.Start{}},
		{"key and inter frame", vp9Super(vp9Key(320, 180), vp9Inter("1")), started},
		{"hidden key frame that is shown at once", vp9Super(hidden, []byte{0x88}), started},
		{"inter and key frame", vp9Super(vp9Inter("1"), vp9Key(320, 180)), media.Start{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkUnit(t, c, tt.data, tt.start, false)
		})
	}
}

// vp8Key is a key frame with nothing in its partition.
func vp8Key(width, height int) []byte {
	return []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, byte(width), byte(width >> 8), byte(height), byte(height>>8) | 0x40}
}

// vp8Inter is a frame whose header holds the given bits.
func vp8Inter(header string) []byte {
	first := boolBytes(header)
	tag := len(first)<<5 | 1<<4 | 1
	return append([]byte{byte(tag), byte(tag >> 8), byte(tag >> 16)}, first...)
}

// boolBytes encodes bits of even chance as VP8 does (RFC 6386, section 7.3).
func boolBytes(header string) []byte {
	var out []byte
	low, span, left := uint32(0), uint32(255), 24
	carry := func() {
		for i := len(out) - 1; i >= 0; i-- {
			if out[i]++; out[i] != 0 {
				return
			}
		}
	}
	for _, d := range header + "00000000000000000000000000000000" {
		split := 1 + ((span-1)*128)>>8
		if d == '1' {
			low += split
			span -= split
		} else {
			span = split
		}
		for span < 128 {
			span <<= 1
			if low&(1<<31) != 0 {
				carry()
			}
			low <<= 1
			if left--; left == 0 {
				out = append(out, byte(low>>24))
				low &= 1<<24 - 1
				left = 8
			}
		}
	}
	return append(out, byte(low>>24), byte(low>>16))
}

func TestUnitsOfVP8(t *testing.T) {
	c := config(t, media.VP8, nil)
	const (
		plain  = "0" // no segments
		filter = "0" + "010101" + "000"
		quant  = "00" + "1010101" + "1" + "01010" + "0000"
		none   = "00" + "00" + "00" + "11" // neither golden nor alternate, no copies, both signs
	)
	hidden := vp8Key(320, 180)
	hidden[0] = 0
	tests := []struct {
		name       string
		data       []byte
		start      media.Start
		disposable bool
	}{
		{"key frame", vp8Key(320, 180), media.Start{Kind: media.StartKey}, false},
		{"hidden key frame", hidden, media.Start{}, false},
		{"nothing kept", vp8Inter(plain + filter + "0" + quant + none + "0" + "0"), media.Start{}, true},
		{"last kept", vp8Inter(plain + filter + "0" + quant + none + "0" + "1"), media.Start{}, false},
		{"probabilities kept", vp8Inter(plain + filter + "0" + quant + none + "1" + "0"), media.Start{}, false},
		{"golden kept", vp8Inter(plain + filter + "0" + quant + "10" + "00" + "11" + "00"), media.Start{}, false},
		{"golden copied", vp8Inter(plain + filter + "0" + quant + "00" + "01" + "00" + "11" + "00"), media.Start{}, false},
		{"alternate copied", vp8Inter(plain + filter + "0" + quant + "00" + "00" + "10" + "11" + "00"), media.Start{}, false},
		{"segments as before", vp8Inter("1" + "00" + filter + "0" + quant + none + "0" + "0"), media.Start{}, true},
		{"new segments", vp8Inter("1" + "10" + filter + "0" + quant + none + "0" + "0"), media.Start{}, false},
		{"filter deltas as before", vp8Inter(plain + filter + "1" + "1" + "00000000" + quant + none + "0" + "0"), media.Start{}, true},
		{"new filter deltas", vp8Inter(plain + filter + "1" + "1" + "1" + "0000000" + "0000000" + quant + none + "0" + "0"), media.Start{}, false},
		{"no header", []byte{0x11, 0, 0}, media.Start{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkUnit(t, c, tt.data, tt.start, tt.disposable)
		})
	}
}

func TestKeyFrameConfig(t *testing.T) {
	record := unhex(t, "01000000 0000 0000")
	vp9 := config(t, media.VP9, record)
	sized := &media.Config{Codec: media.VP9, Record: record, Width: 320, Height: 180}
	tests := []struct {
		name    string
		codec   media.Codec
		current *media.Config
		head    []byte
		want    *media.Config // nil: current itself
	}{
		{"VP9 without a record", media.VP9, nil, vp9Key(320, 180), &media.Config{Codec: media.VP9, Width: 320, Height: 180}},
		{"VP9 with a record", media.VP9, vp9, vp9Key(320, 180), sized},
		{"VP9 of the same size", media.VP9, sized, vp9Key(320, 180), nil},
		{"VP9 of another size", media.VP9, sized, vp9Key(640, 360), &media.Config{Codec: media.VP9, Record: record, Width: 640, Height: 360}},
		{"VP9 that cannot be read", media.VP9, sized, []byte{0x82}, nil},
		{"VP9 after AV1", media.VP9, config(t, media.AV1, unhex(t, av1Record)), vp9Key(320, 180), &media.Config{Codec: media.VP9, Width: 320, Height: 180}},
		{"VP8", media.VP8, nil, vp8Key(320, 180), &media.Config{Codec: media.VP8, Width: 320, Height: 180}},
		{"AV1", media.AV1, nil, append(obu(2, nil), av1Sequence(320, 180)...), &media.Config{Codec: media.AV1, Width: 320, Height: 180}},
		{"AV1 that is cut off", media.AV1, nil, av1Sequence(320, 180)[:10], &media.Config{Codec: media.AV1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := media.KeyFrameConfig(tt.codec, tt.current, tt.head, pixels)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == nil {
				if got != tt.current {
					t.Errorf("%+v is another than %+v", got, tt.current)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
	if c, err := media.KeyFrameConfig(media.VP9, nil, vp9Key(1<<16, 1<<16), pixels); !errors.Is(err, media.ErrTooLarge) {
		t.Errorf("%+v, %v; want %v", c, err, media.ErrTooLarge)
	}
}
