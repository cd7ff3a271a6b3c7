package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/media"
)

const pixels = 1 << 20

func config(t testing.TB, codec media.Codec, record []byte) *media.Config {
	t.Helper()
	c, err := media.ParseConfig(codec, record, pixels)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// unit is an access unit of NAL units behind lengths of 4 bytes.
func unit(nals ...[]byte) []byte {
	var out []byte
	for _, n := range nals {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(n))), n...)
	}
	return out
}

// slice is an H.264 slice of a type (ITU-T H.264, table 7-6).
func slice(header byte, kind uint64) []byte {
	var b bits
	b.ue(0)
	b.ue(kind)
	b.ue(0)
	return append(b.nal(header), 1, 2, 3)
}

// recovery is an SEI NAL unit with another message before the recovery point.
func recovery(header []byte, frames uint64, signed bool) []byte {
	var b bits
	for _, c := range append([]byte{5, 255, 1}, bytes.Repeat([]byte{0}, 256)...) {
		b.byte(c)
	}
	b.byte(6)
	b.byte(4)
	if signed && frames > 0 {
		frames = 2*frames - 1
	}
	b.ue(frames)
	b.raw("100" + "1")
	nal := b.nal(0)
	return append(header, nal[1:]...)
}

func (b *bits) byte(c byte) {
	for i := 7; i >= 0; i-- {
		b.raw(string(rune('0' + c>>i&1)))
	}
}

// sps and pps are those of avcX264.
func h264Sets(t testing.TB) (record, sps, pps []byte) {
	t.Helper()
	record = unhex(t, avcX264)
	r, err := media.ParseAVCRecord(record)
	if err != nil {
		t.Fatal(err)
	}
	return record, r.SPS[0], r.PPS[0]
}

func TestUnitsOfH264(t *testing.T) {
	record, sps, pps := h264Sets(t)
	c := config(t, media.H264, record)
	bare := config(t, media.H264, append(bytes.Clone(record[:len(record)-12]), 0)) // no PPS
	none := media.Start{}
	key := media.Start{Kind: media.StartKey}
	tests := []struct {
		name       string
		config     *media.Config
		data       []byte
		start      media.Start
		disposable bool
	}{
		{"IDR", c, unit(slice(0x65, 7)), key, false},
		{"IDR behind its parameter sets", bare, unit(sps, pps, slice(0x65, 7)), key, false},
		{"IDR without a PPS", bare, unit(slice(0x65, 7)), none, false},
		{"IDR with a PPS of its own", bare, unit(pps, slice(0x65, 7)), key, false},
		{"IDR as a first field", c, unit(slice(0x65, 7), slice(0x41, 5)), key, false},
		{"no record", &media.Config{Codec: media.H264}, unit(slice(0x65, 7)), none, false},
		{"P", c, unit(slice(0x41, 5)), none, false},
		{"B that is no reference", c, unit(slice(0x01, 6)), none, true},
		{"slices of which one is a reference", c, unit(slice(0x01, 6), slice(0x21, 6)), none, false},
		{"no reference, with a parameter set", c, unit(pps, slice(0x01, 6)), none, false},
		{"I", c, unit(slice(0x41, 2), slice(0x41, 7)), media.Start{Kind: media.StartIntra, Open: true}, false},
		{"I and P slices", c, unit(slice(0x41, 2), slice(0x41, 0)), none, false},
		{"recovery point at once", c, unit(recovery([]byte{6}, 0, false), slice(0x41, 7)), media.Start{Kind: media.StartRecovery, Open: true}, false},
		{"recovery point later", c, unit(recovery([]byte{6}, 29, false), slice(0x41, 5)), media.Start{Kind: media.StartRecovery, Frames: 29, Open: true}, false},
		{"recovery point without a PPS", bare, unit(recovery([]byte{6}, 29, false), slice(0x41, 5)), none, false},
		{"parameter sets only", c, unit(sps, pps), none, false},
		{"padding", c, append(unit(slice(0x65, 7)), 0, 0, 0), key, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkUnit(t, tt.config, tt.data, tt.start, tt.disposable)
		})
	}
}

func checkUnit(t *testing.T, c *media.Config, data []byte, start media.Start, disposable bool) {
	t.Helper()
	if err := media.CheckUnit(c, data, pixels); err != nil {
		t.Errorf("CheckUnit: %v", err)
	}
	if got := media.StartOf(c, data); got != start {
		t.Errorf("StartOf = %+v, want %+v", got, start)
	}
	if got := media.Disposable(c, data); got != disposable {
		t.Errorf("Disposable = %t", got)
	}
}

// hevcSlice is a slice of a NAL unit type and temporal layer.
func hevcSlice(kind, temporal byte) []byte { return []byte{kind << 1, temporal + 1, 0x80, 1} }

// hevcPicture is what decides the size in an HEVC SPS.
type hevcPicture struct {
	layers        int    // sps_max_sub_layers_minus1, each with profile and level
	chroma        uint64 // chroma_format_idc
	width, height uint64
	window        []uint64
	depth         uint64 // bit_depth_luma_minus8
}

func (p hevcPicture) sps() []byte {
	var b bits
	b.byte(1)                             // second byte of the header
	b.byte(byte(p.layers)<<1 | 1)         // VPS 0, layers, nesting
	b.raw(strings.Repeat("0", 88))        // profile
	b.byte(93)                            // level
	b.raw(strings.Repeat("11", p.layers)) // profile and level of each
	if p.layers > 0 {
		b.raw(strings.Repeat("00", 8-p.layers))
	}
	b.raw(strings.Repeat("1", 96*p.layers))
	b.ue(0)
	b.ue(p.chroma)
	if p.chroma == 3 {
		b.raw("0")
	}
	b.ue(p.width)
	b.ue(p.height)
	if p.window == nil {
		b.raw("0")
	} else {
		b.raw("1")
		for _, v := range p.window {
			b.ue(v)
		}
	}
	b.ue(p.depth)
	b.ue(p.depth)
	return b.nal(33 << 1)
}

// hvcC makes a record that knows of layers temporal layers, 0 for unknown.
func hvcC(layers byte, nals ...[]byte) []byte {
	record := make([]byte, 23)
	record[0], record[21], record[22] = 1, layers<<3|3, byte(len(nals))
	for _, n := range nals {
		record = append(record, n[0]>>1, 0, 1, byte(len(n)>>8), byte(len(n)))
		record = append(record, n...)
	}
	return record
}

var (
	hevcVPS = []byte{32 << 1, 1, 0}
	hevcPPS = []byte{34 << 1, 1, 0xc0}
)

func TestHEVCConfigSize(t *testing.T) {
	tests := []struct {
		name          string
		picture       hevcPicture
		width, height int
	}{
		{"4:2:0", hevcPicture{chroma: 1, width: 328, height: 184, window: []uint64{0, 4, 0, 2}}, 320, 180},
		{"temporal layers", hevcPicture{layers: 6, chroma: 1, width: 320, height: 180}, 320, 180},
		{"4:2:2", hevcPicture{chroma: 2, width: 32, height: 32, window: []uint64{1, 1, 1, 1}}, 28, 30},
		{"4:4:4", hevcPicture{chroma: 3, width: 32, height: 32, window: []uint64{1, 0, 0, 1}, depth: 8}, 31, 31},
		{"grey", hevcPicture{chroma: 0, width: 32, height: 32, window: []uint64{0, 3, 2, 0}}, 29, 30},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := config(t, media.HEVC, hvcC(1, hevcVPS, tt.picture.sps(), hevcPPS))
			if c.Width != tt.width || c.Height != tt.height {
				t.Errorf("%dx%d, want %dx%d", c.Width, c.Height, tt.width, tt.height)
			}
		})
	}
	if c := config(t, media.HEVC, hvcC(1)); c.Width != 0 || c.Height != 0 {
		t.Errorf("without an SPS the size is %dx%d", c.Width, c.Height)
	}
}

func TestUnitsOfHEVC(t *testing.T) {
	sps := hevcPicture{chroma: 1, width: 320, height: 180}.sps()
	layered := hevcPicture{layers: 2, chroma: 1, width: 320, height: 180}.sps()
	c := config(t, media.HEVC, hvcC(1, hevcVPS, sps, hevcPPS))
	three := config(t, media.HEVC, hvcC(3, hevcVPS, layered, hevcPPS))
	guess := config(t, media.HEVC, hvcC(0, hevcVPS, layered, hevcPPS))
	bare := config(t, media.HEVC, hvcC(1))
	other := bytes.Clone(hevcSlice(19, 0))
	other[1] |= 1 << 3 // of layer 1
	none := media.Start{}
	tests := []struct {
		name       string
		config     *media.Config
		data       []byte
		start      media.Start
		disposable bool
	}{
		{"IDR_W_RADL", c, unit(hevcSlice(19, 0)), media.Start{Kind: media.StartKey}, false},
		{"IDR_N_LP", c, unit(hevcSlice(20, 0)), media.Start{Kind: media.StartKey}, false},
		{"CRA", c, unit(hevcSlice(21, 0)), media.Start{Kind: media.StartKey, Open: true}, false},
		{"BLA_W_LP", c, unit(hevcSlice(16, 0)), media.Start{Kind: media.StartKey, Open: true}, false},
		{"BLA_N_LP", c, unit(hevcSlice(18, 0)), media.Start{Kind: media.StartKey}, false},
		{"IDR without parameter sets", bare, unit(hevcSlice(19, 0)), none, false},
		{"IDR behind its parameter sets", bare, unit(hevcVPS, sps, hevcPPS, hevcSlice(19, 0)), media.Start{Kind: media.StartKey}, false},
		{"IDR of another layer", c, unit(hevcSlice(1, 0), other), none, false},
		{"TRAIL_R", c, unit(hevcSlice(1, 0)), none, false},
		{"TRAIL_N", c, unit(hevcSlice(0, 0)), none, true},
		{"RASL_N", c, unit(hevcSlice(8, 0)), none, true},
		{"reserved", c, unit(hevcSlice(10, 0)), none, false},
		{"TRAIL_N of the highest layer", three, unit(hevcSlice(0, 2)), none, true},
		{"TRAIL_N below it", three, unit(hevcSlice(0, 1)), none, false},
		{"TSA_N, layers by the SPS", guess, unit(hevcSlice(2, 2)), none, true},
		{"TSA_N below, layers by the SPS", guess, unit(hevcSlice(2, 1)), none, false},
		{"recovery point", c, unit(recovery([]byte{39 << 1, 1}, 20, true), hevcSlice(1, 0)), media.Start{Kind: media.StartRecovery, Frames: 20, Open: true}, false},
		{"recovery point at once", c, unit(recovery([]byte{39 << 1, 1}, 0, true), hevcSlice(1, 0)), media.Start{Kind: media.StartRecovery, Open: true}, false},
		{"parameter sets only", c, unit(hevcVPS, sps, hevcPPS), none, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkUnit(t, tt.config, tt.data, tt.start, tt.disposable)
		})
	}
}

func TestParseConfigRefuses(t *testing.T) {
	sps := hevcPicture{chroma: 1, width: 320, height: 180}.sps()
	whole := hvcC(1, hevcVPS, sps, hevcPPS)
	change := func(at int, value byte) []byte {
		b := bytes.Clone(whole)
		b[at] = value
		return b
	}
	av1 := unhex(t, av1Record)
	tests := []struct {
		name   string
		codec  media.Codec
		record []byte
		text   string
	}{
		{"no codec", media.CodecNone, nil, `no decoder configuration is known for the codec "none"`},
		{"huge", media.AV1, make([]byte, media.MaxRecord+1), "AV1 decoder configuration has 65537 bytes; at most 65536"},
		{"H.264 without a record", media.H264, nil, "avcC record has 0 bytes; at least 7"},
		{"HEVC without a record", media.HEVC, nil, "hvcC record has 0 bytes; at least 23"},
		{"HEVC version", media.HEVC, change(0, 2), "version 2"},
		{"HEVC length size", media.HEVC, change(21, 2), "lengths of 3 bytes"},
		{"HEVC arrays", media.HEVC, change(22, 9), "ends before array 4 of 9"},
		{"HEVC many", media.HEVC, change(24, 2), "announces 513 NAL units; at most 256"},
		{"HEVC NAL unit cut off", media.HEVC, whole[:40], "ends inside NAL unit 1 of 1 of type 33"},
		{"HEVC before NAL unit", media.HEVC, change(25, 9), "ends inside NAL unit"},
		{"HEVC empty NAL unit", media.HEVC, change(27, 0), "NAL unit of 0 bytes; at least 2"},
		{"HEVC SPS cut off", media.HEVC, hvcC(1, sps[:18]), "read HEVC SPS: it ends too early"},
		{"HEVC layers", media.HEVC, hvcC(1, hevcPicture{layers: 7}.sps()), "with 8 temporal sub-layers; at most 7"},
		{"HEVC chroma", media.HEVC, hvcC(1, hevcPicture{chroma: 4, width: 1, height: 1}.sps()), "chroma format 4"},
		{"HEVC of nothing", media.HEVC, hvcC(1, hevcPicture{chroma: 1, width: 0, height: 1}.sps()), "picture of 0x1 pixels"},
		{"HEVC depth", media.HEVC, hvcC(1, hevcPicture{chroma: 1, width: 1, height: 1, depth: 9}.sps()), "samples of 17 and 17 bits; at most 16"},
		{"HEVC all cropped", media.HEVC, hvcC(1, hevcPicture{chroma: 1, width: 16, height: 16, window: []uint64{4, 4, 0, 0}}.sps()), "crops 16x0 pixels off a picture of 16x16"},
		{"HEVC size", media.HEVC, hvcC(1, hevcPicture{chroma: 1, width: 1<<32 - 2, height: 1<<32 - 2}.sps()), "picture of 4294967294x4294967294 pixels; at most 1048576"},
		{"HEVC size of a second SPS", media.HEVC, hvcC(1, sps, hevcPicture{chroma: 1, width: 2048, height: 2048}.sps()), "picture of 2048x2048 pixels"},
		{"AV1 short", media.AV1, av1[:3], "av1C record has 3 bytes; at least 4"},
		{"AV1 version", media.AV1, append([]byte{0x82}, av1[1:]...), "begins with 0x82"},
		{"AV1 sequence header cut off", media.AV1, []byte{0x81, 0, 0, 0, 0x0a, 1, 0}, "sequence header ends too early"},
		{"AV1 OBU cut off", media.AV1, av1[:10], "read av1C record: damaged video: access unit ends inside an OBU of type 1"},
		{"VP9 short", media.VP9, make([]byte, 7), "vpcC record has 7 bytes; at least 8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := media.ParseConfig(tt.codec, tt.record, pixels)
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Fatalf("%+v, %v; want an error with %q", c, err, tt.text)
			}
			if tooLarge := strings.Contains(tt.text, "at most 1048576") || strings.Contains(tt.text, "2048x2048"); errors.Is(err, media.ErrTooLarge) != tooLarge {
				t.Errorf("%v wraps ErrTooLarge: %t", err, !tooLarge)
			}
		})
	}
	for _, codec := range []media.Codec{media.AV1, media.VP9, media.VP8} {
		if diff := cmp.Diff(&media.Config{Codec: codec}, config(t, codec, nil)); diff != "" {
			t.Errorf("%s without a record (-want +got):\n%s", codec, diff)
		}
	}
}

func TestCheckUnitRefuses(t *testing.T) {
	record, sps, pps := h264Sets(t)
	h264 := config(t, media.H264, record)
	hevcSPS := hevcPicture{chroma: 1, width: 320, height: 180}.sps()
	hevc := config(t, media.HEVC, hvcC(1, hevcVPS, hevcSPS, hevcPPS))
	large, err := media.ParseAVCRecord(picture{width: 128, height: 128, chroma: 1}.avcC())
	if err != nil {
		t.Fatal(err)
	}
	av1 := config(t, media.AV1, unhex(t, av1Record))
	vp9, vp8 := config(t, media.VP9, nil), config(t, media.VP8, nil)
	tests := []struct {
		name   string
		config *media.Config
		data   []byte
		want   error
		text   string
	}{
		{"no codec", &media.Config{}, []byte{1}, media.ErrBroken, "no known codec"},
		{"empty", h264, nil, media.ErrBroken, "access unit is empty"},
		{"H.264 cut off", h264, unit(slice(0x65, 7))[:6], media.ErrBroken, "H.264 access unit ends inside a NAL unit: 6 bytes announced, 2 left"},
		{"H.264 length cut off", h264, append(unit(slice(0x65, 7)), 0, 1), media.ErrBroken, "ends inside the length"},
		{"H.264 empty NAL unit", h264, unit(nil, slice(0x65, 7)), media.ErrBroken, "NAL unit of 0 bytes; at least 1"},
		{"H.264 with start codes", h264, append([]byte{0, 0, 1}, slice(0x65, 7)...), media.ErrBroken, "Annex B start code"},
		{"H.264 forbidden bit", h264, unit([]byte{0xe5, 1}), media.ErrBroken, "forbidden bit"},
		{"H.264 slice cut off", h264, unit([]byte{0x65, 0x01}), media.ErrBroken, "slice ends inside its header"},
		{"H.264 slice type", h264, unit(slice(0x65, 10)), media.ErrBroken, "slice of type 10"},
		{"H.264 SPS cut off", h264, unit(sps[:6]), media.ErrBroken, "read H.264 SPS"},
		{"H.264 long SPS", h264, unit(append(bytes.Clone(sps), make([]byte, 17<<10)...)), media.ErrBroken, "parameter set of 17434 bytes; at most 16384"},
		{"H.264 many PPS", h264, bytes.Repeat(unit(pps), 65), media.ErrBroken, "more than 64 parameter sets"},
		{"H.264 PPS of another SPS", h264, unit([]byte{0x68, 0x80, 0x80, 0x80}), media.ErrBroken, "PPS 0 of SPS 127; at most 255 and 31"},
		{"H.264 PPS cut off", h264, unit([]byte{0x68, 0x01}), media.ErrBroken, "PPS ends inside its identifiers"},
		{"H.264 SPS of another size", h264, unit(large.SPS[0], pps, slice(0x65, 7)), media.ErrTooLarge, "H.264 picture of 2048x2048 pixels; at most 1048576"},
		{"HEVC cut off", hevc, unit(hevcSlice(19, 0))[:7], media.ErrBroken, "HEVC access unit ends inside a NAL unit"},
		{"HEVC short NAL unit", hevc, unit([]byte{19 << 1}), media.ErrBroken, "NAL unit of 1 bytes; at least 2"},
		{"HEVC temporal id", hevc, unit([]byte{19 << 1, 0, 1}), media.ErrBroken, "nuh_temporal_id_plus1 = 0"},
		{"HEVC slice cut off", hevc, unit([]byte{19 << 1, 1}), media.ErrBroken, "HEVC slice ends inside its header"},
		{"HEVC PPS of another SPS", hevc, unit([]byte{34 << 1, 1, 0x80, 0x80}), media.ErrBroken, "PPS 0 of SPS 127; at most 63 and 15"},
		{"HEVC SPS of another size", hevc, unit(hevcPicture{chroma: 1, width: 8192, height: 4320}.sps()), media.ErrTooLarge, "HEVC picture of 8192x4320 pixels"},
		{"HEVC many VPS", hevc, bytes.Repeat(unit(hevcVPS), 65), media.ErrBroken, "more than 64"},
		{"AV1 cut off", av1, []byte{0x32, 9, 1}, media.ErrBroken, "ends inside an OBU of type 6: 9 bytes announced, 1 left"},
		{"AV1 forbidden bit", av1, []byte{0xb2, 0}, media.ErrBroken, "forbidden bit"},
		{"AV1 extension cut off", av1, []byte{0x36}, media.ErrBroken, "ends inside its header"},
		{"AV1 endless size", av1, append([]byte{0x32}, bytes.Repeat([]byte{0x80}, 9)...), media.ErrBroken, "size of an OBU of type 6 cannot be read"},
		{"AV1 huge size", av1, []byte{0x32, 0xff, 0xff, 0xff, 0xff, 0x7f}, media.ErrBroken, "cannot be read"},
		{"AV1 frame header cut off", av1, []byte{0x32, 0}, media.ErrBroken, "frame header ends too early"},
		{"AV1 many sequence headers", av1, bytes.Repeat(unhex(t, av1Record)[4:], 65), media.ErrBroken, "more than 64 sequence headers"},
		{"AV1 sequence header of another size", av1, av1Sequence(1<<15, 1<<15), media.ErrTooLarge, "AV1 picture of 32768x32768 pixels"},
		{"AV1 frame of another size", av1, append(av1Sequence(64, 64), av1KeyFrame(1<<15, 1<<14)...), media.ErrTooLarge, "AV1 picture of 32768x16384 pixels"},
		{"VP9 marker", vp9, []byte{0x00}, media.ErrBroken, "without its marker"},
		{"VP9 profile", vp9, []byte{0xb8}, media.ErrBroken, "profile above 3"},
		{"VP9 sync code", vp9, []byte{0x82, 0x49, 0x83, 0x43, 0, 0, 0, 0, 0}, media.ErrBroken, "without its sync code"},
		{"VP9 cut off", vp9, vp9Key(320, 180)[:7], media.ErrBroken, "ends inside its header"},
		{"VP9 size", vp9, vp9Key(1<<16, 1<<16), media.ErrTooLarge, "VP9 picture of 65536x65536 pixels"},
		{"VP9 size in a superframe", vp9, vp9Super(vp9Key(320, 180), vp9Key(4096, 4096)), media.ErrTooLarge, "VP9 picture of 4096x4096 pixels"},
		{"VP9 superframe cut off", vp9, []byte{0x82, 0xc1, 9, 9, 0xc1}, media.ErrBroken, "superframe ends inside a frame: 9 bytes announced, 1 left"},
		{"VP8 cut off", vp8, []byte{0x10, 0}, media.ErrBroken, "VP8 frame of 2 bytes; at least 3"},
		{"VP8 key frame cut off", vp8, vp8Key(320, 180)[:9], media.ErrBroken, "VP8 key frame ends inside its header"},
		{"VP8 start code", vp8, append([]byte{0x10, 0, 0, 1}, vp8Key(320, 180)[4:]...), media.ErrBroken, "without its start code"},
		{"VP8 of nothing", vp8, vp8Key(0, 180), media.ErrBroken, "VP8 key frame of 0x180 pixels"},
		{"VP8 partition cut off", vp8, []byte{0x71, 0, 0, 1}, media.ErrBroken, "first partition: 3 bytes announced, 1 left"},
		{"VP8 size", vp8, vp8Key(16383, 16383), media.ErrTooLarge, "VP8 picture of 16383x16383 pixels"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := media.CheckUnit(tt.config, tt.data, pixels)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%v; want %v with %q", err, tt.want, tt.text)
			}
		})
	}
}
