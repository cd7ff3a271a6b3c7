package notify

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

const (
	// standardSpan is how long after its first try a delivery of the profile
	// standard is tried for the last time.
	standardSpan = 72 * time.Hour

	// Bounds of what a receiver may ask for in Retry-After.
	minRetryAfter = time.Second
	maxRetryAfter = time.Hour
)

// standardSteps are the longest times from one try of the profile standard to
// the next; the last one repeats.
func standardSteps() []time.Duration {
	return []time.Duration{
		5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
		time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	}
}

// judge returns nil for a status that a profile takes for "received".
func judge(p stillcast.Profile, status int) error {
	wanted, good := "200", status == http.StatusOK
	if p == stillcast.ProfileStandard {
		wanted, good = "2xx", status >= 200 && status < 300
	}
	switch {
	case good:
		return nil
	case status >= 300 && status < 400:
		return fmt.Errorf("answered %d %s; redirects are not followed, only %s counts", status, http.StatusText(status), wanted)
	}
	return fmt.Errorf("answered %d %s; only %s counts", status, http.StatusText(status), wanted)
}

// retryIn returns how long after the end of a failed try the next one comes;
// false when it was the last.
func (c Config) retryIn(p stillcast.Profile, d state.Delivery) (time.Duration, bool) {
	if p == stillcast.ProfileStandard {
		return standardWait(d)
	}
	attempts, interval := c.flat(d.Destination.Event)
	return interval, d.Try < attempts
}

// flat returns how often and how far apart events of a type are tried.
func (c Config) flat(e stillcast.EventType) (attempts int, interval time.Duration) {
	if e == stillcast.EventShot {
		return c.Retry.Attempts, c.Retry.Interval
	}
	return c.PushRetry.Attempts, c.PushRetry.Interval
}

// standardWait draws each wait between nothing and its step ("full jitter"), by
// the numbers of the delivery and the try. So the waits before can be computed
// anew instead of being kept, and the last try is standardSpan after the first
// whatever was drawn.
func standardWait(d state.Delivery) (time.Duration, bool) {
	steps := standardSteps()
	before := d.Attempt - d.Try // attempts of earlier series
	var past time.Duration
	for try := 1; past < standardSpan; try++ {
		wait := jitter(d.ID, before+try, steps[min(try, len(steps))-1])
		if try == d.Try {
			return min(wait, standardSpan-past), true
		}
		past += wait
	}
	return 0, false
}

// jitter draws a time above nothing and up to most.
func jitter(id int64, attempt int, most time.Duration) time.Duration {
	x := uint64(id)<<8 ^ uint64(attempt) //nolint:gosec // bits to be mixed
	// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	part := float64(x>>11) / (1 << 53) // [0, 1)
	return most - time.Duration(part*float64(most))
}

// shortens says whether a Retry-After that is shorter than a profile's wait is
// followed. It is not once half of the tries are used up: a receiver that asks
// for one second again and again must not have its events parked within a minute.
func (c Config) shortens(p stillcast.Profile, d state.Delivery) bool {
	if p == stillcast.ProfileStandard {
		return d.Try <= len(standardSteps())
	}
	attempts, _ := c.flat(d.Destination.Event)
	return d.Try <= attempts/2
}

// retryAfter reads the header Retry-After (RFC 9110, 10.2.3), seconds or a date,
// and keeps it within its bounds; false when there is none that can be read.
func retryAfter(value string, now time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0, false
	}
	var wait time.Duration
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return maxRetryAfter, true // digits, but too many of them
		}
		wait = time.Duration(seconds) * time.Second //nolint:gosec // 31 bits
	} else {
		at, err := http.ParseTime(value)
		if err != nil {
			return 0, false
		}
		wait = at.Sub(now)
	}
	return min(max(wait, minRetryAfter), maxRetryAfter), true
}
