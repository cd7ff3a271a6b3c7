package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"math"
	"strings"
	"time"
	"unicode"
)

const (
	pictureHead    = 4*4 + 3*8
	maxMessage     = 512
	maxPixelBytes  = 6        // of a JPEG; noise at quality 100 has less than 5 a pixel
	jpegHeaderRoom = 64 << 10 // of a JPEG, beside its pixels
)

// Start and end of a JPEG (ITU-T T.81, table B.1).
const (
	startOfImage = "\xff\xd8"
	endOfImage   = "\xff\xd9"
)

func (p *Picture) head() []byte {
	b := make([]byte, 0, headSize+pictureHead)
	b = appendHead(b, kindPicture, pictureHead+len(p.JPEG))
	for _, n := range []int{p.Width, p.Height, p.SourceWidth, p.SourceHeight} {
		b = binary.BigEndian.AppendUint32(b, uint32(n)) //nolint:gosec // sizes of pictures
	}
	for _, d := range []time.Duration{p.Decode, p.Scale, p.Encode} {
		b = binary.BigEndian.AppendUint64(b, uint64(d)) //nolint:gosec // never negative
	}
	return b
}

// appendFailure appends the message that says why there is no picture. An error
// of another kind counts as damage: it is about these access units.
func appendFailure(b []byte, err error) []byte {
	number := byte(2)
	for _, f := range failures {
		if errors.Is(err, f.err) {
			number = f.number
		}
	}
	text := err.Error()
	text = text[:min(len(text), maxMessage)]
	b = append(appendHead(b, kindFailure, 1+len(text)), number)
	return append(b, text...)
}

// answer is what a worker says to a request: a picture, or why there is none.
type answer struct {
	picture *Picture
	failure error
}

// readAnswer reads the answer to a request. The worker may have been taken over
// by the stream that it decoded, so nothing is believed: an error says that
// it broke the protocol, or that the connection did.
func readAnswer(r io.Reader, asked size, l limits) (answer, error) {
	most := pictureHead + jpegHeaderRoom + maxPixelBytes*l.pixels
	k, length, err := readHead(r, most, kindPicture, kindFailure)
	if err != nil {
		return answer{}, noEOF(err)
	}
	if k == kindFailure {
		failure, err := readFailure(r, length)
		return answer{failure: failure}, err
	}
	p, err := readPicture(r, length, l)
	if err != nil {
		return answer{}, err
	}
	return answer{picture: p}, p.check(asked)
}

func readFailure(r io.Reader, length int) (failure, err error) {
	if length < 1 || length > 1+maxMessage {
		return nil, fmt.Errorf("failure of %d bytes; allowed are 1 to %d", length, 1+maxMessage)
	}
	body, err := readBody(r, length)
	if err != nil {
		return nil, err
	}
	for _, f := range failures {
		if f.number == body[0] {
			return &workerError{kind: f.err, text: printable(body[1:])}, nil
		}
	}
	return nil, fmt.Errorf("failure number %d is unknown", body[0])
}

// workerError is a failure that a worker reported, in its words.
type workerError struct {
	kind error
	text string
}

func (e *workerError) Error() string { return e.text }

func (e *workerError) Unwrap() error { return e.kind }

// printable makes text for logs of a worker's bytes.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, string(b))
}

func readPicture(r io.Reader, length int, l limits) (*Picture, error) {
	if length < pictureHead {
		return nil, fmt.Errorf("picture message of %d bytes; at least %d are needed", length, pictureHead)
	}
	head, err := readBody(r, pictureHead)
	if err != nil {
		return nil, err
	}
	p := &Picture{}
	for i, to := range []*int{&p.Width, &p.Height, &p.SourceWidth, &p.SourceHeight} {
		*to = int(binary.BigEndian.Uint32(head[4*i:]))
	}
	for i, to := range []*time.Duration{&p.Decode, &p.Scale, &p.Encode} {
		ns := binary.BigEndian.Uint64(head[16+8*i:])
		if ns > math.MaxInt64 {
			return nil, errors.New("picture took longer than can be")
		}
		*to = time.Duration(ns)
	}
	made := size{p.Width, p.Height}
	if err := made.check(l.pixels); err != nil || made.width < 1 || made.height < 1 {
		return nil, fmt.Errorf("picture of %s pixels; at most %d pixels are allowed", made, l.pixels)
	}
	jpegSize := length - pictureHead
	if most := jpegHeaderRoom + maxPixelBytes*made.width*made.height; jpegSize > most {
		return nil, fmt.Errorf("JPEG of %d bytes for %s pixels; at most %d are possible", jpegSize, made, most)
	}
	p.JPEG, err = readBody(r, jpegSize)
	return p, err
}

// check reports what shows that the picture is not what was asked for.
func (p *Picture) check(asked size) error {
	made, source := size{p.Width, p.Height}, size{p.SourceWidth, p.SourceHeight}
	const mostSource = 1 << 30 // no overflow below
	if source.width < 1 || source.height < 1 || source.width > mostSource || source.height > mostSource {
		return fmt.Errorf("picture of a source of %s pixels", source)
	}
	if want := source.fit(asked); made != want {
		return fmt.Errorf("picture of %s pixels; a source of %s gives %s", made, source, want)
	}
	if !bytes.HasPrefix(p.JPEG, []byte(startOfImage)) || !bytes.HasSuffix(p.JPEG, []byte(endOfImage)) {
		return fmt.Errorf("picture of %d bytes that are no JPEG", len(p.JPEG))
	}
	header, err := jpeg.DecodeConfig(bytes.NewReader(p.JPEG))
	if err != nil {
		return fmt.Errorf("read the JPEG's header: %w", err)
	}
	if inside := (size{header.Width, header.Height}); inside != made {
		return fmt.Errorf("picture of %s pixels whose JPEG says %s", made, inside)
	}
	return nil
}
