package app

import (
	"sync"
	"time"

	"github.com/stillcast/stillcast"
)

// previous remembers the last shot of each live push, for the events of the next.
// Its zero value is ready.
type previous struct {
	mu    sync.Mutex
	by    map[string]link // by id of the push
	sweep int             // number of pushes at which old ones are looked for
}

// link is the last shot of a push, by its event id, and the one before.
type link struct {
	last, before string
	at           time.Time
}

const (
	// A push is forgotten when it ends. A shot that is made durable after that
	// brings it back; it is dropped once no push can be as long without a shot.
	previousKeep  = stillcast.MaxHeartbeat + time.Hour
	previousSweep = 1024
)

// follow returns the shot before of a push, "" for none, of which this is the last
// from now on. It is called in the order in which shots become durable.
func (p *previous) follow(push, eventID string, now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by == nil {
		p.by = map[string]link{}
	}
	before := p.by[push].last
	p.by[push] = link{last: eventID, before: before, at: now}
	if len(p.by) > max(p.sweep, previousSweep) {
		for push, l := range p.by {
			if now.Sub(l.at) > previousKeep {
				delete(p.by, push)
			}
		}
		p.sweep = 2 * len(p.by)
	}
	return before
}

// undo takes back that a shot was the last, since it did not become durable.
func (p *previous) undo(push, eventID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.by[push]; l.last == eventID {
		p.by[push] = link{last: l.before, at: l.at}
	}
}

func (p *previous) forget(push string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.by, push)
}

// extras says whether an event to these destinations is to name the shot before.
func (a *App) extras(destinations []stillcast.Destination) bool {
	for _, d := range destinations {
		if t, ok := a.resources.Load().CallbackTemplateByID(d.TemplateID); ok && t.Extras {
			return true
		}
	}
	return false
}
