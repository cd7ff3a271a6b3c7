// Package notify sends what is owed: it claims deliveries from the ledger, signs
// each event anew, POSTs it, and records what became of it: delivered, to be
// tried again, or parked. It promises at-least-once: an attempt whose result
// cannot be recorded comes back when its lease runs out.
//
// Nothing is claimed but what can be sent at once. The schedule knows, for each
// destination, when it may have something due, and how many of its slots are
// taken:
//
//	Wake ─────────────┐
//	retry or lease ───┼─► schedule ─► grant ─► Claim ─► POST ─► Finish
//	Backlogs, at start┘   destination,  n slots                   │
//	and every 30 s        lane                                    │
//	        ▲───────────── slot is free, due again at ────────────┘
//
// What keeps destinations apart:
//
//   - a destination holds at most its own slots;
//   - once it does not work its breaker opens: what is owed stays in the ledger,
//     but for one probe at a time (breaker.go);
//   - a rate limit, a Retry-After and a pause keep it from claiming, and so take
//     no slot while it waits (line.go);
//   - first attempts and retries are lanes, each with a slot that the other
//     cannot take;
//   - when the slots of all are short, destinations take turns.
//
// What an event holds is described by package callback; the fields are built
// here (fields.go), what depends on the attempt is added in render.go. What of it
// differs between attempts is kept with the attempt's result, so that [Rebuild]
// gives each request again as it was sent. Which answers count, and when a
// delivery is tried again, is the profile of the callback template (profile.go).
//
// Due times are wall time that never goes back (clock.go), so that a clock that is
// set wrong and right again neither loses a delivery nor starts a storm.
package notify
