package spool

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	shortestPause = 200 * time.Millisecond
	longestPause  = time.Minute
)

// pauseAfter is the time to wait after that many failed tries. Its limit doubles
// from try to try, and it is drawn between nothing and the limit ("full
// jitter"), so that many uploads do not come back together.
func pauseAfter(tries int) time.Duration {
	return jitter(shortestPause<<min(tries-1, 20), longestPause)
}

// jitter draws a time between nothing and limit, or the longest if that is less.
func jitter(limit, longest time.Duration) time.Duration {
	return rand.N(min(limit, longest)) + time.Millisecond
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
