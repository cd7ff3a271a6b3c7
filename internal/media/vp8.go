package media

// Sizes in bytes of the beginning of a VP8 frame (RFC 6386, section 9.1).
const (
	vp8Tag       = 3 // of every frame
	vp8KeyHeader = 7 // after the tag of a key frame: start code and size
)

// vp8Frame is a frame's tag.
type vp8Frame struct {
	key, shown    bool
	width, height int    // of a key frame
	first         []byte // the first partition, as far as it is here
	firstSize     int    // of which it should have so many bytes
}

func readVP8Frame(data []byte) (vp8Frame, error) {
	if len(data) < vp8Tag {
		return vp8Frame{}, broken("VP8 frame of %d bytes; at least %d are needed", len(data), vp8Tag)
	}
	tag := int(data[0]) | int(data[1])<<8 | int(data[2])<<16
	f := vp8Frame{key: tag&1 == 0, shown: tag>>4&1 == 1, firstSize: tag >> 5, first: data[vp8Tag:]}
	if !f.key {
		return f, nil
	}
	if len(f.first) < vp8KeyHeader {
		return vp8Frame{}, broken("VP8 key frame ends inside its header")
	}
	h := f.first
	f.first = h[vp8KeyHeader:]
	if h[0] != 0x9d || h[1] != 0x01 || h[2] != 0x2a {
		return vp8Frame{}, broken("VP8 key frame without its start code")
	}
	// The upper two bits ask for scaling when shown, which decoders ignore.
	f.width, f.height = (int(h[3])|int(h[4])<<8)&0x3fff, (int(h[5])|int(h[6])<<8)&0x3fff
	if f.width == 0 || f.height == 0 {
		return vp8Frame{}, broken("VP8 key frame of %dx%d pixels", f.width, f.height)
	}
	return f, nil
}

func checkVP8(data []byte, maxPixels int) error {
	f, err := readVP8Frame(data)
	switch {
	case err != nil:
		return err
	case f.firstSize > len(f.first):
		return broken("VP8 frame ends inside its first partition: %d bytes announced, %d left", f.firstSize, len(f.first))
	}
	return checkSize(VP8, uint64(f.width), uint64(f.height), maxPixels) //nolint:gosec // not negative
}

func startVP8(data []byte) Start {
	f, err := readVP8Frame(data)
	if err != nil || !f.key || !f.shown {
		return Start{}
	}
	return Start{Kind: StartKey}
}

// vp8HeadSize returns the size in a key frame that begins with head.
func vp8HeadSize(head []byte) (width, height int, ok bool) {
	f, err := readVP8Frame(head)
	if err != nil || !f.key {
		return 0, 0, false
	}
	return f.width, f.height, true
}

// disposableVP8 looks for a frame after which nothing is kept: no reference, no
// probabilities, and no segment or filter settings, which stay in force until
// they are changed (RFC 6386, sections 9.3, 9.6, 9.7 and 9.11).
func disposableVP8(data []byte) bool {
	f, err := readVP8Frame(data)
	if err != nil || f.key || f.firstSize > len(f.first) || f.firstSize < 2 {
		return false
	}
	b := newBoolReader(f.first[:f.firstSize])
	segments := b.flag()
	if segments && b.literal(2) != 0 { // a new map, new data
		return false
	}
	b.literal(1 + 6 + 3) // filter type, level, sharpness
	deltas := b.flag()   // of the filter
	if deltas && b.flag() {
		for range 4 + 4 {
			if b.flag() {
				return false
			}
		}
	}
	b.literal(2 + 7) // partitions, y_ac_qi
	for range 5 {    // other quantizers
		if b.flag() {
			b.literal(4 + 1)
		}
	}
	golden, altref := b.flag(), b.flag()
	if golden || altref || b.literal(2) != 0 || b.literal(2) != 0 { // refreshed, or copied from another
		return false
	}
	b.literal(2) // signs of motion vectors
	entropy, last := b.flag(), b.flag()
	return !entropy && !last && !b.over
}

// boolReader is VP8's arithmetic decoder for even chances, which is all that
// frame headers need (RFC 6386, section 7.3).
type boolReader struct {
	data  []byte
	value uint32 // two bytes, the upper one compared with span
	span  uint32
	bits  int // shifted out of the lower byte
	over  bool
}

// newBoolReader reads data, which has two bytes at least.
func newBoolReader(data []byte) *boolReader {
	return &boolReader{data: data[2:], value: uint32(data[0])<<8 | uint32(data[1]), span: 255}
}

func (b *boolReader) flag() bool {
	split := 1 + (b.span-1)*128>>8
	one := b.value >= split<<8
	if one {
		b.span -= split
		b.value -= split << 8
	} else {
		b.span = split
	}
	for b.span < 128 {
		b.span <<= 1
		b.value <<= 1
		if b.bits++; b.bits == 8 {
			b.bits = 0
			b.fill()
		}
	}
	return one
}

func (b *boolReader) fill() {
	if len(b.data) == 0 {
		b.over = true
		return
	}
	b.value |= uint32(b.data[0])
	b.data = b.data[1:]
}

func (b *boolReader) literal(bits int) uint32 {
	v := uint32(0)
	for range bits {
		v <<= 1
		if b.flag() {
			v |= 1
		}
	}
	return v
}
