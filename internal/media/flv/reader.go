package flv

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrFormat says that what was read is no FLV file. The errors that wrap it
// name the byte.
var ErrFormat = errors.New("not a valid FLV file")

// readBuffer is the size of the reads from a file, in bytes.
const readBuffer = 64 << 10

// Reader reads the tags of an FLV file.
type Reader struct {
	r    *bufio.Reader
	pos  int64 // bytes read so far
	data bytes.Buffer
	left io.LimitedReader
}

// NewReader reads the file's header from r. A file that is not FLV gives an
// error that wraps [ErrFormat], one that ends inside the header
// [io.ErrUnexpectedEOF].
func NewReader(r io.Reader) (*Reader, error) {
	f := &Reader{r: bufio.NewReaderSize(r, readBuffer)}
	if err := f.header(); err != nil {
		return nil, fmt.Errorf("read FLV header: %w", err)
	}
	return f, nil
}

func (f *Reader) header() error {
	var h [headerSize]byte
	n, err := f.fill(h[:])
	// Something else than FLV is told apart even where it is shorter.
	if !bytes.HasPrefix([]byte(signature), h[:min(n, len(signature))]) {
		return fmt.Errorf("%w: it starts with %q, expected %q", ErrFormat, h[:min(n, len(signature))], signature)
	}
	if err != nil {
		return err
	}
	if h[3] != version {
		return fmt.Errorf("%w: byte 3: version %d, expected %d", ErrFormat, h[3], version)
	}
	size := binary.BigEndian.Uint32(h[5:])
	if size < headerSize || size > maxHeaderSize {
		return fmt.Errorf("%w: byte 5: header of %d bytes, expected %d to %d", ErrFormat, size, headerSize, maxHeaderSize)
	}
	skipped, err := f.r.Discard(int(size - headerSize))
	f.pos += int64(skipped)
	return f.truncated(err)
}

// Read returns the next tag. Its Data is valid until the next call. At the end
// of the file the error is [io.EOF]; where the file is cut off it wraps
// [io.ErrUnexpectedEOF], where it is damaged [ErrFormat], and both name the
// byte. What reading the file gave is wrapped.
func (f *Reader) Read() (Tag, error) {
	// The size of the tag before is there for reading backwards, and often wrong.
	var previous [previousSize]byte
	if _, err := f.fill(previous[:]); err != nil {
		return Tag{}, fmt.Errorf("read size of FLV tag: %w", err)
	}
	start := f.pos
	tag, err := f.tag()
	if err != nil && !errors.Is(err, io.EOF) {
		return Tag{}, fmt.Errorf("read FLV tag at byte %d: %w", start, err)
	}
	return tag, err
}

func (f *Reader) tag() (Tag, error) {
	var h [tagHeaderSize]byte
	n, err := f.fill(h[:])
	if n == 0 && errors.Is(err, io.ErrUnexpectedEOF) {
		return Tag{}, io.EOF
	}
	if err != nil {
		return Tag{}, err
	}
	kind := TagType(h[0] & typeMask)
	switch {
	case h[0]&flagEncrypted != 0:
		return Tag{}, fmt.Errorf("%w: the tag is encrypted", ErrFormat)
	case kind != Audio && kind != Video && kind != Script:
		return Tag{}, fmt.Errorf("%w: tag type %d, expected %d, %d or %d", ErrFormat, kind, Audio, Video, Script)
	}
	if err := f.body(int64(uint24(h[1:]))); err != nil {
		return Tag{}, err
	}
	timestamp := uint24(h[4:]) | uint32(h[7])<<24
	return Tag{Type: kind, Timestamp: timestamp, Data: f.data.Bytes()}, nil
}

// body reads the data of a tag. The buffer grows with what is really there, so
// that a damaged size costs nothing.
func (f *Reader) body(size int64) error {
	f.data.Reset()
	f.left = io.LimitedReader{R: f.r, N: size}
	n, err := f.data.ReadFrom(&f.left)
	f.pos += n
	if err == nil && n < size {
		err = io.EOF
	}
	return f.truncated(err)
}

// fill reads len(b) bytes.
func (f *Reader) fill(b []byte) (int, error) {
	n, err := io.ReadFull(f.r, b)
	f.pos += int64(n)
	return n, f.truncated(err)
}

// truncated says where the file ends when it ends too early.
func (f *Reader) truncated(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the file is cut off at byte %d: %w", f.pos, io.ErrUnexpectedEOF)
	}
	return err
}

func uint24(b []byte) uint32 {
	return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
}
