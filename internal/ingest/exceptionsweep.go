package ingest

import (
	"time"

	"github.com/stillcast/stillcast"
)

// sweepEvery is how often all live pushes are looked at. A stall is found so much
// late at most.
const sweepEvery = 500 * time.Millisecond

// watchNew returns the watch of a push that begins; nil when nobody is ever told.
func (g *Gate) watchNew(p stillcast.Push) *watch {
	if g.opts.Exception == nil {
		return nil
	}
	return newWatch(told(g.opts.Resources(), p))
}

// sweepAll looks at all live pushes until the gate is closed.
func (g *Gate) sweepAll() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	var resources *stillcast.Resources
	var watched []*livePush
	for {
		select {
		case <-ticker.C:
		case <-g.ctx.Done():
			return
		}
		current := g.opts.Resources()
		watched = g.watched(watched[:0], current, current != resources)
		resources = current
		now := time.Now()
		for _, p := range watched {
			if p.watch.sweep(now, reportEvery) && !p.entries.busy() {
				p.recordExceptions()
			}
		}
		clear(watched) // those that end must not be kept
	}
}

// watched appends the live pushes of which somebody is told what is wrong. Who is
// told is looked up again where the resources changed.
func (g *Gate) watched(all []*livePush, r *stillcast.Resources, changed bool) []*livePush {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.live {
		if changed {
			p.watch.tell(told(r, p.push))
		}
		if p.watch.on.Load() {
			all = append(all, p)
		}
	}
	return all
}
