package capture

import (
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// Reasons why a due time of an exact template gets a key frame, as labels.
const (
	fallbackGOP    = "gop_bytes"       // the group of pictures is larger than a stream may keep
	fallbackTotal  = "gop_total_bytes" // all streams together keep as much as they may
	fallbackUnits  = "units"           // more access units than a decoder takes
	fallbackBytes  = "unit_bytes"      // more bytes than a decoder takes
	fallbackShare  = "share"           // exact shots have used up their share of the decoders
	fallbackStart  = "start"           // no start point for the frame is kept
	fallbackFailed = "failed"          // the group of pictures gave no good picture
)

// exactAgain is how many exact shots in a row show that fallbacks are over.
const exactAgain = 5

// exact is what an exact plan needs beside the stream's group.
type exact struct {
	early   bool   // the frame on display when the plan began may be kept
	waiting bool   // a due time waits for the next start point
	grid    int    // of decided
	decided int64  // due times before this index have their frame, or wait
	next    uint64 // number after the last kept access unit that a shot is of
	bad     uint64 // number after the last start point that gave no good picture

	said   string // reason that was logged; "" for none
	streak int    // exact shots since then
}

// takeExact takes a shot if the access unit shows which frame was on display at a
// due time.
func (p *plan) takeExact(a *arrival) *job {
	if !p.schedule.started {
		return p.firstExact(a)
	}
	if j := p.fed(); j != nil {
		return j
	}
	if j := p.takeWaiting(a); j != nil {
		return j
	}
	return p.decide(a)
}

// firstExact takes the first shot: of the frame on display when the plan began, if
// the stream's access units were kept for another plan then, else of the next start point.
func (p *plan) firstExact(a *arrival) *job {
	s := p.stream
	if p.exact.early && p.barred() == "" && s.group.open() {
		if a.bound.Before(p.began) {
			return nil
		}
		p.exact.early = false
		if j := p.earlyJob(a); j != nil {
			return j
		}
	}
	if !s.starts.usable(a.AccessUnit, a.start.Kind) {
		return nil
	}
	return p.shoot(a, pick{grid: p.schedule.grid, due: a.Arrived})
}

// earlyJob makes the job of the frame on display when the plan began.
func (p *plan) earlyJob(a *arrival) *job {
	w := pick{grid: p.schedule.grid, due: p.began}
	if _, ok := p.stream.group.onDisplay(w.due); !ok {
		return nil
	}
	j, refused := p.exactJob(w)
	if refused != "" {
		p.fellBack(refused, 1)
		return p.fallBack(a, w)
	}
	return p.order(j, w)
}

// takeWaiting takes a start point for the due time that waits for one.
func (p *plan) takeWaiting(a *arrival) *job {
	if !p.exact.waiting || p.feed != nil || a.start.Kind == media.StartNone {
		return nil
	}
	w, ok := p.schedule.latest(a.Arrived)
	if !ok {
		return nil
	}
	return p.shoot(a, w)
}

// decide takes the frame of the first due time that shows a new one, of those
// up to which all pictures have arrived.
func (p *plan) decide(a *arrival) *job {
	s := p.stream
	latest, ok := p.undecided(a.bound)
	if !ok || p.feed != nil {
		return nil
	}
	w, ok := p.firstNew(latest)
	before := max(p.exact.decided, p.schedule.next)
	if !ok {
		p.exact.decided = latest.index + 1
		s.engine.metrics.due.Add(float64(p.schedule.count(latest)))
		s.engine.metrics.passed.Add(float64(1 + latest.passed))
		p.schedule.take(latest)
		return nil
	}
	p.exact.decided = w.index + 1
	j, refused := p.exactJob(w)
	if refused == "" {
		p.sayExact()
		return p.order(j, w)
	}
	p.fellBack(refused, w.index+1-before)
	return p.fallBack(a, w)
}

// undecided returns the last due time that is not after t, unless it has its
// frame or waits for a start point.
func (p *plan) undecided(t time.Time) (pick, bool) {
	if p.exact.grid != p.schedule.grid {
		p.exact.grid, p.exact.decided = p.schedule.grid, 0
	}
	w, ok := p.schedule.latest(t)
	return w, ok && w.index >= p.exact.decided
}

// firstNew returns the first undecided due time up to the latest one at which a
// frame is on display that had no shot and is not older than an interval, which is how it
// is when a stream stood still. Without frames to judge by it is the latest one.
func (p *plan) firstNew(latest pick) (pick, bool) {
	s := p.stream
	if p.barred() != "" || s.group == nil {
		return latest, true
	}
	if _, ok := s.group.onDisplay(latest.due); !ok {
		return latest, true
	}
	index := max(p.exact.decided, p.schedule.next)
	for {
		// What was on display a due time earlier is too old.
		begins, ok := s.group.newAfter(p.schedule.at(index-1), p.exact.next)
		if !ok {
			return pick{}, false
		}
		index = max(index, p.schedule.from(begins))
		if index > latest.index {
			return pick{}, false
		}
		w, _ := p.schedule.pick(index)
		i, ok := s.group.onDisplay(w.due)
		if ok && s.group.number(i) >= p.exact.next {
			return w, true
		}
		index++
	}
}

// barred returns why nothing is exact until the next start point; "" if that is
// not so. What one plan failed with leaves others alone: they may look at other pictures.
func (p *plan) barred() string {
	s := p.stream
	if s.barred == "" && p.exact.bad > 0 && s.group != nil && s.group.newestStart() < p.exact.bad {
		return fallbackFailed
	}
	return s.barred
}

// exactJob makes the job of the frame on display at w, or returns why it cannot.
func (p *plan) exactJob(w pick) (j *job, refused string) {
	s := p.stream
	if barred := p.barred(); barred != "" {
		return nil, barred
	}
	if s.group == nil {
		return nil, fallbackStart
	}
	target, ok := s.group.onDisplay(w.due)
	if !ok {
		return nil, fallbackStart
	}
	from, ok := s.group.startFor(target)
	switch {
	case !ok:
		return nil, fallbackStart
	case s.group.number(from) < p.exact.bad:
		return nil, fallbackFailed
	}
	j = s.group.job(from, target, false)
	j.accuracy = stillcast.AccuracyExact
	switch {
	case len(j.units) > s.engine.opts.MaxUnits:
		refused = fallbackUnits
	case j.bytes() > s.engine.opts.MaxUnitBytes:
		refused = fallbackBytes
	case len(j.units) > 1:
		if j.cost, ok = s.engine.share.reserve(len(j.units), s.unitCost); !ok {
			refused = fallbackShare
		}
	}
	if refused != "" {
		j.letGo()
		return nil, refused
	}
	p.exact.next = s.group.number(target) + 1
	return j, ""
}

// fallBack takes the start point nearest to w: the last one, this one, or the
// next one, if the stream's rhythm says that it will be nearer.
func (p *plan) fallBack(a *arrival, w pick) *job {
	s := p.stream
	i, before := s.group.lastStart(w.due)
	if before && s.group.number(i) >= p.exact.next {
		age := w.due.Sub(s.group.units[i].shown)
		after := s.keys.every - age
		if a.start.Kind != media.StartNone {
			after = a.shown.Sub(w.due)
		}
		kept := s.group.units[i].start.Kind != media.StartRecovery || s.group.open()
		if kept && (s.keys.every == 0 || age <= max(after, 0)) {
			return p.shootKept(s.group.number(i), w)
		}
	}
	if a.start.Kind != media.StartNone {
		return p.shoot(a, w)
	}
	p.exact.waiting = true
	return nil
}

// fellBack and sayExact log when a plan begins to fall back for a reason, and when
// that is over. n due times fell back.
func (p *plan) fellBack(reason string, n int64) {
	p.stream.engine.metrics.fallback.WithLabelValues(reason).Add(float64(n))
	p.exact.streak = 0
	if p.exact.said != reason {
		p.exact.said = reason
		p.log.Warn("exact shots fall back to key frames", "reason", reason)
	}
}

func (p *plan) sayExact() {
	if p.exact.said == "" {
		return
	}
	if p.exact.streak++; p.exact.streak == exactAgain {
		p.exact.said, p.exact.streak = "", 0
		p.log.Info("shots are exact again")
	}
}
