package state

import (
	"time"

	"github.com/stillcast/stillcast"
)

// DeliveryState is where a delivery stands, see the package comment.
type DeliveryState string

// The states of a delivery.
const (
	StateWaiting   DeliveryState = "waiting"   // for the picture to be stored
	StatePending   DeliveryState = "pending"   // due, or due later
	StateClaimed   DeliveryState = "claimed"   // being attempted
	StateDelivered DeliveryState = "delivered" // final
	StateParked    DeliveryState = "parked"    // until Replay
)

// Limits of a page of a listing.
const (
	DefaultPage = 100  // when a filter's Limit is 0 or less
	MaxPage     = 1000 // a larger Limit is cut to this
)

// DeliveryFilter selects deliveries. The zero value selects the first page of
// all, in ascending order of their ids.
type DeliveryFilter struct {
	Destination *stillcast.Destination // nil: any
	Stream      *stillcast.Stream      // of their events; nil: any
	EventType   *stillcast.EventType   // nil: any
	State       DeliveryState          // "": any
	EventID     string                 // "": any
	ShotID      int64                  // of their events; 0: any
	From, Until time.Time              // when their events happened, from From up to Until; zero: no bound
	Descending  bool                   // the newest come first
	AfterID     int64                  // only greater ids: the last one of the page before
	BeforeID    int64                  // only smaller ids: likewise, when Descending; 0: no bound
	Limit       int                    // see DefaultPage
}

// DeliveryStatus is a delivery as it stands.
type DeliveryStatus struct {
	Delivery               // Attempt and Try count the claims so far, 0 before the first
	State    DeliveryState // which a claim or a result may change at any time
	Due      time.Time     // of a pending one; of a claimed one, when its lease runs out; else zero
	Reason   string        // why it was parked without an attempt, else ""

	// Of the last attempt that is still known, zero without one.
	Finished   time.Time // of a delivered or parked one, when it became that; else zero
	LastStatus int       // HTTP status, 0 without an answer
	LastError  string    // "" when it delivered
}

// ShotState says where the pictures of a shot are.
type ShotState string

// The states of a shot.
const (
	ShotSpooled ShotState = "spooled" // here, not stored yet
	ShotStored  ShotState = "stored"  // in the object store
	ShotDropped ShotState = "dropped" // nowhere: they were dropped before they were stored
	ShotRemoved ShotState = "removed" // stored once, and removed for their age
)

// ShotFilter selects shots. The zero value selects the first page of all, in
// ascending order of their ids.
type ShotFilter struct {
	Stream      *stillcast.Stream // nil: any
	State       ShotState         // "": any
	From, Until time.Time         // when they were captured, from From up to Until; zero: no bound
	Descending  bool              // the newest come first
	AfterID     int64             // only greater ids: the last one of the page before
	BeforeID    int64             // only smaller ids: likewise, when Descending; 0: no bound
	Limit       int               // see DefaultPage
}

// ShotStatus is a shot as it stands.
type ShotStatus struct {
	stillcast.Shot // Mirror is set until the shot is stored

	State  ShotState
	Reason string    // why it was dropped, else ""
	Stored time.Time // when all its pictures were in their stores; zero while they are not, and where it was not kept
}
