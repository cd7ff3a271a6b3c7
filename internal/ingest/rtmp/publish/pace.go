package publish

import (
	"time"

	"github.com/stillcast/stillcast/internal/media/flv"
)

const (
	// usualInterval stands for the length of a frame where a file has too few
	// to tell.
	usualInterval = 40 * time.Millisecond
	// maxStepBack is how far timestamps of audio and video may go back between
	// each other. A larger step is a new start of the file's clock.
	maxStepBack = time.Second
)

// timeline places the tags of a file, played once or in a loop, on one clock.
// Only audio and video frames move it: configurations and metadata often stand
// at timestamp 0, whatever the frames begin with.
type timeline struct {
	loops   int
	begun   bool          // a frame of this loop was seen
	first   uint32        // timestamp of the first frame of all
	last    uint32        // timestamp of the last frame
	elapsed time.Duration // from the first frame to the last
	start   time.Duration // elapsed at the start of this loop
	audio   track
	video   track
}

// track is what one loop holds of audio or video.
type track struct {
	frames      int
	first, last time.Duration
}

// place returns the timestamp with which a tag is sent, and when after the
// first frame.
func (t *timeline) place(tag flv.Tag) (timestamp uint32, due time.Duration) {
	shift := milliseconds(t.start)
	if tag.Kind() != flv.KindFrame {
		if t.loops > 0 && !t.begun {
			return t.first + shift, t.elapsed
		}
		return tag.Timestamp + shift, t.elapsed
	}
	t.step(tag.Timestamp)
	t.track(tag.Type).add(t.elapsed)
	return tag.Timestamp + shift, t.elapsed
}

// step moves the clock to a frame's timestamp.
func (t *timeline) step(timestamp uint32) {
	if t.loops == 0 && !t.begun {
		t.first, t.last = timestamp, timestamp
	}
	t.begun = true
	delta := time.Duration(int32(timestamp-t.last)) * time.Millisecond //nolint:gosec // the wrap is wanted
	if delta >= -maxStepBack {
		t.elapsed += delta
	}
	t.last = timestamp
}

func (t *timeline) track(kind flv.TagType) *track {
	if kind == flv.Audio {
		return &t.audio
	}
	return &t.video
}

// loop starts the file again, one frame after the end of its longer track. It
// returns false when the file held no frame, so that playing it again would
// take no time.
func (t *timeline) loop() bool {
	if !t.begun {
		return false
	}
	t.elapsed = max(t.audio.end(), t.video.end())
	t.start, t.last = t.elapsed, t.first
	t.loops, t.begun = t.loops+1, false
	t.audio, t.video = track{}, track{}
	return true
}

func (t *track) add(at time.Duration) {
	if t.frames == 0 {
		t.first = at
	}
	t.last = at
	t.frames++
}

// end is when the frame after the last would come: 0 for no frames.
func (t *track) end() time.Duration {
	switch t.frames {
	case 0:
		return 0
	case 1:
		return t.last + usualInterval
	}
	mean := (t.last - t.first) / time.Duration(t.frames-1)
	return t.last + max(mean.Round(time.Millisecond), time.Millisecond)
}

// milliseconds is d as a timestamp, which wraps.
func milliseconds(d time.Duration) uint32 {
	return uint32(d.Milliseconds()) //nolint:gosec // the wrap is wanted
}
