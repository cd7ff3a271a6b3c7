package notify

import (
	"slices"
	"time"
)

// dueSet is the times at which a destination may have something due, in
// ascending order. Of times that fall into the same grain only the last is
// kept, so that a backlog of any length takes a bounded number of entries.
type dueSet struct {
	grain time.Duration
	times []time.Time
}

// grainOf returns a grain with at most a thousand or so to an interval.
func grainOf(interval time.Duration) time.Duration {
	return min(max(interval/1000, time.Millisecond), 10*time.Second)
}

func (s *dueSet) add(t time.Time) {
	t = t.Round(0) // the ledger knows wall time only
	i, found := slices.BinarySearchFunc(s.times, t, time.Time.Compare)
	switch {
	case found, i < len(s.times) && s.same(s.times[i], t):
		// The later one stands for both.
	case i > 0 && s.same(s.times[i-1], t):
		s.times[i-1] = t
	default:
		s.times = slices.Insert(s.times, i, t)
	}
}

func (s *dueSet) same(a, b time.Time) bool {
	return a.UnixNano()/int64(s.grain) == b.UnixNano()/int64(s.grain)
}

// first returns the earliest time; zero when there is none.
func (s *dueSet) first() time.Time {
	if len(s.times) == 0 {
		return time.Time{}
	}
	return s.times[0]
}

// take removes what is due at now and says whether there was any.
func (s *dueSet) take(now time.Time) bool {
	n := 0
	for n < len(s.times) && !s.times[n].After(now) {
		n++
	}
	s.times = slices.Delete(s.times, 0, n)
	return n > 0
}
