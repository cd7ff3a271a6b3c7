package stillcast

import (
	"encoding/json"
	"time"
)

// EventType is the event_type of a callback, in Tencent Cloud CSS's numbers.
type EventType int

// Event types that Stillcast emits.
const (
	EventPushEnd       EventType = 0
	EventPushBegin     EventType = 1
	EventShot          EventType = 200
	EventPushException EventType = 321
)

// String returns the word used in logs and metrics.
func (t EventType) String() string {
	switch t {
	case EventPushEnd:
		return "push_end"
	case EventPushBegin:
		return "push_begin"
	case EventShot:
		return "shot"
	case EventPushException:
		return "push_exception"
	}
	return "unknown"
}

// Event is what happened, as fields, unsigned. What can only be known when a
// request is sent is not in Fields: t, sign and pic_full_url are computed per
// attempt.
type Event struct {
	ID     string // unique, the same for all attempts
	Type   EventType
	Stream Stream
	PushID string
	At     time.Time       // when it happened; for a shot, when its frame arrived
	Fields json.RawMessage // JSON object
}

// Destination is one callback URL of one callback template: the one for events
// of that type. It names the slot, not the text of the URL, so that a changed
// URL or key holds for what is still owed.
type Destination struct {
	TemplateID int64
	Event      EventType
}
