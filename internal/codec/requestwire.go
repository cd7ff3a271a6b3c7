package codec

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

const (
	requestHead = 1 + 1 + 4 + 2 + 1
	specSize    = 4 + 4 + 4
)

// buffers returns the message of a checked request. Record and units stand in
// it where they are; nothing is copied until the kernel does.
func (r *Request) buffers() net.Buffers {
	head := requestHead + specSize*len(r.Pictures) + 4*len(r.Units)
	length := head + len(r.Config.Record)
	for _, unit := range r.Units {
		length += len(unit)
	}
	b := make([]byte, 0, headSize+head)
	b = append(appendHead(b, kindRequest, length), byte(r.Config.Codec), bit(r.First))
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.Config.Record))) //nolint:gosec // checked
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Units)))         //nolint:gosec // checked
	b = append(b, byte(len(r.Pictures)))
	for _, spec := range r.Pictures {
		b = appendSpec(b, spec)
	}
	for _, unit := range r.Units {
		b = binary.BigEndian.AppendUint32(b, uint32(len(unit))) //nolint:gosec // checked
	}
	return append(net.Buffers{b, r.Config.Record}, r.Units...)
}

func appendSpec(b []byte, spec stillcast.PictureSpec) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(spec.Width))  //nolint:gosec // checked
	b = binary.BigEndian.AppendUint32(b, uint32(spec.Height)) //nolint:gosec // checked
	fit, format := slices.Index(fits, fitOf(spec)), slices.Index(formats, formatOf(spec))
	return append(b, byte(fit), byte(format), byte(spec.Quality), bit(spec.Progressive)) //nolint:gosec // checked
}

func bit(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// readRequest reads a request into the room that there is in old, if that is enough, and returns that as well, for the
// next one. The error is io.EOF when the pool is gone.
func readRequest(old []byte, r io.Reader, l limits) (*Request, []byte, error) {
	_, length, err := readHead(r, l.requestBytes(), kindRequest)
	if err != nil {
		return nil, old, err
	}
	body, err := readInto(old, r, length)
	if err != nil {
		return nil, old, err
	}
	request, err := parseRequest(body)
	return request, body, err
}

// parseRequest takes a request apart; record and units are parts of body.
func parseRequest(body []byte) (*Request, error) {
	head, rest, err := cut(body, requestHead)
	if err != nil {
		return nil, err
	}
	recordSize, units, pictures := int(binary.BigEndian.Uint32(head[2:])), int(binary.BigEndian.Uint16(head[6:])), int(head[8])
	if head[1] > 1 || units > maxUnits || pictures > MaxPictures {
		return nil, fmt.Errorf("request of %d access units and %d pictures with flag %d; at most %d, %d and 1 are allowed",
			units, pictures, head[1], maxUnits, MaxPictures)
	}
	r := &Request{
		Config:   &media.Config{Codec: media.Codec(head[0])},
		First:    head[1] == 1,
		Units:    make([][]byte, units),
		Pictures: make([]stillcast.PictureSpec, pictures),
	}
	var part []byte
	for i := range r.Pictures {
		if part, rest, err = cut(rest, specSize); err != nil {
			return nil, err
		}
		if r.Pictures[i], err = parseSpec(part); err != nil {
			return nil, err
		}
	}
	sizes, rest, err := cut(rest, 4*units)
	if err != nil {
		return nil, err
	}
	if r.Config.Record, rest, err = cut(rest, recordSize); err != nil {
		return nil, err
	}
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

func parseSpec(b []byte) (stillcast.PictureSpec, error) {
	fit, format := int(b[8]), int(b[9])
	if fit >= len(fits) || format >= len(formats) || b[11] > 1 {
		return stillcast.PictureSpec{}, fmt.Errorf("request of a picture with fit %d, format %d and flag %d", fit, format, b[11])
	}
	return stillcast.PictureSpec{
		Size:        stillcast.Size{Width: int(binary.BigEndian.Uint32(b)), Height: int(binary.BigEndian.Uint32(b[4:]))},
		Fit:         fits[fit],
		Format:      formats[format],
		Quality:     int(b[10]),
		Progressive: b[11] == 1,
	}, nil
}

func cut(b []byte, length int) (part, rest []byte, err error) {
	if length > len(b) {
		return nil, nil, fmt.Errorf("message announces a part of %d bytes; %d are left", length, len(b))
	}
	return b[:length:length], b[length:], nil
}
