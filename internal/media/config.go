package media

import (
	"bytes"
	"fmt"
)

// ParseConfig makes a decoder configuration of a record as FLV and MP4 files
// carry it, and copies the record. It refuses a picture of more than maxPixels
// pixels before cropping with an error that wraps [ErrTooLarge].
//
//   - H.264: avcC, with at least one SPS (ISO/IEC 14496-15, section 5.3.3.1);
//   - HEVC: hvcC; without an SPS in it the size is unknown (section 8.3.2.1.2);
//   - AV1: av1C; without a sequence header in it the size is unknown (AV1 Codec
//     ISO Media File Format Binding 1.2, section 2.3); may be empty;
//   - VP9, VP8: vpcC, which says nothing about the size (VP Codec ISO Media File
//     Format Binding 1.0); may be empty.
func ParseConfig(codec Codec, record []byte, maxPixels int) (*Config, error) {
	if len(record) > MaxRecord {
		return nil, fmt.Errorf("%s decoder configuration has %d bytes; at most %d are allowed", codec, len(record), MaxRecord)
	}
	switch codec {
	case H264:
		return H264Config(record, maxPixels)
	case HEVC:
		return hevcConfig(record, maxPixels)
	case AV1:
		return av1Config(record, maxPixels)
	case VP9, VP8:
		return vpConfig(codec, record)
	}
	return nil, fmt.Errorf("no decoder configuration is known for the codec %q", codec)
}

// vpConfig reads no more of a vpcC record than whether it can be one: decoders
// of VP8 and VP9 need none.
func vpConfig(codec Codec, record []byte) (*Config, error) {
	const least = 8
	if len(record) > 0 && len(record) < least {
		return nil, fmt.Errorf("vpcC record has %d bytes; at least %d are needed", len(record), least)
	}
	return &Config{Codec: codec, Record: bytes.Clone(record)}, nil
}

// KeyFrameConfig returns the decoder configuration in force from a key frame of
// VP8, VP9 or AV1 on, which begins with head: these codecs carry the size with
// their key frames, so that they need no record, and may change the size without
// a new one. current is the configuration before, nil for none; it is returned
// when nothing changed. Where head does not tell the size, it is 0 at first and
// then stays what it was. The error wraps [ErrTooLarge].
func KeyFrameConfig(codec Codec, current *Config, head []byte, maxPixels int) (*Config, error) {
	if current == nil || current.Codec != codec {
		current = &Config{Codec: codec}
	}
	width, height, ok := 0, 0, false
	switch codec {
	case AV1:
		width, height, ok = av1HeadSize(head)
	case VP9:
		width, height, ok = vp9HeadSize(head)
	case VP8:
		width, height, ok = vp8HeadSize(head)
	}
	if !ok || width == current.Width && height == current.Height {
		return current, nil
	}
	if err := checkSize(codec, uint64(width), uint64(height), maxPixels); err != nil { //nolint:gosec // not negative
		return nil, err
	}
	return &Config{Codec: codec, Record: current.Record, Width: width, Height: height}, nil
}
