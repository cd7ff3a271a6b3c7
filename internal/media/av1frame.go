package media

// Frame types of AV1 (section 6.8.2).
const (
	av1Key       = 0
	av1IntraOnly = 2
	av1Switch    = 3
)

const (
	av1AllFrames = 0xff // refresh_frame_flags of a frame that replaces all
	av1RefSlots  = 8    // NUM_REF_FRAMES
	av1Refs      = 7    // REFS_PER_FRAME
)

// av1Frame is the beginning of a frame header.
type av1Frame struct {
	existing      bool // it only shows a frame that was decoded before
	kind          uint32
	shown         bool
	refresh       uint32 // refresh_frame_flags
	width, height uint32 // 0 when they are those of an earlier frame
}

// av1Header reads a frame header; the names are those of AV1, section 5.9.2.
type av1Header struct {
	bitReader
	seq               *av1Sequence
	temporal, spatial int
	frame             av1Frame
	errorResilient    bool
	sizeOverride      bool
}

// readAV1Frame reads the header in an OBU of a frame or frame header.
func readAV1Frame(o obu, seq *av1Sequence) (av1Frame, bool) {
	h := av1Header{bitReader: bitReader{data: o.payload}, seq: seq, temporal: o.temporal, spatial: o.spatial}
	h.read()
	return h.frame, !h.over
}

func (h *av1Header) read() {
	f := &h.frame
	f.shown, h.errorResilient = true, true
	if !h.seq.reduced {
		if f.existing = h.flag(); f.existing {
			return
		}
		h.readKind()
	}
	h.readTools()
	switch {
	case f.kind == av1Switch:
		h.sizeOverride = true
	case !h.seq.reduced:
		h.sizeOverride = h.flag()
	}
	h.skip(h.seq.orderHintBits)
	if !h.intra() && !h.errorResilient {
		h.skip(3) // primary_ref_frame
	}
	if h.seq.decoderModel && h.flag() {
		h.skipRemovalTimes()
	}
	f.refresh = av1AllFrames
	if f.kind != av1Switch && (f.kind != av1Key || !f.shown) {
		f.refresh = h.bits(8)
	}
	if (!h.intra() || f.refresh != av1AllFrames) && h.errorResilient && h.seq.orderHints {
		h.skip(av1RefSlots * h.seq.orderHintBits)
	}
	if h.intra() {
		h.readSize()
		return
	}
	h.readReferences()
}

func (h *av1Header) intra() bool { return h.frame.kind == av1Key || h.frame.kind == av1IntraOnly }

func (h *av1Header) readKind() {
	f := &h.frame
	f.kind = h.bits(2)
	f.shown = h.flag()
	switch {
	case !f.shown:
		h.skip(1) // showable_frame
	case h.seq.decoderModel && !h.seq.equalInterval:
		h.skip(h.seq.presentationBits)
	}
	h.errorResilient = f.kind == av1Switch || f.kind == av1Key && f.shown || h.flag()
}

// readTools reads from disable_cdf_update to current_frame_id.
func (h *av1Header) readTools() {
	h.skip(1) // disable_cdf_update
	screen := h.seq.screenContent
	if screen == selectTools {
		screen = h.bit()
	}
	if screen == 1 && h.seq.integerMV == selectTools {
		h.skip(1) // force_integer_mv
	}
	h.skip(h.seq.frameIDBits)
}

func (h *av1Header) skipRemovalTimes() {
	for _, p := range h.seq.points {
		inPoint := p.idc == 0 || p.idc>>h.temporal&1 == 1 && p.idc>>(h.spatial+8)&1 == 1
		if p.model && inPoint {
			h.skip(h.seq.removalBits)
		}
	}
}

// readReferences reads which frames an inter frame refers to, up to its size.
func (h *av1Header) readReferences() {
	short := h.seq.orderHints && h.flag() // frame_refs_short_signaling
	if short {
		h.skip(3 + 3)
	}
	for range av1Refs {
		if !short {
			h.skip(3)
		}
		if h.seq.frameIDBits > 0 {
			h.skip(h.seq.deltaFrameIDBits)
		}
	}
	if h.sizeOverride && !h.errorResilient {
		for range av1Refs {
			if h.flag() { // found_ref
				return
			}
		}
	}
	h.readSize()
}

func (h *av1Header) readSize() {
	h.frame.width, h.frame.height = h.seq.width, h.seq.height
	if h.sizeOverride {
		h.frame.width, h.frame.height = h.bits(h.seq.widthBits)+1, h.bits(h.seq.heightBits)+1
	}
}

// checkAV1 also checks the size of each frame, which may be larger than the
// sequence header allows, as far as a sequence header is in the access unit or
// in config.
func checkAV1(config *Config, data []byte, maxPixels int) error {
	seq := recordSequence(config)
	w := obuWalker{rest: data}
	for {
		o, ok, err := w.next()
		if err != nil || !ok {
			return err
		}
		switch {
		case o.kind == obuSequenceHeader:
			if seq, err = w.sequenceHeader(o, maxPixels); err != nil {
				return err
			}
		case (o.kind == obuFrame || o.kind == obuFrameHeader) && seq != nil:
			f, ok := readAV1Frame(o, seq)
			if !ok {
				return broken("AV1 frame header ends too early")
			}
			if err := checkSize(AV1, uint64(f.width), uint64(f.height), maxPixels); err != nil {
				return err
			}
		}
	}
}

// av1Frames calls see for every frame of an access unit until it returns false.
// ok is false when something cannot be read or see did so.
func av1Frames(config *Config, data []byte, see func(av1Frame) bool) (sequence, ok bool) {
	seq := recordSequence(config)
	w := obuWalker{rest: data}
	for {
		o, more, err := w.next()
		if err != nil || !more {
			return sequence, err == nil
		}
		switch o.kind {
		case obuSequenceHeader:
			if seq, ok = readAV1Sequence(o.payload); !ok {
				return sequence, false
			}
			sequence = true
		case obuFrame, obuFrameHeader:
			if seq == nil {
				return sequence, false
			}
			f, ok := readAV1Frame(o, seq)
			if !ok || !see(f) {
				return sequence, false
			}
		}
	}
}

// startAV1 looks for a key frame that is shown at once, before any other frame.
func startAV1(config *Config, data []byte) Start {
	frames, key := 0, false
	_, ok := av1Frames(config, data, func(f av1Frame) bool {
		if frames == 0 {
			key = !f.existing && f.kind == av1Key && f.shown
		}
		frames++
		return key
	})
	if ok && key {
		return Start{Kind: StartKey}
	}
	return Start{}
}

// disposableAV1 looks for frames that replace no reference: all that AV1 keeps
// from one frame to the next it keeps with the references.
func disposableAV1(config *Config, data []byte) bool {
	frames := 0
	sequence, ok := av1Frames(config, data, func(f av1Frame) bool {
		frames++
		return !f.existing && f.refresh == 0
	})
	return ok && frames > 0 && !sequence
}
