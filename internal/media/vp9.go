package media

// vp9SyncCode stands in key frames and intra-only frames (VP9 Bitstream &
// Decoding Process, section 7.2).
const vp9SyncCode = 0x498342

// vp9Frame is the beginning of a frame's uncompressed header.
type vp9Frame struct {
	existing      bool // it only shows a frame that was decoded before
	key, shown    bool
	width, height uint32 // 0 when they are those of an earlier frame
}

// vp9Superframe takes an access unit of VP9 apart: it may be several frames with
// an index behind them (VP9, annex B).
func vp9Superframe(data []byte) ([][]byte, error) {
	marker := data[len(data)-1]
	count, sizeBytes := int(marker&0x07)+1, int(marker>>3&0x03)+1
	index := len(data) - 2 - count*sizeBytes
	if marker&0xe0 != 0xc0 || index < 0 || data[index] != marker {
		return [][]byte{data}, nil
	}
	frames := make([][]byte, 0, count)
	rest, sizes := data[:index], data[index+1:]
	for range count {
		size := uint64(0)
		for i := range sizeBytes {
			size |= uint64(sizes[i]) << (8 * i)
		}
		sizes = sizes[sizeBytes:]
		if size > uint64(len(rest)) {
			return nil, broken("VP9 superframe ends inside a frame: %d bytes announced, %d left", size, len(rest))
		}
		if size > 0 {
			frames = append(frames, rest[:size:size])
		}
		rest = rest[size:]
	}
	return frames, nil
}

// readVP9Frame reads the uncompressed header up to the size (VP9, section 6.2).
func readVP9Frame(data []byte) (vp9Frame, error) {
	r := bitReader{data: data}
	var f vp9Frame
	if r.bits(2) != 2 {
		return f, broken("VP9 frame without its marker")
	}
	profile := r.bits(1) | r.bits(1)<<1
	if profile == 3 && r.flag() {
		return f, broken("VP9 frame of a profile above 3")
	}
	if f.existing = r.flag(); f.existing {
		return f, nil
	}
	f.key = !r.flag()
	f.shown = r.flag()
	resilient := r.flag()
	intraOnly := false
	if !f.key {
		intraOnly = !f.shown && r.flag()
		if !resilient {
			r.skip(2) // reset_frame_context
		}
	}
	if f.key || intraOnly {
		if r.bits(24) != vp9SyncCode {
			return f, broken("VP9 frame without its sync code")
		}
		if f.key || profile > 0 {
			skipVP9Colour(&r, profile)
		}
	}
	f.readSize(&r, intraOnly)
	if r.over {
		return f, broken("VP9 frame ends inside its header")
	}
	return f, nil
}

// skipVP9Colour skips color_config (VP9, section 6.2.2).
func skipVP9Colour(r *bitReader, profile uint32) {
	const sRGB = 7
	if profile >= 2 {
		r.skip(1) // ten_or_twelve_bit
	}
	space := r.bits(3)
	if space != sRGB {
		r.skip(1) // color_range
	}
	switch odd := profile&1 == 1; {
	case odd && space != sRGB:
		r.skip(3) // subsampling, reserved
	case odd:
		r.skip(1) // reserved
	}
}

func (f *vp9Frame) readSize(r *bitReader, intraOnly bool) {
	if intraOnly {
		r.skip(8) // refresh_frame_flags
	} else if !f.key {
		r.skip(8 + 3*(3+1)) // refresh_frame_flags, references with their signs
		for range 3 {
			if r.flag() { // found_ref
				return
			}
		}
	}
	f.width, f.height = r.bits(16)+1, r.bits(16)+1
}

func checkVP9(data []byte, maxPixels int) error {
	frames, err := vp9Superframe(data)
	if err != nil {
		return err
	}
	for _, data := range frames {
		f, err := readVP9Frame(data)
		if err == nil {
			err = checkSize(VP9, uint64(f.width), uint64(f.height), maxPixels)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// startVP9 looks for a key frame before any other frame, and for one that is
// shown.
func startVP9(data []byte) Start {
	if len(data) == 0 {
		return Start{}
	}
	frames, err := vp9Superframe(data)
	if err != nil {
		return Start{}
	}
	shown := false
	for i, data := range frames {
		f, err := readVP9Frame(data)
		if err != nil || i == 0 && !f.key {
			return Start{}
		}
		shown = shown || f.shown || f.existing
	}
	if !shown {
		return Start{}
	}
	return Start{Kind: StartKey}
}

// vp9HeadSize returns the size in a key frame that begins with head.
func vp9HeadSize(head []byte) (width, height int, ok bool) {
	f, err := readVP9Frame(head)
	if err != nil || !f.key {
		return 0, 0, false
	}
	return int(f.width), int(f.height), true
}
