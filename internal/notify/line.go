package notify

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// lane is what the schedule knows about a destination's deliveries in one lane.
type lane struct {
	ready    bool // the ledger may have something due
	claiming bool // a claim is under way; ready then means: ask again
	busy     int  // slots taken
}

// line is the schedule of one destination.
type line struct {
	dest         stillcast.Destination
	lanes        [lanes]lane
	last         state.Lane // that got the last grant
	due          dueSet
	until        time.Time // it is barred until then, whatever is ready; zero: it is not
	index        int       // in timers, -1 when there is no time to wait for
	queued       bool      // in the queue
	retryChecked time.Time

	// What bars it.
	paused  bool
	breaker breaker
	hold    time.Time // the receiver asked for no request before
	limiter *rate.Limiter
	asked   int // deliveries that claims under way may find
}

func (l *line) busy() int {
	return l.lanes[state.LaneFresh].busy + l.lanes[state.LaneRetry].busy
}

// next returns the earliest time to look at the line again; zero for none.
func (l *line) next() time.Time {
	first := l.due.first()
	if l.until.IsZero() || !first.IsZero() && first.Before(l.until) {
		return first
	}
	return l.until
}

// idle says whether nothing is known about the line that must not be forgotten.
func (l *line) idle() bool {
	for _, x := range l.lanes {
		if x.ready || x.claiming {
			return false
		}
	}
	return !l.queued && l.index < 0 && l.busy() == 0 && !l.paused
}

// rateCheck is how soon a line that waits because of its rate limit looks whether
// the limit was changed.
const rateCheck = time.Second

// barred returns until when nothing may be claimed; false when something may.
func (l *line) barred(perSecond int, now time.Time) (time.Time, bool) {
	until := now
	if l.breaker.open() && l.breaker.probeAt.After(until) {
		until = l.breaker.probeAt
	}
	if l.hold.After(until) {
		until = l.hold
	}
	if until.After(now) {
		return until, true
	}
	tokens := l.tokens(perSecond, now)
	if tokens >= 1 {
		return time.Time{}, false
	}
	wait := time.Duration((1 - tokens) / float64(perSecond) * float64(time.Second))
	return now.Add(min(max(wait, time.Millisecond), rateCheck)), true
}

// tokens returns how many requests the rate limit allows now.
func (l *line) tokens(perSecond int, now time.Time) float64 {
	limit, burst := rate.Limit(perSecond), max(1, perSecond/10)
	switch {
	case perSecond == 0:
		l.limiter = nil
		return maxSlots
	case l.limiter == nil:
		l.limiter = rate.NewLimiter(limit, burst)
	case l.limiter.Limit() != limit:
		l.limiter.SetLimitAt(now, limit)
		l.limiter.SetBurstAt(now, burst)
	}
	return l.limiter.TokensAt(now) - float64(l.asked)
}

// spend takes the tokens of deliveries that were claimed.
func (l *line) spend(claimed int, now time.Time) {
	if l.limiter != nil && claimed > 0 {
		l.limiter.ReserveN(now, claimed)
	}
}
