package console

import (
	"encoding/json"

	"github.com/stillcast/stillcast"
)

const (
	// maxViewers is how many browsers have a wall open at once, each with a
	// connection of its own.
	maxViewers = 500
	// maxOfSession is how many connections one session has at most. A browser needs
	// one; the oldest gives way to another.
	maxOfSession = 4
)

// viewer is one browser that sees the wall. What it has not seen yet is the names
// of the streams that changed and not what changed, so that it gets the newest
// picture of each and the queue is never longer than the wall.
type viewer struct {
	wall    *Wall
	session string
	number  int           // counts the viewers of a session
	wake    chan struct{} // holds a token when there is something to see
	evicted chan struct{} // closed when another viewer of the session takes its place

	// The lock of the wall guards these.
	everything bool // what is in changes, and all else
	changes    map[stillcast.Stream]struct{}
}

// join adds a viewer, who sees everything first; false when there are too many.
// The caller calls leave.
func (w *Wall) join(session string) (*viewer, bool) {
	v := &viewer{
		wall: w, session: session, wake: make(chan struct{}, 1), evicted: make(chan struct{}),
		everything: true, changes: make(map[stillcast.Stream]struct{}),
	}
	v.signal()
	w.mu.Lock()
	defer w.mu.Unlock()
	var oldest *viewer
	count := 0
	for other := range w.viewers {
		if other.session != session {
			continue
		}
		count++
		v.number = max(v.number, other.number+1)
		if oldest == nil || other.number < oldest.number {
			oldest = other
		}
	}
	if count >= maxOfSession {
		delete(w.viewers, oldest)
		close(oldest.evicted)
	}
	if len(w.viewers) >= maxViewers {
		return nil, false
	}
	w.viewers[v] = struct{}{}
	return v, true
}

func (v *viewer) leave() {
	v.wall.mu.Lock()
	defer v.wall.mu.Unlock()
	delete(v.wall.viewers, v)
}

func (v *viewer) signal() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// note notes that a stream changed; the lock of the wall is held. Names of streams
// that are no more pile up for who does not look: then all is shown anew.
func (v *viewer) note(s stillcast.Stream, live int) {
	switch {
	case v.everything:
	case len(v.changes) > 2*live+100:
		v.everything = true
		clear(v.changes)
	default:
		v.changes[s] = struct{}{}
	}
	v.signal()
}

// update is what a viewer gets to see.
type update struct {
	everything bool // there is nothing beside these tiles
	tiles      []json.RawMessage
	gone       []string // ids
}

func (u update) empty() bool { return !u.everything && len(u.tiles) == 0 && len(u.gone) == 0 }

// take returns what the viewer has not seen yet.
func (v *viewer) take() update {
	w := v.wall
	w.mu.Lock()
	defer w.mu.Unlock()
	u := update{everything: v.everything}
	if v.everything {
		for _, t := range w.tiles {
			u.tiles = append(u.tiles, t.json())
		}
	}
	for s := range v.changes {
		if t, ok := w.tiles[s]; ok {
			u.tiles = append(u.tiles, t.json())
		} else {
			u.gone = append(u.gone, streamID(s))
		}
	}
	v.everything = false
	clear(v.changes)
	return u
}
