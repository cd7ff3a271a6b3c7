package bench

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/media/flv"
)

// stream writes pictures of a clip in a form that FFmpeg reads from a pipe: FLV
// for H.264, as over RTMP; Annex B for HEVC and IVF for the others, since the
// FLV of FFmpeg before version 6 cannot carry them.
type stream struct {
	w    io.Writer
	clip *clip
	sets []byte // parameter sets as Annex B
	size int    // bytes of length prefixes
	buf  []byte
}

// newStream writes the head of the stream.
func newStream(w io.Writer, c *clip, raw bool) (*stream, error) {
	s := &stream{w: w, clip: c}
	var err error
	switch {
	case c.codec == media.H264 && raw, c.codec == media.HEVC:
		s.sets, s.size, err = parameterSets(c.codec, c.record)
	case c.codec == media.H264:
		s.buf = append(s.buf, "FLV\x01\x01\x00\x00\x00\x09\x00\x00\x00\x00"...)
		for _, t := range c.head {
			s.flv(t, 0)
		}
		err = s.flush()
	default:
		s.buf = ivfHeader(c.codec)
		err = s.flush()
	}
	return s, err
}

// demuxer is FFmpeg's name of the form.
func (s *stream) demuxer() string {
	switch {
	case s.clip.codec == media.HEVC:
		return "hevc"
	case s.clip.codec == media.H264 && s.sets != nil:
		return "h264"
	case s.clip.codec == media.H264:
		return "flv"
	}
	return "ivf"
}

// picture writes one frame of the clip, with its time moved by shift.
func (s *stream) picture(frame int, shift time.Duration) error {
	t := s.clip.frames[frame]
	if s.demuxer() == "flv" {
		s.flv(t, shift)
		return s.flush()
	}
	if t.kind != flv.Video {
		return nil
	}
	data, composition := s.clip.payload(frame)
	if s.sets == nil {
		s.buf = binary.LittleEndian.AppendUint32(s.buf, uint32(len(data)))                                   //nolint:gosec // below flv.MaxTagData
		s.buf = binary.LittleEndian.AppendUint64(s.buf, uint64((t.at + composition + shift).Milliseconds())) //nolint:gosec // not negative
		s.buf = append(s.buf, data...)
		return s.flush()
	}
	if v, err := media.ParseVideoTag(t.data); err == nil && v.Key {
		s.buf = append(s.buf, s.sets...)
	}
	var err error
	if s.buf, err = appendAnnexB(s.buf, data, s.size); err != nil {
		return fmt.Errorf("picture %d: %w", frame, err)
	}
	return s.flush()
}

// flv appends one tag of a file (FLV specification 10.1, annex E.4.1).
func (s *stream) flv(t tag, shift time.Duration) {
	const head = 11
	size, ms := uint32(len(t.data)), uint32((t.at + shift).Milliseconds()) //nolint:gosec // both are small
	s.buf = append(s.buf, byte(t.kind), byte(size>>16), byte(size>>8), byte(size),
		byte(ms>>16), byte(ms>>8), byte(ms), byte(ms>>24), 0, 0, 0)
	s.buf = append(s.buf, t.data...)
	s.buf = binary.BigEndian.AppendUint32(s.buf, head+size)
}

func (s *stream) flush() error {
	_, err := s.w.Write(s.buf)
	s.buf = s.buf[:0]
	return err
}

// ivfHeader begins a file with times in milliseconds. The size of the picture in it
// means nothing to decoders.
func ivfHeader(codec media.Codec) []byte {
	names := map[media.Codec]string{media.AV1: "AV01", media.VP9: "VP90", media.VP8: "VP80"}
	b := append([]byte("DKIF\x00\x00\x20\x00"), names[codec]...)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, 1000) // the time base is 1/1000
	b = binary.LittleEndian.AppendUint32(b, 1)
	return append(b, make([]byte, 8)...)
}

var startCode = [4]byte{0, 0, 0, 1} //nolint:gochecknoglobals // a constant (ITU-T H.264, annex B)

// appendAnnexB turns NAL units with length prefixes of size bytes into a byte
// stream.
func appendAnnexB(dst, unit []byte, size int) ([]byte, error) {
	for len(unit) > 0 {
		if len(unit) < size {
			return nil, stillcast.Errorf(stillcast.CodeInvalid, "", "ends inside the length of a NAL unit")
		}
		length := 0
		for _, b := range unit[:size] {
			length = length<<8 | int(b)
		}
		unit = unit[size:]
		if length > len(unit) {
			return nil, stillcast.Errorf(stillcast.CodeInvalid, "", "has a NAL unit of %d bytes where %d are left", length, len(unit))
		}
		dst = append(append(dst, startCode[:]...), unit[:length]...)
		unit = unit[length:]
	}
	return dst, nil
}

// parameterSets returns the parameter sets of a decoder configuration as Annex B,
// and how long length prefixes are (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1).
func parameterSets(codec media.Codec, record []byte) (sets []byte, lengthSize int, err error) {
	at, arrays := 5, 2 // H.264: sequence and picture parameter sets
	lengthAt := 4
	if codec == media.HEVC {
		at, lengthAt = 23, 21
		if len(record) < at {
			return nil, 0, errRecord(codec)
		}
		arrays = int(record[22])
	}
	for array := range arrays {
		if codec == media.HEVC {
			at++ // the type of the NAL units
		}
		var count int
		if count, at, err = countOf(codec, record, at, array); err != nil {
			return nil, 0, err
		}
		for range count {
			length := cut(record, at, 2)
			if length == nil {
				return nil, 0, errRecord(codec)
			}
			unit := cut(record, at+2, int(length[0])<<8|int(length[1]))
			if unit == nil {
				return nil, 0, errRecord(codec)
			}
			sets = append(append(sets, startCode[:]...), unit...)
			at += 2 + len(unit)
		}
	}
	if len(sets) == 0 {
		return nil, 0, errRecord(codec)
	}
	return sets, int(record[lengthAt]&3) + 1, nil
}

// countOf reads how many NAL units an array has: two bytes in HEVC; in H.264 five
// bits for the first array and a byte for the second.
func countOf(codec media.Codec, record []byte, at, array int) (count, next int, err error) {
	size := 1
	if codec == media.HEVC {
		size = 2
	}
	b := cut(record, at, size)
	switch {
	case b == nil:
		return 0, 0, errRecord(codec)
	case size == 2:
		return int(b[0])<<8 | int(b[1]), at + size, nil
	case array == 0:
		return int(b[0] & 0x1f), at + size, nil
	}
	return int(b[0]), at + size, nil
}

func errRecord(codec media.Codec) error {
	return stillcast.Errorf(stillcast.CodeInvalid, "", "has a decoder configuration of %s without parameter sets, or one that is cut off", codec)
}
