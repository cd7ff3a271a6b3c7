package stillcast

import "time"

// Ban forbids pushes of one stream until a time.
type Ban struct {
	Stream  Stream
	Until   time.Time
	Reason  string
	Created time.Time
}
