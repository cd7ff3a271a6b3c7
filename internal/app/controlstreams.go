package app

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
)

// Live implements [api.Control].
func (c control) Live() []stillcast.Push { return c.app.gate.Live() }

// Drop implements [api.Control].
func (c control) Drop(s stillcast.Stream, end stillcast.PushEnd) bool { return c.app.gate.Drop(s, end) }

// DropDomain implements [api.Control].
func (c control) DropDomain(name string, end stillcast.PushEnd) int {
	return c.app.gate.DropDomain(name, end)
}

// Forbid implements [api.Control].
func (c control) Forbid(ctx context.Context, ban stillcast.Ban) error {
	if err := c.app.state.PutBan(ctx, ban); err != nil {
		return err
	}
	return c.app.reloadBans(context.WithoutCancel(ctx))
}

// Resume implements [api.Control].
func (c control) Resume(ctx context.Context, s stillcast.Stream) (stillcast.Ban, error) {
	ban, err := c.app.state.DeleteBan(ctx, s)
	if err != nil {
		return ban, err
	}
	return ban, c.app.reloadBans(context.WithoutCancel(ctx))
}

// Bans implements [api.Control].
func (c control) Bans(ctx context.Context) ([]stillcast.Ban, error) { return c.app.state.Bans(ctx) }

// AddTask implements [api.Control].
func (c control) AddTask(ctx context.Context, task stillcast.Task) (stillcast.Task, error) {
	task, err := c.app.state.AddTask(ctx, task)
	return c.planned(ctx, task, err)
}

// StopTask implements [api.Control].
func (c control) StopTask(ctx context.Context, id string, at time.Time) (stillcast.Task, error) {
	task, err := c.app.state.StopTask(ctx, id, at)
	return c.planned(ctx, task, err)
}

// DeleteTask implements [api.Control].
func (c control) DeleteTask(ctx context.Context, id string) (stillcast.Task, error) {
	task, err := c.app.state.DeleteTask(ctx, id)
	return c.planned(ctx, task, err)
}

// planned puts a changed task in force.
func (c control) planned(ctx context.Context, task stillcast.Task, err error) (stillcast.Task, error) {
	if err != nil {
		return task, err
	}
	return task, c.app.reloadTasks(context.WithoutCancel(ctx))
}
