package state

import (
	"time"

	"github.com/stillcast/stillcast"
)

// MaxTotal is where the totals of PushPage and AttemptPage end: that many or
// more are counted as that many.
const MaxTotal = 100_000

// CountStep is the unit of CountShots: what it counts begins and ends at
// multiples of it since the Unix epoch.
const CountStep = 5 * time.Minute

// TaskFilter selects tasks, in ascending order of their ids. The zero value
// selects the first page of all.
type TaskFilter struct {
	Stream     stillcast.Stream // parts that are "" match all
	Start, End time.Time        // only tasks whose windows lie wholly within; zero: no bound
	After      string           // only ids after this one: the last one of the page before
	Limit      int              // see DefaultPage
}

// PushFilter selects pushes that were live at some time from Start up to End.
type PushFilter struct {
	Domain, App string // of the stream, exact; "" for all
	Name        string // a part of the stream's name; with Strict the whole; "" for all
	Strict      bool
	Start, End  time.Time
	Failed      bool // also those that ended without a picture
	Ascending   bool // those that ended first come first, the live ones last; else the other way round
	Offset      int64
	Limit       int // see DefaultPage
}

// PushRecord is a push with its end, which is zero while it is live.
type PushRecord struct {
	stillcast.Push

	End stillcast.PushEnd
}

// AttemptFilter selects finished attempts to deliver the events of streams that
// happened from Start up to End, whenever the attempts were made.
type AttemptFilter struct {
	Stream     string // name, exact, on whatever domain and app
	Start, End time.Time
	EventType  *stillcast.EventType // nil: any
	Failed     *bool                // nil: any; true: those that did not deliver the event
	Offset     int64
	Limit      int // see DefaultPage
}

// AttemptRecord is one finished attempt. The body that was sent is not kept:
// each attempt makes its own from Event and Shot, with a signature that is valid
// for it alone.
type AttemptRecord struct {
	Event     stillcast.Event
	Shot      stillcast.Shot // of an event 200, else zero
	Attempt   int            // from 1
	Started   time.Time
	Responded time.Time // when the attempt ended, with an answer or without
	Status    int       // HTTP status, 0 without an answer
	Response  string    // first bytes of the answer's body
	Error     string    // why it failed, "" when delivered
	Delivered bool
}
