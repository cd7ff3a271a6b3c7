package rtmp

import (
	"math/bits"
	"time"

	"github.com/stillcast/stillcast/internal/media"
)

// A push costs wake-ups more than bytes: a stream arrives in some fifty small
// writes per second, of which mostly none is wanted. So the connection of a push
// asks the kernel to be woken only when more has gathered: a low-water mark
// (SO_RCVLOWAT). It must not make wanted pictures late:
//
//   - while one arrives, the mark is what it still lacks, so that its last byte
//     wakes;
//   - otherwise it is what the stream sends in lowWaterSpan, so that nothing waits
//     longer than that, and, unless the last key frame was passed over, below what
//     any key frame brings, so that the key frame's own bytes wake;
//   - when more than key frames are wanted, there is none;
//   - after pacedWake at most, what is there is read in any case.
const (
	maxLowWater  = 128 << 10 // bytes; as much of a push may wait in the kernel
	minLowWater  = 2 << 10   // below it a mark saves nothing
	lowWaterSpan = 200 * time.Millisecond
	pacedWake    = time.Second
	rateWindow   = time.Second // over which the rate of a push is measured
)

// demand is what the server wants of a push's pictures.
type demand struct {
	keySize int  // in bytes, of the last key frame
	passed  bool // that one was not wanted
	others  bool // the last picture that is no key frame was wanted
}

func (d *demand) asked(u media.Unit, want bool) {
	if u.Key {
		d.keySize, d.passed = u.Size, !want
	} else {
		d.others = want
	}
}

// pace measures a push and knows the mark of its connection.
type pace struct {
	since time.Time // begin of the window
	bytes int       // since then
	rate  float64   // bytes per second in the window before; 0 in the first
	mark  int       // that is set; 0 or 1 for none
	ever  bool      // one was set
	never bool      // none can be
}

func (p *pace) add(now time.Time, n int) {
	if p.since.IsZero() {
		p.since = now
	}
	p.bytes += n
	if d := now.Sub(p.since); d >= rateWindow {
		p.rate = float64(p.bytes) / d.Seconds()
		p.since, p.bytes = now, 0
	}
}

// lowWater returns the mark for what is to be read next; 1 for none.
func (s *session) lowWater(rate float64) int {
	if s.push == nil || s.demand.others {
		return 1
	}
	if missing := s.reader.Missing(); missing > 0 {
		return min(missing, maxLowWater)
	}
	mark := min(int(rate*lowWaterSpan.Seconds()), maxLowWater)
	if !s.demand.passed {
		mark = min(mark, s.demand.keySize/2)
	}
	if mark < minLowWater {
		return 1
	}
	coarse := bits.Len(uint(mark)) - 2 // two digits in binary, so that it seldom changes
	return mark >> coarse << coarse
}

// adjust sets the low-water mark after n bytes were taken.
func (c *conn) adjust(n int) {
	p := &c.pace
	if p.never || c.session.push == nil {
		return
	}
	p.add(c.lastByte, n)
	mark := c.session.lowWater(p.rate)
	// A mark that wakes a little too early is not worth a system call.
	if mark == p.mark || mark < minLowWater && p.mark <= mark && p.mark > 0 {
		return
	}
	if mark == 1 && !p.ever {
		return
	}
	if err := c.source.lowWater(mark); err != nil {
		p.never = true
		return
	}
	p.mark, p.ever = mark, true
}
