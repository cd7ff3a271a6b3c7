package notify

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
)

// TestResult is what became of a test event.
type TestResult struct {
	URL      string // scheme, host and path; "" when no request could be made
	Header   http.Header
	Body     []byte
	Started  time.Time
	Took     time.Duration
	Status   int    // HTTP status, 0 without an answer
	Reply    string // first bytes of the answer's body
	Received bool   // the status counts as received in the template's profile
	Error    string // why it was not, "" when it was
}

// Test sends a made-up event of a destination's type to it now, as the callback
// template says, and returns what came of it. The request has the header
// Stillcast-Test. It is no delivery: nothing is recorded, it takes no slot,
// and is sent to a paused destination as well. The error says that no request
// could be made.
func (n *Notifier) Test(ctx context.Context, to stillcast.Destination) (TestResult, error) {
	if n.claims.Err() != nil {
		return TestResult{}, errStopping
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(n.attempts, func() { cancel(errStopping) })()
	now := time.Now()
	m, err := sample(to.Event, now)
	if err != nil {
		return TestResult{}, err
	}
	p := report{started: now}
	target, body, err := n.prepare(&p, to, m, 1)
	if err != nil {
		return TestResult{}, stillcast.Errorf(stillcast.CodeInvalid, "destination", "cannot be sent to: %s", err)
	}
	header := headerOf(m, 1, p.request)
	p.answer = n.clients.postOnce(ctx, target, header.Clone(), body)
	result := TestResult{
		URL: p.To, Header: header, Body: body, Started: now, Took: time.Since(now), Status: p.status, Reply: p.reply,
	}
	if p.err == nil {
		p.err = judge(p.profile, p.status)
	}
	if result.Received = p.err == nil; !result.Received {
		result.Error = p.err.Error()
	}
	return result, nil
}

// sample makes up an event.
func sample(typ stillcast.EventType, now time.Time) (message, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return message{}, err
	}
	push := stillcast.Push{
		ID: id.String(), Stream: stillcast.Stream{Domain: "push.example.com", App: "live", Name: "test"},
		Node: "192.0.2.1", Started: now.Add(-time.Minute),
	}
	m := message{test: true, event: stillcast.Event{ID: id.String(), Type: typ, Stream: push.Stream, PushID: push.ID, At: now}}
	m.event.Fields, err = sampleFields(typ, push, &m.shot, now)
	return m, err
}

func sampleFields(typ stillcast.EventType, push stillcast.Push, shot *stillcast.Shot, now time.Time) (json.RawMessage, error) {
	switch typ {
	case stillcast.EventShot:
		*shot = stillcast.Shot{
			PushID: push.ID, Stream: push.Stream, Key: "test/no-such-picture.jpg", Captured: now, Width: 1280, Height: 720, Size: 30670,
			Format: stillcast.FormatJPEG,
		}
		return ShotFields(*shot, push, false, "")
	case stillcast.EventPushBegin:
		return PushBeginFields(push, 0)
	case stillcast.EventPushEnd:
		return PushEndFields(push, stillcast.PushEnd{At: now, Code: stillcast.EndClient, Message: "a test"}, 0)
	case stillcast.EventPushException:
		return PushExceptionFields(push, now, time.Minute, []callback.AbnormalEvent{{
			Type: callback.AbnormalVideoStall, Count: 1,
		}}, 0)
	}
	return nil, errors.New("there are no events of this type")
}
