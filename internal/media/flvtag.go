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
	TagOther    TagKind = iota // info and command frames, unknown packet types
	TagConfig                  // a decoder configuration ("sequence header")
	TagFrame                   // a coded picture
	TagEnd                     // "end of sequence": marked as a key frame, but not a picture
	TagMetadata                // colour and HDR information of Enhanced RTMP
)

// VideoTag describes the payload of an RTMP video message, which is the body of
// an FLV video tag; of a message with several tracks it describes one.
type VideoTag struct {
	Kind        TagKind
	Codec       Codec         // CodecNone for one that Stillcast has no name for, see Format
	Key         bool          // a picture that can be decoded alone
	HeaderSize  int           // bytes before the codec's own data
	Composition time.Duration // presentation minus decoding time; may be negative
	Track       uint8         // number of the track; 0 where the message names none
	Many        bool          // the message holds several tracks, see [Tracks]

	end        int     // of the track's data in the message, with Many
	fourCC     [4]byte // Enhanced RTMP; zero for a legacy tag
	legacyID   byte
	descriptor bool // a configuration that is a descriptor of MPEG-2 TS, see Record
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
	packetMPEG2TSStart  = 5
	packetMultitrack    = 6
	packetModEx         = 7
)

const legacyHeaderSize = 5

// ParseVideoTag reads the header of a video message from its first bytes; 32
// are enough for every known publisher. Of several tracks it describes the first.
// The only error is [ErrTagTruncated].
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
	h, err := parseExHeader(b)
	if err != nil {
		return VideoTag{}, err
	}
	if h.layout == layoutNone {
		return VideoTag{HeaderSize: h.size}, nil
	}
	t, _, err := h.track(b, h.size)
	return t, err
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
	case packetMPEG2TSStart:
		// Defined for AV1 alone.
		if t.Codec == AV1 {
			t.Kind, t.descriptor = TagConfig, true
		}
	case packetCodedFramesX:
		t.Kind, t.Key = TagFrame, key
	case packetCodedFrames:
		t.Kind, t.Key = TagFrame, key
		if t.Codec != H264 && t.Codec != HEVC {
			break
		}
		if t.Many && t.end < t.HeaderSize+3 {
			t.Kind, t.Key = TagOther, false // no room for it in the track
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
