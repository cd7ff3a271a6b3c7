package notify

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

var epoch = time.Unix(1622599925, 0)

func TestDueSet(t *testing.T) {
	s := dueSet{grain: time.Second}
	at := func(d time.Duration) time.Time { return epoch.Add(d) }
	for _, d := range []time.Duration{5 * time.Second, 3 * time.Second, 3100 * time.Millisecond, 3050 * time.Millisecond, 5 * time.Second, time.Hour} {
		s.add(at(d))
	}
	// Of a grain the last stays: who waits for it misses none of the others.
	want := []time.Time{at(3100 * time.Millisecond), at(5 * time.Second), at(time.Hour)}
	if !slices.EqualFunc(s.times, want, time.Time.Equal) {
		t.Errorf("%v, want %v", s.times, want)
	}
	if s.take(at(3 * time.Second)) {
		t.Error("taken too early")
	}
	if !s.take(at(10*time.Second)) || !s.first().Equal(at(time.Hour)) {
		t.Errorf("left: %v", s.times)
	}
	if !s.take(at(time.Hour)) || !s.first().IsZero() {
		t.Errorf("left: %v", s.times)
	}
}

// A backlog of any length takes a bounded number of entries.
func TestDueSetIsBounded(t *testing.T) {
	s := dueSet{grain: grainOf(2 * time.Minute)}
	for range 100_000 {
		s.add(epoch.Add(rand.N(2 * time.Minute)))
	}
	if len(s.times) > 1001 {
		t.Errorf("%d entries", len(s.times))
	}
	if !slices.IsSortedFunc(s.times, time.Time.Compare) {
		t.Error("not in order")
	}
}

func unlimited(stillcast.Destination) int { return 0 }

// Whatever happens in whatever order, no limit is passed, no slot is lost, and
// everything that is due is claimed in the end.
func TestScheduleKeepsItsLimits(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		config := DefaultConfig()
		config.Slots, config.DestinationSlots = 1+random.IntN(12), 1+random.IntN(5)
		m := &model{t: t, s: newSchedule(config, unlimited), now: epoch, random: random, owed: map[stillcast.Destination]*[lanes]int{}}
		for range 2000 {
			m.step()
		}
		m.drain()
		if t.Failed() {
			t.Fatalf("seed %d, %d slots, %d per destination", seed, config.Slots, config.DestinationSlots)
		}
	}
}

// model plays ledger and attempts around a schedule.
type model struct {
	t       *testing.T
	s       *schedule
	now     time.Time
	random  *rand.Rand
	owed    map[stillcast.Destination]*[lanes]int // due now
	claims  []grant
	running []grant
}

func (m *model) step() {
	m.now = m.now.Add(time.Duration(m.random.IntN(300)) * time.Millisecond)
	switch m.random.IntN(5) {
	case 0:
		d := dest(int64(1 + m.random.IntN(8)))
		if m.owed[d] == nil {
			m.owed[d] = &[lanes]int{}
		}
		m.owed[d][m.random.IntN(lanes)] += 1 + m.random.IntN(5)
		m.s.wake(d, m.now)
	case 1, 2:
		m.grantOne()
	case 3:
		m.claimOne()
	case 4:
		m.finishOne()
	}
}

func (m *model) grantOne() bool {
	g, ok := m.s.next(m.now)
	if !ok {
		return false
	}
	l := g.line
	limit := m.s.perDest
	if g.n < 1 || m.s.busy > m.s.slots || l.busy() > limit {
		m.t.Errorf("grant of %d with %d of %d and %d of %d slots taken", g.n, m.s.busy, m.s.slots, l.busy(), limit)
	}
	if limit > 1 && (l.lanes[0].busy > limit-1 || l.lanes[1].busy > limit-1) {
		m.t.Errorf("a lane took the slot of the other: %+v", l.lanes)
	}
	if l.breaker.open() && (l.busy() > 1 || !g.probe) {
		m.t.Errorf("%d slots for a destination that does not work", l.busy())
	}
	m.claims = append(m.claims, g)
	return true
}

func (m *model) claimOne() {
	g, ok := takeAny(m.random, &m.claims)
	if !ok {
		return
	}
	owed := &m.owed[g.line.dest][g.lane]
	got := min(g.n, *owed)
	*owed -= got
	m.s.claimed(g, got, m.now)
	for range got {
		m.running = append(m.running, g)
	}
}

func (m *model) finishOne() {
	g, ok := takeAny(m.random, &m.running)
	if !ok {
		return
	}
	m.s.answered(g, verdict(m.random.IntN(3)), m.now)
	m.s.release(g)
}

func takeAny(random *rand.Rand, from *[]grant) (grant, bool) {
	if len(*from) == 0 {
		return grant{}, false
	}
	i := random.IntN(len(*from))
	g := (*from)[i]
	*from = slices.Delete(*from, i, i+1)
	return g, true
}

func (m *model) drain() {
	for range 1000 { // of up to a minute, so that every breaker is probed again and again
		m.now = m.now.Add(lastProbe)
		for m.grantOne() || len(m.claims)+len(m.running) > 0 {
			m.claimOne()
			m.finishOne()
		}
	}
	for d, owed := range m.owed {
		if *owed != [lanes]int{} {
			m.t.Errorf("still owed to %d: %v", d.TemplateID, *owed)
		}
	}
	if m.s.busy != 0 || len(m.s.queue) != 0 || len(m.s.timers) != 0 {
		m.t.Errorf("%d slots, %d in the queue, %d timers are left", m.s.busy, len(m.s.queue), len(m.s.timers))
	}
	m.s.prune()
	if len(m.s.lines) != 0 || m.s.breakers != 0 {
		m.t.Errorf("%d lines and %d breakers are left", len(m.s.lines), m.s.breakers)
	}
}

// A Wake nearly always means a fresh delivery: the retry lane is looked into
// once a second, however many there are.
func TestWakesLookIntoTheRetryLaneOnceASecond(t *testing.T) {
	s := newSchedule(DefaultConfig(), unlimited)
	looks := 0
	for i := range 100 {
		now := epoch.Add(time.Duration(i) * 50 * time.Millisecond)
		s.wake(dest(1), now)
		for {
			g, ok := s.next(now)
			if !ok {
				break
			}
			s.claimed(g, 0, now)
			if g.lane == state.LaneRetry {
				looks++
			}
		}
	}
	if looks < 5 || looks > 6 {
		t.Errorf("%d looks in five seconds", looks)
	}
}

func TestWait(t *testing.T) {
	s := newSchedule(DefaultConfig(), unlimited)
	if _, ok := s.wait(); ok {
		t.Error("something to wait for in an empty schedule")
	}
	s.at(s.line(dest(2)), epoch.Add(time.Hour))
	s.at(s.line(dest(1)), epoch.Add(time.Minute))
	if at, ok := s.wait(); !ok || !at.Equal(epoch.Add(time.Minute)) {
		t.Errorf("wait until %s, %v", at, ok)
	}
	if _, ok := s.next(epoch.Add(time.Minute - 1)); ok {
		t.Error("granted too early")
	}
	if g, ok := s.next(epoch.Add(time.Minute)); !ok || g.line.dest != dest(1) {
		t.Errorf("grant %v, %v", g, ok)
	}
}
