// Package flvtest writes the FLV files that tests push.
package flvtest

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/stillcast/stillcast/internal/media/flv"
)

const tagHeaderSize = 11

// Writer writes an FLV file.
type Writer struct {
	w   io.Writer
	buf []byte
}

// NewWriter returns a Writer to w. The header, which says that there are audio
// and video, is written together with the first tag.
func NewWriter(w io.Writer) *Writer {
	header := []byte{'F', 'L', 'V', 1, 0x05, 0, 0, 0, 9} // version 1, audio and video, header of 9 bytes
	return &Writer{w: w, buf: append(header, 0, 0, 0, 0)}
}

// Write writes one tag with one call of the underlying Write, whose error it
// returns wrapped. Data longer than [flv.MaxTagData] is refused.
func (w *Writer) Write(t flv.Tag) error {
	if len(t.Data) > flv.MaxTagData {
		return fmt.Errorf("write FLV tag: %d bytes, at most %d are allowed", len(t.Data), flv.MaxTagData)
	}
	size := uint32(len(t.Data)) //nolint:gosec // checked above
	w.buf = append(w.buf, byte(t.Type))
	w.buf = appendUint24(w.buf, size)
	w.buf = appendUint24(w.buf, t.Timestamp)
	w.buf = append(w.buf, byte(t.Timestamp>>24), 0, 0, 0) // the last three: stream id
	w.buf = append(w.buf, t.Data...)
	w.buf = binary.BigEndian.AppendUint32(w.buf, tagHeaderSize+size)
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	if err != nil {
		return fmt.Errorf("write FLV tag: %w", err)
	}
	return nil
}

func appendUint24(dst []byte, v uint32) []byte {
	return append(dst, byte(v>>16), byte(v>>8), byte(v))
}
