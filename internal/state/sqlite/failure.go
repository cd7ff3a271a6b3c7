package sqlite

import (
	"context"
	"log/slog"
	"time"
)

// failedEvery is how often a database that goes on failing, such as one on a full
// disk, is spoken of: what waits is tried again many times a second.
const failedEvery = 10 * time.Second

// failed notes that a commit failed with all its changes.
func (w *writer) failed(err error, changes int) {
	w.failing = true
	w.metrics.failedCommits.Inc()
	level := slog.LevelDebug
	if now := time.Now(); now.Sub(w.lastFailure) >= failedEvery {
		level, w.lastFailure = slog.LevelError, now
	}
	w.logger.Log(context.Background(), level, "state commit failed", "error", err, "changes", changes)
}
