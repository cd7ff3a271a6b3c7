package notify

import (
	"cmp"
	"slices"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// What [Health.Breaker] may be.
const (
	BreakerClosed = "closed" // deliveries are sent as they come
	BreakerOpen   = "open"   // the destination does not work and is only probed
	BreakerPaused = "paused" // somebody, or a 410, stopped it
)

// Health is how a destination does, as far as this process has seen. Attempts
// are the last healthWindow ones.
type Health struct {
	Destination stillcast.Destination
	Breaker     string    // one of the constants
	Since       time.Time // the breaker opened; zero unless it is open
	NextProbe   time.Time // no probe before; zero unless it is open
	HeldUntil   time.Time // the receiver asked for no request before; zero when it did not
	Busy        int       // requests under way
	Unanswered  int       // attempts in a row without an answer
	Failed      int       // attempts in a row without one, or with 429 or 5xx
	Attempts    int       // that the following are of
	SuccessRate float64   // from 0 to 1; 0 without attempts
	P50, P95    time.Duration
	Last        time.Time // attempt; zero without one
	LastSuccess time.Time // zero without one
	LastStatus  int       // of the last attempt, 0 without an answer
	LastError   string    // of the last attempt, "" when it delivered
}

// healthWindow is how many attempts of a destination are remembered.
const healthWindow = 200

// stats remembers the last attempts of each destination. The caller serialises.
type stats struct {
	by map[stillcast.Destination]*record
}

// record is what is remembered of one destination.
type record struct {
	took              [healthWindow]time.Duration
	good              [healthWindow]bool
	next, count       int
	last, lastSuccess time.Time
	lastStatus        int
	lastError         string
}

func (s *stats) note(d stillcast.Destination, p report, r state.Result) {
	rec, ok := s.by[d]
	if !ok {
		rec = &record{}
		s.by[d] = rec
	}
	good := r.Outcome == state.OutcomeDelivered
	rec.took[rec.next], rec.good[rec.next] = p.took, good
	rec.next = (rec.next + 1) % healthWindow
	rec.count = min(rec.count+1, healthWindow)
	rec.last, rec.lastStatus, rec.lastError = p.started, p.status, r.Error
	if good {
		rec.lastSuccess = p.started
	}
}

// forget drops the destinations that there are no longer.
func (s *stats) forget(exists func(stillcast.Destination) bool) {
	for d := range s.by {
		if !exists(d) {
			delete(s.by, d)
		}
	}
}

func (r *record) fill(h *Health) {
	h.Attempts, h.Last, h.LastSuccess, h.LastStatus, h.LastError = r.count, r.last, r.lastSuccess, r.lastStatus, r.lastError
	took := slices.Clone(r.took[:r.count])
	slices.Sort(took)
	h.P50, h.P95 = took[(r.count-1)*50/100], took[(r.count-1)*95/100]
	good := 0
	for _, ok := range r.good[:r.count] {
		if ok {
			good++
		}
	}
	h.SuccessRate = float64(good) / float64(r.count)
}

// Health returns how each destination does that something was sent to, or is
// owed, since the start; in the order of their templates.
func (n *Notifier) Health() []Health {
	now := n.clock.now()
	n.mu.Lock()
	defer n.mu.Unlock()
	by := map[stillcast.Destination]*Health{}
	of := func(d stillcast.Destination) *Health {
		if by[d] == nil {
			by[d] = &Health{Destination: d, Breaker: BreakerClosed}
		}
		return by[d]
	}
	for d, r := range n.stats.by {
		r.fill(of(d))
	}
	for d, l := range n.schedule.lines {
		l.fill(of(d), now)
	}
	all := make([]Health, 0, len(by))
	for _, h := range by {
		all = append(all, *h)
	}
	slices.SortFunc(all, func(a, b Health) int {
		return cmp.Or(cmp.Compare(a.Destination.TemplateID, b.Destination.TemplateID), cmp.Compare(a.Destination.Event, b.Destination.Event))
	})
	return all
}

func (l *line) fill(h *Health, now time.Time) {
	h.Busy, h.Unanswered, h.Failed = l.busy(), l.breaker.unanswered, l.breaker.failed
	if l.hold.After(now) {
		h.HeldUntil = l.hold
	}
	if l.breaker.open() {
		h.Breaker, h.Since, h.NextProbe = BreakerOpen, l.breaker.since, l.breaker.probeAt
	}
	if l.paused {
		h.Breaker = BreakerPaused
	}
}
