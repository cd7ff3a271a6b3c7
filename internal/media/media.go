// Package media holds what every ingest protocol and the capture of pictures
// share: codecs, decoder configurations, access units and their timestamps. It
// is pure Go and does no input or output.
package media

import (
	"strings"
	"time"
)

// Codec is a video coding format.
type Codec uint8

// The codecs. The zero value is no codec.
const (
	CodecNone Codec = iota
	H264
	HEVC
	AV1
	VP9
	VP8
)

// String returns the name used in logs, metrics and messages.
func (c Codec) String() string {
	switch c {
	case H264:
		return "H.264"
	case HEVC:
		return "HEVC"
	case AV1:
		return "AV1"
	case VP9:
		return "VP9"
	case VP8:
		return "VP8"
	}
	return "none"
}

// Codecs returns all codecs.
func Codecs() []Codec { return []Codec{H264, HEVC, AV1, VP9, VP8} }

// CodecNames lists codecs for people: "H.264, HEVC".
func CodecNames(codecs []Codec) string {
	names := make([]string, len(codecs))
	for i, c := range codecs {
		names[i] = c.String()
	}
	return strings.Join(names, ", ")
}

// Config is a decoder configuration, immutable once made.
type Config struct {
	Codec  Codec
	Record []byte // as it stands in an MP4 or FLV file: avcC, hvcC, …; AV1, VP9 and VP8 may have none
	Width  int    // of the coded picture after cropping, in pixels; 0 when unknown, as Height then is
	Height int
}

// Unit describes an access unit before its bytes are kept.
type Unit struct {
	Codec Codec
	Key   bool          // it can be decoded alone
	DTS   time.Duration // unrolled: it never wraps; only differences mean anything
	PTS   time.Duration
	Size  int // announced size in bytes, of the whole message
}

// AccessUnit is one coded picture as it arrived.
type AccessUnit struct {
	Unit
	Config  *Config   // in force for it; never nil
	Data    []byte    // H.264 and HEVC: NAL units with the length prefixes that Config announces
	Arrived time.Time // when its last byte arrived, with the monotonic clock

	release func([]byte)
}

// NewAccessUnit returns an access unit whose Data goes back to its owner by
// release, which may be nil.
func NewAccessUnit(u Unit, config *Config, data []byte, arrived time.Time, release func([]byte)) *AccessUnit {
	return &AccessUnit{Unit: u, Config: config, Data: data, Arrived: arrived, release: release}
}

// Release gives Data back; it must not be used afterwards. Whoever holds the
// access unit calls it once; more calls do nothing.
func (a *AccessUnit) Release() {
	if a.release != nil {
		a.release(a.Data)
	}
	a.release, a.Data = nil, nil
}
