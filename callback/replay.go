package callback

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Defaults of [NewReplayGuard].
const (
	DefaultReplayCapacity = 65536
	DefaultReplayKeep     = 24 * time.Hour
)

// ReplayGuard remembers which events were received, so that a repeat is not
// handed over again. It knows at most its capacity of events, about 200 bytes
// each, and forgets each after a while; and it forgets all when the process
// ends: what must hold beyond that belongs into a unique index of a database.
// It is safe for concurrent use.
type ReplayGuard struct {
	capacity int
	keep     time.Duration

	mu      sync.Mutex
	seen    map[eventHash]struct{}
	oldest  []receipt // in the order of their expiry
	running map[eventHash]chan struct{}
}

// eventHash stands for an event id, whose length is the sender's choice.
type eventHash [sha256.Size]byte

type receipt struct {
	event   eventHash
	expires time.Time
}

// NewReplayGuard returns a guard that remembers at most capacity events, each
// for the time keep. Zero or less means [DefaultReplayCapacity] and
// [DefaultReplayKeep].
func NewReplayGuard(capacity int, keep time.Duration) *ReplayGuard {
	if capacity <= 0 {
		capacity = DefaultReplayCapacity
	}
	if keep <= 0 {
		keep = DefaultReplayKeep
	}
	return &ReplayGuard{
		capacity: capacity,
		keep:     keep,
		seen:     make(map[eventHash]struct{}),
		running:  make(map[eventHash]chan struct{}),
	}
}

// Do calls receive unless the event with that id was received before, and
// returns whether it was. An event counts as received when receive returns nil.
// Of two calls with the same id at the same time one waits for the other, and
// calls receive itself if that one failed. While it waits it heeds ctx.
func (g *ReplayGuard) Do(ctx context.Context, id string, receive func() error) (repeat bool, err error) {
	event := eventHash(sha256.Sum256([]byte(id)))
	for {
		repeat, wait := g.begin(event)
		switch {
		case repeat:
			return true, nil
		case wait == nil:
			return false, g.run(event, receive)
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// begin says whether the event was received, or returns a channel that is
// closed when the call that is at it ends, or marks this call as being at it.
func (g *ReplayGuard) begin(event eventHash) (repeat bool, wait <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(time.Now())
	if _, ok := g.seen[event]; ok {
		return true, nil
	}
	if other, ok := g.running[event]; ok {
		return false, other
	}
	g.running[event] = make(chan struct{})
	return false, nil
}

func (g *ReplayGuard) run(event eventHash, receive func() error) (err error) {
	received := false
	// Deferred, because receive may panic, which net/http survives.
	defer func() { g.end(event, received) }()
	err = receive()
	received = err == nil
	return err
}

func (g *ReplayGuard) end(event eventHash, received bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.running[event])
	delete(g.running, event)
	if !received {
		return
	}
	g.seen[event] = struct{}{}
	g.oldest = append(g.oldest, receipt{event: event, expires: time.Now().Add(g.keep)})
	g.forget(time.Now())
}

// forget drops what has expired and what is beyond the capacity, oldest first.
func (g *ReplayGuard) forget(now time.Time) {
	drop := max(0, len(g.oldest)-g.capacity)
	for drop < len(g.oldest) && !now.Before(g.oldest[drop].expires) {
		drop++
	}
	for _, r := range g.oldest[:drop] {
		delete(g.seen, r.event)
	}
	g.oldest = g.oldest[drop:]
}

// fingerprint stands for the id of an event whose sender gives none. What a
// sender may make anew for each attempt does not count: the member stillcast
// holds URLs that are.
func (o object) fingerprint() string {
	rest := o.without("t", "sign", "pic_full_url", "stillcast")
	var b strings.Builder
	b.WriteString("body")
	for _, key := range slices.Sorted(maps.Keys(rest)) {
		b.WriteString("\n" + strconv.Quote(key) + ":")
		b.Write(rest[key])
	}
	return b.String()
}
