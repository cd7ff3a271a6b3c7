package sqlite

import (
	"context"
	"fmt"
	"time"
)

// shrink gives pages that are no longer used back to the file system, a few at
// a time while nobody waits, so that the file returns to its size after the
// spool was long. It returns when it wants to be called again.
func (w *writer) shrink() time.Duration {
	if len(w.queue) > 0 || w.open != nil {
		return w.tuning.shrinkPause
	}
	more, err := w.shrinkStep(context.Background())
	if err != nil {
		w.logger.Warn("giving unused disk space back failed", "error", err)
		return w.tuning.shrinkEvery
	}
	if more {
		return w.tuning.shrinkPause
	}
	return w.tuning.shrinkEvery
}

// shrinkStep gives some pages back and reports whether there are more.
func (w *writer) shrinkStep(ctx context.Context) (bool, error) {
	if w.conn == nil {
		return false, nil
	}
	var unused int
	if err := w.conn.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&unused); err != nil {
		return false, fmt.Errorf("count unused pages: %w", err)
	}
	// Some are kept: the next pictures would only make the file grow again.
	if spare := unused - w.tuning.reservePages; spare > 0 {
		step := min(spare, w.tuning.stepPages)
		if _, err := w.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", step)); err != nil {
			return false, fmt.Errorf("vacuum %d pages: %w", step, err)
		}
		w.shrinking = true
		return true, nil
	}
	if !w.shrinking {
		return false, nil
	}
	w.shrinking = false
	// The file gets its new length when the WAL is written back to it.
	if _, err := w.conn.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		return false, fmt.Errorf("write the WAL back: %w", err)
	}
	w.tuning.shrunk()
	return false, nil
}
