package api

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// guard slows down addresses that send wrong signatures. It remembers a bounded
// number of them.
type guard struct {
	now func() time.Time

	mu    sync.Mutex
	faces map[netip.Prefix]*face
}

// face is one address that guessed.
type face struct {
	failures int
	until    time.Time // no try before
	last     time.Time
}

const (
	freeTries = 10 // wrong signatures in a row without a pause: a client with a wrong clock
	maxPause  = time.Minute
	forgetIn  = 10 * time.Minute
	maxFaces  = 10000
)

func newGuard() *guard {
	return &guard{now: time.Now, faces: map[netip.Prefix]*face{}}
}

// wait returns how long the address must wait, 0 for not at all.
func (g *guard) wait(from netip.Prefix) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	f, ok := g.faces[from]
	if !ok {
		return 0
	}
	return max(0, f.until.Sub(g.now()))
}

// failed notes a wrong signature: each after the first few doubles the pause.
func (g *guard) failed(from netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	f, ok := g.faces[from]
	if !ok || now.Sub(f.last) > forgetIn {
		if len(g.faces) >= maxFaces {
			g.forget(now)
		}
		f = &face{}
		g.faces[from] = f
	}
	f.failures++
	f.last = now
	if over := f.failures - freeTries; over >= 0 {
		pause := maxPause
		if over < 6 {
			pause = min(maxPause, time.Second<<over)
		}
		f.until = now.Add(pause)
	}
}

// passed notes a right signature, after which the count begins anew.
func (g *guard) passed(from netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.faces, from)
}

// forget makes room: the old ones go, and if none is old, all do.
func (g *guard) forget(now time.Time) {
	for from, f := range g.faces {
		if now.Sub(f.last) > forgetIn {
			delete(g.faces, from)
		}
	}
	if len(g.faces) >= maxFaces {
		clear(g.faces)
	}
}

// remoteAddr is the address of a request's sender: of IPv6 the network, which is one customer's.
func remoteAddr(r *http.Request) netip.Prefix {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	ip := addr.Addr().Unmap().WithZone("")
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
