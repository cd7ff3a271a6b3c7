package exif

import (
	"encoding/binary"
	"math"
)

// Markers of a JPEG (ITU-T T.81, table B.1), after their 0xff.
const (
	markerSOF0 = 0xc0
	markerDHT  = 0xc4
	markerJPG  = 0xc8
	markerDAC  = 0xcc
	markerSOF  = 0xcf // the last one
	markerSOI  = 0xd8
	markerSOS  = 0xda
	markerAPP0 = 0xe0
	markerAPP1 = 0xe1
)

const exifName = "Exif\x00\x00"

// insertJPEG puts the attributes into a segment of their own, behind that of JFIF, which both JFIF and Exif
// would have first.
func insertJPEG(picture []byte, f Fields) ([]byte, error) {
	at, width, height, err := readJPEG(picture)
	if err != nil {
		return nil, err
	}
	block := tiff(f, width, height)
	length := 2 + len(exifName) + len(block)
	if length > math.MaxUint16 {
		return nil, invalidPicture("cannot hold %d bytes of EXIF", length) // not with texts of maxText
	}
	out := make([]byte, 0, len(picture)+2+length)
	out = append(out, picture[:at]...)
	out = append(out, 0xff, markerAPP1)
	out = binary.BigEndian.AppendUint16(out, uint16(length))
	out = append(append(out, exifName...), block...)
	return append(out, picture[at:]...), nil
}

// readJPEG walks the segments up to the frame header. at is where a segment can be inserted.
func readJPEG(b []byte) (at, width, height int, err error) {
	if len(b) < 4 || b[0] != 0xff || b[1] != markerSOI {
		return 0, 0, 0, invalidPicture("is no JPEG: it does not begin with SOI")
	}
	at = 2
	for i := at; ; {
		if len(b)-i < 4 || b[i] != 0xff {
			return 0, 0, 0, invalidPicture("is no whole JPEG: there is no frame header")
		}
		marker, length := b[i+1], int(binary.BigEndian.Uint16(b[i+2:]))
		if length < 2 || length > len(b)-i-2 {
			return 0, 0, 0, invalidPicture("is no whole JPEG: the segment of marker %#x at byte %d ends outside it", marker, i)
		}
		body := b[i+4 : i+2+length]
		switch {
		case marker == markerAPP0 && i == at:
			at = i + 2 + length
		case marker == markerAPP1 && len(body) >= len(exifName) && string(body[:len(exifName)]) == exifName:
			return 0, 0, 0, invalidPicture("holds EXIF already")
		case isFrameHeader(marker):
			if len(body) < 5 {
				return 0, 0, 0, invalidPicture("is no JPEG: its frame header has %d bytes", len(body))
			}
			return at, int(binary.BigEndian.Uint16(body[3:])), int(binary.BigEndian.Uint16(body[1:])), nil
		case marker == markerSOS:
			return 0, 0, 0, invalidPicture("is no JPEG: a scan stands before the frame header")
		}
		i += 2 + length
	}
}

func isFrameHeader(marker byte) bool {
	return marker >= markerSOF0 && marker <= markerSOF && marker != markerDHT && marker != markerJPG && marker != markerDAC
}
