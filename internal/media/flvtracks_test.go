package media_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/media"
)

// tracksOf describes the tracks of a message.
func tracksOf(message []byte) []string {
	var out []string
	for t := range media.Tracks(message) {
		out = append(out, fmt.Sprintf("%d %s kind %d key %t %s %x", t.Track, t.Format(), t.Kind, t.Key, t.Composition, t.Data(message)))
	}
	return out
}

func TestTracks(t *testing.T) {
	tests := []struct {
		name, message string
		want          []string
	}{
		{"legacy", "17 01 000050 aabb", []string{"0 H.264 kind 2 key true 80ms aabb"}},
		{"plain", "a3 68766331 aabb", []string{"0 HEVC kind 2 key false 0s aabb"}},
		{"one track", "91 68766331 000028 aabb", []string{"0 HEVC kind 2 key true 40ms aabb"}},
		{"one track with a number", "96 03 61763031 05 aabb", []string{"5 AV1 kind 2 key true 0s aabb"}},
		{
			"many tracks", "96 11 68766331 01 000005 000028 aabb 00 000004 000000 cc",
			[]string{"1 HEVC kind 2 key true 40ms aabb", "0 HEVC kind 2 key true 0s cc"},
		},
		{
			"many codecs", "a6 23 61763031 00 000002 aabb 76766331 01 000000 76703039 02 000001 cc",
			[]string{"0 AV1 kind 2 key false 0s aabb", `1 video codec "vvc1" kind 2 key false 0s `, "2 VP9 kind 2 key false 0s cc"},
		},
		{"sequence starts", "96 10 68766331 00 000001 aa 01 000001 bb", []string{"0 HEVC kind 1 key false 0s aa", "1 HEVC kind 1 key false 0s bb"}},
		{
			"the same nanoseconds for all", "97 02 000007 06 13 68766331 00 000001 aa 01 000001 bb",
			[]string{"0 HEVC kind 2 key true 7ns aa", "1 HEVC kind 2 key true 7ns bb"},
		},
		{"second track is cut off", "96 13 68766331 00 000001 aa 01 000009 bb", []string{"0 HEVC kind 2 key true 0s aa"}},
		{"first track is cut off", "96 13 68766331 00 000003 aa", nil},
		{"header of the second is cut off", "96 13 68766331 00 000001 aa 01 00", []string{"0 HEVC kind 2 key true 0s aa"}},
		{"cut off", "96", nil},
		{"empty", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tracksOf(unhex(t, tt.message))); diff != "" {
				t.Errorf("tracks (-want +got):\n%s", diff)
			}
		})
	}
}

// A message of nothing but empty tracks ends.
func TestTracksAreBounded(t *testing.T) {
	message := append(unhex(t, "96 13 68766331"), make([]byte, 4*100_000)...)
	if n := len(tracksOf(message)); n != 256 {
		t.Errorf("%d tracks, want 256", n)
	}
}

func TestRecord(t *testing.T) {
	tests := []struct{ name, message, want string }{
		{"H.264", "17 00 000000 0164", "0164"},
		{"AV1", "90 61763031 81000c00", "81000c00"},
		{"of a track", "96 10 68766331 00 000002 0101 01 000001 02", "0101"},
		{"MPEG-2 TS descriptor", "95 61763031 80 04 81 00 0c c5", "81000c05"},
		{"no descriptor", "95 61763031 81 04 81 00 0c c5", ""},
		{"descriptor that is cut off", "95 61763031 80 04 81 00 0c", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			message := unhex(t, tt.message)
			tag, err := media.ParseVideoTag(message)
			if err != nil || tag.Kind != media.TagConfig {
				t.Fatalf("%+v, %v", tag, err)
			}
			if got := tag.Record(message); !bytes.Equal(got, unhex(t, tt.want)) {
				t.Errorf("record %x, want %s", got, tt.want)
			}
			if tag.Codec == media.AV1 {
				if _, err := media.ParseConfig(tag.Codec, tag.Record(message), 1<<20); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// FuzzTracks demands that every track lies in its message, and the first is the
// one that ParseVideoTag describes.
func FuzzTracks(f *testing.F) {
	for _, seed := range []string{
		"17 01 000050 aabb", "96 11 68766331 01 000005 000028 aabb 00 000004 000000 cc", "95 61763031 80 04 81 00 0c c5",
		"a6 23 61763031 00 000002 aabb 76766331 01 000000 76703039 02 000001 cc", "97 02 000007 06 13 68766331 00 000001 aa 01 000001 bb",
	} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		n := 0
		for tag := range media.Tracks(message) {
			if tag.HeaderSize < 1 || tag.HeaderSize > len(message) || len(tag.Data(message)) > len(message)-tag.HeaderSize {
				t.Fatalf("track %+v in %d bytes", tag, len(message))
			}
			if tag.Kind == media.TagConfig {
				_ = tag.Record(message)
			}
			if first, err := media.ParseVideoTag(message); n == 0 && (err != nil || first != tag) {
				t.Fatalf("first track %+v, ParseVideoTag says %+v, %v", tag, first, err)
			}
			n++
		}
		if n > 256 {
			t.Fatalf("%d tracks", n)
		}
	})
}
