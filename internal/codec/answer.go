package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"time"
	"unicode"

	"github.com/stillcast/stillcast"
)

const (
	resultHead    = 2*4 + 3*8 + 8 + 8 + 1 + 8 + 1
	pictureHead   = 3 * 4
	maxPixelBytes = 6        // of a picture; noise at quality 100 has less than 5 a pixel in a JPEG, less in WebP
	headerRoom    = 64 << 10 // of a picture, beside its pixels
)

// Flags of a result.
const (
	flagBlack = 1 << iota
	flagSolid
)

// maxVariance is that of Y' of which one half is 0 and the other 255.
const maxVariance = 127.5 * 127.5

// buffers returns the message of a result.
func (r *Result) buffers() net.Buffers {
	length := resultHead + pictureHead*len(r.Pictures)
	b := make([]byte, headSize, headSize+length)
	for _, n := range []int{r.SourceWidth, r.SourceHeight} {
		b = binary.BigEndian.AppendUint32(b, uint32(n)) //nolint:gosec // sizes of pictures
	}
	for _, d := range []time.Duration{r.Decode, r.Scale, r.Encode} {
		b = binary.BigEndian.AppendUint64(b, uint64(d)) //nolint:gosec // never negative
	}
	for _, f := range []float64{r.Measures.Luma, r.Measures.Variance} {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(f))
	}
	b = append(b, flagBlack*bit(r.Measures.Black)|flagSolid*bit(r.Measures.Solid))
	b = binary.BigEndian.AppendUint64(b, r.Measures.Hash)
	b = append(b, byte(len(r.Pictures))) //nolint:gosec // at most MaxPictures
	message := make(net.Buffers, 1, 1+len(r.Pictures))
	for _, p := range r.Pictures {
		for _, n := range []int{p.Width, p.Height, len(p.Data)} {
			b = binary.BigEndian.AppendUint32(b, uint32(n)) //nolint:gosec // sizes of pictures
		}
		length += len(p.Data)
		message = append(message, p.Data)
	}
	appendHead(b[:0], kindResult, length) // into the room for it
	message[0] = b
	return message
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
	text := clip(err.Error())
	b = append(appendHead(b, kindFailure, 1+len(text)), number)
	return append(b, text...)
}

// answer is what a worker says to a request: pictures, or why there are none.
type answer struct {
	result  *Result
	failure error
}

// readAnswer reads the answer to a request for pictures. The worker may have been taken over
// by the stream that it decoded, so nothing is believed: an error says that
// it broke the protocol, or that the connection did.
func readAnswer(r io.Reader, asked []stillcast.PictureSpec, l limits) (answer, error) {
	most := 1 + maxMessage + resultHead + len(asked)*(pictureHead+headerRoom+maxPixelBytes*l.pixels)
	k, length, err := readHead(r, most, kindResult, kindFailure)
	if err != nil {
		return answer{}, noEOF(err)
	}
	if k == kindFailure {
		failure, err := readFailure(r, length)
		return answer{failure: failure}, err
	}
	result, err := readResult(r, length, asked, l)
	return answer{result: result}, err
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

func readResult(r io.Reader, length int, asked []stillcast.PictureSpec, l limits) (*Result, error) {
	heads := resultHead + pictureHead*len(asked)
	if length < heads {
		return nil, fmt.Errorf("result of %d bytes; at least %d are needed", length, heads)
	}
	head, err := readBody(r, heads)
	if err != nil {
		return nil, err
	}
	result, err := parseResult(head)
	if err != nil {
		return nil, err
	}
	if made := int(head[resultHead-1]); made != len(asked) {
		return nil, fmt.Errorf("result of %d pictures; asked was for %d", made, len(asked))
	}
	if err := result.checkSource(l); err != nil {
		return nil, err
	}
	result.Pictures = make([]Picture, len(asked))
	left := length - heads
	for i, spec := range asked {
		// All sizes are checked before memory is spent on the first picture.
		p, size, err := parsePicture(head[resultHead+pictureHead*i:], result.source().fit(spec.Size), formatOf(spec), l)
		if err != nil {
			return nil, err
		}
		result.Pictures[i], left = p, left-size
	}
	if left != 0 {
		return nil, fmt.Errorf("result of %d bytes, which is %d more than its pictures have", length, left)
	}
	for i, spec := range asked {
		p := &result.Pictures[i]
		if p.Data, err = readBody(r, int(binary.BigEndian.Uint32(head[resultHead+pictureHead*i+8:]))); err != nil {
			return nil, err
		}
		if err := p.check(formatOf(spec)); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// parseResult takes the head of a result apart.
func parseResult(head []byte) (*Result, error) {
	number := func(at int) uint64 { return binary.BigEndian.Uint64(head[at:]) }
	r := &Result{
		SourceWidth:  int(binary.BigEndian.Uint32(head)),
		SourceHeight: int(binary.BigEndian.Uint32(head[4:])),
		Measures:     Measures{Luma: math.Float64frombits(number(32)), Variance: math.Float64frombits(number(40)), Hash: number(49)},
	}
	for i, to := range []*time.Duration{&r.Decode, &r.Scale, &r.Encode} {
		ns := number(8 + 8*i)
		if ns > math.MaxInt64 {
			return nil, errors.New("result took longer than can be")
		}
		*to = time.Duration(ns)
	}
	m := &r.Measures
	if inside := m.Luma >= 0 && m.Luma <= 255 && m.Variance >= 0 && m.Variance <= maxVariance; !inside { // nor is NaN
		return nil, fmt.Errorf("result with luma %v and variance %v; allowed are 0 to 255 and 0 to %v", m.Luma, m.Variance, maxVariance)
	}
	flags := head[48]
	if flags&^(flagBlack|flagSolid) != 0 {
		return nil, fmt.Errorf("result with flags %#x", flags)
	}
	m.Black, m.Solid = flags&flagBlack != 0, flags&flagSolid != 0
	return r, nil
}

func (r *Result) source() size { return size{width: r.SourceWidth, height: r.SourceHeight} }

// checkSource reports a source that no stream within the limits has: of
// limits.pixels pixels, each [maxSampleAspect] times as wide as high.
func (r *Result) checkSource(l limits) error {
	source, most := r.source(), maxSampleAspect*l.pixels
	if source.width < 1 || source.height < 1 || source.width > most || source.height > most ||
		source.width*source.height > most+max(source.width, source.height) { // the width was rounded
		return fmt.Errorf("result of a source of %s pixels", source)
	}
	return nil
}

// parsePicture reads the head of one picture of a result, which must have the wanted size.
func parsePicture(head []byte, want size, format stillcast.Format, l limits) (p Picture, bytes int, err error) {
	number := func(at int) int { return int(binary.BigEndian.Uint32(head[at:])) }
	made, bytes := size{width: number(0), height: number(4)}, number(8)
	if made != want {
		return Picture{}, 0, fmt.Errorf("picture of %s pixels; its source gives %s", made, want)
	}
	if err := made.check(format, l.pixels); err != nil {
		return Picture{}, 0, err
	}
	if most := headerRoom + maxPixelBytes*made.width*made.height; bytes > most {
		return Picture{}, 0, fmt.Errorf("picture of %d bytes for %s pixels; at most %d are possible", bytes, made, most)
	}
	return Picture{Width: made.width, Height: made.height}, bytes, nil
}
