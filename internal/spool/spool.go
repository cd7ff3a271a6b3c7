// Package spool brings the pictures of recorded shots into the object store, in
// order, and lets their events go once they are there: a shot's own and all of
// its renditions. The spool itself is part of the state (row and pictures are
// durable together), so this package holds
// nothing that a crash could lose: at start it goes on with what it finds.
//
// Whoever records a shot hands its pictures over, so that they need not be read
// back. What there is no room for in memory, and what comes while older shots
// still have to be read, is read from the spool.
//
// One picture that the store refuses does not hold up the others: after a few
// tries its shot steps aside, without the picture, and is tried again within a
// minute, for as long as it takes.
package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

// patience is how many tries in a row a shot has before it steps aside and
// leaves its slot to others.
const patience = 3

// Config is the upload's part of the configuration file.
type Config struct {
	Concurrency int           `yaml:"concurrency"` // uploads at once
	Timeout     time.Duration `yaml:"timeout"`     // of one try
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config { return Config{Concurrency: 4, Timeout: 30 * time.Second} }

// Validate reports the first setting that is not allowed.
func (c Config) Validate() error {
	if c.Concurrency < 1 || c.Concurrency > 1024 {
		return stillcast.Errorf(stillcast.CodeInvalid, "concurrency", "is %d; allowed are 1 to 1024", c.Concurrency)
	}
	if c.Timeout < time.Second || c.Timeout > time.Hour {
		return stillcast.Errorf(stillcast.CodeInvalid, "timeout", "is %s; allowed are 1s to 1h", c.Timeout)
	}
	return nil
}

type ledger interface {
	SpoolPage(ctx context.Context, afterID int64, limit int) ([]stillcast.Shot, error)
	// SpooledPicture returns the picture of Shot.Keys()[index].
	SpooledPicture(ctx context.Context, shotID int64, index int) ([]byte, error)
	MarkStored(ctx context.Context, shotID int64) ([]stillcast.Destination, error)
}

type bucket interface {
	Put(ctx context.Context, o objstore.Object) error
}

// Options are what an [Uploader] needs; all are required.
type Options struct {
	Config       Config
	CacheControl string
	Ledger       ledger
	Bucket       bucket
	Stored       func([]stillcast.Destination) // events for them became due
	Stats        func(context.Context) (count, bytes int64, err error)
	Logger       *slog.Logger
	Registerer   prometheus.Registerer
}

// Uploader moves pictures from the spool to the store.
type Uploader struct {
	opts    Options
	metrics *metrics
	wake    chan struct{} // holds a token when there may be new shots
	handed  *handover
	fresh   chan *job
	again   chan *job // failed before
	failed  chan *job // from the slots, to step aside

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// New returns an Uploader that does nothing before Start.
func New(opts Options) (*Uploader, error) {
	if err := opts.Config.Validate(); err != nil {
		return nil, err
	}
	return &Uploader{
		opts: opts, metrics: newMetrics(opts.Registerer, opts.Stats),
		wake: make(chan struct{}, 1), handed: newHandover(), cancel: func() {},
		fresh: make(chan *job), again: make(chan *job), failed: make(chan *job),
	}, nil
}

// Start begins with what is in the spool.
func (u *Uploader) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	u.cancel = cancel
	u.wg.Go(func() { (&feeder{Uploader: u}).run(ctx) })
	for slot := range u.opts.Config.Concurrency {
		again := u.again
		if slot > 0 && slot >= u.opts.Config.Concurrency/2 {
			again = nil // half of the slots never wait for what fails again
		}
		u.wg.Go(func() { u.work(ctx, again) })
	}
}

// Stop interrupts the uploads, which the next start repeats, and returns when
// the goroutines are gone. Call Drain before to let them finish.
func (u *Uploader) Stop() {
	u.cancel()
	u.wg.Wait()
}

// Drain waits until the spool is empty, or until ctx ends and returns its cause.
func (u *Uploader) Drain(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		count, _, err := u.opts.Stats(ctx)
		if err != nil || count == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Take stores a shot that was recorded, with its pictures in the order of
// Shot.Keys, which nobody changes any more. It never blocks: what cannot be kept
// in memory is read from the spool later.
func (u *Uploader) Take(shot stillcast.Shot, pictures [][]byte) {
	if !u.handed.offer(shot, pictures) {
		u.Wake()
	}
}

// Wake says that a shot was recorded.
func (u *Uploader) Wake() {
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

// work stores shots: those that are fresh, and those that failed before when
// again is not nil.
func (u *Uploader) work(ctx context.Context, again <-chan *job) {
	for {
		var j *job
		select {
		case j = <-u.handed.jobs:
		case j = <-u.fresh:
		case j = <-again:
		case <-ctx.Done():
			return
		}
		done := u.store(ctx, j)
		u.handed.release(j)
		if done {
			continue
		}
		select {
		case u.failed <- j:
		case <-ctx.Done():
			return
		}
	}
}

// store tries until the shot is stored or ctx ends, and reports false when it
// should step aside.
func (u *Uploader) store(ctx context.Context, j *job) bool {
	for {
		began := time.Now()
		err := u.try(ctx, j)
		if err == nil {
			u.noteStored(j, time.Since(began))
			return true
		}
		if ctx.Err() != nil {
			return true
		}
		if stillcast.CodeOf(err) == stillcast.CodeNotFound {
			u.opts.Logger.Debug("picture is not in the spool any more", "shot", j.shot.ID, "error", err)
			return true
		}
		j.tries++
		wait := pauseAfter(j.tries)
		u.noteFailed(ctx, j, wait, err)
		if j.tries >= patience || errors.Is(err, objstore.ErrName) {
			j.due = time.Now().Add(wait)
			return false
		}
		if !sleep(ctx, wait) {
			return true
		}
	}
}

func (u *Uploader) noteStored(j *job, took time.Duration) {
	u.metrics.seconds.Observe(took.Seconds())
	u.metrics.stored.Add(float64(j.stored))
	u.opts.Logger.Debug("pictures stored", "shot", j.shot.ID, "stream", j.shot.Stream, "key", j.shot.Key, "pictures", j.stored,
		"try", j.tries+1, "took", took)
}

func (u *Uploader) noteFailed(ctx context.Context, j *job, wait time.Duration, err error) {
	u.metrics.failed.WithLabelValues(kindOf(err)).Inc()
	level := slog.LevelError
	if j.tries > patience && j.tries%10 != 0 { // about every five minutes is enough
		level = slog.LevelDebug
	}
	u.opts.Logger.Log(ctx, level, "storing a picture failed; trying again", "shot", j.shot.ID, "stream", j.shot.Stream,
		"bucket", j.shot.Bucket, "key", j.shot.Key, "picture", j.stored, "try", j.tries, "pause", wait, "error", err)
}

// try stores what of the shot is not stored yet, one picture after the other so
// that one is in memory at a time, and marks it.
func (u *Uploader) try(ctx context.Context, j *job) error {
	for keys := j.shot.Keys(); j.stored < len(keys); j.stored++ {
		picture, err := u.picture(ctx, j)
		if err != nil {
			return err
		}
		if err := u.put(ctx, j.shot, keys[j.stored], picture); err != nil {
			return err
		}
	}
	destinations, err := u.opts.Ledger.MarkStored(ctx, j.shot.ID)
	if err != nil {
		return err
	}
	u.opts.Stored(destinations)
	return nil
}

// picture returns the next picture of a job.
func (u *Uploader) picture(ctx context.Context, j *job) ([]byte, error) {
	if j.pictures != nil {
		return j.pictures[j.stored], nil
	}
	return u.opts.Ledger.SpooledPicture(ctx, j.shot.ID, j.stored)
}

func (u *Uploader) put(ctx context.Context, shot stillcast.Shot, key string, picture []byte) error {
	timeout := u.opts.Config.Timeout
	putCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := u.opts.Bucket.Put(putCtx, objstore.Object{
		Bucket: shot.Bucket, Key: key, Body: picture,
		ContentType: shot.Format.ContentType(), CacheControl: u.opts.CacheControl,
	})
	if err != nil && putCtx.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("storage.upload.timeout (%s) passed: %w", timeout, err)
	}
	return err
}

func kindOf(err error) string {
	kinds := []struct {
		err  error
		kind string
	}{
		{objstore.ErrDenied, "denied"},
		{objstore.ErrThrottled, "throttled"},
		{objstore.ErrUnavailable, "unavailable"},
		{objstore.ErrName, "name"},
		{context.DeadlineExceeded, "timeout"},
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.kind
		}
	}
	return "other"
}
