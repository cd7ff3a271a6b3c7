package app

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// reconcileTime is how long the start waits for what a crash, or a damaged file,
// left of shots; the rest is done while the server works already.
const reconcileTime = 500 * time.Millisecond

// chores is the work beside the way of the pictures: what is left to reconcile, the
// check of the stores, retention.
type chores struct {
	reconciler *reconciler
	retention  *retention

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func (a *App) makeChores(context.Context) error {
	c := &chores{
		reconciler: &reconciler{
			ledger: a.state, holds: a.pictures.hold, stored: a.notifier.Wake, log: a.logger("reconcile"),
		},
		retention: newRetention(retentionOptions{
			config: a.opts.Config.Storage.Retention, ledger: a.state, remove: a.pictures.removeLocal,
			logger: a.logger("retention"), registerer: a.registry,
		}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	a.chores = c
	a.onStop("chores", func(context.Context) error {
		c.cancel()
		c.wg.Wait()
		return nil
	})
	return nil
}

// reconcile does what it can in a moment, so that it is seldom in anybody's way.
func (a *App) reconcile(ctx context.Context) error {
	short, cancel := context.WithTimeout(ctx, reconcileTime)
	defer cancel()
	err := a.chores.reconciler.run(short)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("reconcile shots and pictures: %w", err)
	}
	if err != nil {
		a.logger("reconcile").Info("comparing shots and pictures goes on beside the work", "reason", err)
	}
	return nil
}

func (a *App) startChores() {
	c := a.chores
	c.wg.Go(func() { a.checkStores(c.ctx) })
	c.wg.Go(func() { c.reconciler.finish(c.ctx) })
	c.wg.Go(func() { c.retention.run(c.ctx) })
}
