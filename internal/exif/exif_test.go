package exif_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"image/jpeg"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/exif"
)

// fields are ones that need care: a sub-second with a zero in front, a zone of half hours, a name that is no ASCII.
func fields() exif.Fields {
	zone := time.FixedZone("", 5*3600+1800)
	return exif.Fields{
		Captured: time.Date(2026, 3, 29, 1, 2, 3, 45e6, zone),
		Stream:   stillcast.Stream{Domain: "push.example.com", App: "live", Name: "café-1"},
		Software: "Stillcast 1.2.3",
	}
}

// picture is one of ffmpeg's in a format.
func picture(t testing.TB, format stillcast.Format) []byte {
	t.Helper()
	codec := map[stillcast.Format]string{stillcast.FormatJPEG: "mjpeg", stillcast.FormatWebP: "libwebp"}[format]
	path := filepath.Join(t.TempDir(), "picture"+format.Ext())
	run(t, "ffmpeg", "-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180,scale=321:181", "-frames:v", "1", "-c:v", codec, path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func run(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	var out, faults bytes.Buffer
	command.Stdout, command.Stderr = &out, &faults
	if err := command.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, faults.Bytes())
	}
	if faults.Len() > 0 {
		t.Errorf("%s %q: %s", name, args, faults.Bytes())
	}
	return out.Bytes()
}

func formats() []stillcast.Format {
	return []stillcast.Format{stillcast.FormatJPEG, stillcast.FormatWebP}
}

// ffprobe reads the fields, and the pixels are what they were.
func TestInsertIsReadByFFprobe(t *testing.T) {
	t.Parallel()
	for _, format := range formats() {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			before := picture(t, format)
			after, err := exif.Insert(before, format, fields())
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "with"+format.Ext())
			without := filepath.Join(t.TempDir(), "without"+format.Ext())
			for name, data := range map[string][]byte{path: after, without: before} {
				if err := os.WriteFile(name, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			tags := tagsOf(t, path)
			for name, want := range map[string]string{
				"ImageDescription": "push.example.com/live/café-1", "Software": "Stillcast 1.2.3",
				"DateTimeOriginal": "2026:03:29 01:02:03", "SubSecTimeOriginal": "045", "0x9011": "+05:30",
			} {
				if got := tags[name]; got != want {
					t.Errorf("%s is %q, wanted %q", name, got, want)
				}
			}
			if t.Failed() {
				t.Logf("tags: %q", tags)
			}
			if !bytes.Equal(pixelsOf(t, path), pixelsOf(t, without)) {
				t.Error("the pixels are others than before")
			}
		})
	}
}

func tagsOf(t *testing.T, path string) map[string]string {
	t.Helper()
	var probed struct {
		Frames []struct {
			Tags map[string]string `json:"tags"`
		} `json:"frames"`
	}
	out := run(t, "ffprobe", "-loglevel", "error", "-show_frames", "-of", "json", path)
	if err := json.Unmarshal(out, &probed); err != nil {
		t.Fatal(err)
	}
	if len(probed.Frames) != 1 {
		t.Fatalf("%d frames, wanted one", len(probed.Frames))
	}
	tags := maps.Clone(probed.Frames[0].Tags)
	for name, value := range tags {
		tags[name] = strings.TrimSpace(value)
	}
	return tags
}

func pixelsOf(t *testing.T, path string) []byte {
	t.Helper()
	return run(t, "ffmpeg", "-hide_banner", "-loglevel", "error", "-i", path, "-f", "rawvideo", "pipe:1")
}

// JPEGs keep JFIF's segment first; behind it are the attributes, in front of all else.
func TestJPEGKeepsJFIFFirst(t *testing.T) {
	t.Parallel()
	before := picture(t, stillcast.FormatJPEG)
	after, err := exif.Insert(before, "", fields())
	if err != nil {
		t.Fatal(err)
	}
	jfif := 4 + 16
	if !bytes.Equal(after[:jfif], before[:jfif]) || string(after[6:10]) != "JFIF" {
		t.Errorf("begins with % x", after[:jfif])
	}
	if got := after[jfif : jfif+10]; got[0] != 0xff || got[1] != 0xe1 || string(got[4:]) != "Exif\x00\x00" {
		t.Errorf("goes on with % x", got)
	}
	if rest := before[jfif:]; !bytes.HasSuffix(after, rest) {
		t.Error("the rest is another one")
	}
}

// What is zero is left out.
func TestZeroFieldsAreLeftOut(t *testing.T) {
	t.Parallel()
	after, err := exif.Insert(picture(t, stillcast.FormatJPEG), stillcast.FormatJPEG, exif.Fields{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.jpg")
	if err := os.WriteFile(path, after, 0o600); err != nil {
		t.Fatal(err)
	}
	tags := tagsOf(t, path)
	for _, name := range []string{"ImageDescription", "Software", "DateTimeOriginal", "SubSecTimeOriginal", "0x9011"} {
		if value, ok := tags[name]; ok {
			t.Errorf("%s is %q, wanted none", name, value)
		}
	}
	if got := strings.Join(strings.Fields(tags["PixelXDimension"]+"x"+tags["PixelYDimension"]), ""); got != "321x181" {
		t.Errorf("size is %q, wanted 321x181", got)
	}
}

func TestWrongInput(t *testing.T) {
	t.Parallel()
	jpg, webp := picture(t, stillcast.FormatJPEG), picture(t, stillcast.FormatWebP)
	twice, err := exif.Insert(jpg, stillcast.FormatJPEG, fields())
	if err != nil {
		t.Fatal(err)
	}
	extended, err := exif.Insert(webp, stillcast.FormatWebP, fields())
	if err != nil {
		t.Fatal(err)
	}
	long := fields()
	long.Software = strings.Repeat("x", 2000)
	control := fields()
	control.Stream.Name = "a\x00b"
	future := fields()
	future.Captured = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	cases := []struct {
		name    string
		picture []byte
		format  stillcast.Format
		fields  exif.Fields
		text    string
	}{
		{"no format", jpg, "png", fields(), `format: is "png"; allowed are "jpeg" and "webp"`},
		{"JPEG for WebP", jpg, stillcast.FormatWebP, fields(), "picture: is no WebP"},
		{"WebP for JPEG", webp, stillcast.FormatJPEG, fields(), "picture: is no JPEG"},
		{"empty", nil, stillcast.FormatJPEG, fields(), "picture: is no JPEG"},
		{"JPEG cut in its tables", jpg[:100], stillcast.FormatJPEG, fields(), "picture: is no whole JPEG"},
		{"WebP cut", webp[:len(webp)-2], stillcast.FormatWebP, fields(), "picture: is no whole WebP"},
		{"JPEG with EXIF", twice, stillcast.FormatJPEG, fields(), "picture: holds EXIF already"},
		{"WebP with EXIF", extended, stillcast.FormatWebP, fields(), `begins with the chunk "VP8X"`},
		{"long", jpg, stillcast.FormatJPEG, long, "software: is 2000 bytes long; at most 1024 are allowed"},
		{"control character", jpg, stillcast.FormatJPEG, control, "stream: holds the control character U+0000"},
		{"far future", jpg, stillcast.FormatJPEG, future, "captured: is in the year 10000"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := exif.Insert(c.picture, c.format, c.fields)
			e, ok := errors.AsType[*stillcast.Error](err)
			if !ok || e.Code != stillcast.CodeInvalid || !strings.Contains(e.Error(), c.text) {
				t.Errorf("error is %v, wanted %q", err, c.text)
			}
		})
	}
}

// The time is that of its zone; whoever gives UTC gets UTC.
func TestTimeZone(t *testing.T) {
	t.Parallel()
	f := fields()
	f.Captured = f.Captured.UTC()
	after, err := exif.Insert(picture(t, stillcast.FormatJPEG), stillcast.FormatJPEG, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2026:03:28 19:32:03\x00", "+00:00\x00"} {
		if !bytes.Contains(after, []byte(want)) {
			t.Errorf("%q is missing", want)
		}
	}
}

// FuzzInsert gives whatever comes as a picture: an error, or a file from which the picture can be had back.
func FuzzInsert(f *testing.F) {
	for _, format := range formats() {
		data := picture(f, format)
		f.Add(data, string(format), "push.example.com", "Stillcast", int64(1767225600123))
		f.Add(data[:64], string(format), "", "", int64(0))
	}
	f.Add([]byte("\xff\xd8\xff\xe0\x00\x02\xff\xc0\x00\x07\x08\x00\x01\x00\x01"), "jpeg", "a", "b", int64(-1))
	f.Fuzz(func(t *testing.T, data []byte, format, domain, software string, millis int64) {
		var stream stillcast.Stream
		if domain != "" {
			stream = stillcast.Stream{Domain: domain, App: "live", Name: "a"}
		}
		given := bytes.Clone(data)
		out, err := exif.Insert(data, stillcast.Format(format), exif.Fields{Captured: time.UnixMilli(millis), Stream: stream, Software: software})
		if !bytes.Equal(data, given) {
			t.Fatal("what was given has changed")
		}
		if err != nil {
			if out != nil {
				t.Errorf("%d bytes beside the error %v", len(out), err)
			}
			return
		}
		if stillcast.Format(format) == stillcast.FormatWebP {
			if chunk := data[12:]; !bytes.Contains(out, chunk) {
				t.Error("the chunk with the picture is gone")
			}
			return
		}
		before, errBefore := jpeg.DecodeConfig(bytes.NewReader(data))
		after, errAfter := jpeg.DecodeConfig(bytes.NewReader(out))
		if (errBefore == nil) != (errAfter == nil) || before.Width != after.Width || before.Height != after.Height {
			t.Errorf("picture was %+v, %v and is %+v, %v", before, errBefore, after, errAfter)
		}
	})
}
