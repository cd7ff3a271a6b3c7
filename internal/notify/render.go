package notify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/state"
)

// signatureLife is how long a signature is valid (Tencent Cloud CSS, "Common
// callback parameters": ten minutes).
const signatureLife = 10 * time.Minute

// message is what all attempts of a delivery have in common.
type message struct {
	event    stillcast.Event
	shot     stillcast.Shot // of an event 200
	sequence int64          // 0 for none
	test     bool
}

// request is what of a request differs between the attempts of a delivery, or
// did at the time. With the message it gives the request again, byte for byte,
// and is all that is kept of it.
type request struct {
	To         string   `json:"to"`    // scheme, host and path of the URL; its query may hold secrets
	Agent      string   `json:"agent"` // User-Agent
	SentMS     int64    `json:"sent_ms"`
	Sign       string   `json:"sign,omitempty"`
	PicFullURL string   `json:"pic_full_url,omitempty"`
	Renditions []string `json:"renditions,omitempty"` // their pic_full_url, in their order
	Extras     bool     `json:"extras,omitempty"`
	Redact     bool     `json:"redact,omitempty"`
	Signature  string   `json:"signature,omitempty"` // webhook-signature
	// TooLong says that the URLs were left out, since they would not fit.
	TooLong bool `json:"too_long,omitempty"`
}

// expires is t, when Sign does.
func (r request) expires() int64 { return r.sent().Add(signatureLife).Unix() }

func (r request) sent() time.Time { return time.UnixMilli(r.SentMS) }

// render returns the body of an attempt: the fields of the event and what the
// request adds, members in alphabetical order.
func render(m message, attempt int, r request) ([]byte, error) {
	members, err := membersOf(m.event.Fields)
	if err != nil {
		return nil, fmt.Errorf("read fields of event: %w", err)
	}
	own, err := renderOwn(find(members, "stillcast"), m, attempt, r)
	if err != nil {
		return nil, fmt.Errorf("read fields of event: %w", err)
	}
	members = set(members, "stillcast", own)
	members = set(members, "t", strconv.AppendInt(nil, r.expires(), 10))
	if r.Sign != "" {
		members = set(members, "sign", text(r.Sign))
	}
	if r.PicFullURL != "" {
		members = set(members, "pic_full_url", text(r.PicFullURL))
	}
	if r.Redact {
		if members, err = redact(members); err != nil {
			return nil, fmt.Errorf("read fields of event: %w", err)
		}
	}
	return object(members), nil
}

// previousEventID is the one extra that is kept with the fields of an event.
const previousEventID = "previous_event_id"

// renderOwn returns the member stillcast: facts, if the event has them, and the
// extras, if the request asks for them; nil for neither.
func renderOwn(kept []byte, m message, attempt int, r request) ([]byte, error) {
	if kept == nil && !r.Extras {
		return nil, nil
	}
	var members []member
	var err error
	if kept != nil {
		if members, err = membersOf(kept); err != nil {
			return nil, err
		}
	}
	if renditions := find(members, "renditions"); renditions != nil {
		if renditions, err = renderRenditions(renditions, r.Renditions); err != nil {
			return nil, err
		}
		members = set(members, "renditions", renditions)
	}
	if r.Extras {
		members = setExtras(members, m, attempt, r)
	} else {
		members = set(members, previousEventID, nil)
	}
	if len(members) == 0 {
		return nil, nil
	}
	return object(members), nil
}

func setExtras(members []member, m message, attempt int, r request) []member {
	number := func(n int64) []byte { return strconv.AppendInt(nil, n, 10) }
	at, when := "event_at_ms", m.event.At
	if m.event.Type == stillcast.EventShot {
		at, when = "captured_at_ms", m.shot.Captured
	}
	members = set(members, "attempt", number(int64(attempt)))
	members = set(members, at, number(when.UnixMilli()))
	members = set(members, "event_id", text(m.event.ID))
	if m.event.PushID != "" {
		members = set(members, "push_id", text(m.event.PushID))
	}
	members = set(members, "sent_at_ms", number(r.SentMS))
	if m.sequence > 0 {
		members = set(members, "sequence", number(m.sequence))
	}
	return members
}

// renderRenditions gives the renditions that the event speaks of their URLs.
func renderRenditions(array []byte, urls []string) ([]byte, error) {
	renditions, err := elementsOf(array)
	if err != nil {
		return nil, err
	}
	if len(renditions) != len(urls) {
		return nil, fmt.Errorf("event speaks of %d renditions, but its shot has %d", len(renditions), len(urls))
	}
	b := []byte{'['}
	for i, rendition := range renditions {
		members, err := membersOf(rendition)
		if err != nil {
			return nil, fmt.Errorf("rendition %d: %w", i, err)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, object(set(members, "pic_full_url", text(urls[i])))...)
	}
	return append(b, ']'), nil
}

// eventTime is the form of the event's time in its header: RFC 3339 with milliseconds.
const eventTime = "2006-01-02T15:04:05.000Z07:00"

// headerOf returns the header of an attempt, all but what HTTP itself adds. Its
// keys are written as [http.Header] has them.
func headerOf(m message, attempt int, r request) http.Header {
	h := http.Header{
		"Content-Type":           {"application/json"},
		"User-Agent":             {r.Agent},
		callback.HeaderEventID:   {m.event.ID},
		callback.HeaderEventTime: {m.event.At.UTC().Format(eventTime)},
		callback.HeaderSequence:  {strconv.FormatInt(m.sequence, 10)},
		callback.HeaderAttempt:   {strconv.Itoa(attempt)},
	}
	if m.test {
		h[callback.HeaderTest] = []string{"1"}
	}
	if r.Signature != "" {
		h[callback.HeaderWebhookID] = []string{m.event.ID}
		h[callback.HeaderWebhookTimestamp] = []string{strconv.FormatInt(r.sent().Unix(), 10)}
		h[callback.HeaderWebhookSignature] = []string{r.Signature}
	}
	return h
}

// record returns a request in the form in which it is kept.
func (r request) record() (json.RawMessage, error) {
	kept, err := marshal(r)
	if err != nil || len(kept) <= state.MaxRequest {
		return kept, err
	}
	r.PicFullURL, r.Renditions, r.TooLong = "", nil, true
	return marshal(r)
}

// Sent is the request of a past attempt.
type Sent struct {
	URL    string // scheme, host and path
	Header http.Header
	Body   []byte
}

// Rebuild returns the header and the body of a past attempt as they were sent,
// byte for byte, from the event, its shot, the sequence number, the number of
// the attempt, and what [state.Result.Request] kept of it. The header is all but
// what HTTP itself adds (Host, Content-Length). The error says that nothing was
// kept, or that the URLs of the pictures were too long to be.
func Rebuild(event stillcast.Event, shot stillcast.Shot, sequence int64, attempt int, kept json.RawMessage) (Sent, error) {
	if len(kept) == 0 {
		return Sent{}, stillcast.Errorf(stillcast.CodeNotFound, "request", "of attempt %d was not kept", attempt)
	}
	var r request
	if err := json.Unmarshal(kept, &r); err != nil {
		return Sent{}, fmt.Errorf("read the request of attempt %d: %w", attempt, err)
	}
	if r.TooLong {
		return Sent{}, stillcast.Errorf(stillcast.CodeNotFound, "request",
			"of attempt %d was not kept whole: its URLs of pictures are longer than %d bytes", attempt, state.MaxRequest)
	}
	m := message{event: event, shot: shot, sequence: sequence}
	body, err := render(m, attempt, r)
	if err != nil {
		return Sent{}, err
	}
	return Sent{URL: r.To, Header: headerOf(m, attempt, r), Body: body}, nil
}
