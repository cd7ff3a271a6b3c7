package flv_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast/internal/media/flv"
	"github.com/stillcast/stillcast/internal/media/flv/flvtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const header = "FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00"

func readAll(r io.Reader) ([]flv.Tag, error) {
	f, err := flv.NewReader(r)
	if err != nil {
		return nil, err
	}
	var tags []flv.Tag
	for {
		tag, err := f.Read()
		if errors.Is(err, io.EOF) {
			return tags, nil
		}
		if err != nil {
			return tags, err
		}
		tag.Data = bytes.Clone(tag.Data)
		tags = append(tags, tag)
	}
}

func someTags() []flv.Tag {
	return []flv.Tag{
		{Type: flv.Script, Timestamp: 0, Data: []byte("\x02\x00\x0aonMetaData")},
		{Type: flv.Video, Timestamp: 0xFFFFFF, Data: []byte{0x17, 0, 0, 0, 0}},
		{Type: flv.Audio, Timestamp: 0x1000000, Data: []byte{}},
		{Type: flv.Video, Timestamp: 0xFFFFFFFF, Data: bytes.Repeat([]byte{0x27}, 300_000)},
		{Type: flv.Video, Timestamp: 0, Data: []byte{0x27}},
	}
}

func write(t testing.TB, tags []flv.Tag) []byte {
	t.Helper()
	var out bytes.Buffer
	w := flvtest.NewWriter(&out)
	for _, tag := range tags {
		if err := w.Write(tag); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func TestRoundTrip(t *testing.T) {
	file := write(t, someTags())
	readers := map[string]io.Reader{
		"whole":        bytes.NewReader(file),
		"byte by byte": iotest.OneByteReader(bytes.NewReader(file)),
	}
	for name, r := range readers {
		got, err := readAll(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(someTags(), got, cmp.Comparer(bytes.Equal)); diff != "" {
			t.Errorf("%s: tags (-want +got):\n%s", name, diff)
		}
	}
}

// The bytes are those of the specification, not only what the two agree on.
func TestWriterBytes(t *testing.T) {
	got := write(t, []flv.Tag{{Type: flv.Video, Timestamp: 0x04010203, Data: []byte{0xAA, 0xBB}}})
	want := header + "\x09\x00\x00\x02\x01\x02\x03\x04\x00\x00\x00\xaa\xbb\x00\x00\x00\x0d"
	if diff := cmp.Diff([]byte(want), got); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
}

func TestWriterRefusesLargeTag(t *testing.T) {
	err := flvtest.NewWriter(io.Discard).Write(flv.Tag{Type: flv.Video, Data: make([]byte, flv.MaxTagData+1)})
	if err == nil || !strings.Contains(err.Error(), "16777216 bytes") {
		t.Errorf("Write: %v, want an error that names the size", err)
	}
}

func TestLargestTag(t *testing.T) {
	file := write(t, []flv.Tag{{Type: flv.Video, Data: make([]byte, flv.MaxTagData)}})
	got, err := readAll(bytes.NewReader(file))
	if err != nil || len(got) != 1 || len(got[0].Data) != flv.MaxTagData {
		t.Errorf("read %d tags, error %v; want one of %d bytes", len(got), err, flv.MaxTagData)
	}
}

func TestReaderSkipsLongHeader(t *testing.T) {
	file := "FLV\x01\x05\x00\x00\x00\x0bxx\x00\x00\x00\x00\x08\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xaf\x00\x00\x00\x0c"
	got, err := readAll(strings.NewReader(file))
	want := []flv.Tag{{Type: flv.Audio, Data: []byte{0xAF}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("tags (-want +got):\n%s, error %v", diff, err)
	}
}

func TestReaderErrors(t *testing.T) {
	tests := []struct {
		name, file string
		want       error
		text       string
	}{
		{"empty", "", io.ErrUnexpectedEOF, "cut off at byte 0"},
		{"MP4", "\x00\x00\x00\x20ftypisom", flv.ErrFormat, `starts with "\x00\x00\x00", expected "FLV"`},
		{"short text", "no", flv.ErrFormat, `starts with "no"`},
		{"short header", "FLV\x01\x05", io.ErrUnexpectedEOF, "cut off at byte 5"},
		{"version", "FLV\x02\x05\x00\x00\x00\x09", flv.ErrFormat, "version 2"},
		{"header too short", "FLV\x01\x05\x00\x00\x00\x08", flv.ErrFormat, "header of 8 bytes"},
		{"header too long", "FLV\x01\x05\xff\xff\xff\xff", flv.ErrFormat, "header of 4294967295 bytes"},
		{"long header cut off", "FLV\x01\x05\x00\x00\x00\x0cx", io.ErrUnexpectedEOF, "cut off at byte 10"},
		{"no size", header[:9], io.ErrUnexpectedEOF, "cut off at byte 9"},
		{"short tag header", header + "\x09\x00\x00\x02", io.ErrUnexpectedEOF, "tag at byte 13: the file is cut off at byte 17"},
		{
			"short data", header + "\x09\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x17",
			io.ErrUnexpectedEOF, "tag at byte 13: the file is cut off at byte 25",
		},
		{
			"no size after a tag", header + "\x09\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x17",
			io.ErrUnexpectedEOF, "size of FLV tag: the file is cut off at byte 25",
		},
		{"tag type", header + "\x0f\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00", flv.ErrFormat, "tag at byte 13: not a valid FLV file: tag type 15"},
		{"encrypted", header + "\x29\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00", flv.ErrFormat, "encrypted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readAll(strings.NewReader(tt.file))
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %q does not hold %q", err, tt.text)
			}
		})
	}
}

func TestReaderPassesErrorsOn(t *testing.T) {
	broken := errors.New("disk on fire")
	_, err := readAll(io.MultiReader(strings.NewReader(header+"\x09"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want it to wrap %v", err, broken)
	}
}

// A damaged size must not cost 16 MiB.
func TestReaderAllocatesByWhatIsThere(t *testing.T) {
	file := header + "\x09\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x17"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readAll(strings.NewReader(file))
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 || err == nil {
		t.Errorf("%d bytes were allocated, error %v", grown, err)
	}
}

func TestKind(t *testing.T) {
	tests := []struct {
		name string
		kind flv.TagType
		data string
		want flv.Kind
	}{
		{"empty", flv.Video, "", flv.KindOther},
		{"script", flv.Script, "\x02", flv.KindOther},
		{"AVC config", flv.Video, "\x17\x00", flv.KindConfig},
		{"AVC key frame", flv.Video, "\x17\x01", flv.KindFrame},
		{"AVC inter frame", flv.Video, "\x27\x01", flv.KindFrame},
		{"AVC end", flv.Video, "\x17\x02", flv.KindEnd},
		{"AVC cut off", flv.Video, "\x17", flv.KindOther},
		{"HEVC config, codec 12", flv.Video, "\x1c\x00", flv.KindConfig},
		{"Sorenson H.263", flv.Video, "\x12\x00", flv.KindFrame},
		{"enhanced config", flv.Video, "\x90hvc1", flv.KindConfig},
		{"enhanced frames", flv.Video, "\x91hvc1", flv.KindFrame},
		{"enhanced end", flv.Video, "\x92hvc1", flv.KindEnd},
		{"enhanced frames without offset", flv.Video, "\xa3hvc1", flv.KindFrame},
		{"enhanced metadata", flv.Video, "\xd4hvc1", flv.KindOther},
		{"multitrack config", flv.Video, "\x96\x00hvc1", flv.KindConfig},
		{"multitrack frames", flv.Video, "\xa6\x01hvc1", flv.KindFrame},
		{"multitrack cut off", flv.Video, "\xa6", flv.KindOther},
		{"ModEx", flv.Video, "\xa7\x00", flv.KindFrame},
		{"AAC config", flv.Audio, "\xaf\x00", flv.KindConfig},
		{"AAC frame", flv.Audio, "\xaf\x01", flv.KindFrame},
		{"AAC cut off", flv.Audio, "\xaf", flv.KindOther},
		{"MP3", flv.Audio, "\x2f\x00", flv.KindFrame},
		{"enhanced audio config", flv.Audio, "\x90Opus", flv.KindConfig},
		{"enhanced audio", flv.Audio, "\x91Opus", flv.KindFrame},
		{"enhanced audio channels", flv.Audio, "\x94Opus", flv.KindOther},
		{"audio multitrack", flv.Audio, "\x95\x01Opus", flv.KindFrame},
		{"audio ModEx", flv.Audio, "\x97\x00", flv.KindFrame},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := (flv.Tag{Type: tt.kind, Data: []byte(tt.data)}).Kind(); got != tt.want {
				t.Errorf("Kind = %d, want %d", got, tt.want)
			}
		})
	}
}

// ffmpeg is the other opinion on what an FLV file is.
func TestReadsFFmpegFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.flv")
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25",
		"-f", "lavfi", "-i", "sine", "-t", "1", "-c:v", "libx264", "-g", "25", "-bf", "2", "-pix_fmt", "yuv420p", "-c:a", "aac", path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	tags, err := readAll(file)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, tag := range tags {
		got[fmt.Sprintf("%d/%d", tag.Type, tag.Kind())]++
	}
	want := map[string]int{"18/0": 1, "9/1": 1, "9/2": 25, "9/3": 1, "8/1": 1, "8/2": got["8/2"]}
	if diff := cmp.Diff(want, got); diff != "" || got["8/2"] < 40 {
		t.Errorf("tags by type and kind (-want +got):\n%s", diff)
	}
}

// FuzzReader checks that nothing breaks the reader and that what it accepts
// can be written and read again.
func FuzzReader(f *testing.F) {
	f.Add(write(f, someTags()[:3]))
	f.Add([]byte(header))
	f.Add([]byte(header + "\x09\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x17"))
	f.Fuzz(func(t *testing.T, file []byte) {
		tags, err := readAll(bytes.NewReader(file))
		if len(tags) == 0 {
			return
		}
		for _, tag := range tags {
			_ = tag.Kind()
		}
		again, err2 := readAll(bytes.NewReader(write(t, tags)))
		if err2 != nil {
			t.Fatalf("read what was written: %v (first reading: %v)", err2, err)
		}
		if diff := cmp.Diff(tags, again, cmp.Comparer(bytes.Equal)); diff != "" {
			t.Errorf("round trip (-want +got):\n%s", diff)
		}
	})
}
