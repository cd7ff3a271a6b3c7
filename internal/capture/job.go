package capture

import (
	"context"
	"errors"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// job is a shot that is to be made of one access unit.
type job struct {
	stream   *Stream
	unit     *media.AccessUnit
	pick     pick
	template stillcast.SnapshotTemplate
	first    bool // first shot of its push
	size     int64
	position int // in the queue's heap
}

// before reports whether j is made before k.
func (j *job) before(k *job) bool {
	if j.first != k.first {
		return j.first
	}
	return j.pick.due.Before(k.pick.due)
}

// Reasons to shed a shot, as labels.
const (
	shedBehind   = "behind"   // the stream's next due time came first
	shedFull     = "full"     // the queue is full
	shedStopping = "stopping" // the server stops
)

func (e *Engine) enqueue(j *job) {
	e.metrics.due.Add(float64(1 + j.pick.passed))
	e.metrics.passed.Add(float64(j.pick.passed))
	e.jobs.Add(1)
	behind, full := e.queue.push(j)
	if behind != nil {
		e.shed(behind, shedBehind)
	}
	for _, f := range full {
		e.shed(f, shedFull)
	}
}

func (e *Engine) shed(j *job, reason string) {
	e.metrics.shed.WithLabelValues(reason).Inc()
	j.stream.log.Warn("shot shed", "reason", reason, "due", j.pick.due)
	j.unit.Release()
	e.jobs.Done()
}

func (e *Engine) work(ctx context.Context) {
	for {
		j := e.queue.pop(ctx)
		if j == nil {
			return
		}
		e.run(ctx, j)
	}
}

func (e *Engine) run(ctx context.Context, j *job) {
	defer e.jobs.Done()
	shot, picture, err := e.make(ctx, j)
	if err != nil {
		j.stream.failed(j)
		e.metrics.failed.WithLabelValues(reasonOf(err)).Inc()
		j.stream.log.Warn("shot failed", "due", j.pick.due, "first", j.first, "error", err)
		return
	}
	j.stream.succeeded()
	e.metrics.taken.Inc()
	e.metrics.age.Observe(time.Since(shot.Captured).Seconds())
	j.stream.log.Info("shot taken", "shot", shot.ID, "event", shot.EventID, "key", shot.Key,
		"template", j.template.Name, "width", shot.Width, "height", shot.Height, "bytes", shot.Size,
		"off_due", shot.Captured.Sub(j.pick.due).Round(time.Millisecond), "passed", j.pick.passed,
		"decode", picture.Decode, "scale", picture.Scale, "encode", picture.Encode,
		"since_frame", time.Since(shot.Captured).Round(time.Millisecond))
}

func (e *Engine) make(ctx context.Context, j *job) (stillcast.Shot, Picture, error) {
	captured := j.unit.Arrived
	picture, err := e.opts.Shoot(ctx, Order{
		Config: j.unit.Config, Units: []*media.AccessUnit{j.unit},
		Width: j.template.Width, Height: j.template.Height, Quality: j.template.Quality,
	})
	// Given back before the database is asked: it counts against ingest's budget.
	j.unit.Release()
	if err != nil {
		return stillcast.Shot{}, Picture{}, &stageError{stageDecode, err}
	}
	select {
	case <-j.stream.recorded:
	case <-ctx.Done():
		return stillcast.Shot{}, Picture{}, &stageError{stageRecord, context.Cause(ctx)}
	}
	shot, err := e.opts.Record(ctx, Taken{
		Push: j.stream.push, Template: j.template, Due: j.pick.due, Captured: captured, Picture: picture,
	})
	if err != nil {
		return stillcast.Shot{}, Picture{}, &stageError{stageRecord, err}
	}
	return shot, picture, nil
}

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

func reasonOf(err error) string {
	if e, ok := errors.AsType[*stageError](err); ok {
		return e.stage
	}
	return "other"
}
