package capture

import (
	"sync"
	"time"
)

const (
	// shareBurst is how much of its time the share may save up, and so how long
	// an exact shot waits at most because of others.
	shareBurst = 10 * time.Second
	// firstUnitCost is what decoding an access unit takes until it was measured.
	firstUnitCost = 5 * time.Millisecond
)

// share is the time of the decoders that exact shots may take: a bucket that
// fills with time. It is safe for concurrent use.
type share struct {
	rate float64 // decoders

	mu       sync.Mutex
	saved    time.Duration // below zero when shots took longer than was thought
	filled   time.Time
	unitCost time.Duration // smoothed, of all streams
}

func newShare(fraction float64, decoders int) *share {
	return &share{rate: fraction * float64(decoders), unitCost: firstUnitCost}
}

// slots is how many exact shots may be in the making at once.
func (s *share) slots() int { return max(1, int(s.rate)) }

func (s *share) full() time.Duration { return time.Duration(s.rate * float64(shareBurst)) }

// reserve takes the time that decoding so many access units is thought to take,
// at unitCost each, or at that of all streams if it is zero. It is refused when nothing is left.
func (s *share) reserve(units int, unitCost time.Duration) (cost time.Duration, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fill()
	if s.saved <= 0 {
		return 0, false
	}
	if unitCost == 0 {
		unitCost = s.unitCost
	}
	cost = time.Duration(units) * unitCost
	s.saved -= cost
	return cost, true
}

// settle replaces a reserved cost by the time that it really took; units is how many were
// decoded, 0 when the shot was given up.
func (s *share) settle(reserved, took time.Duration, units int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fill()
	s.saved = min(s.saved+reserved-took, s.full())
	if units > 0 {
		s.unitCost = smooth(s.unitCost, took/time.Duration(units))
	}
}

// fill must be called with mu held.
func (s *share) fill() {
	now := time.Now()
	if s.filled.IsZero() {
		s.saved = s.full()
	} else {
		s.saved = min(s.saved+time.Duration(s.rate*float64(now.Sub(s.filled))), s.full())
	}
	s.filled = now
}

// smooth follows a measured value slowly.
func smooth(old, measured time.Duration) time.Duration {
	if old == 0 {
		return measured
	}
	return old + (measured-old)/8
}
