package media

import (
	"iter"
	"time"
)

// How the tracks of an Enhanced RTMP video message lie in it (Enhanced RTMP v2,
// "Enhanced Video", AvMultitrackType; the last two are not in it).
const (
	layoutOneTrack   = 0 // one track, with its number
	layoutManyTracks = 1 // tracks of one codec, each with number and size
	layoutManyCodecs = 2 // tracks, each with codec, number and size
	layoutPlain      = 0xfe
	layoutNone       = 0xff // no track at all
)

// Types of modifiers (Enhanced RTMP v2, VideoPacketModExType).
const modExNanoOffset = 0

// maxTracks bounds how many tracks of a message are looked at: so many numbers
// there are.
const maxTracks = 256

// exHeader is what the tracks of an Enhanced RTMP message have in common.
type exHeader struct {
	key    bool
	packet byte
	layout byte
	fourCC [4]byte       // zero with layoutManyCodecs
	nano   time.Duration // to be added to the presentation time
	size   int           // bytes
}

func parseExHeader(b []byte) (exHeader, error) {
	frameType := b[0] >> 4 & 0x07
	h := exHeader{key: frameType == frameKey, packet: b[0] & 0x0f, layout: layoutPlain, size: 1}
	for h.packet == packetModEx {
		if !h.modify(b) {
			return h, ErrTagTruncated
		}
	}
	if frameType == frameInfo && h.packet != packetMetadata {
		h.layout = layoutNone
		return h, nil
	}
	if h.packet == packetMultitrack {
		if len(b) <= h.size {
			return h, ErrTagTruncated
		}
		h.layout, h.packet = b[h.size]>>4, b[h.size]&0x0f
		h.size++
		if h.layout > layoutManyCodecs {
			h.layout = layoutNone
		}
	}
	if h.layout == layoutNone || h.layout == layoutManyCodecs {
		return h, nil
	}
	if len(b) < h.size+4 {
		return h, ErrTagTruncated
	}
	h.fourCC = [4]byte(b[h.size:])
	h.size += 4
	return h, nil
}

// modify takes one modifier ("ModEx") and the packet type behind it. Modifiers
// of unknown type are skipped. It returns false when b ends before.
func (h *exHeader) modify(b []byte) bool {
	pos := h.size
	if len(b) <= pos {
		return false
	}
	size := int(b[pos]) + 1
	pos++
	if size == 256 {
		if len(b) < pos+2 {
			return false
		}
		size = int(b[pos])<<8 + int(b[pos+1]) + 1
		pos += 2
	}
	data := pos
	pos += size
	if len(b) <= pos {
		return false
	}
	if b[pos]>>4 == modExNanoOffset && size >= 3 {
		// More than a millisecond is not allowed in it.
		if nano := time.Duration(uint24(b[data:])); nano < time.Millisecond {
			h.nano = nano
		}
	}
	h.packet, h.size = b[pos]&0x0f, pos+1
	return true
}

// track reads the header of the track at pos, and where the next one begins.
func (h exHeader) track(b []byte, pos int) (t VideoTag, next int, err error) {
	t = VideoTag{fourCC: h.fourCC}
	if h.layout == layoutManyCodecs {
		if len(b) < pos+4 {
			return VideoTag{}, 0, ErrTagTruncated
		}
		t.fourCC = [4]byte(b[pos:])
		pos += 4
	}
	if h.layout != layoutPlain {
		if len(b) <= pos {
			return VideoTag{}, 0, ErrTagTruncated
		}
		t.Track = b[pos]
		pos++
	}
	if h.layout == layoutManyTracks || h.layout == layoutManyCodecs {
		if len(b) < pos+3 {
			return VideoTag{}, 0, ErrTagTruncated
		}
		t.Many, t.end = true, pos+3+int(uint24(b[pos:]))
		pos += 3
	}
	t.HeaderSize, t.Codec = pos, fourCCCodec(t.fourCC)
	end := t.end
	t, err = t.withPacket(b, h.packet, h.key)
	if err == nil && t.Kind == TagFrame {
		t.Composition += h.nano
	}
	return t, end, err
}

// Tracks walks the tracks of a whole video message, in the order in which they
// stand. It ends where the message is cut off.
func Tracks(message []byte) iter.Seq[VideoTag] {
	return func(yield func(VideoTag) bool) {
		first, err := ParseVideoTag(message)
		if err != nil || !first.Many {
			if err == nil {
				yield(first)
			}
			return
		}
		h, err := parseExHeader(message)
		if err != nil {
			return // ParseVideoTag has read the same bytes
		}
		pos := h.size
		for range maxTracks {
			t, next, err := h.track(message, pos)
			if err != nil || next > len(message) || !yield(t) || next == len(message) {
				return
			}
			pos = next
		}
	}
}

// Data returns the codec's own data of the track in its message.
func (t VideoTag) Data(message []byte) []byte {
	if t.Many {
		return message[min(t.HeaderSize, len(message)):min(t.end, len(message))]
	}
	return message[t.HeaderSize:]
}

// Record returns the decoder configuration record that a message of the kind
// [TagConfig] carries, as [ParseConfig] takes it.
func (t VideoTag) Record(message []byte) []byte {
	data := t.Data(message)
	if !t.descriptor {
		return data
	}
	return recordOfDescriptor(data)
}

// recordOfDescriptor makes an av1C record of the video descriptor that AV1 has
// in MPEG-2 transport streams: it holds the same four bytes, with the colours'
// class where av1C has zeros ("Carriage of AV1 in MPEG-2 TS", section 2.2). What
// is no such descriptor gives no record: key frames say all of it, too.
func recordOfDescriptor(d []byte) []byte {
	const tag, size = 0x80, 4
	if len(d) < 2+size || d[0] != tag || d[1] != size || d[2] != 0x81 {
		return nil
	}
	return []byte{d[2], d[3], d[4], d[5] & 0x1f}
}

func uint24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }
