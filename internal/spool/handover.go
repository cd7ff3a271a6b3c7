package spool

import (
	"sync"

	"github.com/stillcast/stillcast"
)

// Limits of what is handed over and not stored yet; what is beyond them is read
// from the spool when its turn comes.
const (
	maxHanded      = 256
	maxHandedBytes = 64 << 20 // of all lanes together
)

// handover knows which shots came with their pictures from whoever recorded
// them, and so need not be read. The spool remains the truth: a shot is in the
// way of the reader (see feeder) or it was handed over, never neither.
//
// Shots are handed over while the reader has nothing to read, and not while it
// is behind: those that it has yet to read are older.
type handover struct {
	jobs  chan *job
	limit int // bytes

	mu     sync.Mutex
	read   int64              // the reader has seen all shots up to this id that were not handed over
	ahead  map[int64]struct{} // handed over, with ids beyond read
	behind bool               // the reader has something to read
	bytes  int
}

func newHandover(limit int) *handover {
	return &handover{jobs: make(chan *job, maxHanded), limit: limit, ahead: make(map[int64]struct{}), behind: true}
}

// offer takes a shot with its pictures, or says that it has to be read.
func (h *handover) offer(shot stillcast.Shot, pictures [][]byte) bool {
	bytes := sizeOf(pictures)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.behind || len(pictures) != len(shot.Keys()) || h.bytes+bytes > h.limit || len(h.ahead) >= 2*maxHanded {
		h.behind = true
		return false
	}
	if _, twice := h.ahead[shot.ID]; twice || shot.ID <= h.read {
		return true // its first time was enough
	}
	select {
	case h.jobs <- &job{shot: shot, pictures: pictures}:
	default:
		h.behind = true
		return false
	}
	h.bytes += bytes
	h.advance(shot.ID)
	return true
}

// pass notes a shot that need not be read because it goes by another lane.
func (h *handover) pass(id int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.behind || id <= h.read:
	case len(h.ahead) >= 2*maxHanded:
		h.behind = true
	default:
		h.advance(id)
	}
}

// advance notes a shot that need not be read any more.
func (h *handover) advance(id int64) {
	h.ahead[id] = struct{}{}
	for h.drop(h.read + 1) {
		h.read++
	}
}

// refuse makes offers be refused until the spool was read to its end again.
func (h *handover) refuse() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.behind = true
}

// drop forgets an id and reports whether it was known.
func (h *handover) drop(id int64) bool {
	_, ok := h.ahead[id]
	delete(h.ahead, id)
	return ok
}

// release forgets the pictures of a job.
func (h *handover) release(j *job) {
	if j.pictures == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bytes -= sizeOf(j.pictures)
	j.pictures = nil
}

// startReading returns the id after which to read, and the latest that is
// certain to be in what is read from now on. Nothing is handed over until
// endReading says that the spool was read to its end.
func (h *handover) startReading() (after, latest int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.behind = true
	latest = h.read
	for id := range h.ahead {
		latest = max(latest, id)
	}
	return h.read, latest
}

// endReading notes a page and returns those of it that are this lane's and were
// not handed over. An empty page is the end of the spool.
func (h *handover) endReading(page []stillcast.Shot, latest int64, mine func(stillcast.Shot) bool) []stillcast.Shot {
	h.mu.Lock()
	defer h.mu.Unlock()
	var fresh []stillcast.Shot
	for _, shot := range page {
		if !h.drop(shot.ID) && mine(shot) {
			fresh = append(fresh, shot)
		}
		h.read = shot.ID
	}
	if len(page) == 0 {
		h.read = latest // the rest of ahead is stored
		clear(h.ahead)
		h.behind = false
	}
	return fresh
}

func sizeOf(pictures [][]byte) (bytes int) {
	for _, p := range pictures {
		bytes += len(p)
	}
	return bytes
}
