package media_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/media"
)

// unhex reads hexadecimal with blanks.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseVideoTag(t *testing.T) {
	tests := []struct {
		name        string
		data        string
		kind        media.TagKind
		codec       media.Codec
		key         bool
		headerSize  int
		composition time.Duration
		format      string
	}{
		{"H.264 sequence header", "17 00 000000 01 64", media.TagConfig, media.H264, false, 5, 0, "H.264"},
		{"H.264 key frame", "17 01 000050 00", media.TagFrame, media.H264, true, 5, 80 * time.Millisecond, "H.264"},
		{"H.264 inter frame, negative composition time", "27 01 ffffd8 00", media.TagFrame, media.H264, false, 5, -40 * time.Millisecond, "H.264"},
		{"H.264 disposable frame", "37 01 000000", media.TagFrame, media.H264, false, 5, 0, "H.264"},
		{"H.264 end of sequence is no key frame", "17 02 000000", media.TagEnd, media.H264, false, 5, 0, "H.264"},
		{"H.264 unknown packet", "17 03 000000", media.TagOther, media.H264, false, 5, 0, "H.264"},
		{"HEVC as codec 12", "1c 01 000000", media.TagFrame, media.HEVC, true, 5, 0, "HEVC"},
		{"HEVC as codec 12, sequence header", "1c 00 000000", media.TagConfig, media.HEVC, false, 5, 0, "HEVC"},
		{"info frame", "57 00", media.TagOther, media.CodecNone, false, 1, 0, "FLV video codec 7"},
		{"VP6 key frame", "14", media.TagFrame, media.CodecNone, true, 1, 0, "FLV video codec 4 (On2 VP6)"},
		{"unknown legacy codec", "2f", media.TagFrame, media.CodecNone, false, 1, 0, "FLV video codec 15"},
		{"hvc1 sequence start", "90 68766331 01", media.TagConfig, media.HEVC, false, 5, 0, "HEVC"},
		{"hvc1 coded frame", "91 68766331 000050 00", media.TagFrame, media.HEVC, true, 8, 80 * time.Millisecond, "HEVC"},
		{"hvc1 coded frame without composition time", "a3 68766331 00", media.TagFrame, media.HEVC, false, 5, 0, "HEVC"},
		{"hvc1 metadata", "d4 68766331 02", media.TagMetadata, media.HEVC, false, 5, 0, "HEVC"},
		{"hvc1 sequence end", "92 68766331", media.TagEnd, media.HEVC, false, 5, 0, "HEVC"},
		{"avc1 coded frame", "91 61766331 fffffe", media.TagFrame, media.H264, true, 8, -2 * time.Millisecond, "H.264"},
		{"av01 coded frame", "91 61763031 12", media.TagFrame, media.AV1, true, 5, 0, "AV1"},
		{"vp09 coded frame", "a1 76703039 12", media.TagFrame, media.VP9, false, 5, 0, "VP9"},
		{"vp08 coded frame", "91 76703038 12", media.TagFrame, media.VP8, true, 5, 0, "VP8"},
		{"av01 MPEG-2 TS sequence start", "95 61763031", media.TagConfig, media.AV1, false, 5, 0, "AV1"},
		{"hvc1 MPEG-2 TS sequence start is none", "95 68766331", media.TagOther, media.HEVC, false, 5, 0, "HEVC"},
		{"unknown FourCC", "91 76766331", media.TagFrame, media.CodecNone, true, 5, 0, `video codec "vvc1"`},
		{"command", "d0 00", media.TagOther, media.CodecNone, false, 1, 0, "FLV video codec 0"},
		{"multitrack, one track", "a6 01 68766331 00 000028", media.TagFrame, media.HEVC, false, 10, 40 * time.Millisecond, "HEVC"},
		{"multitrack, key frame", "96 03 61763031 00", media.TagFrame, media.AV1, true, 7, 0, "AV1"},
		{"multitrack, second track", "96 01 68766331 01 000028", media.TagFrame, media.HEVC, true, 10, 40 * time.Millisecond, "HEVC"},
		{"multitrack, many tracks", "96 11 68766331 00 000004 000028 aa", media.TagFrame, media.HEVC, true, 13, 40 * time.Millisecond, "HEVC"},
		{"multitrack, no room for the composition time", "96 11 68766331 00 000002 0000", media.TagOther, media.HEVC, false, 10, 0, "HEVC"},
		{"multitrack, many codecs", "96 20 61763031 01 000002", media.TagConfig, media.AV1, false, 10, 0, "AV1"},
		{"multitrack of an unknown kind", "96 31 68766331 00", media.TagOther, media.CodecNone, false, 2, 0, "FLV video codec 0"},
		{"multitrack inside multitrack", "96 06 68766331 00", media.TagOther, media.HEVC, false, 7, 0, "HEVC"},
		{"nanoseconds", "97 02 0f423f 03 68766331", media.TagFrame, media.HEVC, true, 10, 999_999, "HEVC"},
		{"too many nanoseconds", "97 02 0f4240 03 68766331", media.TagFrame, media.HEVC, true, 10, 0, "HEVC"},
		{"too few bytes of nanoseconds", "97 01 0001 03 68766331", media.TagFrame, media.HEVC, true, 9, 0, "HEVC"},
		{"nanoseconds on top of a composition time", "97 02 000001 01 68766331 000028", media.TagFrame, media.HEVC, true, 13, 40*time.Millisecond + 1, "HEVC"},
		{"unknown modifier, then nanoseconds", "97 03 aabbccdd 57 02 000005 03 68766331", media.TagFrame, media.HEVC, true, 16, 5, "HEVC"},
		{"modifier", "97 02 aabbcc 11 68766331 000028", media.TagFrame, media.HEVC, true, 13, 40 * time.Millisecond, "HEVC"},
		{"two modifiers", "97 00 aa 07 00 bb 03 61763031", media.TagFrame, media.AV1, true, 11, 0, "AV1"},
		{"long modifier", "97 ff 0000 aa 03 61763031", media.TagFrame, media.AV1, true, 10, 0, "AV1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tag, err := media.ParseVideoTag(unhex(t, tt.data))
			if err != nil {
				t.Fatal(err)
			}
			if tag.Kind != tt.kind || tag.Codec != tt.codec || tag.Key != tt.key {
				t.Errorf("kind %d, codec %v, key %t; want %d, %v, %t", tag.Kind, tag.Codec, tag.Key, tt.kind, tt.codec, tt.key)
			}
			if tag.HeaderSize != tt.headerSize || tag.Composition != tt.composition {
				t.Errorf("header of %d bytes, composition time %s; want %d, %s", tag.HeaderSize, tag.Composition, tt.headerSize, tt.composition)
			}
			if got := tag.Format(); got != tt.format {
				t.Errorf("format %q, want %q", got, tt.format)
			}
		})
	}
}

// Every header that is cut off is reported, and a whole one never is.
func TestParseVideoTagTruncated(t *testing.T) {
	for _, whole := range []string{
		"17 01 000050", "91 68766331 000050", "a3 68766331", "a6 01 68766331 00 000028", "97 02 aabbcc 01 68766331 000028", "97 ff 0000 aa 03 61763031",
		"96 11 68766331 00 000004 000028", "96 20 61763031 01 000002", "97 00 aa 06 01 68766331 00 000028",
	} {
		b := unhex(t, whole)
		for n := range b {
			if _, err := media.ParseVideoTag(b[:n]); !errors.Is(err, media.ErrTagTruncated) {
				t.Errorf("%s, first %d bytes: %v, want %v", whole, n, err, media.ErrTagTruncated)
			}
		}
		if _, err := media.ParseVideoTag(b); err != nil {
			t.Errorf("%s: %v", whole, err)
		}
	}
}

func FuzzParseVideoTag(f *testing.F) {
	for _, seed := range []string{"17 01 000050 00", "97 02 aabbcc 01 68766331 000028", "a6 01 68766331 00 000028", "97 ff ffff aa", "d4 68766331", "96 11 68766331 00 000004 000028 aa", "96 20 61763031 01 000002"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tag, err := media.ParseVideoTag(data)
		if err != nil {
			if !errors.Is(err, media.ErrTagTruncated) {
				t.Fatalf("unexpected error: %v", err)
			}
			return
		}
		if tag.HeaderSize < 1 || tag.HeaderSize > len(data) {
			t.Fatalf("header of %d bytes in %d", tag.HeaderSize, len(data))
		}
		if tag.Format() == "" {
			t.Fatal("no name for the codec")
		}
		if tag.Key && tag.Kind != media.TagFrame {
			t.Fatalf("kind %d is marked as a key frame", tag.Kind)
		}
		// What was read does not depend on what follows.
		again, err := media.ParseVideoTag(append(data[:tag.HeaderSize:tag.HeaderSize], 0xff))
		if err != nil || again != tag {
			t.Fatalf("with other bytes behind the header: %+v, %v; want %+v", again, err, tag)
		}
	})
}
