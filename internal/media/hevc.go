package media

import (
	"bytes"
	"errors"
	"fmt"
)

// Positions in an hvcC record (ISO/IEC 14496-15, section 8.3.2.1.2).
const (
	hvcCLayers = 21 // numTemporalLayers in bits 3 to 5, lengthSizeMinusOne in 0 and 1
	hvcCArrays = 22 // numOfArrays
	hvcCLeast  = 23
)

// maxHVCCSets bounds the parameter sets of a record. HEVC has identifiers for 16
// VPS, 16 SPS and 64 PPS; SEI messages come on top.
const maxHVCCSets = 256

// hevcSets are the parameter sets of an hvcC record, in their order.
type hevcSets struct{ vps, sps, pps [][]byte }

// parseHEVCRecord takes an hvcC record apart. Any of the sets may be missing.
func parseHEVCRecord(record []byte) (hevcSets, error) {
	var sets hevcSets
	switch {
	case len(record) < hvcCLeast:
		return sets, fmt.Errorf("hvcC record has %d bytes; at least %d are needed", len(record), hvcCLeast)
	case record[0] > 1: // early encoders wrote 0
		return sets, fmt.Errorf("hvcC record has version %d; only 1 is defined", record[0])
	}
	if err := checkLengthSize("hvcC", int(record[hvcCLayers]&0x03)+1); err != nil {
		return sets, err
	}
	arrays, total := int(record[hvcCArrays]), 0
	rest := record[hvcCLeast:]
	for i := range arrays {
		if len(rest) < 3 {
			return sets, fmt.Errorf("hvcC record ends before array %d of %d", i+1, arrays)
		}
		kind, count := rest[0]&0x3f, int(rest[1])<<8|int(rest[2])
		if total += count; total > maxHVCCSets {
			return sets, fmt.Errorf("hvcC record announces %d NAL units; at most %d are allowed", total, maxHVCCSets)
		}
		var err error
		if rest, err = sets.array(rest[3:], kind, count); err != nil {
			return sets, err
		}
	}
	return sets, nil
}

// array reads one array of NAL units, each after its 16-bit length.
func (s *hevcSets) array(b []byte, kind byte, count int) (rest []byte, err error) {
	for i := range count {
		if len(b) < 2 {
			return nil, fmt.Errorf("hvcC record ends before NAL unit %d of %d of type %d", i+1, count, kind)
		}
		size := int(b[0])<<8 | int(b[1])
		b = b[2:]
		switch {
		case size < 2:
			return nil, fmt.Errorf("hvcC record holds a NAL unit of %d bytes; at least 2 are needed", size)
		case size > len(b):
			return nil, fmt.Errorf("hvcC record ends inside NAL unit %d of %d of type %d: %d bytes announced, %d left", i+1, count, kind, size, len(b))
		}
		nal := b[:size:size]
		b = b[size:]
		switch hevcType(nal) {
		case hevcVPS:
			s.vps = append(s.vps, nal)
		case hevcSPS:
			s.sps = append(s.sps, nal)
		case hevcPPS:
			s.pps = append(s.pps, nal)
		}
	}
	return b, nil
}

func hevcConfig(record []byte, maxPixels int) (*Config, error) {
	sets, err := parseHEVCRecord(record)
	if err != nil {
		return nil, err
	}
	c := &Config{Codec: HEVC, Record: bytes.Clone(record)}
	for i, nal := range sets.sps {
		width, height, err := hevcSize(nal, maxPixels)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			c.Width, c.Height = width, height
		}
	}
	return c, nil
}

// Bounds of an SPS (ITU-T H.265, sections 7.4.3.2.1 and A.4).
const (
	maxHEVCSubLayers = 6 // sps_max_sub_layers_minus1
	maxHEVCSPSID     = 15
	maxHEVCPPSID     = 63
	maxHEVCDepth     = 8 // bit_depth_luma_minus8 and bit_depth_chroma_minus8
)

// hevcSize reads the size of the pictures from an SPS (ITU-T H.265, section
// 7.3.2.2.1). What follows the bit depth is not read: libraries that read all
// of it refuse streams with temporal sub-layers or long-term references.
func hevcSize(nal []byte, maxPixels int) (width, height int, err error) {
	r := bitReader{data: nal[2:], escaped: true}
	r.skip(4) // sps_video_parameter_set_id
	layers := int(r.bits(3))
	r.skip(1) // sps_temporal_id_nesting_flag
	if layers > maxHEVCSubLayers {
		return 0, 0, broken("HEVC SPS with %d temporal sub-layers; at most %d are allowed", layers+1, maxHEVCSubLayers+1)
	}
	skipProfileTierLevel(&r, layers)
	id, chroma := r.ue(), r.ue()
	separate := chroma == 3 && r.flag()
	codedWidth, codedHeight := uint64(r.ue()), uint64(r.ue())
	var cut window
	cropX, cropY := cropUnits(chroma, separate)
	if r.flag() { // conformance_window_flag
		cut.x = cropX * (uint64(r.ue()) + uint64(r.ue()))
		cut.y = cropY * (uint64(r.ue()) + uint64(r.ue()))
	}
	luma, chromaDepth := r.ue(), r.ue()
	switch {
	case r.over:
		err = errors.New("it ends too early")
	case id > maxHEVCSPSID:
		err = fmt.Errorf("identifier %d; at most %d is allowed", id, maxHEVCSPSID)
	case chroma > 3:
		err = fmt.Errorf("chroma format %d; at most 3 is defined", chroma)
	case codedWidth == 0 || codedHeight == 0:
		err = fmt.Errorf("picture of %dx%d pixels", codedWidth, codedHeight)
	case luma > maxHEVCDepth || chromaDepth > maxHEVCDepth:
		err = fmt.Errorf("samples of %d and %d bits; at most %d are defined", uint64(luma)+8, uint64(chromaDepth)+8, maxHEVCDepth+8)
	}
	if err != nil {
		return 0, 0, broken("read HEVC SPS: %w", err)
	}
	if err := checkSize(HEVC, codedWidth, codedHeight, maxPixels); err != nil {
		return 0, 0, err
	}
	return cut.crop(HEVC, codedWidth, codedHeight)
}

// skipProfileTierLevel skips profile_tier_level(1, subLayers) (ITU-T H.265,
// section 7.3.3).
func skipProfileTierLevel(r *bitReader, subLayers int) {
	const profile, level = 88, 8
	r.skip(profile + level)
	var bits int
	for range subLayers {
		if r.flag() {
			bits += profile
		}
		if r.flag() {
			bits += level
		}
	}
	if subLayers > 0 {
		r.skip(2 * (8 - subLayers)) // reserved
	}
	r.skip(bits)
}
