package media

import (
	"bytes"
	"fmt"
)

// OBU types (AV1 Bitstream & Decoding Process, section 6.2.2).
const (
	obuSequenceHeader = 1
	obuFrameHeader    = 3
	obuFrame          = 6
)

// obu is an open bitstream unit.
type obu struct {
	kind              byte
	temporal, spatial int
	payload           []byte
}

// obuWalker walks open bitstream units (AV1, section 5.3).
type obuWalker struct {
	rest      []byte
	sequences int
}

// next returns the next unit; ok is false at the end.
func (w *obuWalker) next() (o obu, ok bool, err error) {
	if len(w.rest) == 0 {
		return obu{}, false, nil
	}
	header := w.rest[0]
	o.kind = header >> 3 & 0x0f
	if header&0x80 != 0 {
		return obu{}, false, broken("OBU with the forbidden bit set")
	}
	w.rest = w.rest[1:]
	if header&0x04 != 0 {
		if len(w.rest) == 0 {
			return obu{}, false, broken("OBU of type %d ends inside its header", o.kind)
		}
		o.temporal, o.spatial = int(w.rest[0]>>5), int(w.rest[0]>>3&0x03)
		w.rest = w.rest[1:]
	}
	size := uint64(len(w.rest)) // without a size of its own it is the last
	if header&0x02 != 0 {
		var n int
		if size, n = leb128(w.rest); n == 0 {
			return obu{}, false, broken("size of an OBU of type %d cannot be read", o.kind)
		}
		w.rest = w.rest[n:]
	}
	if size > uint64(len(w.rest)) {
		return obu{}, false, broken("access unit ends inside an OBU of type %d: %d bytes announced, %d left", o.kind, size, len(w.rest))
	}
	o.payload, w.rest = w.rest[:size:size], w.rest[size:]
	return o, true, nil
}

// leb128 reads a number of at most 32 bits in at most 8 bytes (AV1, section
// 4.10.5); n is how many, 0 for none.
func leb128(b []byte) (v uint64, n int) {
	for i := range min(len(b), 8) {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			if v >= 1<<32 {
				return 0, 0
			}
			return v, i + 1
		}
	}
	return 0, 0
}

// sequenceHeader reads the sequence header of a walk, and bounds how many there
// may be.
func (w *obuWalker) sequenceHeader(o obu, maxPixels int) (*av1Sequence, error) {
	if w.sequences++; w.sequences > maxInBandSets {
		return nil, broken("AV1 access unit with more than %d sequence headers", maxInBandSets)
	}
	s, ok := readAV1Sequence(o.payload)
	if !ok {
		return nil, broken("AV1 sequence header ends too early")
	}
	return s, checkSize(AV1, uint64(s.width), uint64(s.height), maxPixels)
}

const av1CHeader = 4 // bytes of an av1C record before its OBUs

func av1Config(record []byte, maxPixels int) (*Config, error) {
	c := &Config{Codec: AV1, Record: bytes.Clone(record)}
	switch {
	case len(record) == 0:
		return c, nil
	case len(record) < av1CHeader:
		return nil, fmt.Errorf("av1C record has %d bytes; at least %d are needed", len(record), av1CHeader)
	case record[0] != 0x81:
		return nil, fmt.Errorf("av1C record begins with 0x%02x; only 0x81, version 1, is defined", record[0])
	}
	w := obuWalker{rest: record[av1CHeader:]}
	for {
		o, ok, err := w.next()
		if err != nil {
			return nil, fmt.Errorf("read av1C record: %w", err)
		}
		if !ok {
			return c, nil
		}
		if o.kind != obuSequenceHeader {
			continue
		}
		s, err := w.sequenceHeader(o, maxPixels)
		if err != nil {
			return nil, err
		}
		c.Width, c.Height = int(s.width), int(s.height)
	}
}

// recordSequence returns the sequence header of the record, nil without one.
func recordSequence(config *Config) *av1Sequence {
	if len(config.Record) < av1CHeader {
		return nil
	}
	w := obuWalker{rest: config.Record[av1CHeader:]}
	for {
		o, ok, err := w.next()
		if err != nil || !ok {
			return nil
		}
		if o.kind == obuSequenceHeader {
			s, _ := readAV1Sequence(o.payload)
			return s
		}
	}
}

// av1HeadSize returns the size in the sequence header with which a key frame
// begins.
func av1HeadSize(head []byte) (width, height int, ok bool) {
	w := obuWalker{rest: head}
	for {
		o, ok, err := w.next()
		if err != nil || !ok {
			return 0, 0, false // mostly cut off: head is only the beginning
		}
		if o.kind != obuSequenceHeader {
			continue
		}
		s, ok := readAV1Sequence(o.payload)
		if !ok {
			return 0, 0, false
		}
		return int(s.width), int(s.height), true
	}
}
