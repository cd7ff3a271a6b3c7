// Package flv reads and writes FLV files, the container whose tags are also
// the audio, video and data messages of RTMP (Adobe Flash Video File Format
// Specification 10.1, annex E; Enhanced RTMP v2 for the newer codecs).
package flv

// TagType says what a tag holds. Its values are RTMP's message types, too.
type TagType uint8

// The tag types (specification section E.4.1).
const (
	Audio  TagType = 8
	Video  TagType = 9
	Script TagType = 18
)

// Tag is one tag of a file.
type Tag struct {
	Type      TagType
	Timestamp uint32 // in milliseconds: decoding time. It wraps at 2^32
	Data      []byte
}

// MaxTagData is the largest Data of a tag in bytes, 16 MiB less one: its size
// has 24 bits.
const MaxTagData = 0xFFFFFF

const (
	headerSize     = 9
	tagHeaderSize  = 11
	previousSize   = 4 // of the field that repeats a tag's size after it
	maxHeaderSize  = 64 << 10
	signature      = "FLV"
	version        = 1
	flagVideo      = 0x01
	flagAudio      = 0x04
	typeMask       = 0x1F
	flagEncrypted  = 0x20
	exVideoHeader  = 0x80
	packetTypeMask = 0x0F
)

// Kind says what a tag is for.
type Kind uint8

// The kinds of tags.
const (
	KindOther  Kind = iota // script data, colour information, what is unknown
	KindConfig             // sequence header: decoder configuration
	KindFrame              // coded picture or sound
	KindEnd                // end of sequence
)

// Formats and codecs whose second byte is a packet type (specification
// sections E.4.2.1 and E.4.3.1; 12 is HEVC as Chinese encoders send it).
const (
	soundAAC      = 10
	soundEnhanced = 9
	videoAVC      = 7
	videoHEVC     = 12
)

// Packet types of Enhanced RTMP beyond those it shares with AVC and AAC.
const (
	packetSequenceStart = 0
	packetFrames        = 1
	packetSequenceEnd   = 2
	packetFramesX       = 3
	packetVideoTrack    = 6
	packetVideoModEx    = 7
	packetAudioTrack    = 5
	packetAudioModEx    = 7
)

// Kind tells a decoder configuration from pictures and sound. A tag without
// data is [KindOther].
func (t Tag) Kind() Kind {
	if len(t.Data) == 0 {
		return KindOther
	}
	switch t.Type {
	case Audio:
		return audioKind(t.Data)
	case Video:
		return videoKind(t.Data)
	}
	return KindOther
}

func audioKind(data []byte) Kind {
	switch data[0] >> 4 {
	case soundAAC:
		return secondByteKind(data)
	case soundEnhanced:
		packet := data[0] & packetTypeMask
		if packet == packetAudioTrack {
			return trackKind(data)
		}
		if packet == packetAudioModEx {
			return KindFrame
		}
		return packetKind(packet)
	}
	return KindFrame
}

func videoKind(data []byte) Kind {
	if data[0]&exVideoHeader != 0 {
		packet := data[0] & packetTypeMask
		if packet == packetVideoTrack {
			return trackKind(data)
		}
		if packet == packetVideoModEx {
			return KindFrame
		}
		return packetKind(packet)
	}
	switch data[0] & packetTypeMask {
	case videoAVC, videoHEVC:
		return secondByteKind(data)
	}
	return KindFrame
}

func secondByteKind(data []byte) Kind {
	if len(data) < 2 {
		return KindOther
	}
	return packetKind(data[1])
}

// trackKind looks at the packet type of the tracks inside a multitrack packet.
func trackKind(data []byte) Kind {
	if len(data) < 2 {
		return KindOther
	}
	return packetKind(data[1] & packetTypeMask)
}

func packetKind(packet byte) Kind {
	switch packet {
	case packetSequenceStart:
		return KindConfig
	case packetFrames, packetFramesX:
		return KindFrame
	case packetSequenceEnd:
		return KindEnd
	}
	return KindOther
}
