package media_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/media"
)

// avcX264 is what x264 in FFmpeg 5.1 really sent for 320x180 pixels.
const avcX264 = "0164000dffe1 001a 6764000dacd941419f9f011000000300100000030320f1429960 01 0005 68ebecb22c fdf8f800"

func TestParseAVCRecord(t *testing.T) {
	record := unhex(t, avcX264)
	r, err := media.ParseAVCRecord(record)
	if err != nil {
		t.Fatal(err)
	}
	if r.LengthSize != 4 || len(r.SPS) != 1 || len(r.PPS) != 1 {
		t.Fatalf("lengths of %d bytes, %d SPS, %d PPS; want 4, 1, 1", r.LengthSize, len(r.SPS), len(r.PPS))
	}
	if diff := cmp.Diff(unhex(t, "68ebecb22c"), r.PPS[0]); diff != "" {
		t.Errorf("PPS (-want +got):\n%s", diff)
	}
	if len(r.SPS[0]) != 26 || r.SPS[0][0] != 0x67 {
		t.Errorf("SPS is %x", r.SPS[0])
	}
}

func TestH264Config(t *testing.T) {
	record := unhex(t, avcX264)
	c, err := media.H264Config(record, media.MaxH264Pixels)
	if err != nil {
		t.Fatal(err)
	}
	want := &media.Config{Codec: media.H264, Record: bytes.Clone(record), Width: 320, Height: 180}
	clear(record) // the record is copied
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

// bits writes an SPS by hand: strings of 0 and 1, and numbers as Exp-Golomb.
type bits struct{ s strings.Builder }

func (b *bits) raw(s string) { b.s.WriteString(s) }

func (b *bits) ue(v uint64) {
	digits := ""
	for n := v + 1; n > 0; n /= 2 {
		digits = string(rune('0'+n%2)) + digits
	}
	b.s.WriteString(strings.Repeat("0", len(digits)-1) + digits)
}

// nal returns the bits as a NAL unit, with emulation prevention.
func (b *bits) nal(header byte) []byte {
	s := b.s.String() + "1"
	for len(s)%8 != 0 {
		s += "0"
	}
	out := []byte{header}
	zeros := 0
	for i := 0; i < len(s); i += 8 {
		var c byte
		for _, d := range s[i : i+8] {
			c = c<<1 | byte(d-'0')
		}
		if zeros >= 2 && c <= 3 {
			out, zeros = append(out, 3), 0
		}
		if zeros++; c != 0 {
			zeros = 0
		}
		out = append(out, c)
	}
	return out
}

// picture is what decides the size in an SPS.
type picture struct {
	width, height uint64 // in macroblocks and map units
	fields        bool   // frame_mbs_only_flag = 0
	chroma        uint64 // chroma_format_idc
	crop          []uint64
	tail          string // after vui_parameters_present_flag
}

func (p picture) avcC() []byte {
	var b bits
	b.raw("01100100" + "00000000" + "00011111") // High, level 3.1
	b.ue(0)                                     // id
	b.ue(p.chroma)
	if p.chroma == 3 {
		b.raw("0") // separate_colour_plane_flag
	}
	b.ue(0)     // luma depth
	b.ue(0)     // chroma depth
	b.raw("00") // no bypass, no scaling matrix
	b.ue(0)     // frame number
	b.ue(2)     // picture order count type
	b.ue(1)     // reference frames
	b.raw("0")  // gaps
	b.ue(p.width - 1)
	b.ue(p.height - 1)
	if p.fields {
		b.raw("00") // also fields, not adaptive
	} else {
		b.raw("1")
	}
	b.raw("1") // direct_8x8_inference_flag
	if p.crop == nil {
		b.raw("0")
	} else {
		b.raw("1")
		for _, v := range p.crop {
			b.ue(v)
		}
	}
	if p.tail == "" {
		b.raw("0")
	} else {
		b.raw("1" + p.tail)
	}
	sps := b.nal(0x67)
	record := []byte{1, 0x64, 0, 0x1f, 0xff, 0xe1, byte(len(sps) >> 8), byte(len(sps))}
	return append(append(record, sps...), 0)
}

func TestH264ConfigSize(t *testing.T) {
	tests := []struct {
		name          string
		picture       picture
		width, height int
	}{
		{"1080p", picture{width: 120, height: 68, chroma: 1, crop: []uint64{0, 0, 0, 4}}, 1920, 1080},
		{"1080i", picture{width: 120, height: 34, fields: true, chroma: 1, crop: []uint64{0, 0, 0, 2}}, 1920, 1080},
		{"4:2:2", picture{width: 2, height: 2, chroma: 2, crop: []uint64{1, 1, 1, 1}}, 28, 30},
		{"4:4:4", picture{width: 2, height: 2, chroma: 3, crop: []uint64{1, 0, 0, 1}}, 31, 31},
		{"monochrome", picture{width: 2, height: 2, chroma: 0, crop: []uint64{0, 3, 2, 0}}, 29, 30},
		{"broken VUI", picture{width: 20, height: 12, chroma: 1, tail: "1" + "11111111"}, 320, 192},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := media.H264Config(tt.picture.avcC(), media.MaxH264Pixels)
			if err != nil {
				t.Fatal(err)
			}
			if c.Width != tt.width || c.Height != tt.height {
				t.Errorf("%dx%d, want %dx%d", c.Width, c.Height, tt.width, tt.height)
			}
		})
	}
}

func TestH264ConfigRefuses(t *testing.T) {
	whole := unhex(t, avcX264)
	change := func(at int, value byte) []byte {
		b := bytes.Clone(whole)
		b[at] = value
		return b
	}
	tests := []struct {
		name   string
		record []byte
		pixels int
		text   string
	}{
		{"empty", nil, media.MaxH264Pixels, "0 bytes; at least 7"},
		{"huge", make([]byte, media.MaxRecord+1), media.MaxH264Pixels, "65537 bytes; at most 65536"},
		{"version", change(0, 0), media.MaxH264Pixels, "version 0"},
		{"length size", change(4, 0xfe), media.MaxH264Pixels, "lengths of 3 bytes"},
		{"no SPS", change(5, 0xe0), media.MaxH264Pixels, "no SPS"},
		{"inside SPS", whole[:20], media.MaxH264Pixels, "inside SPS 1 of 1: 26 bytes announced, 12 left"},
		{"before SPS", whole[:7], media.MaxH264Pixels, "before SPS 1 of 1"},
		{"before PPS count", whole[:34], media.MaxH264Pixels, "before the number of PPS"},
		{"before PPS", whole[:35], media.MaxH264Pixels, "before PPS 1 of 1"},
		{"empty SPS", change(7, 0), media.MaxH264Pixels, "empty SPS"},
		{"not an SPS", change(8, 0x68), media.MaxH264Pixels, "type 8 in place of SPS 1 of 1"},
		{"not a PPS", change(37, 0x67), media.MaxH264Pixels, "type 7 in place of PPS 1 of 1"},
		{"SPS of two bytes", []byte{1, 100, 0, 13, 0xff, 0xe1, 0, 2, 0x67, 0x64, 0}, media.MaxH264Pixels, "read H.264 SPS"},
		{"too many pixels", whole, 320*192 - 1, "320x192 pixels; at most 61439"},
		{"overflow", picture{width: 1<<32 - 1, height: 1<<32 - 1, chroma: 1}.avcC(), media.MaxH264Pixels, "too large"},
		{"all cropped", picture{width: 1, height: 1, chroma: 1, crop: []uint64{4, 4, 0, 0}}.avcC(), media.MaxH264Pixels, "crops 16x0 pixels off a picture of 16x16"},
		{"crop overflow", picture{width: 1, height: 1, chroma: 1, crop: []uint64{1<<32 - 2, 1<<32 - 2, 0, 0}}.avcC(), media.MaxH264Pixels, "crops"},
		{"negative limit", whole, -1, "too large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := media.H264Config(tt.record, tt.pixels)
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%+v, %v; want an error with %q", c, err, tt.text)
			}
		})
	}
}

func FuzzH264Config(f *testing.F) {
	f.Add(unhex(f, avcX264))
	f.Add(picture{width: 120, height: 34, fields: true, chroma: 1, crop: []uint64{0, 0, 0, 2}}.avcC())
	f.Add(picture{width: 1<<32 - 1, height: 1, chroma: 3, tail: "1" + "11111111"}.avcC())
	f.Fuzz(func(t *testing.T, record []byte) {
		const limit = 1 << 20
		c, err := media.H264Config(record, limit)
		if err != nil {
			return
		}
		if c.Width <= 0 || c.Height <= 0 || c.Width*c.Height > limit {
			t.Fatalf("size %dx%d", c.Width, c.Height)
		}
		if !bytes.Equal(c.Record, record) {
			t.Fatal("record changed")
		}
	})
}
