package capture

import (
	"context"
	"errors"
	"time"

	"github.com/stillcast/stillcast"
)

// Reasons to shed a shot, as labels.
const (
	shedBehind   = "behind"     // the plan's next due time came first
	shedFull     = "full"       // the queue is full
	shedStopping = "stopping"   // the server stops
	shedPoison   = "poison"     // the stream killed workers: its shots are rarer for a while
	shedHopeless = "hopeless"   // the stream gave no picture for much work: likewise
	shedRoom     = "spool_full" // there is no room to record it
)

// Stages that a shot can fail in, as labels.
const (
	stageDecode = "decode"
	stageRecord = "record"
)

// stageError says in which stage a shot failed.
type stageError struct {
	stage string
	err   error
}

func (e *stageError) Error() string { return e.stage + ": " + e.err.Error() }
func (e *stageError) Unwrap() error { return e.err }

func (e *Engine) enqueue(j *job) {
	e.jobs.Add(1)
	behind, full := e.queue.push(j)
	if behind != nil {
		e.shed(behind, shedBehind)
	}
	for _, f := range full {
		e.shed(f, shedFull)
	}
}

func (e *Engine) noteShed(j *job, reason string) {
	e.metrics.shed.WithLabelValues(reason).Inc()
	j.plan.log.Warn("shot shed", "reason", reason, "due", j.pick.due)
}

func (e *Engine) shed(j *job, reason string) {
	e.noteShed(j, reason)
	if j.cost > 0 {
		e.share.settle(j.cost, 0, 0)
	}
	j.letGo()
	j.plan.shed(j)
	e.jobs.Done()
}

func (e *Engine) work(ctx context.Context) {
	for {
		j := e.queue.pop(ctx)
		switch {
		case j == nil:
			return
		case !e.opts.Room(ctx):
			e.queue.done(j)
			e.shed(j, shedRoom)
		default:
			e.run(ctx, j)
		}
	}
}

func (e *Engine) run(ctx context.Context, j *job) {
	defer e.jobs.Done()
	picture, err := e.decode(ctx, j)
	if err != nil {
		e.failed(j, &stageError{stageDecode, err})
		return
	}
	if skip := j.plan.judge(j, &picture.Facts); skip != "" {
		e.metrics.skipped.WithLabelValues(skip).Inc()
		j.plan.log.Debug("shot skipped", "reason", skip, "due", j.pick.due)
		j.plan.succeeded(j, nil)
		return
	}
	shot, err := e.record(ctx, j, picture)
	switch {
	case errors.Is(err, ErrNoRoom):
		e.noteShed(j, shedRoom)
		j.plan.shed(j)
		return
	case err != nil:
		e.failed(j, &stageError{stageRecord, err})
		return
	}
	j.plan.succeeded(j, &picture.Facts)
	e.metrics.taken.Inc()
	e.metrics.age.Observe(time.Since(shot.Captured).Seconds())
	f := picture.Facts
	j.plan.log.Info("shot taken", "shot", shot.ID, "event", shot.EventID, "key", shot.Key,
		"template", j.template.Name, "width", shot.Width, "height", shot.Height, "bytes", shot.Size,
		"accuracy", f.Accuracy, "off_due", -f.Age.Round(time.Millisecond), "passed", j.pick.passed,
		"decode", f.Decode, "scale", f.Scale, "encode", f.Encode,
		"since_frame", time.Since(shot.Captured).Round(time.Millisecond))
}

// decode makes the picture of j, and gives its access units back.
func (e *Engine) decode(ctx context.Context, j *job) (Picture, error) {
	units, began := len(j.units), time.Now()
	picture, err := e.opts.Shoot(ctx, j.order())
	e.queue.done(j)
	switch {
	case !j.slow():
	case err != nil:
		e.share.settle(j.cost, time.Since(began), 0) // in a worker, or in killing it
	default:
		e.share.settle(j.cost, picture.Facts.Decode, units)
		j.plan.measured(j, picture.Facts.Decode/time.Duration(units))
	}
	if err != nil && e.opts.Poison(err) {
		j.mark = fingerprint(e.seed, j.config, j.units[0])
	}
	// Given back before the database is asked: they count against budgets.
	j.letGo()
	return picture, err
}

func (e *Engine) record(ctx context.Context, j *job, picture Picture) (stillcast.Shot, error) {
	select {
	case <-j.plan.stream.recorded:
	case <-ctx.Done():
		return stillcast.Shot{}, context.Cause(ctx)
	}
	return e.opts.Record(ctx, Taken{
		Push: j.plan.stream.push, Template: j.template, Due: j.pick.due, Captured: j.captured, Picture: picture,
	})
}

func (e *Engine) failed(j *job, err *stageError) {
	if !j.plan.failed(j, err) {
		return
	}
	e.metrics.failed.WithLabelValues(err.stage).Inc()
	j.plan.log.Warn("shot failed", "due", j.pick.due, "first", j.first, "accuracy", j.accuracy, "error", err)
}
