package bench

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/media/flv"
)

// maxMoov is the largest index of a file in bytes.
const maxMoov = 64 << 20

// maxSamples is the most pictures of a clip.
const maxSamples = 1 << 20

// errMP4 says what is wrong with an MP4 file.
func errMP4(format string, args ...any) error {
	return stillcast.Errorf(stillcast.CodeInvalid, "", "is no MP4 file that can be pushed: "+format, args...)
}

// readMP4 reads the first video track of an MP4 file as the tags that carry it
// over RTMP (ISO/IEC 14496-12; Enhanced RTMP v2 for the tags). Fragmented files
// and edit lists are not read.
func readMP4(r io.ReaderAt, size int64) ([]tag, error) {
	moov, err := findMoov(r, size)
	if err != nil {
		return nil, err
	}
	for name, trak := range boxes(moov) {
		if name != "trak" || string(cut(find(trak, "mdia", "hdlr"), 8, 4)) != "vide" {
			continue
		}
		t, err := parseTrack(trak)
		if err != nil {
			return nil, err
		}
		return t.tags(r, size)
	}
	return nil, errMP4("there is no video track")
}

// findMoov reads the index of the file.
func findMoov(r io.ReaderAt, size int64) ([]byte, error) {
	for pos := int64(0); pos+8 <= size; {
		var h [16]byte
		n, err := r.ReadAt(h[:min(16, size-pos)], pos)
		if n < 8 {
			return nil, fmt.Errorf("read a box at byte %d: %w", pos, err)
		}
		length, head := int64(binary.BigEndian.Uint32(h[:])), int64(8)
		switch {
		case length == 1 && n == 16:
			length, head = int64(binary.BigEndian.Uint64(h[8:])&(1<<62-1)), 16 //nolint:gosec // masked
		case length == 0:
			length = size - pos
		}
		if length < head || length > size-pos {
			return nil, errMP4("the box at byte %d has %d bytes, beyond the end of the file", pos, length)
		}
		if string(h[4:8]) != "moov" {
			pos += length
			continue
		}
		if length > maxMoov {
			return nil, errMP4("its index has %d bytes; at most %d are read", length, maxMoov)
		}
		moov := make([]byte, length-head)
		if err := readAt(r, moov, pos+head); err != nil {
			return nil, fmt.Errorf("read the index: %w", err)
		}
		return moov, nil
	}
	return nil, errMP4("there is no index (moov)")
}

// readAt fills b.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	_, err := io.ReadFull(io.NewSectionReader(r, at, int64(len(b))), b)
	return err
}

// boxes yields name and content of the boxes in b, up to the first that is
// damaged.
func boxes(b []byte) func(yield func(string, []byte) bool) {
	return func(yield func(string, []byte) bool) {
		for len(b) >= 8 {
			size := int64(binary.BigEndian.Uint32(b))
			if size < 8 || size > int64(len(b)) || !yield(string(b[4:8]), b[8:size]) {
				return
			}
			b = b[size:]
		}
	}
}

// find returns the content of a box by its path, nil when there is none.
func find(b []byte, path ...string) []byte {
	for _, want := range path {
		var inner []byte
		for name, content := range boxes(b) {
			if name == want {
				inner = content
				break
			}
		}
		b = inner
	}
	return b
}

// cut returns n bytes at a position, nil when they are not there.
func cut(b []byte, at, n int) []byte {
	if at < 0 || n < 0 || at > len(b) || n > len(b)-at {
		return nil
	}
	return b[at : at+n]
}

func number(b []byte) int64 {
	if len(b) < 4 {
		return 0
	}
	return int64(binary.BigEndian.Uint32(b))
}

// table returns the entries of a full box that holds a count and entries of width
// bytes; nil when they are not all there.
func table(b []byte, width int) []byte {
	count := number(cut(b, 4, 4))
	if count > int64(len(b)) {
		return nil
	}
	return cut(b, 8, int(count)*width)
}

// sample is one picture of a file.
type sample struct {
	offset, size     int64
	dts, composition time.Duration
	key              bool
}

type track struct {
	codec   media.Codec
	record  []byte
	samples []sample
}

// parseTrack reads a video track.
func parseTrack(trak []byte) (*track, error) {
	stbl := find(trak, "mdia", "minf", "stbl")
	t := &track{}
	if err := t.entry(cut(find(stbl, "stsd"), 8, max(0, len(find(stbl, "stsd"))-8))); err != nil {
		return nil, err
	}
	mdhd := find(trak, "mdia", "mdhd")
	at := 12 // of the time scale (ISO/IEC 14496-12, 8.4.2)
	if len(mdhd) > 0 && mdhd[0] == 1 {
		at = 20
	}
	scale := number(cut(mdhd, at, 4))
	if scale == 0 {
		return nil, errMP4("its time scale is missing")
	}
	steps := []func() error{
		func() error { return t.sizes(find(stbl, "stsz")) },
		func() error { return t.offsets(stbl) },
		func() error { return t.times(stbl, scale) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	t.markKeys(stbl)
	return t, nil
}

// entry reads the first sample entry: which codec, with which configuration.
func (t *track) entry(entries []byte) error {
	const fixed = 78 // bytes of a VisualSampleEntry (ISO/IEC 14496-12, 12.1.3)
	records := map[string]struct {
		box   string
		codec media.Codec
	}{
		"avc1": {"avcC", media.H264}, "hvc1": {"hvcC", media.HEVC}, "hev1": {"hvcC", media.HEVC},
		"av01": {"av1C", media.AV1}, "vp09": {"vpcC", media.VP9}, "vp08": {"vpcC", media.VP8},
	}
	for name, content := range boxes(entries) {
		want, ok := records[name]
		if !ok {
			return errMP4("its codec is %q; allowed are avc1, hvc1, hev1, av01, vp09 and vp08", name)
		}
		t.codec, t.record = want.codec, find(cut(content, fixed, max(0, len(content)-fixed)), want.box)
		if t.record == nil {
			return errMP4("the decoder configuration %s is missing", want.box)
		}
		return nil
	}
	return errMP4("its codec is not said")
}

func (t *track) sizes(stsz []byte) error {
	same, count := number(cut(stsz, 4, 4)), number(cut(stsz, 8, 4))
	if count == 0 {
		return errMP4("it holds no pictures, or is fragmented; mend it with: ffmpeg -i CLIP -c copy whole.mp4")
	}
	entries := cut(stsz, 12, len(stsz)-12)
	if count > maxSamples || same == 0 && int64(len(entries)) < 4*count {
		return errMP4("the table of sizes says %d pictures", count)
	}
	t.samples = make([]sample, count)
	for i := range t.samples {
		t.samples[i].size = same
		if same == 0 {
			t.samples[i].size = number(cut(entries, 4*i, 4))
		}
	}
	return nil
}

// offsets places the samples: chunks of some samples each.
func (t *track) offsets(stbl []byte) error {
	width, chunks := 4, table(find(stbl, "stco"), 4)
	if chunks == nil {
		width, chunks = 8, table(find(stbl, "co64"), 8)
	}
	runs := table(find(stbl, "stsc"), 12)
	next := 0
	for run := 0; run < len(runs); run += 12 {
		first, each := number(cut(runs, run, 4)), number(cut(runs, run+4, 4))
		end := int64(len(chunks)/width) + 1
		if each == 0 {
			return errMP4("a chunk holds no picture")
		}
		if after := cut(runs, run+12, 4); after != nil {
			end = min(end, number(after))
		}
		for chunk := max(first, 1); chunk < end && next < len(t.samples); chunk++ {
			at := int64(binary.BigEndian.Uint32(chunks[(chunk-1)*int64(width):]))
			if width == 8 {
				at = int64(binary.BigEndian.Uint64(chunks[(chunk-1)*8:]) & (1<<62 - 1)) //nolint:gosec // masked
			}
			for i := int64(0); i < each && next < len(t.samples); i++ {
				t.samples[next].offset = at
				at += t.samples[next].size
				next++
			}
		}
	}
	if next < len(t.samples) {
		return errMP4("%d of %d pictures have no place in the file", len(t.samples)-next, len(t.samples))
	}
	return nil
}

// times gives each sample its decoding time, from zero, and composition.
func (t *track) times(stbl []byte, scale int64) error {
	at, next := int64(0), 0
	in := func(ticks int64) time.Duration {
		return time.Duration(float64(ticks) / float64(scale) * float64(time.Second)).Round(time.Millisecond)
	}
	for run := range slices.Chunk(table(find(stbl, "stts"), 8), 8) {
		for i := number(run); i > 0 && next < len(t.samples); i-- {
			t.samples[next].dts = in(at)
			at += number(run[4:])
			next++
		}
	}
	if next < len(t.samples) {
		return errMP4("%d of %d pictures have no time", len(t.samples)-next, len(t.samples))
	}
	next = 0
	for run := range slices.Chunk(table(find(stbl, "ctts"), 8), 8) {
		offset := int64(int32(binary.BigEndian.Uint32(run[4:]))) //nolint:gosec // signed in version 1, small in version 0
		for i := number(run); i > 0 && next < len(t.samples); i-- {
			t.samples[next].composition = in(offset)
			next++
		}
	}
	return nil
}

// markKeys marks the samples of the sync sample table; without one, all are.
func (t *track) markKeys(stbl []byte) {
	stss := find(stbl, "stss")
	for i := range t.samples {
		t.samples[i].key = stss == nil
	}
	for entry := range slices.Chunk(table(stss, 4), 4) {
		if n := number(entry); n >= 1 && n <= int64(len(t.samples)) {
			t.samples[n-1].key = true
		}
	}
}

// tags reads the pictures and puts them into RTMP's messages.
func (t *track) tags(r io.ReaderAt, size int64) ([]tag, error) {
	tags := []tag{{kind: flv.Video, data: append(videoHeader(t.codec, true, true, 0), t.record...)}}
	left := size // pictures that overlap could be more than the file
	for i, s := range t.samples {
		if left -= s.size; s.offset > size-s.size || left < 0 || s.size > flv.MaxTagData-16 {
			return nil, errMP4("picture %d is said to be %d bytes at byte %d", i, s.size, s.offset)
		}
		data := videoHeader(t.codec, false, s.key, s.composition)
		head := len(data)
		data = append(data, make([]byte, s.size)...)
		if err := readAt(r, data[head:], s.offset); err != nil {
			return nil, fmt.Errorf("read picture %d: %w", i, err)
		}
		tags = append(tags, tag{kind: flv.Video, at: s.dts, data: data})
	}
	return tags, nil
}

// videoHeader is what goes before a picture or, with config, a decoder
// configuration (FLV specification 10.1, annex E.4.3; Enhanced RTMP v2).
func videoHeader(codec media.Codec, config, key bool, composition time.Duration) []byte {
	frame := byte(2)
	if key {
		frame = 1
	}
	packet := byte(1)
	if config {
		packet = 0
	}
	ms := uint32(composition.Milliseconds()) //nolint:gosec // 24 bits of two's complement are sent
	offset := []byte{byte(ms >> 16), byte(ms >> 8), byte(ms)}
	names := map[media.Codec]string{media.HEVC: "hvc1", media.AV1: "av01", media.VP9: "vp09", media.VP8: "vp08"}
	switch {
	case codec == media.H264:
		return append([]byte{frame<<4 | 7, packet}, offset...)
	case codec == media.HEVC && !config:
		return append(append([]byte{0x80 | frame<<4 | packet}, names[codec]...), offset...)
	}
	return append([]byte{0x80 | frame<<4 | packet}, names[codec]...)
}
