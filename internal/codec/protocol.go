package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/stillcast/stillcast/internal/media"
)

// The protocol between pool and worker, on a stream socket. A message is its
// kind (1 byte), the length of its body (4 bytes) and the body; numbers are
// big-endian. The pool sends setup and then requests, one at a time; the worker
// answers setup by hello and each request by a picture or a failure.
//
//	setup    version 1 | pixels 8 | unit bytes 4 | memory 8
//	hello    version 1
//	request  codec 1 | quality 1 | width 4 | height 4 | record size 4 | units 2 | unit sizes 4 each | record | units
//	picture  width 4 | height 4 | source width 4 | source height 4 | decode 8 | scale 8 | encode 8 (ns) | JPEG
//	failure  number 1 | message
type kind byte

const (
	kindSetup kind = iota + 1
	kindHello
	kindRequest
	kindPicture
	kindFailure
)

const (
	protocolVersion = 1
	headSize        = 5
	setupSize       = 1 + 8 + 4 + 8
	requestHead     = 1 + 1 + 4 + 4 + 4 + 2
	maxUnits        = 4096
)

// limits are what both sides hold each other to.
type limits struct {
	pixels    int
	unitBytes int
	memory    int64 // of the worker, 0 for none
}

// requestBytes is the largest body of a request.
func (l limits) requestBytes() int {
	return requestHead + 4*maxUnits + media.MaxRecord + l.unitBytes
}

func appendHead(b []byte, k kind, bodySize int) []byte {
	return binary.BigEndian.AppendUint32(append(b, byte(k)), uint32(bodySize)) //nolint:gosec // callers' sizes are limited
}

// readHead reads the head of a message, which must be one of the wanted kinds and no longer than most.
func readHead(r io.Reader, most int, wanted ...kind) (kind, int, error) {
	var head [headSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, 0, err
	}
	k, length := kind(head[0]), binary.BigEndian.Uint32(head[1:])
	for _, w := range wanted {
		if k != w {
			continue
		}
		if uint64(length) > uint64(most) { //nolint:gosec // never negative
			return 0, 0, fmt.Errorf("message of kind %d has %d bytes; at most %d are allowed", k, length, most)
		}
		return k, int(length), nil
	}
	return 0, 0, fmt.Errorf("message of kind %d; expected are %d", k, wanted)
}

func readBody(r io.Reader, length int) ([]byte, error) {
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("read message of %d bytes: %w", length, noEOF(err))
	}
	return body, nil
}

// noEOF turns the end of the stream into an error where it comes too early.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func appendSetup(b []byte, l limits) []byte {
	b = append(appendHead(b, kindSetup, setupSize), protocolVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(l.pixels))    //nolint:gosec // never negative
	b = binary.BigEndian.AppendUint32(b, uint32(l.unitBytes)) //nolint:gosec // at most 256 MiB
	return binary.BigEndian.AppendUint64(b, uint64(l.memory)) //nolint:gosec // never negative
}

func readSetup(r io.Reader) (limits, error) {
	_, length, err := readHead(r, setupSize, kindSetup)
	if err != nil {
		return limits{}, err
	}
	body, err := readBody(r, length)
	switch {
	case err != nil:
		return limits{}, err
	case length != setupSize:
		return limits{}, fmt.Errorf("setup of %d bytes; expected are %d", length, setupSize)
	case body[0] != protocolVersion:
		return limits{}, fmt.Errorf("protocol version %d; expected is %d", body[0], protocolVersion)
	}
	return limits{
		pixels:    int(binary.BigEndian.Uint64(body[1:])), //nolint:gosec // from our own parent
		unitBytes: int(binary.BigEndian.Uint32(body[9:])),
		memory:    int64(binary.BigEndian.Uint64(body[13:])), //nolint:gosec // from our own parent
	}, nil
}

func appendHello(b []byte) []byte {
	return append(appendHead(b, kindHello, 1), protocolVersion)
}

func readHello(r io.Reader) error {
	_, length, err := readHead(r, 1, kindHello)
	if err != nil {
		return fmt.Errorf("read hello: %w", err)
	}
	body, err := readBody(r, length)
	if err != nil {
		return err
	}
	if length != 1 || body[0] != protocolVersion {
		return fmt.Errorf("hello of protocol version %v; expected is %d", body, protocolVersion)
	}
	return nil
}

// buffers returns the message of a checked request. Record and units stand in
// it where they are; nothing is copied until the kernel does.
func (r *Request) buffers() net.Buffers {
	length := requestHead + 4*len(r.Units) + len(r.Config.Record)
	for _, unit := range r.Units {
		length += len(unit)
	}
	b := make([]byte, 0, headSize+requestHead+4*len(r.Units))
	b = append(appendHead(b, kindRequest, length), byte(r.Config.Codec), byte(r.Quality))
	for _, n := range []int{r.Width, r.Height, len(r.Config.Record)} {
		b = binary.BigEndian.AppendUint32(b, uint32(n)) //nolint:gosec // checked
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Units))) //nolint:gosec // checked
	for _, unit := range r.Units {
		b = binary.BigEndian.AppendUint32(b, uint32(len(unit))) //nolint:gosec // checked
	}
	return append(net.Buffers{b, r.Config.Record}, r.Units...)
}

// readRequest reads a request. Its error is io.EOF when the pool is gone.
func readRequest(r io.Reader, l limits) (*Request, error) {
	_, length, err := readHead(r, l.requestBytes(), kindRequest)
	if err != nil {
		return nil, err
	}
	body, err := readBody(r, length)
	if err != nil {
		return nil, err
	}
	return parseRequest(body)
}

// parseRequest takes a request apart; record and units are parts of body.
func parseRequest(body []byte) (*Request, error) {
	if len(body) < requestHead {
		return nil, fmt.Errorf("request of %d bytes; at least %d are needed", len(body), requestHead)
	}
	number := func(at int) int { return int(binary.BigEndian.Uint32(body[at:])) }
	r := &Request{
		Config:  &media.Config{Codec: media.Codec(body[0])},
		Quality: int(body[1]),
		Width:   number(2),
		Height:  number(6),
	}
	units := int(binary.BigEndian.Uint16(body[14:]))
	rest := body[requestHead:]
	if units > maxUnits || len(rest) < 4*units {
		return nil, fmt.Errorf("request announces %d access units; at most %d fit", units, min(maxUnits, len(rest)/4))
	}
	sizes, rest := rest[:4*units], rest[4*units:]
	var err error
	if r.Config.Record, rest, err = cut(rest, number(10)); err != nil {
		return nil, err
	}
	r.Units = make([][]byte, units)
	for i := range r.Units {
		if r.Units[i], rest, err = cut(rest, int(binary.BigEndian.Uint32(sizes[4*i:]))); err != nil {
			return nil, err
		}
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("request has %d bytes that belong to nothing", len(rest))
	}
	return r, nil
}

func cut(b []byte, length int) (part, rest []byte, err error) {
	if length > len(b) {
		return nil, nil, fmt.Errorf("request announces a part of %d bytes; %d are left", length, len(b))
	}
	return b[:length:length], b[length:], nil
}
