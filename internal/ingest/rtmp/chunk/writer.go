package chunk

import (
	"encoding/binary"
	"fmt"
	"io"
)

// maxKeptBuffer is the largest buffer, in bytes, that a Writer keeps between
// messages: one huge picture must not cost its size for the rest of a push.
const maxKeptBuffer = 1 << 20

// Writer cuts messages into chunks. Every message starts with a complete
// header (type 0) and goes on in chunks of type 3, so that what was written
// before never matters to the reader. It is not safe for concurrent use.
type Writer struct {
	w    io.Writer
	size int
	buf  []byte
}

// NewWriter returns a Writer to w that uses chunks of [DefaultSize].
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: w, size: DefaultSize}
}

// SetChunkSize sets the size in bytes of the chunks of the messages that
// follow. The peer must have been told by a [TypeSetChunkSize] message before.
// Sizes below 1 and above [MaxPayload] are taken as these bounds: a larger
// chunk than the longest message makes no difference (specification section
// 5.4.1).
func (w *Writer) SetChunkSize(n int) {
	w.size = min(max(n, 1), MaxPayload)
}

// Write writes one message with one call of the underlying Write, whose error
// it returns wrapped. m.Payload is not kept. A message that the format cannot
// carry is refused before anything is written.
func (w *Writer) Write(m Message) error {
	if m.ChunkStream < MinStream || m.ChunkStream > MaxStream {
		return fmt.Errorf("write RTMP message: chunk stream %d is outside of %d to %d",
			m.ChunkStream, MinStream, MaxStream)
	}
	if len(m.Payload) > MaxPayload {
		return fmt.Errorf("write RTMP message: payload has %d bytes, at most %d are allowed",
			len(m.Payload), MaxPayload)
	}
	buf := w.append(w.buf[:0], m)
	if cap(buf) <= maxKeptBuffer {
		w.buf = buf
	} else {
		w.buf = nil
	}
	if _, err := w.w.Write(buf); err != nil {
		return fmt.Errorf("write RTMP message: %w", err)
	}
	return nil
}

func (w *Writer) append(dst []byte, m Message) []byte {
	dst = appendBasicHeader(dst, 0, m.ChunkStream)
	dst = appendUint24(dst, min(m.Timestamp, ExtendedTimestamp))
	dst = appendUint24(dst, uint32(len(m.Payload))) //nolint:gosec // Write checked that it fits 24 bits
	dst = append(dst, m.Type)
	dst = binary.LittleEndian.AppendUint32(dst, m.StreamID)
	dst = appendExtended(dst, m.Timestamp)
	rest := m.Payload
	for {
		n := min(w.size, len(rest))
		dst = append(dst, rest[:n]...)
		rest = rest[n:]
		if len(rest) == 0 {
			return dst
		}
		dst = appendBasicHeader(dst, 3, m.ChunkStream)
		dst = appendExtended(dst, m.Timestamp)
	}
}

// appendExtended appends the extended timestamp where the 24-bit field cannot
// hold the timestamp. Chunks of type 3 repeat it: so do Flash, FFmpeg and OBS,
// and so reads every server (specification section 5.3.1.3).
func appendExtended(dst []byte, timestamp uint32) []byte {
	if timestamp < ExtendedTimestamp {
		return dst
	}
	return binary.BigEndian.AppendUint32(dst, timestamp)
}

// appendBasicHeader appends header type and chunk stream id in their shortest
// form (specification section 5.3.1.1).
func appendBasicHeader(dst []byte, format byte, stream uint32) []byte {
	high := format << 6
	switch {
	case stream < 64:
		return append(dst, high|byte(stream))
	case stream < 64+256:
		return append(dst, high, byte(stream-64))
	}
	return append(dst, high|1, byte(stream-64), byte((stream-64)>>8))
}

func appendUint24(dst []byte, v uint32) []byte {
	return append(dst, byte(v>>16), byte(v>>8), byte(v))
}
