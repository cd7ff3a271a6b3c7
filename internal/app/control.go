package app

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
)

// control is what the API does to the server. What it changes is durable and acts
// on live streams when a method returns.
type control struct{ app *App }

var _ api.Control = control{}

// Location implements [api.Control].
func (c control) Location() *time.Location { return c.app.opts.Config.Location() }

// Resources implements [api.Control].
func (c control) Resources() *stillcast.Resources { return c.app.Resources() }

// changed puts a change in force; a change that failed is none.
func changed[T any](ctx context.Context, c control, after T, err error) (T, error) {
	if err != nil {
		return after, err
	}
	// Who asked may be gone by now; what was changed acts all the same.
	return after, c.app.refresh(context.WithoutCancel(ctx))
}

// EditDomain implements [api.Control].
func (c control) EditDomain(ctx context.Context, name string, create bool, edit func(*stillcast.Domain) error) (before, after stillcast.Domain, err error) {
	before, after, err = c.app.state.EditDomain(ctx, name, create, api.MaxDomains, edit)
	after, err = changed(ctx, c, after, err)
	return before, after, err
}

// DeleteDomain implements [api.Control].
func (c control) DeleteDomain(ctx context.Context, name string) (stillcast.Domain, error) {
	before, err := c.app.state.DeleteDomain(ctx, name)
	return changed(ctx, c, before, err)
}

// EditSnapshotTemplate implements [api.Control].
func (c control) EditSnapshotTemplate(ctx context.Context, id int64, edit func(*stillcast.SnapshotTemplate) error) (before, after stillcast.SnapshotTemplate, err error) {
	before, after, err = c.app.state.EditSnapshotTemplate(ctx, id, api.MaxTemplates, func(t *stillcast.SnapshotTemplate) error {
		if err := edit(t); err != nil {
			return err
		}
		return c.app.opts.Config.Storage.CheckMirror(t.Mirror)
	})
	after, err = changed(ctx, c, after, err)
	return before, after, err
}

// DeleteSnapshotTemplate implements [api.Control].
func (c control) DeleteSnapshotTemplate(ctx context.Context, id int64) (stillcast.SnapshotTemplate, error) {
	before, err := c.app.state.DeleteSnapshotTemplate(ctx, id)
	return changed(ctx, c, before, err)
}

// AddSnapshotRule implements [api.Control].
func (c control) AddSnapshotRule(ctx context.Context, rule stillcast.SnapshotRule) (stillcast.SnapshotRule, error) {
	rule, err := c.app.state.AddSnapshotRule(ctx, rule)
	return changed(ctx, c, rule, err)
}

// EditSnapshotRule implements [api.Control].
func (c control) EditSnapshotRule(
	ctx context.Context, domain, app, stream string, edit func(*stillcast.SnapshotRule) error,
) (before, after stillcast.SnapshotRule, err error) {
	before, after, err = c.app.state.EditSnapshotRule(ctx, domain, app, stream, edit)
	after, err = changed(ctx, c, after, err)
	return before, after, err
}

// DeleteSnapshotRule implements [api.Control].
func (c control) DeleteSnapshotRule(ctx context.Context, domain, app, stream string) (stillcast.SnapshotRule, error) {
	rule, err := c.app.state.DeleteSnapshotRule(ctx, domain, app, stream)
	return changed(ctx, c, rule, err)
}

// EditCallbackTemplate implements [api.Control].
func (c control) EditCallbackTemplate(ctx context.Context, id int64, edit func(*stillcast.CallbackTemplate) error) (before, after stillcast.CallbackTemplate, err error) {
	before, after, err = c.app.state.EditCallbackTemplate(ctx, id, api.MaxTemplates, edit)
	after, err = changed(ctx, c, after, err)
	return before, after, err
}

// DeleteCallbackTemplate implements [api.Control].
func (c control) DeleteCallbackTemplate(ctx context.Context, id int64) (stillcast.CallbackTemplate, error) {
	before, err := c.app.state.DeleteCallbackTemplate(ctx, id)
	return changed(ctx, c, before, err)
}

// AddCallbackRule implements [api.Control].
func (c control) AddCallbackRule(ctx context.Context, rule stillcast.CallbackRule) (stillcast.CallbackRule, error) {
	rule, err := c.app.state.AddCallbackRule(ctx, rule)
	return changed(ctx, c, rule, err)
}

// EditCallbackRule implements [api.Control].
func (c control) EditCallbackRule(
	ctx context.Context, domain, app string, edit func(*stillcast.CallbackRule) error,
) (before, after stillcast.CallbackRule, err error) {
	before, after, err = c.app.state.EditCallbackRule(ctx, domain, app, edit)
	after, err = changed(ctx, c, after, err)
	return before, after, err
}

// DeleteCallbackRule implements [api.Control].
func (c control) DeleteCallbackRule(ctx context.Context, domain, app string) (stillcast.CallbackRule, error) {
	rule, err := c.app.state.DeleteCallbackRule(ctx, domain, app)
	return changed(ctx, c, rule, err)
}
