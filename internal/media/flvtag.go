package media

import (
	"errors"
	"fmt"
	"time"
)

// TagKind says what the payload of a video message is for.
type TagKind uint8

// The kinds. The zero value is nothing that a decoder can use.
const (
	TagOther    TagKind = iota // info and command frames, other tracks, unknown packet types
	TagConfig                  // a decoder configuration ("sequence header")
	TagFrame                   // a coded picture
	TagEnd                     // "end of sequence": marked as a key frame, but not a picture
	TagMetadata                // colour and HDR information of Enhanced RTMP
)

// VideoTag describes the payload of an RTMP video message, which is the body of
// an FLV video tag.
type VideoTag struct {
	Kind        TagKind
	Codec       Codec         // CodecNone for one that Stillcast has no name for, see Format
	Key         bool          // a picture that can be decoded alone
	HeaderSize  int           // bytes before the codec's own data
	Composition time.Duration // presentation minus decoding time; may be negative

	fourCC   [4]byte // Enhanced RTMP; zero for a legacy tag
	legacyID byte
}

// ErrTagTruncated says that the first bytes of a video message end inside its
// header.
var ErrTagTruncated = errors.New("video message ends inside its header")

// FLV frame types (FLV specification 10.1, annex E.4.3.1).
const (
	frameKey  = 1
	frameInfo = 5
)

// FLV codec numbers; HEVC's is an unofficial one of Chinese encoders and CDNs.
const (
	legacyH264 = 7
	legacyHEVC = 12
)

// Packet types of legacy AVC tags (FLV specification 10.1, annex E.4.3.1).
const (
	legacySequence = 0
	legacyPicture  = 1
	legacyEnd      = 2
)

// Packet types of Enhanced RTMP v2, "Enhanced Video".
const (
	packetSequenceStart = 0
	packetCodedFrames   = 1
	packetSequenceEnd   = 2
	packetCodedFramesX  = 3
	packetMetadata      = 4
	packetMultitrack    = 6
	packetModEx         = 7
)

const legacyHeaderSize = 5

// ParseVideoTag reads the header of a video message from its first bytes; 32
// are enough for every known publisher. The only error is [ErrTagTruncated].
// See the FLV specification 10.1, annex E.4.3, and Enhanced RTMP v2, "Enhanced
// Video".
func ParseVideoTag(b []byte) (VideoTag, error) {
	if len(b) == 0 {
		return VideoTag{}, ErrTagTruncated
	}
	if b[0]&0x80 != 0 {
		return parseEnhancedTag(b)
	}
	return parseLegacyTag(b)
}

func parseLegacyTag(b []byte) (VideoTag, error) {
	frameType := b[0] >> 4
	t := VideoTag{legacyID: b[0] & 0x0f, HeaderSize: 1}
	if frameType == frameInfo {
		return t, nil
	}
	switch t.legacyID {
	case legacyH264:
		t.Codec = H264
	case legacyHEVC:
		t.Codec = HEVC
	default:
		t.Kind, t.Key = TagFrame, frameType == frameKey
		return t, nil
	}
	if len(b) < legacyHeaderSize {
		return VideoTag{}, ErrTagTruncated
	}
	t.HeaderSize = legacyHeaderSize
	switch b[1] {
	case legacySequence:
		t.Kind = TagConfig
	case legacyPicture:
		t.Kind, t.Key = TagFrame, frameType == frameKey
		t.Composition = compositionTime(b[2:])
	case legacyEnd:
		t.Kind = TagEnd
	}
	return t, nil
}

func parseEnhancedTag(b []byte) (VideoTag, error) {
	frameType, packet := b[0]>>4&0x07, b[0]&0x0f
	pos := 1
	for packet == packetModEx {
		var ok bool
		if packet, pos, ok = skipModEx(b, pos); !ok {
			return VideoTag{}, ErrTagTruncated
		}
	}
	if frameType == frameInfo && packet != packetMetadata {
		return VideoTag{HeaderSize: pos}, nil
	}
	multitrack := packet == packetMultitrack
	if multitrack {
		if len(b) <= pos {
			return VideoTag{}, ErrTagTruncated
		}
		// Type 0 is one track in a message of its own. Nobody sends the others yet.
		if b[pos]>>4 != 0 {
			return VideoTag{HeaderSize: pos}, nil
		}
		packet = b[pos] & 0x0f
		pos++
	}
	if len(b) < pos+4 {
		return VideoTag{}, ErrTagTruncated
	}
	t := VideoTag{fourCC: [4]byte(b[pos:]), HeaderSize: pos + 4}
	if multitrack {
		if len(b) <= t.HeaderSize {
			return VideoTag{}, ErrTagTruncated
		}
		if track := b[t.HeaderSize]; track != 0 {
			return t, nil
		}
		t.HeaderSize++
	}
	t.Codec = fourCCCodec(t.fourCC)
	return t.withPacket(b, packet, frameType == frameKey)
}

// withPacket completes a tag whose header was read up to the packet's own part.
func (t VideoTag) withPacket(b []byte, packet byte, key bool) (VideoTag, error) {
	switch packet {
	case packetSequenceStart:
		t.Kind = TagConfig
	case packetSequenceEnd:
		t.Kind = TagEnd
	case packetMetadata:
		t.Kind = TagMetadata
	case packetCodedFramesX:
		t.Kind, t.Key = TagFrame, key
	case packetCodedFrames:
		t.Kind, t.Key = TagFrame, key
		if t.Codec != H264 && t.Codec != HEVC {
			break
		}
		if len(b) < t.HeaderSize+3 {
			return VideoTag{}, ErrTagTruncated
		}
		t.Composition = compositionTime(b[t.HeaderSize:])
		t.HeaderSize += 3
	}
	return t, nil
}

// skipModEx skips one modifier and returns the packet type behind it.
func skipModEx(b []byte, pos int) (packet byte, next int, ok bool) {
	if len(b) <= pos {
		return 0, 0, false
	}
	size := int(b[pos]) + 1
	pos++
	if size == 256 {
		if len(b) < pos+2 {
			return 0, 0, false
		}
		size = int(b[pos])<<8 + int(b[pos+1]) + 1
		pos += 2
	}
	pos += size
	if len(b) <= pos {
		return 0, 0, false
	}
	return b[pos] & 0x0f, pos + 1, true
}

// compositionTime reads a signed 24-bit number of milliseconds.
func compositionTime(b []byte) time.Duration {
	ms := int32(uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8) >> 8 //nolint:gosec // the sign is meant
	return time.Duration(ms) * time.Millisecond
}

// FourCC returns the code of a codec in Enhanced RTMP, "" for none.
func (c Codec) FourCC() string {
	switch c {
	case H264:
		return "avc1"
	case HEVC:
		return "hvc1"
	case AV1:
		return "av01"
	case VP9:
		return "vp09"
	case VP8:
		return "vp08"
	}
	return ""
}

func fourCCCodec(code [4]byte) Codec {
	for c := H264; c <= VP8; c++ {
		if c.FourCC() == string(code[:]) {
			return c
		}
	}
	return CodecNone
}

// Format names the codec for people, also one that Stillcast does not know:
// "H.264", `video codec "vvc1"`, "FLV video codec 4 (On2 VP6)".
func (t VideoTag) Format() string {
	switch {
	case t.Codec != CodecNone:
		return t.Codec.String()
	case t.fourCC != [4]byte{}:
		return fmt.Sprintf("video codec %q", t.fourCC[:])
	}
	name := legacyName(t.legacyID)
	if name == "" {
		return fmt.Sprintf("FLV video codec %d", t.legacyID)
	}
	return fmt.Sprintf("FLV video codec %d (%s)", t.legacyID, name)
}

// legacyName names the codecs of FLV (FLV specification 10.1, annex E.4.3.1).
func legacyName(id byte) string {
	switch id {
	case 2:
		return "Sorenson H.263"
	case 3:
		return "Screen video"
	case 4:
		return "On2 VP6"
	case 5:
		return "On2 VP6 with alpha"
	case 6:
		return "Screen video 2"
	}
	return ""
}
