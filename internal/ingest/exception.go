package ingest

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// ExceptionKind is what is wrong with a live push. The numbers are those of
// Tencent Cloud CSS, "Push Error Event Notifications".
type ExceptionKind int

// The kinds that are looked for. The others of that page are about sound, which
// nothing here reads, about chunk sizes, which this server asks for itself, or
// end the push.
const (
	VideoBackwards    ExceptionKind = 1  // a timestamp is below the one before
	VideoLeap         ExceptionKind = 3  // a timestamp is more than a second above the one before
	VideoStall        ExceptionKind = 6  // no frame arrived for three seconds
	VideoCodecChanged ExceptionKind = 8  // in mid-push
	VideoKeyFrame     ExceptionKind = 16 // none for ten seconds of the stream
)

// Exception is what happened of one kind within a report.
type Exception struct {
	Kind    ExceptionKind
	Count   int
	Details []ExceptionDetail // the first of them, at most maxDetails
}

// ExceptionDetail is one time that it happened.
type ExceptionDetail struct {
	At   time.Time
	Text string // for people
}

// ExceptionReport is what was wrong with a push within an interval.
type ExceptionReport struct {
	At         time.Time     // of the report
	Interval   time.Duration // for which exceptions are gathered
	Exceptions []Exception   // at least one; a kind once
}

// Bounds of what is usual. Where something goes on, it is told again each time
// that it lasted twice as long.
const (
	maxStep     = time.Second      // between the timestamps of two frames
	maxStill    = 3 * time.Second  // between the arrivals of two frames
	maxKeyGap   = 10 * time.Second // between the timestamps of two key frames
	maxDetails  = 10               // of one kind in a report
	reportEvery = 5 * time.Second  // see ExceptionReport.Interval
)

// watch looks for what is wrong with a push. A frame costs a few comparisons and
// no look at the clock: whether frames arrive at all is looked at from outside,
// by sweep.
type watch struct {
	on     atomic.Bool   // somebody is told
	frames atomic.Uint64 // so far

	// Of the push's goroutine.
	count    uint64        // frames so far
	last     time.Duration // timestamp of the last frame
	key      time.Duration // and of the last key frame
	keyLimit time.Duration // timestamp above which the next key frame stays away
	codec    media.Codec

	// Of the sweeping goroutine.
	swept uint64        // frames, when it looked last
	moved time.Time     // when it first saw so many
	still time.Duration // what is told next

	mu    sync.Mutex // guards what follows
	found []Exception
	since time.Time // when the first of them was found
}

func newWatch(on bool) *watch {
	w := &watch{still: maxStill}
	w.on.Store(on)
	return w
}

// tell says whether somebody is told from now on. It is called by the sweeping
// goroutine.
func (w *watch) tell(on bool) {
	if on && !w.on.Load() {
		w.swept = math.MaxUint64 // what was before does not count
	}
	w.on.Store(on)
}

// frame notes a frame that has begun to arrive.
func (w *watch) frame(u media.Unit) {
	step := u.DTS - w.last
	w.last = u.DTS
	w.count++
	w.frames.Store(w.count)
	if uint64(step) > uint64(maxStep) { //nolint:gosec // a step back is meant to be a huge number
		w.leap(step)
	}
	switch {
	case u.Key:
		w.key, w.keyLimit = u.DTS, u.DTS+maxKeyGap
	case u.DTS > w.keyLimit:
		w.noKey(u.DTS)
	}
}

// leap notes a step of the timestamps that is unusual.
func (w *watch) leap(step time.Duration) {
	// The gap between key frames is told by what was between, not by the leap.
	w.key, w.keyLimit = w.key+step, w.keyLimit+step
	switch {
	case w.count == 1: // the first frame steps from nowhere
		w.key, w.keyLimit = w.last, w.last+maxKeyGap
	case step < 0:
		w.add(VideoBackwards, time.Now(), fmt.Sprintf("the video timestamp went back by %d ms, to %d ms", -step/time.Millisecond, w.last/time.Millisecond))
	default:
		w.add(VideoLeap, time.Now(), fmt.Sprintf("the video timestamp went ahead by %d ms, to %d ms", step/time.Millisecond, w.last/time.Millisecond))
	}
}

func (w *watch) noKey(at time.Duration) {
	gap := at - w.key
	w.keyLimit = w.key + 2*gap
	w.add(VideoKeyFrame, time.Now(), fmt.Sprintf("no key frame for %d ms of the stream", gap/time.Millisecond))
}

// configure notes a decoder configuration.
func (w *watch) configure(c media.Codec) {
	if before := w.codec; before != media.CodecNone && before != c {
		w.add(VideoCodecChanged, time.Now(), fmt.Sprintf("the video codec changed from %s to %s", before, c))
	}
	w.codec = c
}

// sweep looks whether frames arrive, and says whether something was found so long
// ago that a report is due.
func (w *watch) sweep(now time.Time, every time.Duration) bool {
	frames := w.frames.Load()
	switch still := now.Sub(w.moved); {
	case frames != w.swept:
		w.swept, w.moved, w.still = frames, now, maxStill
	case frames > 0 && still >= w.still:
		w.still = 2 * still
		w.add(VideoStall, now, fmt.Sprintf("no video frame for %d ms", still/time.Millisecond))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.found) > 0 && now.Sub(w.since) >= every
}

// add keeps an exception for the next report, if somebody is told.
func (w *watch) add(kind ExceptionKind, at time.Time, text string) {
	if !w.on.Load() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.found) == 0 {
		w.since = at
	}
	e := w.entry(kind)
	if e.Count++; len(e.Details) < maxDetails {
		e.Details = append(e.Details, ExceptionDetail{At: at, Text: text})
	}
}

// entry is that of a kind in what was found. w.mu is held.
func (w *watch) entry(kind ExceptionKind) *Exception {
	for i := range w.found {
		if w.found[i].Kind == kind {
			return &w.found[i]
		}
	}
	w.found = append(w.found, Exception{Kind: kind})
	return &w.found[len(w.found)-1]
}

// take returns what was found since it was called before; false for nothing.
func (w *watch) take(now time.Time, every time.Duration) (ExceptionReport, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := ExceptionReport{At: now, Interval: every, Exceptions: w.found}
	w.found = nil
	return r, len(r.Exceptions) > 0
}

// told says whether anybody is to be told what is wrong with a push.
func told(r *stillcast.Resources, p stillcast.Push) bool {
	_, ok := r.Destination(p.Domain, p.Stream, stillcast.EventPushException)
	return ok
}
