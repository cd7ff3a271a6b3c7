package exif

import (
	"encoding/binary"
	"math"
)

const (
	riffHeader  = 12 // "RIFF", size, "WEBP"
	chunkHeader = 8  // name, size
	vp8Header   = 10 // of a key frame: tag, start code, width, height (RFC 6386, 9.1)
	flagExif    = 0x08
)

// insertWebP makes an extended file of a simple one (RFC 9649, 2.7): VP8X, the picture, EXIF.
func insertWebP(picture []byte, f Fields) ([]byte, error) {
	width, height, err := readWebP(picture)
	if err != nil {
		return nil, err
	}
	block := tiff(f, width, height)
	size := 4 + chunkHeader + 10 + len(picture) - riffHeader + chunkHeader + even(len(block))
	if int64(size) > math.MaxUint32-1 {
		return nil, invalidPicture("is too large for a WebP with %d bytes of EXIF", len(block))
	}
	out := make([]byte, 0, chunkHeader+size)
	out = binary.LittleEndian.AppendUint32(append(out, "RIFF"...), uint32(size))
	out = append(out, "WEBP"...)
	out = append(out, "VP8X\x0a\x00\x00\x00"...)
	out = binary.LittleEndian.AppendUint32(out, flagExif)
	out = append24(append24(out, width-1), height-1)
	out = append(out, picture[riffHeader:]...)
	out = binary.LittleEndian.AppendUint32(append(out, "EXIF"...), uint32(len(block)))
	out = append(out, block...)
	return append(out, make([]byte, even(len(block))-len(block))...), nil
}

// readWebP checks that b is a simple lossy WebP and no more, and returns its size in pixels.
func readWebP(b []byte) (width, height int, err error) {
	if len(b) < riffHeader+chunkHeader+vp8Header || string(b[:4]) != "RIFF" || string(b[8:12]) != "WEBP" {
		return 0, 0, invalidPicture("is no WebP: it does not begin with RIFF and WEBP")
	}
	if size := binary.LittleEndian.Uint32(b[4:]); int64(size) != int64(len(b)-8) {
		return 0, 0, invalidPicture("is no whole WebP: it has %d bytes and says %d", len(b)-8, size)
	}
	chunk := b[riffHeader:]
	if name := string(chunk[:4]); name != "VP8 " {
		return 0, 0, invalidPicture("is a WebP that begins with the chunk %q; only simple lossy ones (%q) can be given EXIF", name, "VP8 ")
	}
	size := int64(binary.LittleEndian.Uint32(chunk[4:]))
	if size+size&1 != int64(len(chunk)-chunkHeader) {
		return 0, 0, invalidPicture("is no simple WebP: its only chunk has %d of %d bytes", size, len(chunk)-chunkHeader)
	}
	frame := chunk[chunkHeader:]
	if frame[0]&1 != 0 || string(frame[3:6]) != "\x9d\x01\x2a" {
		return 0, 0, invalidPicture("is no WebP: it holds no key frame of VP8")
	}
	// The two bits above the size are for scaling.
	width = int(binary.LittleEndian.Uint16(frame[6:]) & 0x3fff)
	height = int(binary.LittleEndian.Uint16(frame[8:]) & 0x3fff)
	if width == 0 || height == 0 {
		return 0, 0, invalidPicture("is no WebP: it has %dx%d pixels", width, height)
	}
	return width, height, nil
}

func append24(b []byte, v int) []byte { return append(b, byte(v), byte(v>>8), byte(v>>16)) }
