// Package spool brings the pictures of recorded shots into the object store, in
// order, and lets their events go once they are there. The spool itself is part
// of the state (row and JPEG are durable together), so this package holds
// nothing that a crash could lose: at start it goes on with what it finds.
package spool

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

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
	SpooledPicture(ctx context.Context, shotID int64) ([]byte, error)
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
	shots   chan stillcast.Shot

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
		wake: make(chan struct{}, 1), shots: make(chan stillcast.Shot), cancel: func() {},
	}, nil
}

// Start begins with what is in the spool.
func (u *Uploader) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	u.cancel = cancel
	u.wg.Go(func() { u.feed(ctx) })
	for range u.opts.Config.Concurrency {
		u.wg.Go(func() { u.work(ctx) })
	}
	u.Wake()
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

// Wake says that a shot was recorded.
func (u *Uploader) Wake() {
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

// feed hands the shots of the spool to the workers, each once, in order.
func (u *Uploader) feed(ctx context.Context) {
	var after int64
	for {
		page, err := u.opts.Ledger.SpoolPage(ctx, after, 100)
		if err != nil && ctx.Err() == nil {
			u.opts.Logger.Error("reading the spool failed; trying again", "error", err)
			if !sleep(ctx, time.Second) {
				return
			}
			continue
		}
		for _, shot := range page {
			select {
			case u.shots <- shot:
				after = shot.ID
			case <-ctx.Done():
				return
			}
		}
		if len(page) > 0 {
			continue
		}
		select {
		case <-u.wake:
		case <-ctx.Done():
			return
		}
	}
}

func (u *Uploader) work(ctx context.Context) {
	for {
		select {
		case shot := <-u.shots:
			u.store(ctx, shot)
		case <-ctx.Done():
			return
		}
	}
}

// store tries until shot is stored or ctx ends.
func (u *Uploader) store(ctx context.Context, shot stillcast.Shot) {
	pause := backoff{base: 200 * time.Millisecond, longest: time.Minute}
	for try := 1; ; try++ {
		began := time.Now()
		err := u.try(ctx, shot)
		if err == nil {
			u.metrics.seconds.Observe(time.Since(began).Seconds())
			u.metrics.stored.Inc()
			u.opts.Logger.Debug("picture stored", "shot", shot.ID, "stream", shot.Stream, "key", shot.Key,
				"try", try, "took", time.Since(began))
			return
		}
		if ctx.Err() != nil || stillcast.CodeOf(err) == stillcast.CodeNotFound {
			return
		}
		wait := pause.next()
		u.metrics.failed.WithLabelValues(kindOf(err)).Inc()
		u.opts.Logger.Error("storing a picture failed; trying again", "shot", shot.ID, "stream", shot.Stream,
			"bucket", shot.Bucket, "key", shot.Key, "try", try, "pause", wait, "error", err)
		if !sleep(ctx, wait) {
			return
		}
	}
}

func (u *Uploader) try(ctx context.Context, shot stillcast.Shot) error {
	jpeg, err := u.opts.Ledger.SpooledPicture(ctx, shot.ID)
	if err != nil {
		return err
	}
	putCtx, cancel := context.WithTimeoutCause(ctx, u.opts.Config.Timeout, errors.New("storage.upload.timeout passed"))
	defer cancel()
	err = u.opts.Bucket.Put(putCtx, objstore.Object{
		Bucket: shot.Bucket, Key: shot.Key, Body: jpeg,
		ContentType: "image/jpeg", CacheControl: u.opts.CacheControl,
	})
	if err != nil {
		return err
	}
	destinations, err := u.opts.Ledger.MarkStored(ctx, shot.ID)
	if err != nil {
		return err
	}
	u.opts.Stored(destinations)
	return nil
}

func kindOf(err error) string {
	kinds := []struct {
		err  error
		kind string
	}{
		{objstore.ErrDenied, "denied"},
		{objstore.ErrThrottled, "throttled"},
		{objstore.ErrUnavailable, "unavailable"},
		{context.DeadlineExceeded, "timeout"},
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.kind
		}
	}
	return "other"
}
