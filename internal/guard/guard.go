// Package guard slows down who guesses secrets: after some wrong ones in a row,
// each further one doubles the pause before the next try. It keeps nobody out for
// longer than a minute, and remembers a bounded number of guessers.
package guard

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	maxPause = time.Minute
	forgetIn = 10 * time.Minute
	// MaxFaces is how many guessers a [Guard] remembers.
	MaxFaces = 10000
)

// Guard counts wrong guesses by who made them: addresses, or the names of
// accounts. It is safe for concurrent use.
type Guard[K comparable] struct {
	free int // wrong ones in a row without a pause
	now  func() time.Time

	mu    sync.Mutex
	faces map[K]*face
}

// face is one that guessed.
type face struct {
	failures int
	until    time.Time // no try before
	last     time.Time
}

// New returns a guard that lets so many wrong guesses in a row pass without a
// pause. Now tells the time.
func New[K comparable](free int, now func() time.Time) *Guard[K] {
	return &Guard[K]{free: free, now: now, faces: map[K]*face{}}
}

// Wait returns how long one must wait before the next try, 0 for not at all.
func (g *Guard[K]) Wait(from K) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	f, ok := g.faces[from]
	if !ok {
		return 0
	}
	return max(0, f.until.Sub(g.now()))
}

// Failed notes a wrong guess.
func (g *Guard[K]) Failed(from K) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	f, ok := g.faces[from]
	if !ok || now.Sub(f.last) > forgetIn {
		if len(g.faces) >= MaxFaces {
			g.forget(now)
		}
		f = &face{}
		g.faces[from] = f
	}
	f.failures++
	f.last = now
	if over := f.failures - g.free; over >= 0 {
		pause := maxPause
		if over < 6 {
			pause = min(maxPause, time.Second<<over)
		}
		f.until = now.Add(pause)
	}
}

// Passed notes a right one, after which the count begins anew.
func (g *Guard[K]) Passed(from K) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.faces, from)
}

// Len returns how many guessers are remembered.
func (g *Guard[K]) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.faces)
}

// forget makes room: the old ones go, and if none is old, all do.
func (g *Guard[K]) forget(now time.Time) {
	for from, f := range g.faces {
		if now.Sub(f.last) > forgetIn {
			delete(g.faces, from)
		}
	}
	if len(g.faces) >= MaxFaces {
		clear(g.faces)
	}
}

// Network is the address of a request's sender: of IPv6 the network, which is one
// customer's.
func Network(r *http.Request) netip.Prefix {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	return NetworkOf(addr.Addr())
}

// NetworkOf is [Network] of an address.
func NetworkOf(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	network, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return network
}
