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

// DeliveryFilter selects deliveries, in ascending order of their ids. The zero
// value selects the first page of all.
type DeliveryFilter struct {
	Destination *stillcast.Destination // nil: any
	State       DeliveryState          // "": any
	EventID     string                 // "": any
	AfterID     int64                  // only greater ids: the last one of the page before
	Limit       int                    // see DefaultPage
}

// DeliveryStatus is a delivery as it stands.
type DeliveryStatus struct {
	Delivery               // Attempt and Try count the claims so far, 0 before the first
	State    DeliveryState // which a claim or a result may change at any time
	Due      time.Time     // of a pending one; of a claimed one, when its lease runs out; else zero
}

// ShotFilter selects shots, in ascending order of their ids. The zero value
// selects the first page of all.
type ShotFilter struct {
	Stream  *stillcast.Stream // nil: any
	AfterID int64             // only greater ids: the last one of the page before
	Limit   int               // see DefaultPage
}
