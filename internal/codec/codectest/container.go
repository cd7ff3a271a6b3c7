package codectest

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stillcast/stillcast/internal/media"
)

// Read reads a file of ffmpeg's with nothing but one video track in it: FLV with
// H.264, IVF with VP8, VP9 or AV1, or MP4 with any codec.
func Read(t testing.TB, path string) Clip {
	t.Helper()
	clip := Clip{Path: path}
	var codec media.Codec
	var record []byte
	switch filepath.Ext(path) {
	case ".flv":
		codec = media.H264
		record, clip.Units = readFLV(t, path)
	case ".ivf":
		codec, clip.Units = readIVF(t, path)
	default:
		codec, record, clip.Units = readMP4(t, path)
	}
	if len(clip.Units) == 0 {
		t.Fatalf("%s holds no pictures", path)
	}
	config, err := media.ParseConfig(codec, record, MaxPixels)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	clip.Config = config
	return clip
}

func fileBytes(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// readIVF reads the container of libvpx: a header of 32 bytes, then frames, each behind its size and a time stamp of 8 bytes.
func readIVF(t testing.TB, path string) (media.Codec, [][]byte) {
	t.Helper()
	const header, frameHeader = 32, 12
	b := fileBytes(t, path)
	if len(b) < header {
		t.Fatalf("%s has %d bytes", path, len(b))
	}
	codec := map[string]media.Codec{"VP80": media.VP8, "VP90": media.VP9, "AV01": media.AV1}[string(b[8:12])]
	var units [][]byte
	for b = b[header:]; len(b) > frameHeader; {
		end := frameHeader + int(binary.LittleEndian.Uint32(b))
		if end > len(b) {
			t.Fatalf("%s ends inside a frame", path)
		}
		units = append(units, b[frameHeader:end])
		b = b[end:]
	}
	return codec, units
}

// readMP4 reads what ffmpeg writes for a single track: one mdat box with the samples in their order, whose sizes are in
// stsz (ISO/IEC 14496-12, 8.7.3). The other boxes that are wanted are found by their names.
func readMP4(t testing.TB, path string) (codec media.Codec, record []byte, units [][]byte) {
	t.Helper()
	b := fileBytes(t, path)
	for name, c := range map[string]media.Codec{"avcC": media.H264, "hvcC": media.HEVC, "av1C": media.AV1, "vpcC": media.VP9} {
		if body := box(b, name); body != nil {
			codec, record = c, body
		}
	}
	const sizeAt, countAt, tableAt = 4, 8, 12
	sizes, samples := box(b, "stsz"), box(b, "mdat")
	if codec == media.CodecNone || len(sizes) < tableAt {
		t.Fatalf("%s: no track with a known codec", path)
	}
	for i := range int(binary.BigEndian.Uint32(sizes[countAt:])) {
		size := binary.BigEndian.Uint32(sizes[sizeAt:])
		if size == 0 { // they differ
			size = binary.BigEndian.Uint32(sizes[tableAt+4*i:])
		}
		units = append(units, samples[:size:size])
		samples = samples[size:]
	}
	return codec, record, units
}

// box returns the body of the first box of a name.
func box(b []byte, name string) []byte {
	at := bytes.Index(b, []byte(name))
	if at < 4 {
		return nil
	}
	size := int(binary.BigEndian.Uint32(b[at-4:]))
	if size < 8 || at-4+size > len(b) {
		return nil
	}
	return b[at+4 : at-4+size]
}
