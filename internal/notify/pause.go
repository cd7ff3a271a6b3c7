package notify

import (
	"context"

	"github.com/stillcast/stillcast"
)

// reasonGone is why a destination is paused that answered 410.
const reasonGone = "answered 410 Gone"

// Pause stops claiming for a destination at once. It is for who paused it in the
// ledger, which is what lasts.
func (n *Notifier) Pause(d stillcast.Destination) { n.setPaused(d, true) }

// Resume lets claims for a destination go on at once, likewise.
func (n *Notifier) Resume(d stillcast.Destination) { n.setPaused(d, false) }

func (n *Notifier) setPaused(d stillcast.Destination, paused bool) {
	n.mu.Lock()
	n.pauses++
	n.schedule.pause(d, paused)
	n.mu.Unlock()
	n.poke()
}

// stopOnGone pauses a destination that no longer wants events (Standard Webhooks
// 1.0.0, "Delivery success and failure"). When that cannot be recorded it is
// paused in this process until the next comparison with the ledger, and the next
// 410 tries again.
func (n *Notifier) stopOnGone(d stillcast.Destination) {
	n.Pause(d)
	ctx, cancel := context.WithTimeout(n.results, recordTime)
	defer cancel()
	if err := n.ledger.PauseDestination(ctx, d, reasonGone); err != nil {
		n.log.Error("pausing a destination failed", "destination", n.label(d), "error", err)
		return
	}
	n.log.Warn("destination paused; what is owed to it is kept until it is resumed", "destination", n.label(d), "reason", reasonGone)
}
