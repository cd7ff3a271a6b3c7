package media

import "fmt"

// Bounds of parameter sets in one access unit: more of them, or longer ones, are
// an attack on whoever parses them. H.264 and HEVC have far fewer identifiers.
const (
	maxInBandSets = 64
	maxInBandSize = 16 << 10 // bytes
)

// nalWalker walks the NAL units of an access unit, each after its length.
type nalWalker struct {
	codec Codec
	rest  []byte
	size  int // bytes of a length: 1, 2 or 4
	sets  int // parameter sets so far, see countSet
}

// next returns the next NAL unit, which is never shorter than its header; nil
// at the end.
func (w *nalWalker) next() ([]byte, error) {
	if len(w.rest) == 0 || w.padding() {
		return nil, nil
	}
	if len(w.rest) < w.size {
		return nil, broken("%s access unit ends inside the length of a NAL unit", w.codec)
	}
	n := uint64(0)
	for _, b := range w.rest[:w.size] {
		n = n<<8 | uint64(b)
	}
	w.rest = w.rest[w.size:]
	header := w.headerSize()
	switch {
	case n < uint64(header): //nolint:gosec // 1 or 2
		return nil, broken("%s NAL unit of %d bytes; at least %d are needed", w.codec, n, header)
	case n > uint64(len(w.rest)):
		return nil, broken("%s access unit ends inside a NAL unit: %d bytes announced, %d left%s", w.codec, n, len(w.rest), w.hint(n))
	}
	nal := w.rest[:n:n]
	w.rest = w.rest[n:]
	if nal[0]&0x80 != 0 {
		return nil, broken("%s NAL unit with the forbidden bit set", w.codec)
	}
	return nal, nil
}

// padding says whether only zeros are left, too few for a length: some muxers
// align access units.
func (w *nalWalker) padding() bool {
	if len(w.rest) >= w.size {
		return false
	}
	for _, b := range w.rest {
		if b != 0 {
			return false
		}
	}
	return true
}

func (w *nalWalker) headerSize() int {
	if w.codec == HEVC {
		return 2
	}
	return 1
}

// hint explains a length that is really a start code of ITU-T H.264, annex B.
func (w *nalWalker) hint(n uint64) string {
	if w.size == 4 && n>>8 == 1 {
		return " (it looks like an Annex B start code in place of a length)"
	}
	return ""
}

// countSet counts a parameter set of the access unit.
func (w *nalWalker) countSet(nal []byte) error {
	if w.sets++; w.sets > maxInBandSets {
		return broken("%s access unit with more than %d parameter sets", w.codec, maxInBandSets)
	}
	if len(nal) > maxInBandSize {
		return broken("%s parameter set of %d bytes; at most %d are allowed", w.codec, len(nal), maxInBandSize)
	}
	return nil
}

// checkLengthSize refuses lengths of 3 bytes, which nobody writes and the
// formats forbid.
func checkLengthSize(record string, size int) error {
	if size == 3 {
		return fmt.Errorf("%s record announces NAL unit lengths of 3 bytes; allowed are 1, 2 and 4", record)
	}
	return nil
}

// recoveryPoint finds the message of a recovery point in an SEI NAL unit whose
// header has headerSize bytes. count is recovery_frame_cnt of H.264 (ITU-T
// H.264, section D.1.8) or recovery_poc_cnt of HEVC (H.265, section D.2.8).
func recoveryPoint(nal []byte, headerSize int, signed bool) (count int64, ok bool) {
	const recovery = 6
	r := bitReader{data: nal[headerSize:], escaped: true}
	// A message has a type and a size, then its payload; 0x80 ends the NAL unit.
	for {
		kind := seiNumber(&r)
		size := seiNumber(&r)
		if r.over {
			return 0, false
		}
		if kind != recovery {
			r.skipBytes(size)
			continue
		}
		if signed {
			count = r.se()
		} else {
			count = int64(r.ue())
		}
		return count, !r.over
	}
}

// seiNumber reads a type or size: bytes that are added up, to the first that is
// not 255 (ITU-T H.264, section 7.3.2.3.1).
func seiNumber(r *bitReader) int {
	n := 0
	for {
		b := int(r.bits(8))
		n += b
		if b != 255 || r.over {
			return n
		}
	}
}
