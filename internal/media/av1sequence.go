package media

// av1Sequence is what a sequence header says about the headers of frames. It is
// read here, up to the order hints, because libraries refuse sequences with a
// decoder model or a display delay.
type av1Sequence struct {
	reduced               bool // reduced_still_picture_header
	decoderModel          bool // decoder_model_info_present_flag
	equalInterval         bool // equal_picture_interval
	removalBits           int  // of buffer_removal_time
	presentationBits      int  // of frame_presentation_time
	points                []av1Point
	widthBits, heightBits int
	width, height         uint32 // the largest of a frame, unless the frame says otherwise
	frameIDBits           int    // 0 without frame numbers
	deltaFrameIDBits      int
	screenContent         uint32 // seq_force_screen_content_tools
	integerMV             uint32 // seq_force_integer_mv
	orderHints            bool   // enable_order_hint
	orderHintBits         int
}

// av1Point is an operating point.
type av1Point struct {
	idc   uint32
	model bool // decoder_model_present_for_this_op
}

// selectTools is SELECT_SCREEN_CONTENT_TOOLS and SELECT_INTEGER_MV: each frame
// says for itself.
const selectTools = 2

// readAV1Sequence reads a sequence header OBU's payload (AV1, section 5.5.1).
func readAV1Sequence(payload []byte) (*av1Sequence, bool) {
	r := &bitReader{data: payload}
	s := &av1Sequence{screenContent: selectTools, integerMV: selectTools}
	r.skip(3 + 1) // seq_profile, still_picture
	s.reduced = r.flag()
	if s.reduced {
		r.skip(5) // seq_level_idx
		s.points = []av1Point{{}}
	} else {
		s.readOperation(r)
	}
	s.widthBits, s.heightBits = int(r.bits(4))+1, int(r.bits(4))+1
	s.width, s.height = r.bits(s.widthBits)+1, r.bits(s.heightBits)+1
	if !s.reduced && r.flag() {
		s.deltaFrameIDBits = int(r.bits(4)) + 2
		s.frameIDBits = s.deltaFrameIDBits + int(r.bits(3)) + 1
	}
	r.skip(3) // superblocks, filter intra, intra edge filter
	if !s.reduced {
		s.readTools(r)
	}
	return s, !r.over
}

// readOperation reads timing, decoder model and operating points.
func (s *av1Sequence) readOperation(r *bitReader) {
	delayBits := 0
	if r.flag() { // timing_info_present_flag
		r.skip(32 + 32)
		if s.equalInterval = r.flag(); s.equalInterval {
			r.ue() // num_ticks_per_picture_minus_1
		}
		if s.decoderModel = r.flag(); s.decoderModel {
			delayBits = int(r.bits(5)) + 1
			r.skip(32) // num_units_in_decoding_tick
			s.removalBits, s.presentationBits = int(r.bits(5))+1, int(r.bits(5))+1
		}
	}
	displayDelay := r.flag()
	s.points = make([]av1Point, r.bits(5)+1)
	for i := range s.points {
		p := &s.points[i]
		p.idc = r.bits(12)
		if r.bits(5) > 7 { // seq_level_idx
			r.skip(1) // seq_tier
		}
		if s.decoderModel {
			if p.model = r.flag(); p.model {
				r.skip(2*delayBits + 1) // decoder and encoder buffer delay, low delay mode
			}
		}
		if displayDelay && r.flag() {
			r.skip(4)
		}
	}
}

// readTools reads the coding tools up to the order hints.
func (s *av1Sequence) readTools(r *bitReader) {
	r.skip(4) // interintra, masked, warped, dual filter
	if s.orderHints = r.flag(); s.orderHints {
		r.skip(2) // jnt_comp, ref_frame_mvs
	}
	if !r.flag() { // seq_choose_screen_content_tools
		s.screenContent = r.bits(1)
	}
	if s.screenContent > 0 && !r.flag() { // seq_choose_integer_mv
		s.integerMV = r.bits(1)
	}
	if s.orderHints {
		s.orderHintBits = int(r.bits(3)) + 1
	}
}
