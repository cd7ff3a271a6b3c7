package capture

import (
	"log/slog"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// maxFailures is how often one due time is tried with another frame after a
// failed one, so that a stream that cannot be decoded costs no more than a
// few decodes per interval.
const maxFailures = 3

// Plan says that a stream is to be captured as a template says. A stream may have
// several; each has its shots as if it were alone.
type Plan struct {
	ID       string                     // of the task; "" for the stream's rule
	Template stillcast.SnapshotTemplate // with its defaults filled in
	Until    time.Time                  // there are no due times from then on; zero for no end
}

// plan is a [Plan] in force on a stream, whose lock guards it.
type plan struct {
	Plan

	stream *Stream
	log    *slog.Logger
	began  time.Time
	queued *job // guarded by the queue's lock

	schedule  schedule
	asked     asked
	failures  int // of the due time that is open
	backoff   backoff
	stretched bool // key frames are rarer than the interval, and that was logged
	last      lastShot
	feed      *feed // a start point that gives no picture alone; nil for none
	exact     exact
}

// asked is what Want found for an access unit.
type asked struct {
	made bool
	dts  time.Duration // of the access unit
	pick pick
	ok   bool
}

func newPlan(s *Stream, w Plan) *plan {
	p := &plan{Plan: w, stream: s, log: s.log, began: time.Now(), exact: exact{early: s.group.open()}}
	if w.ID != "" {
		p.log = s.log.With("task", w.ID)
	}
	p.schedule.setInterval(w.Template.Interval)
	p.logTemplate()
	return p
}

func (p *plan) logTemplate() {
	t := p.Template
	p.log.Info("snapshot template in force", "template", t.Name, "interval", t.Interval, "accuracy", t.Accuracy)
}

// change puts w in force instead of what the plan was; it acts at once.
func (p *plan) change(w Plan) {
	old := p.Template
	p.Plan = w
	if old == w.Template {
		return
	}
	if old.Accuracy != w.Template.Accuracy {
		if p.feed != nil {
			p.giveUpFeed()
		}
		p.exact = exact{next: p.exact.next, bad: p.exact.bad}
	}
	p.asked = asked{}
	p.schedule.setInterval(w.Template.Interval)
	p.logTemplate()
}

func (p *plan) isExact() bool { return p.Template.Accuracy == stillcast.AccuracyExact }

// over says whether the plan has come to its end.
func (p *plan) over(now time.Time) bool { return !p.Until.IsZero() && !now.Before(p.Until) }

// nearest returns the due time that a key frame arriving now is for, if any.
func (p *plan) nearest(now time.Time) (pick, bool) {
	w, ok := p.schedule.nearest(now, p.stream.keys.every)
	return w, ok && !p.over(w.due)
}

// want reports whether an access unit that arrives now is to be looked at; look
// says whether it may be a start point.
func (p *plan) want(now time.Time, dts time.Duration, look bool) bool {
	if p.isExact() {
		_, due := p.undecided(now)
		return look || due
	}
	p.asked = asked{}
	if !look {
		return false
	}
	w, ok := p.nearest(now)
	p.asked = asked{made: true, dts: dts, pick: w, ok: ok}
	return ok
}

func (p *plan) take(a *arrival) *job {
	if p.isExact() {
		return p.takeExact(a)
	}
	return p.takeKeyframe(a)
}

// pickFor returns the due time that Want found for the access unit.
func (p *plan) pickFor(a *arrival) (pick, bool) {
	asked := p.asked
	p.asked.made = false
	if asked.made && asked.dts == a.DTS {
		return asked.pick, asked.ok
	}
	return p.nearest(a.Arrived)
}

// shoot makes a shot of an access unit that decoding can start at, or begins to
// feed it.
func (p *plan) shoot(a *arrival, w pick) *job {
	if p.stream.keeps(a) {
		return p.shootKept(a.number, w)
	}
	a.hold()
	j := &job{
		unit: &a.lent, config: a.Config, units: [][]byte{a.Data}, alone: a.start.Kind != media.StartKey,
		captured: a.Arrived, timestamp: a.PTS, size: int64(len(a.Data)),
	}
	return p.order(j, w)
}

// shootKept does so for an access unit in the group.
func (p *plan) shootKept(number uint64, w pick) *job {
	group := p.stream.group
	i, ok := group.index(number)
	if !ok {
		return nil
	}
	p.exact.next = number + 1
	switch group.units[i].start.Kind {
	case media.StartRecovery:
		p.feed = &feed{pick: w, from: number, first: p.consume(w)}
		return p.fed()
	case media.StartKey:
		return p.order(group.job(i, i, false), w)
	}
	j := group.job(i, i, false)
	j.alone = true
	return p.order(j, w)
}

// order makes j the shot of w. It returns nil, and the due time stays open, when
// its input is known to kill workers.
func (p *plan) order(j *job, w pick) *job {
	if p.stream.poisonous(j) {
		j.letGo()
		return nil
	}
	j.first = p.consume(w)
	return p.complete(j, w)
}

func (p *plan) complete(j *job, w pick) *job {
	j.plan, j.pick, j.template = p, w, p.Template
	if j.accuracy == "" {
		j.accuracy = stillcast.AccuracyKeyframe
	}
	return j
}

// consume gives w its shot.
func (p *plan) consume(w pick) (first bool) {
	first = !p.schedule.started
	metrics := p.stream.engine.metrics
	metrics.due.Add(float64(p.schedule.count(w)))
	metrics.passed.Add(float64(w.passed))
	p.schedule.take(w)
	p.exact.waiting = false
	p.noteStretch(w)
	return first
}

// noteStretch logs when the interval begins to stretch to the key frames, and
// when it no longer does.
func (p *plan) noteStretch(w pick) {
	every := p.stream.keys.every
	rare := every > p.Template.Interval
	switch {
	case !p.stretched && rare && w.passed > 0:
		p.stretched = true
		p.log.Warn("key frames are rarer than the interval, which stretches to them",
			"interval", p.Template.Interval, "key_frames_every", every.Round(time.Millisecond))
	case p.stretched && !rare && w.passed == 0:
		p.stretched = false
		p.log.Info("key frames are no longer rarer than the interval",
			"interval", p.Template.Interval, "key_frames_every", every.Round(time.Millisecond))
	}
}
