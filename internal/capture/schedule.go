package capture

import "time"

// schedule knows the due times of one plan of a stream and says which key frame is
// the nearest to one. Due times stand on a grid of the interval from the first
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
	counted  int64     // due times before this index were counted
	grid     int       // counts the grids: another interval lays a new one
}

// pick is a due time that a frame is for.
type pick struct {
	index  int64
	grid   int
	due    time.Time
	passed int64 // earlier due times that no frame came for
}

// nearest returns the due time that a key frame arriving now is for, if any, in
// a stream of that rhythm.
func (s *schedule) nearest(now time.Time, rhythm time.Duration) (pick, bool) {
	if !s.started {
		return pick{grid: s.grid, due: now}, true
	}
	elapsed := now.Sub(s.origin)
	index := int64(elapsed / s.interval)
	ahead := time.Duration(index+1)*s.interval - elapsed
	if rhythm > 0 && 2*ahead <= rhythm {
		index++
	}
	return s.pick(index)
}

// latest returns the last due time that is not after t, unless it had its shot.
func (s *schedule) latest(t time.Time) (pick, bool) {
	if !s.started || t.Before(s.origin) {
		return pick{}, false
	}
	return s.pick(int64(t.Sub(s.origin) / s.interval))
}

// from returns the index of the first due time that is not before t.
func (s *schedule) from(t time.Time) int64 {
	index := int64(t.Sub(s.origin) / s.interval)
	if s.at(index).Before(t) {
		index++
	}
	return index
}

func (s *schedule) pick(index int64) (pick, bool) {
	if index < s.next {
		return pick{}, false
	}
	return pick{index: index, grid: s.grid, due: s.at(index), passed: index - s.next}, true
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

// count returns how many due times came up to p's since it was called before.
func (s *schedule) count(p pick) int64 {
	n := max(p.index+1-s.counted, 0)
	s.counted += n
	return n
}

// reopen makes p's due time wait for another frame.
func (s *schedule) reopen(p pick) {
	if p.grid == s.grid {
		s.next = min(s.next, p.index)
	}
}

// skip passes over n due times after p's, and returns how many of them were not
// passed before.
func (s *schedule) skip(p pick, n int64) int64 {
	if p.grid != s.grid {
		return 0
	}
	skipped := max(p.index+1+n-s.next, 0)
	s.next += skipped
	return skipped
}

// setInterval changes the interval from now on. The grid is laid anew from the
// last due time that had a shot, so a shorter interval acts at once.
func (s *schedule) setInterval(interval time.Duration) {
	if s.started && interval != s.interval {
		s.origin = s.at(s.next - 1)
		s.next, s.counted = 1, 1
		s.grid++
	}
	s.interval = interval
}
