package capture

import (
	"time"

	"github.com/stillcast/stillcast"
)

// The engine's workers tell a plan here how its jobs ended.

// measured notes how long decoding took for each access unit.
func (p *plan) measured(j *job, each time.Duration) {
	if j.accuracy != stillcast.AccuracyExact {
		return
	}
	p.stream.mu.Lock()
	defer p.stream.mu.Unlock()
	p.stream.unitCost = smooth(p.stream.unitCost, each)
}

// succeeded ends a job that gave a good picture; f are the facts of the shot, nil
// when it was left out.
func (p *plan) succeeded(j *job, f *stillcast.Facts) {
	p.stream.mu.Lock()
	defer p.stream.mu.Unlock()
	p.endFeed(j)
	p.failures = 0
	p.backoff.succeeded()
	if f != nil {
		p.last.recorded(j.pick.due, f)
	}
}

// shed ends a job that was given up before it was begun.
func (p *plan) shed(j *job) {
	p.stream.mu.Lock()
	defer p.stream.mu.Unlock()
	p.endFeed(j)
}

// failed ends a job that gave no shot, and says whether that is a failure: a start
// point that needs more access units is fed on.
func (p *plan) failed(j *job, err *stageError) bool {
	s := p.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	decoded := err.stage == stageRecord
	if !decoded && p.hungry(j, err) {
		return false
	}
	starved := j.feed != nil && j.feed == p.feed && s.engine.opts.NoPicture(err)
	p.endFeed(j)
	if j.accuracy == stillcast.AccuracyExact && !decoded {
		p.exact.bad = max(p.exact.bad, j.from+1)
	}
	switch {
	case !decoded && s.engine.opts.Poison(err):
		s.poison.add(j.mark)
		s.engine.metrics.poison.Inc()
		p.backOff(j.pick, shedPoison)
	case !decoded && starved:
		p.backOff(j.pick, shedHopeless)
	default:
		p.retry(j.pick)
	}
	return true
}

// retry opens a due time for another frame, a few times.
func (p *plan) retry(w pick) {
	if p.failures++; p.failures < maxFailures {
		p.schedule.reopen(w)
		p.exact.waiting = true
		return
	}
	p.failures = 0
}

// backOff passes over due times of a stream that cost too much.
func (p *plan) backOff(w pick, reason string) {
	n := p.schedule.skip(w, p.backoff.failed())
	p.failures = 0
	p.stream.engine.metrics.shed.WithLabelValues(reason).Add(float64(n))
	p.log.Warn("due times passed over", "reason", reason, "due_times", n, "until", p.schedule.at(p.schedule.next))
}
