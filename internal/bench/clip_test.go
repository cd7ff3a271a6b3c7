package bench

import (
	"bytes"
	"io"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/media/flv"
	"github.com/stillcast/stillcast/internal/media/flv/flvtest"
	"github.com/stillcast/stillcast/internal/testkit"
)

// smallFile is two seconds of video with two key frames.
func smallFile(t testing.TB, format, encoder string, args ...string) string {
	t.Helper()
	return testkit.MakeFile(t, format, testkit.Source{Width: 320, Height: 180, Rate: 25},
		testkit.Encoding{Codec: encoder, KeyFrames: time.Second, Duration: 2 * time.Second, Args: args})
}

func mustRead(t testing.TB, path string) *clip {
	t.Helper()
	c, err := readClip(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// frameSums are ffmpeg's checksums of the pictures that it decodes.
func frameSums(t *testing.T, stdin io.Reader, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", append(append([]string{"-v", "error"}, args...),
		"-an", "-vsync", "0", "-f", "framemd5", "-")...)
	var said strings.Builder
	cmd.Stdin, cmd.Stderr = stdin, &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, &said)
	}
	var sums []string
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			fields := strings.Split(strings.TrimSpace(line), ",")
			sums = append(sums, strings.TrimSpace(fields[len(fields)-1]))
		}
	}
	return sums
}

// What is read from a file and handed to ffmpeg in another form decodes to the
// same pictures as the file itself, and so does the first key frame alone.
func TestClipsKeepTheirPictures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, format, encoder string
		args                  []string
		codec                 media.Codec
		demuxer               string
	}{
		{"H.264 in FLV", "flv", "libx264", []string{"-bf", "2"}, media.H264, "flv"},
		{"H.264 in MP4", "mp4", "libx264", []string{"-bf", "2"}, media.H264, "flv"},
		{"HEVC", "mp4", "libx265", []string{"-preset", "ultrafast", "-x265-params", "keyint=25:min-keyint=25:open-gop=0:log-level=error"}, media.HEVC, "hevc"},
		{"AV1", "mp4", "libsvtav1", []string{"-preset", "12", "-g", "25"}, media.AV1, "ivf"},
		{"VP9", "mp4", "libvpx-vp9", []string{"-deadline", "realtime", "-cpu-used", "8", "-g", "25"}, media.VP9, "ivf"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := smallFile(t, tt.format, tt.encoder, tt.args...)
			c := mustRead(t, path)
			if c.codec != tt.codec || c.length != 2*time.Second || len(c.keys) != 2 || c.frames[c.keys[1]].at != time.Second {
				t.Fatalf("clip of %s, %s long, %d key frames", c.codec, c.length, len(c.keys))
			}
			want := frameSums(t, nil, "-i", path)
			if len(want) < 50 {
				t.Fatalf("the file has %d pictures", len(want))
			}
			var whole, key bytes.Buffer
			s, err := newStream(&whole, c, false)
			if err != nil || s.demuxer() != tt.demuxer {
				t.Fatalf("stream for %s, error %v; wanted %s", s.demuxer(), err, tt.demuxer)
			}
			if given, err := s.fill(3 * time.Second); err != nil || given != 4*time.Second {
				t.Fatalf("fill gave %s, error %v; wanted the whole clip twice", given, err)
			}
			if diff := cmp.Diff(slices.Concat(want, want), frameSums(t, &whole, "-f", s.demuxer(), "-i", "pipe:0")); diff != "" {
				t.Errorf("pictures (-file twice +stream):\n%s", diff)
			}
			if s, err = newStream(&key, c, true); err == nil {
				err = s.picture(c.keys[1], -time.Second)
			}
			if err != nil {
				t.Fatal(err)
			}
			second := slices.Index(want[1:], frameSums(t, &key, "-f", s.demuxer(), "-i", "pipe:0")[0]) + 1
			if second != 25 {
				t.Errorf("the second key frame decodes to picture %d, wanted 25", second)
			}
		})
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	path := smallFile(t, "flv", "libx264")
	f := mustRead(t, path).facts()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if f.Codec != "H.264" || f.FrameRate != 25 || f.KeyInterval != 1 || f.KeyBytes < 1000 || f.KeyShare <= 0 || f.KeyShare >= 1 {
		t.Errorf("facts are %+v", f)
	}
	if rate := float64(info.Size()) * 8 / 2; math.Abs(f.BitRate/rate-1) > 0.05 {
		t.Errorf("bit rate %.0f, that of the file is %.0f", f.BitRate, rate)
	}
}

// Sound is pushed too; metadata and configurations go before the first frame.
func TestClipKeepsSound(t *testing.T) {
	t.Parallel()
	c := mustRead(t, testkit.MakeFile(t, "flv", testkit.Source{Width: 320, Height: 180, Rate: 25},
		testkit.Encoding{KeyFrames: time.Second, Duration: time.Second, Audio: true}))
	kinds := map[flv.TagType]int{}
	for _, f := range c.frames {
		kinds[f.kind]++
	}
	if len(c.head) != 3 || kinds[flv.Video] != 25 || kinds[flv.Audio] < 20 {
		t.Errorf("%d tags go before, frames by type are %v", len(c.head), kinds)
	}
	if c.frames[0].kind != flv.Video || c.frames[0].at != 0 {
		t.Errorf("the first frame is of type %d at %s", c.frames[0].kind, c.frames[0].at)
	}
}

func flvFile(t testing.TB, tags ...flv.Tag) []byte {
	t.Helper()
	var b bytes.Buffer
	w := flvtest.NewWriter(&b)
	for _, tag := range tags {
		if err := w.Write(tag); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestClipErrors(t *testing.T) {
	t.Parallel()
	video := func(at uint32, data ...byte) flv.Tag { return flv.Tag{Type: flv.Video, Timestamp: at, Data: data} }
	config := video(0, 0x17, 0, 0, 0, 0, 1)
	key, inter := video(0, 0x17, 1, 0, 0, 0, 1), video(40, 0x27, 1, 0, 0, 0, 1)
	tests := []struct {
		name string
		file []byte
		text string
	}{
		{"empty", nil, "neither FLV nor MP4; make one of a video with: ffmpeg -i VIDEO -c copy clip.mp4"},
		{"something else", []byte("RIFF1234WAVE"), "neither FLV nor MP4"},
		{"no pictures", flvFile(t, config), "holds no key frame"},
		{"no key frame", flvFile(t, config, inter), "holds no key frame"},
		{"no configuration", flvFile(t, key, inter), "has H.264 without a decoder configuration"},
		{"one picture", flvFile(t, config, key), "has 1 pictures in 0s; at least two"},
		{"other configuration", flvFile(t, config, key, video(20, 0x17, 0, 0, 0, 0, 2), inter), "changes its decoder configuration"},
		{"time goes back", flvFile(t, config, key, inter, video(20, 0x27, 1, 0, 0, 0, 1)), "go back, at 40ms"},
		{"too long", flvFile(t, config, key, video(3_600_001, 0x27, 1, 0, 0, 0, 1)), "at most 1h0m0s"},
		{"cut off", flvFile(t, config, key, inter)[:50], "cut off at byte"},
		{"no index", []byte("\x00\x00\x00\x0cftypisom"), "there is no index (moov)"},
		{"no track", []byte("\x00\x00\x00\x0cftypisom\x00\x00\x00\x08moov"), "there is no video track"},
		{"box too long", []byte("\x00\x00\x00\x0cftypisom\x00\x00\xff\x08moov"), "the box at byte 12 has 65288 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := parseClip(bytes.NewReader(tt.file), int64(len(tt.file)))
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, wanted one with %q", err, tt.text)
			}
		})
	}
}

// A damaged file is an error or a clip, never more; what it says about sizes costs
// no memory that is not there.
func TestDamagedMP4(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile(smallFile(t, "mp4", "libx264"))
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(file, []byte("moov"))
	refused := 0
	for i := at; i < len(file); i++ {
		damaged := slices.Clone(file)
		damaged[i] ^= 0xff
		if _, err := parseClip(bytes.NewReader(damaged), int64(len(damaged))); err != nil {
			refused++
		}
	}
	if refused < 100 {
		t.Errorf("%d of %d damaged files were refused, wanted more", refused, len(file)-at)
	}
}

func TestFragmentedMP4IsRefused(t *testing.T) {
	t.Parallel()
	_, err := readClip(smallFile(t, "mp4", "libx264", "-movflags", "frag_keyframe+empty_moov"))
	if stillcast.CodeOf(err) != stillcast.CodeInvalid || !strings.Contains(err.Error(), "is fragmented; mend it with: ffmpeg") {
		t.Errorf("error %v", err)
	}
}

func FuzzClip(f *testing.F) {
	for _, format := range []string{"flv", "mp4"} {
		path := testkit.MakeFile(f, format, testkit.Source{Width: 32, Height: 32, Rate: 5},
			testkit.Encoding{KeyFrames: time.Second, Duration: time.Second})
		file, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := parseClip(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		if facts := c.facts(); facts.Seconds <= 0 || len(c.keys) == 0 {
			t.Errorf("a clip with %+v", facts)
		}
		for _, raw := range []bool{false, true} {
			if s, err := newStream(io.Discard, c, raw); err == nil {
				_, _ = s.fill(1) // damaged pictures are errors
			}
		}
	})
}
