package spool

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff doubles its pause from base to longest, each drawn between nothing and
// the whole ("full jitter"), so that many uploads do not come back together.
type backoff struct {
	base, longest time.Duration
	tries         int
}

func (b *backoff) next() time.Duration {
	limit := b.base << min(b.tries, 20)
	b.tries++
	return rand.N(min(limit, b.longest)) + time.Millisecond
}

// sleep waits for d and reports whether ctx still stands.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
