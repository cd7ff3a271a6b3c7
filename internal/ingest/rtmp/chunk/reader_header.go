package chunk

import (
	"encoding/binary"
	"fmt"
)

// maxHeader is the longest chunk header: 3 bytes of basic header, 11 of message
// header and 4 of extended timestamp (specification section 5.3.1).
const maxHeader = 3 + 11 + 4

// maxImpliedDelta bounds, in milliseconds, the delta that a type 3 chunk takes
// from the absolute timestamp of a type 0 chunk before it.
const maxImpliedDelta = 10_000

// nextHeader reads a chunk header whose next bytes are data, and returns how
// many of these it used.
func (r *Reader) nextHeader(data []byte) (int, error) {
	if r.held == 0 {
		n, err := r.header(data)
		if n > 0 || err != nil {
			return n, err
		}
		r.held = copy(r.pending[:], data)
		return len(data), nil
	}
	before := r.held
	copied := copy(r.pending[before:], data)
	n, err := r.header(r.pending[:before+copied])
	switch {
	case err != nil:
		return 0, err
	case n == 0:
		r.held = before + copied
		return copied, nil
	}
	r.held = 0
	if n >= before {
		return n - before, nil
	}
	// What looked like an extended timestamp was payload after all (see
	// extendedSize): at most three bytes, to be read again as such.
	var again [maxHeader]byte
	return 0, r.Feed(again[:copy(again[:], r.pending[n:before])])
}

// header reads the chunk header at the start of b and begins its chunk. It
// returns the header's size, or 0 when b ends inside of it.
func (r *Reader) header(b []byte) (int, error) {
	format, id, n := basicHeader(b)
	if n == 0 {
		return 0, nil
	}
	fields := b[n:]
	size := messageHeaderSize(format)
	if len(fields) < size {
		return 0, nil
	}
	fields = fields[:size]
	n += size
	s, err := r.stream(id, format)
	if err != nil {
		return 0, err
	}
	var value uint32 // of the timestamp field
	extended := s.extended
	if format < 3 {
		value = uint24(fields)
		extended = value == ExtendedTimestamp
	}
	if extended {
		more := extendedSize(s, format, b[n:])
		if more < 0 {
			return 0, nil
		}
		if format < 3 {
			value = binary.BigEndian.Uint32(b[n:])
		}
		n += more
	}
	if format < 3 {
		s.extended, s.extValue = extended, value
	}
	return n, r.beginChunk(s, format, fields, value)
}

// basicHeader reads type and chunk stream id (specification section 5.3.1.1).
func basicHeader(b []byte) (format byte, id uint32, size int) {
	format, id = b[0]>>6, uint32(b[0]&0x3f)
	switch {
	case id > 1:
		return format, id, 1
	case id == 0 && len(b) >= 2:
		return format, 64 + uint32(b[1]), 2
	case id == 1 && len(b) >= 3:
		return format, 64 + uint32(b[1]) + uint32(b[2])<<8, 3
	}
	return 0, 0, 0
}

// messageHeaderSize is the size without the extended timestamp (specification
// section 5.3.1.2).
func messageHeaderSize(format byte) int {
	switch format {
	case 0:
		return 11
	case 1:
		return 7
	case 2:
		return 3
	}
	return 0
}

// extendedSize returns how many bytes of b are an extended timestamp: 4, or 0;
// or -1 when b is too short to tell. A type 3 chunk repeats the field, but some
// old encoders leave it out there: it counts only when it says again what the
// header said, or the message's absolute timestamp.
func extendedSize(s *stream, format byte, b []byte) int {
	if format < 3 {
		if len(b) < 4 {
			return -1
		}
		return 4
	}
	same := matchUint32(b, s.extValue)
	if same == 0 {
		same = matchUint32(b, s.Timestamp)
	}
	return same
}

// matchUint32 returns 4 when b starts with v, 0 when it does not, and -1 when b
// ends before that can be said.
func matchUint32(b []byte, v uint32) int {
	var want [4]byte
	binary.BigEndian.PutUint32(want[:], v)
	for i, c := range want {
		switch {
		case i >= len(b):
			return -1
		case b[i] != c:
			return 0
		}
	}
	return 4
}

// stream returns the chunk stream id, which a chunk of the given type needs.
func (r *Reader) stream(id uint32, format byte) (*stream, error) {
	if s := r.find(id); s != nil {
		return s, nil
	}
	// Type 1 is allowed at first: librtmp starts its control stream with it.
	if format > 1 {
		return nil, fmt.Errorf("%w: type %d at the start of chunk stream %d", ErrNoHeader, format, id)
	}
	if len(r.streams) >= r.lim.ChunkStreams {
		return nil, fmt.Errorf("%w: %d are in use, at most %d are allowed", ErrChunkStreams, len(r.streams), r.lim.ChunkStreams)
	}
	s := &stream{Header: Header{ChunkStream: id}}
	r.streams = append(r.streams, s)
	return s, nil
}

// beginChunk applies a header: it goes on with the message of its chunk stream
// or begins the next one.
func (r *Reader) beginChunk(s *stream, format byte, fields []byte, value uint32) error {
	if format < 3 {
		// A publisher that begins anew gave up the message before.
		r.drop(s)
	}
	r.cur = s
	if !s.open {
		s.advance(format, fields, value)
		if err := r.openMessage(s); err != nil {
			return err
		}
	}
	r.left = min(r.size, s.Length-s.got)
	if r.left == 0 {
		return r.body(s, nil)
	}
	return nil
}

// advance sets the header of the next message (specification section 5.3.1.2).
func (s *stream) advance(format byte, fields []byte, value uint32) {
	if format <= 1 {
		s.Length = int(uint24(fields[3:]))
		s.Type = fields[6]
	}
	switch format {
	case 0:
		s.StreamID = binary.LittleEndian.Uint32(fields[7:])
		s.Timestamp = value
		// Per specification the delta of a type 3 chunk that follows; but to
		// librtmp that chunk means "the same time", which must not become a leap.
		s.delta = 0
		if value <= maxImpliedDelta {
			s.delta = value
		}
		return
	case 1, 2:
		s.delta = value
	}
	s.Timestamp += s.delta
}

func (r *Reader) openMessage(s *stream) error {
	if limit, err := r.lim.length(s.Type); s.Length > limit {
		return fmt.Errorf("%w: type %d with %d bytes announced, at most %d are allowed", err, s.Type, s.Length, limit)
	}
	if r.open >= r.lim.OpenMessages {
		return fmt.Errorf("%w: %d are half received, at most %d may be", ErrOpenMessages, r.open, r.lim.OpenMessages)
	}
	s.open = true
	r.open++
	return nil
}

func uint24(b []byte) uint32 {
	return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
}
