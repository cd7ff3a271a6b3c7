package media

// NAL unit types of HEVC (ITU-T H.265, table 7-1).
const (
	hevcRASLN   = 8  // the last of the sub-layer non-reference types: 0, 2, 4, 6, 8
	hevcLastVCL = 9  // of pictures that are no random access points
	hevcBLA     = 16 // BLA_W_LP: may have leading pictures that need earlier ones
	hevcCRA     = 21 // so may this one; between them BLA without, and IDR
	hevcVPS     = 32
	hevcSPS     = 33
	hevcPPS     = 34
	hevcSEI     = 39 // before the picture
)

func hevcType(nal []byte) byte { return nal[0] >> 1 & 0x3f }

// hevcLayer returns nuh_layer_id. Layers above 0 hold a second view or a larger
// picture; decoders leave them out, and so does all in here.
func hevcLayer(nal []byte) byte { return nal[0]&1<<5 | nal[1]>>3 }

// hevcTemporal returns nuh_temporal_id_plus1.
func hevcTemporal(nal []byte) byte { return nal[1] & 0x07 }

// hevcWalker walks an access unit of HEVC. A Config without a record has the
// usual lengths of 4 bytes.
func hevcWalker(config *Config, data []byte) nalWalker {
	w := nalWalker{codec: HEVC, rest: data, size: 4}
	if len(config.Record) > hvcCLayers {
		w.size = int(config.Record[hvcCLayers]&0x03) + 1
	}
	return w
}

// nextHEVC returns the next NAL unit of the base layer; nil at the end.
func nextHEVC(w *nalWalker) ([]byte, error) {
	for {
		nal, err := w.next()
		if err != nil || nal == nil {
			return nil, err
		}
		if hevcTemporal(nal) == 0 {
			return nil, broken("HEVC NAL unit with nuh_temporal_id_plus1 = 0")
		}
		if hevcLayer(nal) == 0 {
			return nal, nil
		}
	}
}

func checkHEVC(config *Config, data []byte, maxPixels int) error {
	w := hevcWalker(config, data)
	for {
		nal, err := nextHEVC(&w)
		if err != nil || nal == nil {
			return err
		}
		switch kind := hevcType(nal); {
		case kind == hevcVPS:
			err = w.countSet(nal)
		case kind == hevcSPS:
			if err = w.countSet(nal); err == nil {
				_, _, err = hevcSize(nal, maxPixels)
			}
		case kind == hevcPPS:
			if err = w.countSet(nal); err == nil {
				err = checkHEVCPPS(nal)
			}
		case isHEVCPicture(kind) && len(nal) < 3:
			err = broken("HEVC slice ends inside its header")
		}
		if err != nil {
			return err
		}
	}
}

func isHEVCPicture(kind byte) bool {
	return kind <= hevcLastVCL || kind >= hevcBLA && kind <= hevcCRA
}

func checkHEVCPPS(nal []byte) error {
	r := bitReader{data: nal[2:], escaped: true}
	id, sps := r.ue(), r.ue()
	switch {
	case r.over:
		return broken("HEVC PPS ends inside its identifiers")
	case id > maxHEVCPPSID || sps > maxHEVCSPSID:
		return broken("HEVC PPS %d of SPS %d; at most %d and %d are allowed", id, sps, maxHEVCPPSID, maxHEVCSPSID)
	}
	return nil
}

// hevcSeen is what stands in an access unit of HEVC.
type hevcSeen struct {
	vps, sps, pps bool
	slices        int
	kind          byte // of the first slice; the others have the same
	temporal      byte // nuh_temporal_id_plus1 of it
	recovery      int64
	recovers      bool // there is a recovery point
}

// seeHEVC looks through an access unit; ok is false when it is broken.
func seeHEVC(config *Config, data []byte) (seen hevcSeen, ok bool) {
	w := hevcWalker(config, data)
	for {
		nal, err := nextHEVC(&w)
		if err != nil || nal == nil {
			return seen, err == nil
		}
		switch kind := hevcType(nal); {
		case kind == hevcVPS:
			seen.vps = true
		case kind == hevcSPS:
			seen.sps = true
		case kind == hevcPPS:
			seen.pps = true
		case kind == hevcSEI:
			if n, found := recoveryPoint(nal, 2, true); found {
				seen.recovery, seen.recovers = n, true
			}
		case isHEVCPicture(kind):
			if seen.slices == 0 {
				seen.kind, seen.temporal = kind, hevcTemporal(nal)
			}
			seen.slices++
		}
	}
}

func startHEVC(config *Config, data []byte) Start {
	seen, ok := seeHEVC(config, data)
	if !ok || seen.slices == 0 {
		return Start{}
	}
	var start Start
	switch {
	case seen.kind >= hevcBLA:
		start = Start{Kind: StartKey, Open: seen.kind == hevcBLA || seen.kind == hevcCRA}
	case seen.recovers:
		start = Start{Kind: StartRecovery, Frames: int(max(seen.recovery, 0)), Open: true}
	}
	if start.Kind != StartNone && !seen.configured(config) {
		return Start{}
	}
	return start
}

// configured says whether the parameter sets are here or in the record.
func (s *hevcSeen) configured(config *Config) bool {
	if s.vps && s.sps && s.pps {
		return true
	}
	sets, err := parseHEVCRecord(config.Record)
	return err == nil && (s.vps || len(sets.vps) > 0) && (s.sps || len(sets.sps) > 0) && (s.pps || len(sets.pps) > 0)
}

// disposableHEVC looks for a sub-layer non-reference picture of the highest
// temporal sub-layer: pictures of higher ones could refer to it (ITU-T H.265,
// section 7.4.2.2).
func disposableHEVC(config *Config, data []byte) bool {
	seen, ok := seeHEVC(config, data)
	return ok && seen.slices > 0 && seen.kind <= hevcRASLN && seen.kind%2 == 0 &&
		!seen.vps && !seen.sps && !seen.pps && int(seen.temporal) == temporalLayers(config)
}

// temporalLayers returns how many temporal sub-layers a stream has at most; 0
// when that is unknown.
func temporalLayers(config *Config) int {
	if len(config.Record) <= hvcCLayers {
		return 0
	}
	layers := int(config.Record[hvcCLayers] >> 3 & 0x07)
	if layers == 0 { // unknown to who wrote the record
		if sets, err := parseHEVCRecord(config.Record); err == nil && len(sets.sps) > 0 && len(sets.sps[0]) > 2 {
			layers = int(sets.sps[0][2]>>1&0x07) + 1
		}
	}
	return layers
}
