package av_test

import (
	"bytes"
	"cmp"
	"errors"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/testkit"
)

// numbered is a source whose frames say which they are.
func numbered() testkit.Source {
	return testkit.Source{Width: 640, Height: 360, Strip: testkit.StripFrame}
}

// displayOrder returns for each packet of a file the number of its picture in the order of display.
func displayOrder(t *testing.T, path string) []int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-show_entries", "packet=pts", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var times []int
	for line := range bytes.Lines(out) {
		// A comma follows where the packet has side data.
		text, _, _ := bytes.Cut(bytes.TrimSpace(line), []byte(","))
		pts, err := strconv.Atoi(string(text))
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, pts)
	}
	sorted := slices.Clone(times)
	slices.Sort(sorted)
	order := make([]int, len(times))
	for i, pts := range times {
		order[i] = slices.Index(sorted, pts)
	}
	return order
}

// frameOf shoots and reads the number of the frame.
func frameOf(t *testing.T, in av.Input) (number int, err error) {
	t.Helper()
	data, err := shoot(in, 0, 0, 90)
	if err != nil {
		return 0, err
	}
	number, ok := testkit.ReadStrip(testkit.DecodeJPEG(t, data))
	if !ok {
		t.Fatal("the picture's strip cannot be read")
	}
	return number, nil
}

// Whatever comes last is the picture that is given, wherever it stands in the order of display.
func TestPictureIsThatOfTheLastUnit(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		codec media.Codec
		args  []string
	}{
		{"H.264 without B-frames", media.H264, []string{"-bf", "0"}},
		{"H.264 with B-pyramid", media.H264, []string{"-bf", "4", "-x264-params", "b-pyramid=normal:b-adapt=0"}},
		{"H.264 interlaced", media.H264, []string{"-flags", "+ilme+ildct", "-bf", "2"}},
		{"HEVC with B-frames", media.HEVC, []string{"-preset", "superfast", "-bf", "3"}},
		{"AV1", media.AV1, nil},
		{"AV1 with hidden frames", media.AV1, []string{"-usage", "good", "-lag-in-frames", "10"}},
		{"VP9", media.VP9, nil},
		{"VP9 with hidden frames", media.VP9, []string{"-deadline", "good", "-auto-alt-ref", "1", "-lag-in-frames", "10"}},
		{"VP8", media.VP8, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clip := codectest.Encode(t, c.codec, numbered().Graph(), 12, c.args...)
			order := displayOrder(t, clip.Path)
			if len(order) != len(clip.Units) {
				t.Fatalf("%d packets, %d units", len(order), len(clip.Units))
			}
			for n, want := range order {
				in := input(clip)
				in.Units = clip.Units[:n+1]
				if got, err := frameOf(t, in); err != nil || got != want {
					t.Errorf("unit %d shows frame %d (%v), wanted %d", n, got, err, want)
				}
			}
		})
	}
}

// Decoding may begin at a later key frame, whose pictures before it in the order of display are lost, not those after it.
func TestOpenGroupOfPictures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		codec media.Codec
		args  []string
	}{
		{media.H264, []string{"-g", "10", "-bf", "3", "-flags", "-cgop", "-x264-params", "open-gop=1:b-adapt=0:scenecut=0"}},
		{media.HEVC, []string{"-preset", "superfast", "-x265-params", "log-level=error:open-gop=1:keyint=10:min-keyint=10:bframes=3:b-adapt=0:scenecut=0"}},
	} {
		t.Run(c.codec.String(), func(t *testing.T) {
			t.Parallel()
			clip := codectest.Encode(t, c.codec, numbered().Graph(), 30, c.args...)
			order := displayOrder(t, clip.Path)
			// A key frame that is decoded before pictures that are shown before it.
			start := slices.IndexFunc(order, func(number int) bool { return number == 10 })
			if start <= 0 || order[start+1] > order[start] {
				t.Fatalf("order of display is %v, wanted an open group at frame 10", order)
			}
			codec264 := c.codec == media.H264
			for n := start; n < len(order); n++ {
				in := input(clip)
				in.Units = clip.Units[start : n+1]
				got, err := frameOf(t, in)
				switch {
				case codec264 && errors.Is(err, av.ErrNoPicture) && n < start+8:
					// libavcodec before 6.1 knows a drained picture to be clean only once the key frame's own was shown.
				case order[n] >= 10 && (err != nil || got != order[n]):
					t.Errorf("unit %d shows frame %d (%v), wanted %d", n, got, err, order[n])
				case order[n] < 10 && !errors.Is(err, av.ErrNoPicture) && !errors.Is(err, av.ErrDamaged):
					t.Errorf("unit %d, which lacks its reference, shows frame %d (%v)", n, got, err)
				}
			}
		})
	}
}

// A stream without key frames is clean once the refresh went through the picture; nothing comes out before.
func TestFirstPictureOfIntraRefresh(t *testing.T) {
	t.Parallel()
	clip := codectest.Encode(t, media.H264, numbered().Graph(), 60, "-bf", "0", "-g", "15", "-x264-params", "intra-refresh=1")
	const start = 20 // no recovery point
	in := av.Input{Codec: media.H264, Record: clip.Config.Record, Units: clip.Units[start:], First: true}
	data, err := shoot(in, 0, 0, 95)
	if err != nil {
		t.Fatal(err)
	}
	number, ok := testkit.ReadStrip(testkit.DecodeJPEG(t, data))
	if !ok || number <= start {
		t.Fatalf("frame %d (%t), wanted one after %d", number, ok, start)
	}
	whole, err := shoot(av.Input{Codec: media.H264, Record: clip.Config.Record, Units: clip.Units[:number+1]}, 0, 0, 95)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, whole) {
		t.Errorf("frame %d is not what it is when decoding begins at the start", number)
	}
	in.Units = in.Units[:3]
	if _, err := shoot(in, 0, 0, 95); !errors.Is(err, av.ErrNoPicture) {
		t.Errorf("error before the refresh is %v, wanted %v", err, av.ErrNoPicture)
	}
}

// With First the order of display counts, and units after the picture are not needed.
func TestFirstPictureOfAKeyFrame(t *testing.T) {
	t.Parallel()
	for _, codec := range codecs() {
		t.Run(codec.String(), func(t *testing.T) {
			t.Parallel()
			clip := codectest.Encode(t, codec, numbered().Graph(), 6)
			in := input(clip)
			in.First = true
			for _, count := range []int{1, len(in.Units)} {
				in.Units = clip.Units[:count]
				if got, err := frameOf(t, in); err != nil || got != 0 {
					t.Errorf("first of %d units shows frame %d (%v), wanted 0", count, got, err)
				}
			}
		})
	}
}

// Bytes of another codec, cut units and garbage give an error or a picture, and never end the process.
func TestDamageOfEveryCodec(t *testing.T) {
	t.Parallel()
	for _, codec := range codecs() {
		t.Run(codec.String(), func(t *testing.T) {
			t.Parallel()
			clip := codectest.Encode(t, codec, "mandelbrot=size=320x180,format=yuv420p", 1)
			outcomes := map[string]int{}
			for cut := range 20 {
				unit := slices.Clone(clip.Units[0][:len(clip.Units[0])*(cut+1)/20])
				for i := cut; i < len(unit); i += 1 + len(unit)/8 {
					unit[i] ^= byte(cmp.Or(cut, 1))
				}
				data, err := shoot(input(clip.WithUnit(unit)), 0, 0, 85)
				outcomes[outcome(t, data, err)]++
			}
			t.Log(outcomes)
		})
	}
}
