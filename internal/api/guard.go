package api

import (
	"net/netip"
	"time"

	"github.com/stillcast/stillcast/internal/guard"
)

// freeTries is how many wrong signatures in a row cost an address nothing: those
// of a client with a wrong clock.
const freeTries = 10

func newGuard() *guard.Guard[netip.Prefix] { return guard.New[netip.Prefix](freeTries, time.Now) }
