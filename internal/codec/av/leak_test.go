//go:build !asan

package av_test

import (
	"bytes"
	"os"
	"strconv"
	"testing"

	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/media"
)

// Under the address sanitizer the C library keeps what was freed, and reports leaks by itself.
func TestShotsLeaveNoMemoryBehind(t *testing.T) {
	clip := codectest.Make(t, "testsrc2=size=1280x720", 1)
	damaged := clip.WithUnit(clip.Units[0])
	for i := len(damaged.Units[0]) / 2; i < len(damaged.Units[0]); i++ {
		damaged.Units[0][i] ^= 0x5a
	}
	others := otherClips(t)
	shots := func(count int) {
		for range count {
			for _, other := range others {
				if _, err := shoot(input(other), 0, 0, 85); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := shoot(input(clip), 0, 0, 85); err != nil {
				t.Fatal(err)
			}
			if _, err := shoot(input(clip), 320, 180, 85); err != nil {
				t.Fatal(err)
			}
			if _, err := shoot(input(damaged), 0, 0, 85); err == nil {
				t.Fatal("a damaged unit gave a picture")
			}
		}
	}
	shots(100)
	before := resident(t)
	const rounds = 200
	shots(rounds)
	grown := resident(t) - before
	t.Logf("%d KiB more after %d shots", grown>>10, 3*rounds)
	// A packet has some tens of kilobytes, a frame 1.4 MB; the collector accounts for some megabytes.
	if most := 16 << 20; grown > most {
		t.Errorf("%d bytes more after %d shots, wanted at most %d", grown, 3*rounds, most)
	}
}

// otherClips are of every codec, and of every way to a picture of eight bits.
func otherClips(t *testing.T) []codectest.Clip {
	t.Helper()
	const source = "testsrc2=size=320x180,format="
	return []codectest.Clip{
		codectest.Encode(t, media.HEVC, source+"yuv420p10le", 1, "-color_trc", "smpte2084"),
		codectest.Encode(t, media.AV1, source+"yuv420p10le", 1),
		codectest.Encode(t, media.VP9, source+"gbrp", 1),
		codectest.Encode(t, media.VP8, source+"yuv420p", 1),
		codectest.Encode(t, media.H264, source+"yuv420p", 1, "-bsf:v", "h264_metadata=display_orientation=insert:rotate=90"),
	}
}

// resident is the memory of this process in bytes.
func resident(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(string(bytes.Fields(b)[1]))
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
