package app

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// TaskPage implements [api.Control].
func (c control) TaskPage(ctx context.Context, filter state.TaskFilter) ([]stillcast.Task, error) {
	return c.app.state.Tasks(ctx, filter)
}

// PushPage implements [api.Control].
func (c control) PushPage(ctx context.Context, filter state.PushFilter) ([]state.PushRecord, int64, error) {
	return c.app.state.PushPage(ctx, filter)
}

// AttemptPage implements [api.Control].
func (c control) AttemptPage(ctx context.Context, filter state.AttemptFilter) ([]state.AttemptRecord, int64, error) {
	return c.app.state.AttemptPage(ctx, filter)
}

// CountShots implements [api.Control].
func (c control) CountShots(ctx context.Context, domains []string, start, end time.Time, step time.Duration) ([]int64, error) {
	return c.app.state.CountShots(ctx, domains, start, end, step)
}
