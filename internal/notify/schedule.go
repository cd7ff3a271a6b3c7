package notify

import (
	"container/heap"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

const (
	lanes = 2
	// probeRetryLane is the shortest time between two looks into the retry lane
	// for no other reason than a Wake, which nearly always means a fresh delivery.
	probeRetryLane = time.Second
)

// grant is the permission to claim n deliveries of a destination's lane. Their
// slots are taken.
type grant struct {
	line  *line
	lane  state.Lane
	n     int
	probe bool // of an open breaker
}

// schedule decides which destination may claim how many deliveries. It knows
// no goroutine and no clock; the caller serialises.
type schedule struct {
	slots    int // of all destinations
	perDest  int
	grain    time.Duration
	rate     func(stillcast.Destination) int // requests per second, 0 for no limit
	busy     int
	lines    map[stillcast.Destination]*line
	timers   timers
	queue    []*line // those that may claim, in turn
	breakers int     // that are open
}

func newSchedule(c Config, rate func(stillcast.Destination) int) *schedule {
	return &schedule{
		slots:   c.Slots,
		perDest: c.DestinationSlots,
		grain:   grainOf(min(c.Retry.Interval, c.PushRetry.Interval)),
		rate:    rate,
		lines:   make(map[stillcast.Destination]*line),
	}
}

func (s *schedule) line(d stillcast.Destination) *line {
	l, ok := s.lines[d]
	if !ok {
		l = &line{dest: d, index: -1, last: state.LaneRetry, due: dueSet{grain: s.grain}}
		s.lines[d] = l
	}
	return l
}

// wake notes that something became due.
func (s *schedule) wake(d stillcast.Destination, now time.Time) {
	l := s.line(d)
	l.lanes[state.LaneFresh].ready = true
	if next := l.retryChecked.Add(probeRetryLane); next.After(now) {
		s.at(l, next)
	} else {
		l.lanes[state.LaneRetry].ready = true
		l.retryChecked = now
	}
	s.enqueue(l)
}

// at notes that something becomes due at t.
func (s *schedule) at(l *line, t time.Time) {
	l.due.add(t)
	s.adjust(l)
}

// adjust puts a line where it belongs in the timers.
func (s *schedule) adjust(l *line) {
	switch waits := !l.next().IsZero(); {
	case waits && l.index < 0:
		heap.Push(&s.timers, l)
	case waits:
		heap.Fix(&s.timers, l.index)
	case l.index >= 0:
		heap.Remove(&s.timers, l.index)
	}
}

// fire makes ready what is due at now, and ends what barred lines until now.
func (s *schedule) fire(now time.Time) {
	for len(s.timers) > 0 {
		l := s.timers[0]
		if l.next().After(now) {
			return
		}
		if l.due.take(now) {
			for i := range l.lanes {
				l.lanes[i].ready = true
			}
			l.retryChecked = now
		}
		if !l.until.After(now) {
			l.until = time.Time{}
		}
		s.adjust(l)
		s.enqueue(l)
	}
}

// next returns the next grant, or false when nothing can be claimed now.
func (s *schedule) next(now time.Time) (grant, bool) {
	s.fire(now)
	for s.busy < s.slots && len(s.queue) > 0 {
		l := s.queue[0]
		s.queue[0] = nil
		s.queue = s.queue[1:]
		l.queued = false
		which, ok := s.pick(l)
		if !ok {
			continue
		}
		perSecond := s.rate(l.dest)
		if until, ok := l.barred(perSecond, now); ok {
			l.until = until
			s.adjust(l)
			continue
		}
		// While slots are short, each in the queue gets its share of them.
		share := max(1, (s.slots-s.busy)/(len(s.queue)+1))
		n := min(s.free(l, which), share, int(l.tokens(perSecond, now)))
		g := grant{line: l, lane: which, n: n, probe: l.breaker.open()}
		taken := &l.lanes[which]
		taken.busy += g.n
		taken.claiming, taken.ready = true, false
		s.busy += g.n
		l.asked += g.n
		l.last = which
		// Its next turn is after those who wait now, however long the claim takes.
		l.queued = true
		s.queue = append(s.queue, l)
		return g, true
	}
	return grant{}, false
}

// wait returns when next is to be asked again; false when only a call of wake,
// at, claimed or release changes anything.
func (s *schedule) wait() (time.Time, bool) {
	if len(s.timers) == 0 {
		return time.Time{}, false
	}
	return s.timers[0].next(), true
}

// claimed ends the claim of a grant that found got deliveries.
func (s *schedule) claimed(g grant, got int, now time.Time) {
	l := &g.line.lanes[g.lane]
	l.claiming = false
	l.busy -= g.n - got
	s.busy -= g.n - got
	if got == g.n {
		l.ready = true // there may be more
	}
	g.line.asked -= g.n
	g.line.spend(got, now)
	s.enqueue(g.line)
}

// release frees the slot of one delivery of a grant.
func (s *schedule) release(g grant) {
	g.line.lanes[g.lane].busy--
	s.busy--
	s.enqueue(g.line)
}

// answered notes what an attempt of a grant says about its destination, and
// returns whether its breaker opened or closed.
func (s *schedule) answered(g grant, v verdict, now time.Time) (changed bool) {
	changed = g.line.breaker.note(v, g.probe, now)
	switch {
	case changed && g.line.breaker.open():
		s.breakers++
	case changed:
		s.breakers--
		s.unbar(g.line)
	}
	return changed
}

// hold lets nothing be claimed before t, as the receiver asked.
func (s *schedule) hold(l *line, t time.Time) {
	if t.After(l.hold) {
		l.hold = t
	}
}

// pause stops claims of a destination, or lets them go on.
func (s *schedule) pause(d stillcast.Destination, paused bool) {
	if l := s.lines[d]; l == nil && !paused || l != nil && l.paused == paused {
		return
	}
	l := s.line(d)
	l.paused = paused
	if paused {
		return
	}
	// Who lets it go on wants to see it work: nothing of before holds it up.
	l.hold = time.Time{}
	l.breaker.probeAt = time.Time{}
	for i := range l.lanes {
		l.lanes[i].ready = true
	}
	s.unbar(l)
}

// paused returns how many destinations are paused.
func (s *schedule) paused() (n int) {
	for _, l := range s.lines {
		if l.paused {
			n++
		}
	}
	return n
}

// unbar has a line looked at now.
func (s *schedule) unbar(l *line) {
	l.until = time.Time{}
	s.adjust(l)
	s.enqueue(l)
}

func (s *schedule) enqueue(l *line) {
	if l.queued || !l.until.IsZero() {
		return
	}
	if _, ok := s.pick(l); ok {
		l.queued = true
		s.queue = append(s.queue, l)
	}
}

// pick returns the lane that may claim; of two the one that did not have the
// last grant.
func (s *schedule) pick(l *line) (state.Lane, bool) {
	if l.paused {
		return 0, false
	}
	other := state.LaneFresh
	if l.last == state.LaneFresh {
		other = state.LaneRetry
	}
	for _, which := range [...]state.Lane{other, l.last} {
		if x := l.lanes[which]; x.ready && !x.claiming && s.free(l, which) > 0 {
			return which, true
		}
	}
	return 0, false
}

// free returns how many slots a lane may still take: one is reserved for the
// other lane, unless there is only one.
func (s *schedule) free(l *line, which state.Lane) int {
	if l.breaker.open() || s.perDest == 1 {
		return max(0, 1-l.busy())
	}
	return max(0, min(s.perDest-1-l.lanes[which].busy, s.perDest-l.busy()))
}

// prune drops the destinations that nothing is known about any more.
func (s *schedule) prune() {
	for d, l := range s.lines {
		if !l.idle() {
			continue
		}
		if l.breaker.open() {
			s.breakers--
		}
		delete(s.lines, d)
	}
}

// timers is a heap of the destinations that are to be looked at later.
type timers []*line

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].next().Before(t[j].next()) }

func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}

// Push implements [heap.Interface].
func (t *timers) Push(x any) {
	l, ok := x.(*line)
	if !ok {
		return // heap.Push is called with a *line only
	}
	l.index = len(*t)
	*t = append(*t, l)
}

// Pop implements [heap.Interface].
func (t *timers) Pop() any {
	old := *t
	l := old[len(old)-1]
	old[len(old)-1] = nil
	l.index = -1
	*t = old[:len(old)-1]
	return l
}
