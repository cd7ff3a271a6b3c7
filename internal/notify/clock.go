package notify

import (
	"sync"
	"time"
)

// clock is the wall clock, but never goes back: when the machine's is set back,
// it runs on from where it was. Due times and leases are kept as wall time, and
// with this clock none of them moves into the future because of such a jump. It
// follows a jump ahead. When the process ends, so does what it is ahead by.
type clock struct {
	read func() (wall, monotonic time.Time)

	mu   sync.Mutex
	last time.Time // given last, without a monotonic reading
	seen time.Time // monotonic, then
}

func newClock() *clock {
	return &clock{read: func() (wall, monotonic time.Time) {
		now := time.Now()
		return now.Round(0), now
	}}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, monotonic := c.read()
	if !c.last.IsZero() {
		if steady := c.last.Add(monotonic.Sub(c.seen)); steady.After(wall) {
			wall = steady
		}
	}
	c.last, c.seen = wall, monotonic
	return wall
}
