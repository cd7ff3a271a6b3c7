package notify

import (
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	// breakAfter is how many attempts in a row must go without an answer, and
	// stormAfter how many without one or with an answer that says "not now" (429,
	// 5xx), until nothing more is claimed for a destination but probes. Fewer
	// silent ones do, because each takes a slot for the whole timeout. A storm of
	// 5xx opens it too: every claimed delivery would only use up its tries, and be
	// parked by an outage that ends later.
	breakAfter = 8
	stormAfter = 16

	// The pause before the first probe, doubled from probe to probe up to the last.
	firstProbe = time.Second
	lastProbe  = time.Minute
)

// verdict is what an attempt says about its destination.
type verdict int

const (
	works      verdict = iota // it answered, be it that it does not want this event
	overloaded                // it answered that it cannot now
	silent                    // it did not answer
)

func verdictOf(status int) verdict {
	switch {
	case status == 0:
		return silent
	case status >= 500 || status == http.StatusTooManyRequests:
		return overloaded
	}
	return works
}

// breaker is closed while a destination works. Once it opens, deliveries stay
// where they are, but for one probe at a time, with growing pauses between. The
// first that works closes it.
type breaker struct {
	unanswered int       // attempts in a row that were silent
	failed     int       // attempts in a row that did not work
	since      time.Time // it opened; zero while it is closed
	probes     int       // that failed since
	probeAt    time.Time // no probe before
}

func (b *breaker) open() bool { return !b.since.IsZero() }

// note takes the verdict of an attempt and says whether the breaker opened or closed.
func (b *breaker) note(v verdict, probe bool, now time.Time) (changed bool) {
	if v == works {
		changed = b.open()
		*b = breaker{}
		return changed
	}
	b.failed++
	if b.unanswered++; v != silent {
		b.unanswered = 0
	}
	switch {
	case b.open() && probe:
		b.probes++
		b.probeAt = now.Add(probePause(b.probes))
	case !b.open() && (b.unanswered >= breakAfter || b.failed >= stormAfter):
		b.since, b.probeAt = now, now.Add(probePause(0))
		return true
	}
	return false
}

// probePause is the pause after so many failed probes, between the half and the
// whole of its length: destinations that broke together are not probed together.
func probePause(failed int) time.Duration {
	pause := min(firstProbe<<min(failed, 10), lastProbe)
	return pause/2 + rand.N(pause/2+1)
}
