package ingest

import (
	"math"
	"net/netip"
	"sync"
	"time"
)

// Bad authorisations are answered later and later: an address's first after
// firstSlowdown, each further one after twice as long. What it has on its account
// halves in slowdownHalf. Good pushes are never held back, so that publishers
// behind one address do not suffer for each other.
const (
	firstSlowdown = 100 * time.Millisecond
	slowdownHalf  = 30 * time.Second
	// slowdownTable is how many addresses are remembered; one more takes the place
	// of whose account is smallest among a few.
	slowdownTable  = 4096
	slowdownSample = 8
)

// slowdown remembers the addresses that bad authorisations came from.
type slowdown struct {
	longest time.Duration

	mu       sync.Mutex
	accounts map[netip.Prefix]account
}

// account is the bad authorisations of one address, less what was forgiven.
type account struct {
	bad float64
	at  time.Time
}

func (a account) now(now time.Time) float64 {
	return a.bad * math.Exp2(-float64(now.Sub(a.at))/float64(slowdownHalf))
}

func newSlowdown(longest time.Duration) *slowdown {
	return &slowdown{longest: longest, accounts: map[netip.Prefix]account{}}
}

// bad notes a bad authorisation and returns how long its answer waits.
func (s *slowdown) bad(remote netip.AddrPort, now time.Time) time.Duration {
	key := AddressKey(remote.Addr())
	if s.longest == 0 || !key.IsValid() {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, known := s.accounts[key]
	if !known && len(s.accounts) >= slowdownTable {
		s.evict(now)
	}
	bad := before.now(now)
	s.accounts[key] = account{bad: bad + 1, at: now}
	return time.Duration(min(float64(firstSlowdown)*math.Exp2(min(bad, 32)), float64(s.longest)))
}

// evict forgets the smallest of some accounts, which the map picks by chance. s.mu
// is held.
func (s *slowdown) evict(now time.Time) {
	var victim netip.Prefix
	least, looked := math.Inf(1), 0
	for key, a := range s.accounts {
		if bad := a.now(now); bad < least {
			victim, least = key, bad
		}
		if looked++; looked == slowdownSample {
			break
		}
	}
	delete(s.accounts, victim)
}
