package codectest

import (
	"encoding/binary"
	"os"
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
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
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
