package exif

import (
	"encoding/binary"

	"github.com/stillcast/stillcast"
)

// Tags (Exif 2.32, 4.6.4 to 4.6.6).
const (
	tagImageDescription   = 0x010e
	tagXResolution        = 0x011a
	tagYResolution        = 0x011b
	tagResolutionUnit     = 0x0128
	tagSoftware           = 0x0131
	tagYCbCrPositioning   = 0x0213
	tagExifIFD            = 0x8769
	tagExifVersion        = 0x9000
	tagDateTimeOriginal   = 0x9003
	tagOffsetTimeOriginal = 0x9011
	tagComponents         = 0x9101
	tagSubSecTimeOriginal = 0x9291
	tagFlashpixVersion    = 0xa000
	tagColorSpace         = 0xa001
	tagPixelXDimension    = 0xa002
	tagPixelYDimension    = 0xa003
)

// Types of values (TIFF 6.0, section 2).
const (
	typeASCII     = 2
	typeShort     = 3
	typeLong      = 4
	typeRational  = 5
	typeUndefined = 7
)

// entry is a tag with its value.
type entry struct {
	tag, kind uint16
	count     uint32 // of values, not bytes
	value     []byte
}

func ascii(tag uint16, text string) entry {
	// The type means 7 bits. Names of streams are UTF-8, which is what readers take it for.
	return entry{tag, typeASCII, uint32(len(text) + 1), append([]byte(text), 0)}
}

func undefined(tag uint16, value string) entry {
	return entry{tag, typeUndefined, uint32(len(value)), []byte(value)}
}

func short(tag, value uint16) entry {
	return entry{tag, typeShort, 1, binary.BigEndian.AppendUint16(nil, value)}
}

func long(tag uint16, value uint32) entry {
	return entry{tag, typeLong, 1, binary.BigEndian.AppendUint32(nil, value)}
}

func rational(tag uint16, numerator, denominator uint32) entry {
	value := binary.BigEndian.AppendUint32(nil, numerator)
	return entry{tag, typeRational, 1, binary.BigEndian.AppendUint32(value, denominator)}
}

const (
	tiffHeader = 8
	entrySize  = 12
)

// tiff is the block of Exif's attributes of a picture of a size in pixels: a TIFF header and two directories, each with its
// values behind it.
func tiff(f Fields, width, height int) []byte {
	main := mainEntries(f)
	// The last entry points at the directory behind this one.
	main = append(main, long(tagExifIFD, uint32(tiffHeader+directorySize(main)+entrySize)))
	b := []byte{'M', 'M', 0, 42, 0, 0, 0, tiffHeader}
	b = appendDirectory(b, main)
	return appendDirectory(b, exifEntries(f, width, height))
}

// mainEntries are the tags of the first directory, in rising order. The resolution means nothing for a picture of a
// video, but has to be there.
func mainEntries(f Fields) []entry {
	var entries []entry
	if f.Stream != (stillcast.Stream{}) {
		entries = append(entries, ascii(tagImageDescription, f.Stream.String()))
	}
	entries = append(entries, rational(tagXResolution, 72, 1), rational(tagYResolution, 72, 1), short(tagResolutionUnit, 2))
	if f.Software != "" {
		entries = append(entries, ascii(tagSoftware, f.Software))
	}
	return append(entries, short(tagYCbCrPositioning, 1))
}

// exifEntries are the tags of Exif's own directory, in rising order.
func exifEntries(f Fields, width, height int) []entry {
	entries := []entry{undefined(tagExifVersion, "0232")}
	if !f.Captured.IsZero() {
		entries = append(entries,
			ascii(tagDateTimeOriginal, f.Captured.Format("2006:01:02 15:04:05")),
			ascii(tagOffsetTimeOriginal, f.Captured.Format("-07:00")))
	}
	entries = append(entries, undefined(tagComponents, "\x01\x02\x03\x00")) // Y, Cb, Cr
	if !f.Captured.IsZero() {
		entries = append(entries, ascii(tagSubSecTimeOriginal, f.Captured.Format(".000")[1:]))
	}
	return append(entries, undefined(tagFlashpixVersion, "0100"), short(tagColorSpace, 1), // sRGB
		long(tagPixelXDimension, uint32(width)), long(tagPixelYDimension, uint32(height)))
}

// directorySize is the size of a directory with its values, in bytes.
func directorySize(entries []entry) int {
	size := 2 + len(entries)*entrySize + 4
	for _, e := range entries {
		if len(e.value) > 4 {
			size += even(len(e.value))
		}
	}
	return size
}

// appendDirectory appends the last directory of a TIFF, whose offsets count from the start of b.
func appendDirectory(b []byte, entries []entry) []byte {
	values := len(b) + 2 + len(entries)*entrySize + 4
	var behind []byte
	b = binary.BigEndian.AppendUint16(b, uint16(len(entries)))
	for _, e := range entries {
		b = binary.BigEndian.AppendUint16(b, e.tag)
		b = binary.BigEndian.AppendUint16(b, e.kind)
		b = binary.BigEndian.AppendUint32(b, e.count)
		if len(e.value) <= 4 {
			b = append(append(b, e.value...), make([]byte, 4-len(e.value))...)
			continue
		}
		b = binary.BigEndian.AppendUint32(b, uint32(values+len(behind)))
		behind = append(append(behind, e.value...), make([]byte, even(len(e.value))-len(e.value))...)
	}
	b = append(b, 0, 0, 0, 0) // no further directory
	return append(b, behind...)
}

// even rounds up: values stand at even offsets.
func even(n int) int { return n + n&1 }
