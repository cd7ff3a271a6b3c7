package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/stillcast/stillcast"
)

const (
	reconcilePage  = 100
	reconcilePause = 20 * time.Millisecond // between two pages, beside the work
	reconcileAgain = 30 * time.Second      // after the store or the state could not be asked
)

// reasonLost is why deliveries are parked whose picture is nowhere.
const reasonLost = "picture lost: it is neither in the spool nor in the object store"

// strandedLedger knows the shots whose deliveries wait for a picture that is not
// in the spool.
type strandedLedger interface {
	Stranded(ctx context.Context, afterID int64, limit int) ([]stillcast.Shot, error)
	MarkStored(ctx context.Context, shotID int64) ([]stillcast.Destination, error)
	DropShot(ctx context.Context, shotID int64, reason string) error
}

// reconciler brings shots and pictures together that were parted, by a damaged
// file or a restored copy: a picture that is in the store gets its event sent, an
// event whose picture is nowhere is parked with the reason.
type reconciler struct {
	ledger strandedLedger
	holds  func(ctx context.Context, shot stillcast.Shot) (bool, error)
	stored func(...stillcast.Destination)
	log    *slog.Logger

	after int64 // shots up to this id are done
	done  bool
}

// run goes on until all is done or ctx ends.
func (r *reconciler) run(ctx context.Context) error {
	for !r.done {
		if err := r.page(ctx); err != nil {
			return err
		}
	}
	return nil
}

// finish does what run left, slowly, until all is done or ctx ends.
func (r *reconciler) finish(ctx context.Context) {
	for !r.done {
		pause := reconcilePause
		if err := r.page(ctx); err != nil {
			if ctx.Err() != nil {
				return
			}
			pause = reconcileAgain
			r.log.Error("comparing shots and pictures failed; trying again", "after_shot", r.after, "error", err)
		}
		if !pauseFor(ctx, pause) {
			return
		}
	}
}

func (r *reconciler) page(ctx context.Context) error {
	shots, err := r.ledger.Stranded(ctx, r.after, reconcilePage)
	if err != nil {
		return err
	}
	for _, s := range shots {
		if err := r.settle(ctx, s); err != nil {
			return fmt.Errorf("shot %d: %w", s.ID, err)
		}
		r.after = s.ID
	}
	r.done = len(shots) == 0
	return nil
}

func (r *reconciler) settle(ctx context.Context, s stillcast.Shot) error {
	held, err := r.holds(ctx, s)
	if err != nil {
		return err
	}
	if !held {
		r.log.Error("picture of a shot is lost; its event is parked", "shot", s.ID, "stream", s.Stream, "bucket", s.Bucket, "key", s.Key)
		return r.ledger.DropShot(ctx, s.ID, reasonLost)
	}
	destinations, err := r.ledger.MarkStored(ctx, s.ID)
	if err != nil {
		return err
	}
	r.log.Warn("picture of a shot was stored, but not noted; its event is sent", "shot", s.ID, "stream", s.Stream, "key", s.Key)
	r.stored(destinations...)
	return nil
}

// pauseFor waits and reports whether ctx still stands.
func pauseFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
