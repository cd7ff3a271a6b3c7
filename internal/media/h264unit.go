package media

// NAL unit types of H.264 (ITU-T H.264, table 7-1).
const (
	nalSlice      = 1
	nalPartitionA = 2
	nalIDR        = 5
	nalSEI        = 6
	nalTypeSPS    = 7
	nalTypePPS    = 8
)

// Bounds of identifiers (ITU-T H.264, sections 7.4.2.1.1 and 7.4.2.2).
const (
	maxH264SPSID = 31
	maxH264PPSID = 255
)

// h264Walker walks an access unit of H.264. A Config without a record has the
// usual lengths of 4 bytes.
func h264Walker(config *Config, data []byte) nalWalker {
	w := nalWalker{codec: H264, rest: data, size: 4}
	if len(config.Record) > 4 {
		w.size = int(config.Record[4]&0x03) + 1
	}
	return w
}

func checkH264(config *Config, data []byte, maxPixels int) error {
	w := h264Walker(config, data)
	for {
		nal, err := w.next()
		if err != nil || nal == nil {
			return err
		}
		switch nal[0] & 0x1f {
		case nalTypeSPS:
			if err = w.countSet(nal); err == nil {
				_, _, err = h264Size(nal, maxPixels)
			}
		case nalTypePPS:
			if err = w.countSet(nal); err == nil {
				err = checkH264PPS(nal)
			}
		case nalSlice, nalIDR, nalPartitionA:
			_, err = sliceTypeH264(nal)
		}
		if err != nil {
			return err
		}
	}
}

func checkH264PPS(nal []byte) error {
	r := bitReader{data: nal[1:], escaped: true}
	id, sps := r.ue(), r.ue()
	switch {
	case r.over:
		return broken("H.264 PPS ends inside its identifiers")
	case id > maxH264PPSID || sps > maxH264SPSID:
		return broken("H.264 PPS %d of SPS %d; at most %d and %d are allowed", id, sps, maxH264PPSID, maxH264SPSID)
	}
	return nil
}

// sliceTypeH264 reads a slice header up to the type: 0 P, 1 B, 2 I, 3 SP, 4 SI
// (ITU-T H.264, section 7.3.3, table 7-6).
func sliceTypeH264(nal []byte) (uint32, error) {
	r := bitReader{data: nal[1:], escaped: true}
	r.ue() // first_mb_in_slice
	kind := r.ue()
	switch {
	case r.over:
		return 0, broken("H.264 slice ends inside its header")
	case kind > 9:
		return 0, broken("H.264 slice of type %d; at most 9 is defined", kind)
	}
	return kind % 5, nil
}

// h264Seen is what stands in an access unit of H.264.
type h264Seen struct {
	sps, pps   bool
	slices     int
	idr, inter bool  // slices of an IDR picture, slices that are not intra
	referenced bool  // slices with nal_ref_idc
	recovery   int64 // recovery_frame_cnt; -1 without a recovery point
}

// seeH264 looks through an access unit; ok is false when it is broken.
func seeH264(config *Config, data []byte) (seen h264Seen, ok bool) {
	seen.recovery = -1
	w := h264Walker(config, data)
	for {
		nal, err := w.next()
		if err != nil || nal == nil {
			return seen, err == nil
		}
		switch kind := nal[0] & 0x1f; kind {
		case nalTypeSPS:
			seen.sps = true
		case nalTypePPS:
			seen.pps = true
		case nalSEI:
			if n, found := recoveryPoint(nal, 1, false); found {
				seen.recovery = n
			}
		case nalSlice, nalIDR, nalPartitionA:
			if !seen.slice(nal) {
				return seen, false
			}
		}
	}
}

func (s *h264Seen) slice(nal []byte) bool {
	kind, err := sliceTypeH264(nal)
	if err != nil {
		return false
	}
	s.slices++
	s.idr = s.idr || nal[0]&0x1f == nalIDR
	s.inter = s.inter || kind != 2 && kind != 4
	s.referenced = s.referenced || nal[0]>>5 != 0
	return true
}

// startH264 takes a recovery point as the encoder announces it, also with P
// slices: that is how periodic intra refresh looks.
func startH264(config *Config, data []byte) Start {
	seen, ok := seeH264(config, data)
	if !ok || seen.slices == 0 {
		return Start{}
	}
	var start Start
	switch {
	case seen.idr:
		start = Start{Kind: StartKey}
	case seen.recovery >= 0:
		start = Start{Kind: StartRecovery, Frames: int(seen.recovery), Open: true}
	case !seen.inter:
		start = Start{Kind: StartIntra, Open: true}
	}
	if start.Kind != StartNone && !seen.configured(config) {
		return Start{}
	}
	return start
}

// configured says whether the parameter sets are here or in the record.
func (s *h264Seen) configured(config *Config) bool {
	if s.sps && s.pps {
		return true
	}
	r, err := ParseAVCRecord(config.Record) // one without SPS is an error
	return err == nil && (s.pps || len(r.PPS) > 0)
}

func disposableH264(config *Config, data []byte) bool {
	seen, ok := seeH264(config, data)
	return ok && seen.slices > 0 && !seen.referenced && !seen.sps && !seen.pps
}
