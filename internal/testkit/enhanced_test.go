package testkit_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/testkit"
)

// FFmpeg 8 and our own publisher push what is no H.264 as Enhanced RTMP, in real time.
func TestEnhancedPush(t *testing.T) {
	scene := testkit.Scene{Width: 320, Height: 180}
	vp9 := testkit.Clip{Scene: scene, Rate: 25, Frames: 25, Codec: "libvpx-vp9", Args: []string{"-deadline", "realtime", "-cpu-used", "8"}}
	hevc := testkit.Clip{Scene: scene, Rate: 25, Frames: 25, Codec: "libx265", Args: []string{"-preset", "ultrafast", "-x265-params", "log-level=error"}}
	tests := map[string]struct {
		fourCC string
		push   func(t *testing.T, url string)
	}{
		"FFmpeg 8": {"hvc1", func(t *testing.T, url string) {
			t.Helper()
			testkit.PushFFmpeg8(t, url, hevc.File(t, "mp4"))
		}},
		"own publisher": {"vp09", func(t *testing.T, url string) {
			t.Helper()
			testkit.PushTags(t, url, testkit.ReadIVF(t, vp9.File(t, "ivf")))
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, 20)
			start := time.Now()
			test.push(t, "rtmp://"+server.address+"/live/room")
			got := <-server.result
			if got.err != nil || got.fourCC != test.fourCC {
				t.Errorf("read %d frames of %q and %v, wanted 20 of %q", got.frames, got.fourCC, got.err, test.fourCC)
			}
			if elapsed := time.Since(start); elapsed < 700*time.Millisecond {
				t.Errorf("20 frames at 25 a second took %v: not in real time", elapsed)
			}
		})
	}
}

func TestTagsGoOnWithOthers(t *testing.T) {
	t.Parallel()
	clip := testkit.Clip{Scene: testkit.Scene{Width: 320, Height: 180}, Frames: 10, Codec: "libx264", Args: []string{"-bf", "0"}}
	tags := testkit.ReadTags(t, clip.File(t, "flv"))
	twice := testkit.Then(tags, tags)
	if len(twice) != 2*len(tags) {
		t.Fatalf("%d tags, wanted twice %d", len(twice), len(tags))
	}
	if !slices.IsSortedFunc(twice, func(a, b testkit.Tag) int { return int(a.At - b.At) }) {
		t.Error("the times go back")
	}
	last, first := tags[len(tags)-1], twice[len(tags)]
	if step := first.At - last.At; step != 100*time.Millisecond {
		t.Errorf("the second goes on after %v, wanted one frame", step)
	}
	if tags[0].At != twice[0].At || first.Timestamp != last.Timestamp+100 {
		t.Errorf("timestamps %d and %d, wanted 100 ms between them", last.Timestamp, first.Timestamp)
	}
}
