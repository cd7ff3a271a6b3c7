package spool

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stillcast/stillcast/internal/objstore"
)

// firstProbe is the limit of the pause before the first probe of a store; it
// doubles from one to the next.
const firstProbe = time.Second

// errOpen says that a picture was not put, because its store is left alone.
var errOpen = errors.New("the store does not work at the moment")

// breaker leaves a store alone after failures in a row that are the store's: it
// opens, and then lets one probe through at a time, with pauses between, until
// one is answered.
type breaker struct {
	config BreakerConfig

	mu       sync.Mutex
	failures int // in a row
	open     bool
	since    time.Time // it opened
	probing  bool
	probes   int       // that failed since it opened
	probeAt  time.Time // no probe before
}

// admission is the leave to put one picture.
type admission struct{ probe bool }

// enter gives leave to put a picture, or refuses.
func (b *breaker) enter(now time.Time) (admission, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return admission{}, true
	}
	if b.probing || now.Before(b.probeAt) {
		return admission{}, false
	}
	b.probing = true
	return admission{probe: true}, true
}

// turn is what the end of a put meant for its breaker.
type turn struct {
	opened, closed bool
	probes         int // failed by now, where this was one more
	lasted         time.Duration
}

// leave tells how the put ended at now. With counts false a failure is not held
// against the store.
func (b *breaker) leave(a admission, err error, counts bool, now time.Time) turn {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.probe {
		b.probing = false
	}
	switch {
	case err == nil, !isStoreFailure(err):
		t := turn{closed: b.open, lasted: now.Sub(b.since)}
		b.failures, b.open = 0, false
		return t
	case a.probe && b.open:
		b.probes++
		b.probeAt = now.Add(jitter(firstProbe<<min(b.probes, 20), b.config.MaxPause))
		return turn{probes: b.probes, lasted: now.Sub(b.since)}
	case counts && !b.open:
		if b.failures++; b.failures >= b.config.Failures {
			b.open, b.probes, b.since = true, 0, now
			b.probeAt = now.Add(jitter(firstProbe, b.config.MaxPause))
			return turn{opened: true}
		}
	}
	return turn{}
}

// giveBack is leave for a put that says nothing of the store.
func (b *breaker) giveBack(a admission) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.probe {
		b.probing = false
	}
}

// gate is what a breaker lets through.
type gate struct {
	open bool      // everything goes
	at   time.Time // else one probe, from then on; zero: one is under way
}

func (b *breaker) gate() gate {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.open:
		return gate{open: true}
	case b.probing:
		return gate{}
	}
	return gate{at: b.probeAt}
}

func (b *breaker) isOpen() bool { return !b.gate().open }

// isStoreFailure says of the error of a put that the next picture would hardly
// fare better.
func isStoreFailure(err error) bool {
	return errors.Is(err, objstore.ErrUnavailable) || errors.Is(err, objstore.ErrThrottled) || errors.Is(err, context.DeadlineExceeded)
}

// look returns how the store with a name does.
func (b *breaker) look(name string) Breaker {
	b.mu.Lock()
	defer b.mu.Unlock()
	state := Breaker{Store: name, Failures: b.failures, Open: b.open}
	if b.open {
		state.Since, state.NextTry = b.since, b.probeAt
	}
	return state
}
