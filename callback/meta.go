package callback

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// Headers that Stillcast sends with every event.
const (
	HeaderEventID   = "Stillcast-Event-Id"   // the same for all attempts and destinations of an event
	HeaderEventTime = "Stillcast-Event-Time" // when it happened, RFC 3339 with milliseconds
	HeaderSequence  = "Stillcast-Sequence"   // counts a stream's events of one type to one callback template from 1, without gaps
	HeaderAttempt   = "Stillcast-Attempt"    // counts the attempts of a delivery from 1
)

// Meta is what the headers say about an event. Other senders leave it zero.
type Meta struct {
	EventID string // unique; "" when the sender gives none
	// At is when the event happened, for a screenshot when its frame arrived: finer
	// than the whole seconds of the body. Zero when the sender gives none.
	At       time.Time
	Sequence int64 // of the stream's events of this type to this callback template, from 1; 0 when the sender gives none
	Attempt  int   // from 1; 0 when the sender gives none
}

// MetaFromHeader reads the headers of a request. A value that is malformed
// counts as none.
func MetaFromHeader(h http.Header) Meta {
	sequence, err := strconv.ParseInt(h.Get(HeaderSequence), 10, 64)
	if err != nil || sequence < 0 {
		sequence = 0
	}
	attempt, err := strconv.ParseInt(h.Get(HeaderAttempt), 10, 32)
	if err != nil || attempt < 0 {
		attempt = 0
	}
	at, err := time.Parse(time.RFC3339, h.Get(HeaderEventTime))
	if err != nil {
		at = time.Time{}
	}
	return Meta{EventID: h.Get(HeaderEventID), At: at, Sequence: sequence, Attempt: int(attempt)}
}

type metaKey struct{}

// MetaFrom returns the [Meta] of the event that a [Handler] is handing over
// with ctx; zero for other contexts.
func MetaFrom(ctx context.Context) Meta {
	m, _ := ctx.Value(metaKey{}).(Meta)
	return m
}

func withMeta(ctx context.Context, m Meta) context.Context {
	return context.WithValue(ctx, metaKey{}, m)
}
