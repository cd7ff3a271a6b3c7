package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/stillcast/stillcast/internal/media"
)

// The protocol between pool and worker, on a stream socket. A message is its
// kind (1 byte), the length of its body (4 bytes) and the body; numbers are
// big-endian, floats IEEE 754 doubles. The pool sends setup and then requests, one at a time; the worker
// answers setup by hello and each request by a result or a failure.
//
//	setup    version 1 | pixels 8 | unit bytes 4 | memory 8 | CPU time 8 (ns)
//	hello    version 1 | Landlock ABI 1 | seccomp 1 | what is missing of them
//	request  codec 1 | first 1 | record size 4 | units 2 | pictures 1 | pictures | unit sizes 4 each | record | units
//	           a picture: width 4 | height 4 | fit 1 | format 1 | quality 1 | progressive 1
//	result   source width 4 | source height 4 | decode 8 | scale 8 | encode 8 (ns)
//	           | luma 8 | variance 8 | flags 1 | hash 8 | pictures 1 | pictures | their bytes
//	           a picture: width 4 | height 4 | size 4
//	failure  number 1 | message
type kind byte

const (
	kindSetup kind = iota + 1
	kindHello
	kindRequest
	kindResult
	kindFailure
)

const (
	protocolVersion = 2
	headSize        = 5
	setupSize       = 1 + 8 + 4 + 8 + 8
	helloHead       = 1 + 1 + 1
	maxUnits        = 4096
	maxMessage      = 512 // of a text in a message
)

// limits are what both sides hold each other to.
type limits struct {
	pixels    int
	unitBytes int
	memory    int64         // of the worker, 0 for none
	cpu       time.Duration // of the worker's life, 0 for none
}

// requestBytes is the largest body of a request.
func (l limits) requestBytes() int {
	return requestHead + specSize*MaxPictures + 4*maxUnits + media.MaxRecord + l.unitBytes
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

func readBody(r io.Reader, length int) ([]byte, error) { return readInto(nil, r, length) }

// readInto is readBody into the room that there is in old, if that is enough.
func readInto(old []byte, r io.Reader, length int) ([]byte, error) {
	body := slices.Grow(old[:0], length)[:length]
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
	b = binary.BigEndian.AppendUint64(b, uint64(l.memory))    //nolint:gosec // never negative
	return binary.BigEndian.AppendUint64(b, uint64(l.cpu))    //nolint:gosec // never negative
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
		memory:    int64(binary.BigEndian.Uint64(body[13:])),         //nolint:gosec // from our own parent
		cpu:       time.Duration(binary.BigEndian.Uint64(body[21:])), //nolint:gosec // from our own parent
	}, nil
}

func appendHello(b []byte, s sandbox) []byte {
	lacks := clip(s.lacks)
	b = append(appendHead(b, kindHello, helloHead+len(lacks)), protocolVersion, byte(s.landlock), 0)
	if s.seccomp {
		b[len(b)-1] = 1
	}
	return append(b, lacks...)
}

func readHello(r io.Reader) (sandbox, error) {
	_, length, err := readHead(r, helloHead+maxMessage, kindHello)
	if err != nil {
		return sandbox{}, fmt.Errorf("read hello: %w", noEOF(err))
	}
	body, err := readBody(r, length)
	switch {
	case err != nil:
		return sandbox{}, err
	case length < helloHead || body[2] > 1:
		return sandbox{}, fmt.Errorf("hello %v is none", body)
	case body[0] != protocolVersion:
		return sandbox{}, fmt.Errorf("hello of protocol version %d; expected is %d", body[0], protocolVersion)
	}
	return sandbox{landlock: int(body[1]), seccomp: body[2] == 1, lacks: printable(body[helloHead:])}, nil
}

// clip keeps a text within what a message may hold.
func clip(text string) string { return text[:min(len(text), maxMessage)] }
