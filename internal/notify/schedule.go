package notify

import (
	"container/heap"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

const (
	lanes = 2
	// breakAfter is how many attempts in a row must go without an answer until a
	// destination is held to one slot, and thus only probed.
	breakAfter = 8
	// probeRetryLane is the shortest time between two looks into the retry lane
	// for no other reason than a Wake, which nearly always means a fresh delivery.
	probeRetryLane = time.Second
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
	index        int  // in timers, -1 when it has nothing due later
	queued       bool // in the queue
	unanswered   int  // attempts in a row
	retryChecked time.Time
}

// grant is the permission to claim n deliveries of a destination's lane. Their
// slots are taken.
type grant struct {
	line *line
	lane state.Lane
	n    int
}

// schedule decides which destination may claim how many deliveries. It knows
// no goroutine and no clock; the caller serialises.
type schedule struct {
	slots    int // of all destinations
	perDest  int
	grain    time.Duration
	busy     int
	lines    map[stillcast.Destination]*line
	timers   timers
	queue    []*line // those that may claim, in turn
	breakers int     // destinations that are held to one slot
}

func newSchedule(c Config) *schedule {
	return &schedule{
		slots:   c.Slots,
		perDest: c.DestinationSlots,
		grain:   grainOf(c.Retry.Interval),
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
	if l.index < 0 {
		heap.Push(&s.timers, l)
		return
	}
	heap.Fix(&s.timers, l.index)
}

// fire makes ready what is due at now.
func (s *schedule) fire(now time.Time) {
	for len(s.timers) > 0 {
		l := s.timers[0]
		if !l.due.take(now) {
			return
		}
		if l.due.first().IsZero() {
			heap.Pop(&s.timers)
		} else {
			heap.Fix(&s.timers, l.index)
		}
		for i := range l.lanes {
			l.lanes[i].ready = true
		}
		l.retryChecked = now
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
		// While slots are short, each in the queue gets its share of them.
		share := max(1, (s.slots-s.busy)/(len(s.queue)+1))
		g := grant{line: l, lane: which, n: min(s.free(l, which), share)}
		taken := &l.lanes[which]
		taken.busy += g.n
		taken.claiming, taken.ready = true, false
		s.busy += g.n
		l.last = which
		s.enqueue(l)
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
	return s.timers[0].due.first(), true
}

// claimed ends the claim of a grant that found got deliveries.
func (s *schedule) claimed(g grant, got int) {
	l := &g.line.lanes[g.lane]
	l.claiming = false
	l.busy -= g.n - got
	s.busy -= g.n - got
	if got == g.n {
		l.ready = true // there may be more
	}
	s.enqueue(g.line)
}

// release frees the slot of one delivery of a grant.
func (s *schedule) release(g grant) {
	g.line.lanes[g.lane].busy--
	s.busy--
	s.enqueue(g.line)
}

// answered notes whether a request was answered, by whatever status.
func (s *schedule) answered(l *line, ok bool) {
	before := l.open()
	if l.unanswered++; ok {
		l.unanswered = 0
	}
	switch after := l.open(); {
	case after && !before:
		s.breakers++
	case before && !after:
		s.breakers--
		s.enqueue(l)
	}
}

// open says whether the destination stopped answering and is only probed.
func (l *line) open() bool { return l.unanswered >= breakAfter }

func (l *line) busy() int {
	return l.lanes[state.LaneFresh].busy + l.lanes[state.LaneRetry].busy
}

func (s *schedule) enqueue(l *line) {
	if _, ok := s.pick(l); ok && !l.queued {
		l.queued = true
		s.queue = append(s.queue, l)
	}
}

// pick returns the lane that may claim; of two the one that did not have the
// last grant.
func (s *schedule) pick(l *line) (state.Lane, bool) {
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
	if l.open() || s.perDest == 1 {
		return max(0, 1-l.busy())
	}
	return max(0, min(s.perDest-1-l.lanes[which].busy, s.perDest-l.busy()))
}

// prune drops the destinations that nothing is known about any more.
func (s *schedule) prune() {
	for d, l := range s.lines {
		idle := !l.queued && l.index < 0 && l.busy() == 0
		for _, x := range l.lanes {
			idle = idle && !x.ready && !x.claiming
		}
		if !idle {
			continue
		}
		if l.open() {
			s.breakers--
		}
		delete(s.lines, d)
	}
}

// timers is a heap of the destinations that have something due later.
type timers []*line

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].due.first().Before(t[j].due.first()) }

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
