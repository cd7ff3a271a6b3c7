package capture

import "time"

// rhythm is how often the key frames of a stream come. The zero value is of a
// stream that showed none yet.
type rhythm struct {
	last  time.Time
	every time.Duration // smoothed, 0 while unknown
}

// observe notes that a key frame arrives now.
func (r *rhythm) observe(now time.Time) {
	if !r.last.IsZero() {
		gap := now.Sub(r.last)
		if r.every == 0 {
			r.every = gap
		}
		r.every += (gap - r.every) / 4
	}
	r.last = now
}
