package media

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// MaxRecord is the largest decoder configuration in bytes. Real ones have some
// tens of bytes, or some thousands with an encoder's settings in an SEI message.
const MaxRecord = 64 << 10

// MaxH264Pixels is the largest picture of H.264's highest level, 6.2: 139264
// macroblocks (ITU-T H.264, table A-1).
const MaxH264Pixels = 139264 * 256

// AVCRecord is an AVCDecoderConfigurationRecord taken apart (ISO/IEC 14496-15,
// section 5.3.3.1). SPS and PPS are parts of the bytes that it was read from.
type AVCRecord struct {
	LengthSize int // bytes of the length before each NAL unit: 1, 2 or 4
	SPS        [][]byte
	PPS        [][]byte
}

// ParseAVCRecord takes an avcC record apart. There is at least one SPS; there
// may be no PPS, as some encoders send it with the pictures.
func ParseAVCRecord(record []byte) (AVCRecord, error) {
	switch {
	case len(record) > MaxRecord:
		return AVCRecord{}, fmt.Errorf("avcC record has %d bytes; at most %d are allowed", len(record), MaxRecord)
	case len(record) < 7:
		return AVCRecord{}, fmt.Errorf("avcC record has %d bytes; at least 7 are needed", len(record))
	case record[0] != 1:
		return AVCRecord{}, fmt.Errorf("avcC record has version %d; only 1 is defined", record[0])
	}
	r := AVCRecord{LengthSize: int(record[4]&0x03) + 1}
	if err := checkLengthSize("avcC", r.LengthSize); err != nil {
		return AVCRecord{}, err
	}
	var err error
	rest := record[6:]
	if r.SPS, rest, err = parameterSets(rest, int(record[5]&0x1f), nalTypeSPS); err != nil {
		return AVCRecord{}, err
	}
	if len(r.SPS) == 0 {
		return AVCRecord{}, errors.New("avcC record holds no SPS")
	}
	if len(rest) == 0 {
		return AVCRecord{}, errors.New("avcC record ends before the number of PPS")
	}
	if r.PPS, _, err = parameterSets(rest[1:], int(rest[0]), nalTypePPS); err != nil {
		return AVCRecord{}, err
	}
	return r, nil
}

// parameterSets reads count NAL units of one type, each after its 16-bit length.
func parameterSets(b []byte, count, nalType int) (sets [][]byte, rest []byte, err error) {
	name := "SPS"
	if nalType == nalTypePPS {
		name = "PPS"
	}
	for i := range count {
		if len(b) < 2 {
			return nil, nil, fmt.Errorf("avcC record ends before %s %d of %d", name, i+1, count)
		}
		size := int(b[0])<<8 | int(b[1])
		b = b[2:]
		switch {
		case size == 0:
			return nil, nil, fmt.Errorf("avcC record holds an empty %s (%d of %d)", name, i+1, count)
		case size > len(b):
			return nil, nil, fmt.Errorf("avcC record ends inside %s %d of %d: %d bytes announced, %d left", name, i+1, count, size, len(b))
		case int(b[0]&0x1f) != nalType:
			return nil, nil, fmt.Errorf("avcC record holds a NAL unit of type %d in place of %s %d of %d", b[0]&0x1f, name, i+1, count)
		}
		sets = append(sets, b[:size:size])
		b = b[size:]
	}
	return sets, b, nil
}

// H264Config makes a decoder configuration of an avcC record, which it copies.
// It refuses a picture of more than maxPixels pixels before cropping, because
// that is what a decoder must allocate. The size is that of the first SPS.
func H264Config(record []byte, maxPixels int) (*Config, error) {
	r, err := ParseAVCRecord(record)
	if err != nil {
		return nil, err
	}
	c := &Config{Codec: H264, Record: bytes.Clone(record)}
	for i, nal := range r.SPS {
		width, height, err := h264Size(nal, maxPixels)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			c.Width, c.Height = width, height
		}
	}
	return c, nil
}

// h264Size reads the size of the pictures from an SPS.
func h264Size(nal []byte, maxPixels int) (width, height int, err error) {
	var sps h264.SPS
	// A broken VUI comes last and says nothing about the size: decoders ignore it.
	if err := sps.Unmarshal(nal); err != nil && sps.VUI == nil {
		return 0, 0, broken("read H.264 SPS: %w", err)
	}
	return pictureSize(&sps, maxPixels)
}

// pictureSize computes the size in 64 bits, so that no SPS overflows it (ITU-T
// H.264, section 7.4.2.1.1).
func pictureSize(sps *h264.SPS, maxPixels int) (width, height int, err error) {
	fields := uint64(2) // of a frame; 1 where there are only whole frames
	if sps.FrameMbsOnlyFlag {
		fields = 1
	}
	codedWidth := (uint64(sps.PicWidthInMbsMinus1) + 1) * 16
	codedHeight := (uint64(sps.PicHeightInMapUnitsMinus1) + 1) * 16 * fields
	if err := checkSize(H264, codedWidth, codedHeight, maxPixels); err != nil {
		return 0, 0, err
	}
	var cut window
	cropX, cropY := cropUnits(sps.ChromaFormatIdc, sps.SeparateColourPlaneFlag)
	if c := sps.FrameCropping; c != nil {
		cut.x = cropX * (uint64(c.LeftOffset) + uint64(c.RightOffset))
		cut.y = cropY * fields * (uint64(c.TopOffset) + uint64(c.BottomOffset))
	}
	return cut.crop(H264, codedWidth, codedHeight)
}

// window is what an SPS cuts off a picture, in pixels of both sides together.
type window struct{ x, y uint64 }

func (w window) crop(c Codec, codedWidth, codedHeight uint64) (width, height int, err error) {
	if w.x >= codedWidth || w.y >= codedHeight {
		return 0, 0, broken("%s SPS crops %dx%d pixels off a picture of %dx%d", c, w.x, w.y, codedWidth, codedHeight)
	}
	return int(codedWidth - w.x), int(codedHeight - w.y), nil //nolint:gosec // checkSize bounds both
}

// cropUnits returns SubWidthC and SubHeightC, 1 for monochrome and for planes
// that are coded apart (ITU-T H.264 and H.265, table 6-1).
func cropUnits(chromaFormat uint32, separatePlanes bool) (x, y uint64) {
	if separatePlanes {
		return 1, 1
	}
	switch chromaFormat {
	case 1:
		return 2, 2
	case 2:
		return 2, 1
	}
	return 1, 1
}
