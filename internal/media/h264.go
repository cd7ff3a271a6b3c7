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

const (
	nalTypeSPS = 7
	nalTypePPS = 8
)

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
	if r.LengthSize == 3 {
		return AVCRecord{}, errors.New("avcC record announces NAL unit lengths of 3 bytes; allowed are 1, 2 and 4")
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
// that is what a decoder must allocate.
func H264Config(record []byte, maxPixels int) (*Config, error) {
	r, err := ParseAVCRecord(record)
	if err != nil {
		return nil, err
	}
	var sps h264.SPS
	// A broken VUI comes last and says nothing about the size: decoders ignore it.
	if err := sps.Unmarshal(r.SPS[0]); err != nil && sps.VUI == nil {
		return nil, fmt.Errorf("read H.264 SPS: %w", err)
	}
	width, height, err := pictureSize(&sps, maxPixels)
	if err != nil {
		return nil, err
	}
	return &Config{Codec: H264, Record: bytes.Clone(record), Width: width, Height: height}, nil
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
	limit := uint64(max(maxPixels, 0)) //nolint:gosec // not negative
	if codedWidth > limit || codedHeight > limit || codedWidth*codedHeight > limit {
		return 0, 0, fmt.Errorf("H.264 picture of %dx%d pixels is too large; at most %d pixels are allowed", codedWidth, codedHeight, maxPixels)
	}
	cropX, cropY := cropUnits(sps)
	var cutX, cutY uint64
	if c := sps.FrameCropping; c != nil {
		cutX = cropX * (uint64(c.LeftOffset) + uint64(c.RightOffset))
		cutY = cropY * fields * (uint64(c.TopOffset) + uint64(c.BottomOffset))
	}
	if cutX >= codedWidth || cutY >= codedHeight {
		return 0, 0, fmt.Errorf("H.264 SPS crops %dx%d pixels off a picture of %dx%d", cutX, cutY, codedWidth, codedHeight)
	}
	return int(codedWidth - cutX), int(codedHeight - cutY), nil //nolint:gosec // below the limit, an int
}

// cropUnits returns SubWidthC and SubHeightC, 1 for monochrome and for planes
// that are coded apart (ITU-T H.264, table 6-1).
func cropUnits(sps *h264.SPS) (x, y uint64) {
	if sps.SeparateColourPlaneFlag {
		return 1, 1
	}
	switch sps.ChromaFormatIdc {
	case 1:
		return 2, 2
	case 2:
		return 2, 1
	}
	return 1, 1
}
