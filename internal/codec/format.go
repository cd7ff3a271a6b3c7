package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image/jpeg"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/codec/av"
)

// Start and end of a JPEG (ITU-T T.81, table B.1).
const (
	startOfImage = "\xff\xd8"
	endOfImage   = "\xff\xd9"
)

// webpHeader is that of a file with one lossy picture: RIFF and VP8 chunk (RFC
// 9649, 2.5), frame tag, start code and size (RFC 6386, 9.1).
const webpHeader = 12 + 8 + 3 + 3 + 4

// check reports what shows that a picture's bytes are not what they should be.
func (p *Picture) check(format stillcast.Format) error {
	read := jpegSize
	if format == stillcast.FormatWebP {
		read = webpSize
	}
	inside, err := read(p.Data)
	if err != nil {
		return fmt.Errorf("picture of %d bytes: %w", len(p.Data), err)
	}
	if made := (size{p.Width, p.Height}); inside != made {
		return fmt.Errorf("picture of %s pixels whose bytes say %s", made, inside)
	}
	return nil
}

func jpegSize(b []byte) (size, error) {
	if !bytes.HasPrefix(b, []byte(startOfImage)) || !bytes.HasSuffix(b, []byte(endOfImage)) {
		return size{}, errors.New("is no JPEG")
	}
	header, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return size{}, fmt.Errorf("read the JPEG's header: %w", err)
	}
	return size{header.Width, header.Height}, nil
}

func webpSize(b []byte) (size, error) {
	if len(b) < webpHeader || string(b[:4]) != "RIFF" || string(b[8:16]) != "WEBPVP8 " {
		return size{}, errors.New("is no WebP file of one lossy picture")
	}
	// A chunk of odd size is followed by a byte of padding.
	file, chunk := uint64(binary.LittleEndian.Uint32(b[4:])), uint64(binary.LittleEndian.Uint32(b[16:]))
	if file+8 != uint64(len(b)) || chunk+chunk%2+12 != file {
		return size{}, fmt.Errorf("WebP file announces %d bytes and a picture of %d", file+8, chunk)
	}
	if keyFrame := b[20]&1 == 0; !keyFrame || string(b[23:26]) != "\x9d\x01\x2a" {
		return size{}, errors.New("WebP file holds no VP8 key frame")
	}
	width, height := binary.LittleEndian.Uint16(b[26:]), binary.LittleEndian.Uint16(b[28:])
	// The two bits above are a scale that players may apply.
	if width > av.MaxWebPSide || height > av.MaxWebPSide {
		return size{}, errors.New("WebP picture asks to be scaled")
	}
	return size{int(width), int(height)}, nil
}
