package spool

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

// patience is how many tries a shot has in a row before it steps aside and
// leaves its slot to others; and how many of its failures are held against a
// store.
const patience = 3

// lane is the way of the shots that go to the same stores: the primary one
// alone, or that and a mirror. A store that does not work holds up the lanes
// that lead to it, and no other.
type lane struct {
	*Uploader

	name   string // of its mirror, or Primary
	stores []*store
	log    *slog.Logger

	wake   chan struct{} // holds a token when there may be new shots
	poke   chan struct{} // holds a token when a store broke, or works again
	handed *handover
	work   chan *job // to the slots
	back   chan *job // from the slots, done or to step aside
}

func (u *Uploader) newLane(name string, stores ...*store) *lane {
	return &lane{
		Uploader: u, name: name, stores: stores, log: u.opts.Logger.With("store", name),
		wake: make(chan struct{}, 1), poke: make(chan struct{}, 1), handed: newHandover(maxHandedBytes / (1 + len(u.opts.Mirrors))),
		work: make(chan *job), back: make(chan *job),
	}
}

func (l *lane) start(ctx context.Context) {
	l.wg.Go(func() { (&feeder{lane: l}).run(ctx) })
	for range l.opts.Config.Concurrency {
		l.wg.Go(func() { l.serve(ctx) })
	}
}

// serve stores the shots that it is given until ctx ends.
func (l *lane) serve(ctx context.Context) {
	for {
		var j *job
		select {
		case j = <-l.work:
		case <-ctx.Done():
			return
		}
		l.keep(ctx, j)
		l.handed.release(j)
		select {
		case l.back <- j:
		case <-ctx.Done():
			return
		}
	}
}

// keep tries until the shot is stored, has to step aside, or ctx ends. One that
// has to step aside has a time at which it is due.
func (l *lane) keep(ctx context.Context, j *job) {
	j.due, j.held = time.Time{}, false
	for {
		began := time.Now()
		err := l.try(ctx, j)
		if err == nil {
			l.noteStored(j, time.Since(began))
			return
		}
		if ctx.Err() != nil {
			return
		}
		switch stillcast.CodeOf(err) {
		case stillcast.CodeNotFound:
			l.log.Debug("picture is not in the spool any more", "shot", j.shot.ID, "error", err)
			return
		case stillcast.CodeConflict:
			l.withdraw(ctx, j, err)
			return
		}
		if l.failed(ctx, j, err) || !sleep(ctx, time.Until(j.due)) {
			return
		}
		j.due = time.Time{}
	}
}

// withdraw removes pictures that were stored while their shot was dropped: no
// event will ever tell of them.
func (l *lane) withdraw(ctx context.Context, j *job, reason error) {
	l.log.Warn("pictures of a dropped shot are removed again", "shot", j.shot.ID, "key", j.shot.Key, "reason", reason)
	for _, st := range l.stores {
		removeCtx, cancel := context.WithTimeout(ctx, st.timeout)
		err := st.Bucket.Remove(removeCtx, j.shot)
		cancel()
		if err != nil && ctx.Err() == nil {
			l.log.Error("a picture without an event stays in its store", "store", st.Name, "shot", j.shot.ID,
				"bucket", j.shot.Bucket, "key", j.shot.Key, "error", err)
		}
	}
}

// failed says when a job that failed is due again, and reports whether it steps
// aside until then.
func (l *lane) failed(ctx context.Context, j *job, err error) bool {
	j.due = time.Now()
	if errors.Is(err, errOpen) {
		j.held = true
		return true
	}
	j.tries++
	j.broken = isStoreFailure(err)
	broken := j.broken && !l.works()
	if !broken {
		j.blame++
	}
	if broken && j.blame < patience {
		j.held = true
		l.noteFailed(ctx, slog.LevelDebug, j, err) // the store said so already
		return true
	}
	j.due = j.due.Add(pauseAfter(j.tries))
	level := slog.LevelError
	if j.tries > patience && j.tries%10 != 0 { // about every five minutes is enough
		level = slog.LevelDebug
	}
	l.noteFailed(ctx, level, j, err)
	return broken || j.blame >= patience || errors.Is(err, objstore.ErrName)
}

// works reports whether no store of the lane is left alone.
func (l *lane) works() bool {
	return !slices.ContainsFunc(l.stores, func(st *store) bool { return st.breaker.isOpen() })
}

// try stores what of the shot is not stored yet, one picture after the other so
// that one is in memory at a time, and marks it once all stores hold all.
func (l *lane) try(ctx context.Context, j *job) error {
	for keys := j.shot.Keys(); j.store < len(l.stores); j.store, j.stored = j.store+1, 0 {
		for ; j.stored < len(keys); j.stored++ {
			o := objstore.Object{
				Bucket: j.shot.Bucket, Region: j.shot.Region, Key: keys[j.stored], ContentType: j.shot.Format.ContentType(),
			}
			read := func() ([]byte, error) { return l.picture(ctx, j) }
			if err := l.stores[j.store].put(ctx, o, read, j.blame < patience); err != nil {
				return err
			}
		}
	}
	destinations, err := l.opts.Ledger.MarkStored(ctx, j.shot.ID)
	if err != nil {
		return err
	}
	l.opts.Stored(destinations)
	return nil
}

// picture returns the next picture of a job. One that was dropped from the spool
// is not taken from memory either.
func (l *lane) picture(ctx context.Context, j *job) ([]byte, error) {
	if j.shot.ID <= l.dropped.Load() {
		l.handed.release(j)
	}
	if j.pictures != nil {
		return j.pictures[j.stored], nil
	}
	return l.opts.Ledger.SpooledPicture(ctx, j.shot.ID, j.stored)
}

func (l *lane) noteStored(j *job, took time.Duration) {
	l.metrics.seconds.Observe(took.Seconds())
	l.metrics.stored.WithLabelValues(l.name).Add(float64(len(j.shot.Keys())))
	l.log.Debug("pictures stored", "shot", j.shot.ID, "stream", j.shot.Stream, "key", j.shot.Key, "pictures", len(j.shot.Keys()),
		"try", j.tries+1, "took", took)
}

func (l *lane) noteFailed(ctx context.Context, level slog.Level, j *job, err error) {
	at := l.name
	if j.store < len(l.stores) {
		at = l.stores[j.store].Name
	} else {
		l.metrics.failed.WithLabelValues(at, "state").Inc() // all is stored, but that could not be noted
	}
	l.opts.Logger.Log(ctx, level, "storing a picture failed; trying again", "store", at, "shot", j.shot.ID, "stream", j.shot.Stream,
		"bucket", j.shot.Bucket, "key", j.shot.Key, "picture", j.stored, "try", j.tries,
		"pause", max(0, time.Until(j.due)), "error", err)
}
