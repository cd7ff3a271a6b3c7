package media

// bitReader reads bits from the first, the most significant, of each byte. Past
// the end it gives zeros and sets over, which is looked at once, after the last
// field. It allocates nothing.
type bitReader struct {
	data    []byte
	escaped bool // leave out emulation prevention bytes (ITU-T H.264, section 7.4.1; the same in H.265)
	over    bool

	pos   int // of the next byte
	zeros int // zero bytes right before it
	cur   byte
	left  int // bits of cur that are not read
}

func (r *bitReader) bit() uint32 {
	if r.left == 0 && !r.load() {
		return 0
	}
	r.left--
	return uint32(r.cur>>r.left) & 1
}

func (r *bitReader) load() bool {
	if r.escaped && r.zeros >= 2 && r.pos < len(r.data) && r.data[r.pos] == 3 {
		r.pos++
		r.zeros = 0
	}
	if r.pos >= len(r.data) {
		r.over = true
		return false
	}
	r.cur, r.left = r.data[r.pos], 8
	r.pos++
	if r.zeros++; r.cur != 0 {
		r.zeros = 0
	}
	return true
}

func (r *bitReader) flag() bool { return r.bit() == 1 }

// bits reads a number of n bits, at most 32.
func (r *bitReader) bits(n int) uint32 {
	var v uint32
	for range n {
		v = v<<1 | r.bit()
	}
	return v
}

func (r *bitReader) skip(n int) {
	for range n {
		r.bit()
	}
}

// skipBytes skips n whole bytes; the reader must stand at the start of one.
func (r *bitReader) skipBytes(n int) {
	for range n {
		if !r.load() {
			return
		}
	}
	r.left = 0
}

// ue reads an unsigned Exp-Golomb number (ITU-T H.264, section 9.1). One that
// has more than 32 bits sets over.
func (r *bitReader) ue() uint32 {
	zeros := 0
	for !r.flag() {
		if zeros++; zeros > 31 || r.over {
			r.over = true
			return 0
		}
	}
	return 1<<zeros - 1 + r.bits(zeros)
}

// se reads a signed Exp-Golomb number (ITU-T H.264, section 9.1.1).
func (r *bitReader) se() int64 {
	v := int64(r.ue())
	if v%2 == 0 {
		return -v / 2
	}
	return (v + 1) / 2
}
