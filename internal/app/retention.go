package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/config"
)

const (
	retentionFirst = time.Minute      // after the start
	retentionEvery = 10 * time.Minute // from the end of one look to the next
	retentionBatch = 100
	retentionPause = 100 * time.Millisecond // between two batches at least, or as long as the one before took
)

// agedLedger knows what is old, and removes it unless it is owed to somebody.
type agedLedger interface {
	ExpiredPictures(ctx context.Context, before time.Time, limit int) ([]stillcast.Shot, error)
	PicturesRemoved(ctx context.Context, shotIDs []int64) error
	PruneShots(ctx context.Context, before time.Time, limit int) ([]stillcast.Shot, error)
	PruneEvents(ctx context.Context, before time.Time, limit int) (int, error)
	PruneAttempts(ctx context.Context, before time.Time, limit int) (int, error)
}

type retentionOptions struct {
	config     config.Retention
	ledger     agedLedger
	remove     func(context.Context, stillcast.Shot) error // a shot's pictures from local folders
	logger     *slog.Logger
	registerer prometheus.Registerer
}

// retention removes what is older than it is to be kept, in small batches with
// pauses, so that nobody waits for it.
type retention struct {
	retentionOptions

	removed, failed *prometheus.CounterVec
}

func newRetention(o retentionOptions) *retention {
	by := func(name, help string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"kind"})
		for _, k := range (&retention{}).kinds() {
			c.WithLabelValues(k.name)
		}
		o.registerer.MustRegister(c)
		return c
	}
	return &retention{
		retentionOptions: o,
		removed:          by("stillcast_retention_removed_total", "What was removed for its age, by kind; pictures are counted by shot."),
		failed:           by("stillcast_retention_failed_total", "Looks for what is old that failed, by kind."),
	}
}

// kind is one kind of what is removed. Its remove removes at most a batch of what
// is older than before, and says how much, and whether there may be more.
type kind struct {
	name   string
	age    time.Duration // 0: kept for ever
	remove func(ctx context.Context, before time.Time) (removed int, more bool, err error)
}

// kinds are in the order in which they may go: pictures while there is a shot that
// knows them.
func (r *retention) kinds() []kind {
	return []kind{
		{"pictures", r.config.Pictures, r.pictures},
		{"shots", r.config.Shots, func(ctx context.Context, before time.Time) (int, bool, error) {
			shots, err := r.ledger.PruneShots(ctx, before, retentionBatch)
			return len(shots), len(shots) == retentionBatch, err
		}},
		{"events", r.config.Shots, func(ctx context.Context, before time.Time) (int, bool, error) {
			n, err := r.ledger.PruneEvents(ctx, before, retentionBatch)
			return n, n == retentionBatch, err
		}},
		{"attempts", r.config.Attempts, func(ctx context.Context, before time.Time) (int, bool, error) {
			n, err := r.ledger.PruneAttempts(ctx, before, retentionBatch)
			return n, n == retentionBatch, err
		}},
	}
}

// run removes until ctx ends.
func (r *retention) run(ctx context.Context) {
	if r.config == (config.Retention{}) {
		return
	}
	for wait := retentionFirst; pauseFor(ctx, wait); wait = retentionEvery {
		stuck := false // pictures, whose shots must stay to know them
		for _, k := range r.kinds() {
			if k.age == 0 || k.name == "shots" && stuck {
				continue
			}
			if !r.sweep(ctx, k) && k.name == "pictures" {
				stuck = true
			}
		}
	}
}

// sweep removes all that is old of one kind, and reports whether it could.
func (r *retention) sweep(ctx context.Context, k kind) (ok bool) {
	before := time.Now().Add(-k.age)
	total := 0
	ok = true
	for more := true; more; {
		began := time.Now()
		removed, again, err := k.remove(ctx, before)
		r.removed.WithLabelValues(k.name).Add(float64(removed))
		total += removed
		more = again && removed > 0
		if ctx.Err() != nil {
			return false
		}
		if err != nil {
			ok = false
			r.failed.WithLabelValues(k.name).Inc()
			r.logger.Error("removing what is old failed; trying again later", "kind", k.name, "error", err)
		}
		if !pauseFor(ctx, max(retentionPause, time.Since(began))) {
			return false
		}
	}
	if total > 0 {
		r.logger.Info("removed what is old", "kind", k.name, "removed", total, "before", before)
	}
	return ok
}

// pictures removes the pictures of a batch of shots. What cannot be removed is
// tried again at the next look.
func (r *retention) pictures(ctx context.Context, before time.Time) (removed int, more bool, err error) {
	shots, err := r.ledger.ExpiredPictures(ctx, before, retentionBatch)
	if err != nil {
		return 0, false, err
	}
	var gone []int64
	for _, s := range shots {
		if failure := r.remove(ctx, s); failure != nil {
			err = failure
			continue
		}
		gone = append(gone, s.ID)
	}
	if len(gone) == 0 {
		return 0, false, err
	}
	if noted := r.ledger.PicturesRemoved(ctx, gone); noted != nil {
		return 0, false, noted
	}
	return len(gone), len(shots) == retentionBatch, err
}
