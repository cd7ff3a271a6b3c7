package callback

import (
	"cmp"
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

	// HeaderTest is there, as "1", when somebody had a made-up event sent to see
	// whether it arrives.
	HeaderTest = "Stillcast-Test"
)

// Meta is what the headers say about an event. Other senders leave it zero.
type Meta struct {
	EventID string // unique; "" when the sender gives none
	// At is when the event happened, for a screenshot when its frame arrived: finer
	// than the whole seconds of the body. Zero when the sender gives none.
	At       time.Time
	Sequence int64 // of the stream's events of this type to this callback template, from 1; 0 when the sender gives none
	Attempt  int   // from 1; 0 when the sender gives none
	// Test marks a made-up event, see HeaderTest. Answer it as any other, and do
	// nothing about it.
	Test bool
	// Signed says that the body was verified by a signing secret, so that it and
	// EventID came from the sender as they are. Only a [Handler] sets it.
	Signed bool
}

// MetaFromHeader reads the headers of a request. A value that is malformed
// counts as none. EventID is the webhook-id where Stillcast's own header is not
// there.
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
	return Meta{
		EventID: cmp.Or(h.Get(HeaderEventID), h.Get(HeaderWebhookID)), At: at, Sequence: sequence, Attempt: int(attempt),
		Test: h.Get(HeaderTest) != "",
	}
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
