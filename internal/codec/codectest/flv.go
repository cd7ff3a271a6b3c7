package codectest

import (
	"encoding/binary"
	"testing"
)

const (
	flvHeader    = 13 // with the size of the tag before the first one
	flvTagHeader = 11
	flvTagAfter  = 4
	flvVideo     = 9
	avcHeader    = 5
)

// videoTags returns the bodies of the video tags of an FLV file of ffmpeg's (FLV specification 10.1, annex E).
func videoTags(t testing.TB, path string) [][]byte {
	t.Helper()
	b := fileBytes(t, path)
	var tags [][]byte
	for at := flvHeader; at+flvTagHeader < len(b); {
		length := int(binary.BigEndian.Uint32(b[at:]) & 0xffffff)
		body := at + flvTagHeader
		if body+length > len(b) {
			t.Fatalf("%s ends inside a tag", path)
		}
		if b[at] == flvVideo && length > avcHeader {
			tags = append(tags, b[body:body+length])
		}
		at = body + length + flvTagAfter
	}
	return tags
}

// readFLV reads an FLV file of H.264.
func readFLV(t testing.TB, path string) (record []byte, units [][]byte) {
	t.Helper()
	for _, tag := range videoTags(t, path) {
		switch kind, data := tag[1], tag[avcHeader:]; kind {
		case 0:
			record = data
		case 1:
			units = append(units, data)
		}
	}
	return record, units
}
