// Package state is the contract of what Stillcast must not lose: domains,
// templates and rules, pushes, shots, events, deliveries and attempts.
//
// Implementations live in sub-packages and pass the one suite in statetest.
// Consumers declare the few methods they call. A method that changes something
// returns only when the change is durable (it survives power loss), so the
// caller may tell others about it.
//
// MarkStored, Claim and Finish may return before that, once every later call of
// the same process sees what they did. It is durable a moment later, and at the
// latest with whatever is durable after it. A crash in that moment loses the
// last of these changes, in the order opposite to that in which they were made,
// and none by half: a mark, and the picture is put once more; a claim, and it is
// as if its lease had run out; the end of an attempt, and the event is sent once
// more, with the same id. So nothing is lost, and no event goes before its picture.
//
// The states of a delivery:
//
//	waiting ──MarkStored──► pending ──Claim──► claimed ──Finish──────► delivered
//	   │                     ▲  ▲                 │                        │
//	   │                     │  ├──Finish(retry)──┤                        │
//	   │                     │  ├──lease expired──┤                        │
//	   │                     │  │                 └──Finish(park)─► parked │
//	   │                     │  └──Replay────────────────────────────┘ ▲   │
//	   │                     └──Replay─────────────────────────────────┼───┘
//	   └──DropSpooled, DropShot────────────────────────────────────────┘
//
// What was parked because its picture was dropped stays parked: there is nothing
// to notify of. PauseDestination stops Claim for a destination and changes no
// delivery. Nothing leaves the table but delivered ones, by PruneShots and
// PruneEvents.
//
// Times are those of the wall clock, of the caller where one is given. A clock
// that is set back or forth loses nothing and turns no sequence round: a first
// attempt is due whatever the time is; a retry comes as much later or earlier
// as the clock was wrong; a lease that seems to have run out means one more
// attempt with the same event id, whose predecessor is fenced; what is removed
// for its age is so as much later or earlier, and never while it is owed.
package state

import (
	"encoding/json"
	"time"

	"github.com/stillcast/stillcast"
)

// Change is one resource that ApplyDeclaration created or updated.
type Change struct {
	Kind    string // "domain", "snapshot_template", "snapshot_rule", "callback_template", "callback_rule"
	Name    string // of a rule: "domain/app/stream"
	Created bool   // false: updated
}

// NewEvent is an event with the destinations that it is owed to. Its
// deliveries are due at once.
type NewEvent struct {
	Event        stillcast.Event
	Destinations []stillcast.Destination
}

// NewShot is what CommitShot makes durable in one step: the row, the pictures,
// the event and its deliveries. The deliveries wait until MarkStored.
type NewShot struct {
	Shot         stillcast.Shot // ID and sizes in bytes are ignored; keys are those that are wanted
	Picture      []byte         // read only until CommitShot returns
	Renditions   [][]byte       // the pictures of Shot.Renditions, likewise
	Destinations []stillcast.Destination
	// MakeEvent makes the event 200 of the shot, whose ID, keys and sizes are by
	// then those it really got; the event's ID, Stream and PushID are the
	// shot's. It is called at most once per CommitShot (not at all for an
	// EventID that was committed before), possibly on another goroutine, and
	// must not block: others wait for it.
	MakeEvent func(stillcast.Shot) (stillcast.Event, error)
}

// Lane separates first attempts from retries, so that neither starves the other.
type Lane int

// The lanes.
const (
	LaneFresh Lane = iota // never attempted
	LaneRetry             // attempted before, replayed, or its lease ran out
)

// Claim asks for deliveries of one destination.
type Claim struct {
	Destination stillcast.Destination
	Lane        Lane
	Limit       int
	Now         time.Time     // only what is due by then is claimed
	Lease       time.Duration // from Now; longer than an attempt can take
}

// Delivery is one event owed to one destination, claimed for one attempt.
type Delivery struct {
	ID          int64
	Destination stillcast.Destination
	Event       stillcast.Event
	Shot        stillcast.Shot // of an event 200, else zero
	Sequence    int64          // counts this stream's events to this destination from 1, without gaps
	Attempt     int            // of this claim, from 1; a fence: Finish of an older one is refused
	Try         int            // as Attempt, but from 1 again after Replay: what a retry schedule counts
}

// Limits of what is kept as it is given, in bytes.
const (
	MaxRequest = 4096 // of Result.Request
	MaxReason  = 512  // why a destination was paused or a shot dropped
)

// MaxRows is how many rows of a kind the methods that change many do in one
// commit, so that all others are held up for no more than that.
const MaxRows = 500

// Outcome is what an attempt came to.
type Outcome int

// The outcomes.
const (
	OutcomeDelivered Outcome = iota + 1
	OutcomeRetry             // pending again, due at Result.RetryAt
	OutcomeParked            // kept, no longer tried by itself
)

// Result is the end of one attempt.
type Result struct {
	DeliveryID int64
	Attempt    int
	Outcome    Outcome
	RetryAt    time.Time // with OutcomeRetry
	Started    time.Time
	Took       time.Duration
	Status     int    // HTTP status, 0 without an answer
	Error      string // "" when delivered; never holds a key
	Reply      string // first bytes of the response body
	// Request is what the one who made the attempt wants to remember of it: JSON
	// of at most MaxRequest bytes, which the state does not look into; nil for none.
	Request json.RawMessage
}

// Backlog is what one destination is still owed.
type Backlog struct {
	Destination stillcast.Destination
	NextDue     time.Time // earliest time at which Claim finds one: it is due, or its lease runs out; zero when there is none
	Waiting     int64     // for their picture to be stored
	Pending     int64
	Claimed     int64
	Parked      int64
	Oldest      time.Time // event time of the oldest that is neither delivered nor parked; zero when there is none
	Paused      bool      // Claim finds nothing until ResumeDestination; NextDue is as if it were not
}

// DestinationStatus is a destination that was ever owed something, or is paused.
type DestinationStatus struct {
	Backlog

	Delivered   int64     // that are still known
	PausedAt    time.Time // since when, zero when it is not paused
	PauseReason string    // "" when it is not paused
}

// ErrFenced is returned by Finish when the delivery was claimed again, or
// finished, since the attempt began.
var ErrFenced = stillcast.Errorf(stillcast.CodeConflict, "attempt", "was overtaken by a newer claim of the same delivery")
