package capture

import "time"

// schedule knows the due times of one stream and says which key frame is the
// nearest to one. Due times stand on a grid of the interval from the first
// shot, so they do not drift. It is not safe for concurrent use.
//
// A key frame is decided on when it begins to arrive, and never kept: the
// stream's rhythm tells whether the next one will be nearer to the coming due
// time. So a key frame may be taken up to half a rhythm before its due time,
// and where key frames are rarer than the interval, every one is taken and the
// due times between them are passed over.
type schedule struct {
	interval time.Duration
	started  bool
	origin   time.Time // due time 0: the arrival of the first shot's frame
	next     int64     // index of the earliest due time without a shot

	lastKey time.Time
	rhythm  time.Duration // smoothed distance of key frames, 0 while unknown
}

// pick is a due time that a key frame is for.
type pick struct {
	index  int64
	due    time.Time
	passed int64 // earlier due times that no key frame came for
}

// observe notes that a key frame arrives now.
func (s *schedule) observe(now time.Time) {
	if !s.lastKey.IsZero() {
		gap := now.Sub(s.lastKey)
		if s.rhythm == 0 {
			s.rhythm = gap
		}
		s.rhythm += (gap - s.rhythm) / 4
	}
	s.lastKey = now
}

// nearest returns the due time that a key frame arriving now is for, if any.
func (s *schedule) nearest(now time.Time) (pick, bool) {
	if !s.started {
		return pick{due: now}, true
	}
	elapsed := now.Sub(s.origin)
	index := int64(elapsed / s.interval)
	ahead := time.Duration(index+1)*s.interval - elapsed
	if s.rhythm > 0 && 2*ahead <= s.rhythm {
		index++
	}
	if index < s.next {
		return pick{}, false
	}
	return pick{index: index, due: s.at(index), passed: index - s.next}, true
}

func (s *schedule) at(index int64) time.Time {
	return s.origin.Add(time.Duration(index) * s.interval)
}

// take notes that a shot is being taken for p.
func (s *schedule) take(p pick) {
	if !s.started {
		s.started, s.origin = true, p.due
	}
	s.next = p.index + 1
}

// reopen makes p's due time wait for the next key frame again.
func (s *schedule) reopen(p pick) { s.next = min(s.next, p.index) }

// setInterval changes the interval from now on. The grid is laid anew from the
// last due time that had a shot, so a shorter interval acts at once.
func (s *schedule) setInterval(interval time.Duration) {
	if s.started && interval != s.interval {
		s.origin = s.at(s.next - 1)
		s.next = 1
	}
	s.interval = interval
}
