package capture

import (
	"math"
	"math/bits"
	"time"

	"github.com/stillcast/stillcast"
)

// sameLuma is how far the mean luma of two pictures that look alike may be
// apart. The hash knows the pattern alone: all pictures of one colour share one.
const sameLuma = 16

// Reasons to leave out a shot, as labels.
const (
	skipBlack     = "black"
	skipUnchanged = "unchanged"
)

// lastShot is the newest shot of a plan that was recorded; the zero value stands
// for none. Pictures are compared with it and not with those that were left out,
// so that many small changes add up to one that is seen.
type lastShot struct {
	taken bool
	due   time.Time
	hash  uint64
	luma  float64
}

// compare sets what the facts say about the plan's shot before.
func (l *lastShot) compare(f *stillcast.Facts) {
	f.Distance, f.Duplicate = -1, false
	if l.taken {
		f.Distance = bits.OnesCount64(f.Hash ^ l.hash)
		f.Duplicate = f.Distance <= stillcast.DuplicateDistance && math.Abs(f.Luma-l.luma) <= sameLuma
	}
}

// skip returns why the shot of a due time is to be left out; "" if it is not. The
// first shot of a plan never is, nor one without which the next could come later than the
// template's heartbeat after the last recorded one.
func (l *lastShot) skip(t stillcast.SnapshotTemplate, due time.Time, f *stillcast.Facts) string {
	if !l.taken || due.Add(t.Interval).Sub(l.due) > t.Heartbeat {
		return ""
	}
	switch {
	case t.SkipBlack && f.Black:
		return skipBlack
	case t.SkipUnchanged && f.Duplicate:
		return skipUnchanged
	}
	return ""
}

func (l *lastShot) recorded(due time.Time, f *stillcast.Facts) {
	if !l.taken || due.After(l.due) {
		*l = lastShot{taken: true, due: due, hash: f.Hash, luma: f.Luma}
	}
}

// judge completes the facts of a picture, and returns why its shot is to be left
// out; "" if it is not.
func (p *plan) judge(j *job, f *stillcast.Facts) (skip string) {
	f.Accuracy, f.Timestamp, f.Age = j.accuracy, j.timestamp, j.pick.due.Sub(j.captured)
	p.stream.mu.Lock()
	defer p.stream.mu.Unlock()
	p.last.compare(f)
	return p.last.skip(j.template, j.pick.due, f)
}
