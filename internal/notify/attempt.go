package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/state"
)

const (
	// recordTime is how long a result that cannot be recorded is tried again.
	recordTime  = 10 * time.Second
	recordAgain = 200 * time.Millisecond // doubled each time
)

// report is what one attempt came to, before it is decided what follows.
type report struct {
	answer
	url      string // scheme, host and path, for logs
	asked    bool   // a request was made
	hopeless bool   // trying again is of no use until something is changed by a person
	started  time.Time
	took     time.Duration
}

// attempt sends one delivery of a grant and records the result.
func (n *Notifier) attempt(g grant, d state.Delivery, leaseEnd time.Time) {
	p := n.send(n.attempts, d)
	r := n.decide(p, d)
	recorded := n.record(r, d)
	n.observe(p, r, d)
	n.mu.Lock()
	if p.asked && !errors.Is(p.err, errStopping) {
		n.schedule.answered(g.line, p.status != 0)
	}
	switch {
	case !recorded:
		n.schedule.at(g.line, leaseEnd)
	case r.Outcome == state.OutcomeRetry:
		n.schedule.at(g.line, r.RetryAt)
	}
	n.schedule.release(g)
	n.mu.Unlock()
	n.poke()
}

// send makes the request of an attempt, if it can be made.
func (n *Notifier) send(ctx context.Context, d state.Delivery) report {
	p := report{started: time.Now()}
	target, body, err := n.prepare(&p, d)
	if err != nil {
		p.err = err
		return p
	}
	p.asked = true
	p.answer = n.clients.post(ctx, d.Destination, target, n.header(d), body)
	p.took = time.Since(p.started)
	return p
}

// prepare makes the URL and the body of an attempt from the template as it is
// now. It sets p.url, and p.hopeless where the error is for good.
func (n *Notifier) prepare(p *report, d state.Delivery) (*url.URL, []byte, error) {
	template, ok := n.settings.CallbackTemplateByID(d.Destination.TemplateID)
	if !ok {
		p.hopeless = true
		return nil, nil, fmt.Errorf("callback template %d no longer exists", d.Destination.TemplateID)
	}
	raw := template.URL(d.Destination.Event)
	if raw == "" {
		p.hopeless = true
		return nil, nil, fmt.Errorf("callback template %q has no URL for events of type %s", template.Name, d.Destination.Event)
	}
	target, err := url.Parse(raw)
	if err != nil {
		p.hopeless = true
		return nil, nil, fmt.Errorf("callback template %q has a malformed URL for events of type %s", template.Name, d.Destination.Event)
	}
	p.url = target.Scheme + "://" + target.Host + target.EscapedPath()
	s := stamp{key: template.Key, now: p.started}
	if d.Event.Type == stillcast.EventShot {
		if err := n.locate(&s, d.Shot); err != nil {
			return nil, nil, fmt.Errorf("make URL of picture: %w", err)
		}
	}
	body, err := render(d.Event.Fields, s)
	p.hopeless = err != nil
	return target, body, err
}

// locate adds the URLs of a shot's pictures.
func (n *Notifier) locate(s *stamp, shot stillcast.Shot) error {
	var err error
	if s.picFullURL, err = n.pictures.URL(shot, s.now); err != nil {
		return err
	}
	for _, r := range shot.Renditions {
		rendition := shot // a picture in the same bucket under another key
		rendition.Key = r.Key
		location, err := n.pictures.URL(rendition, s.now)
		if err != nil {
			return err
		}
		s.renditions = append(s.renditions, location)
	}
	return nil
}

// eventTime is the form of the event's time in its header: RFC 3339 with milliseconds.
const eventTime = "2006-01-02T15:04:05.000Z07:00"

func (n *Notifier) header(d state.Delivery) http.Header {
	return http.Header{
		"Content-Type":           {"application/json"},
		"User-Agent":             {n.userAgent},
		callback.HeaderEventID:   {d.Event.ID},
		callback.HeaderEventTime: {d.Event.At.UTC().Format(eventTime)},
		callback.HeaderSequence:  {strconv.FormatInt(d.Sequence, 10)},
		callback.HeaderAttempt:   {strconv.Itoa(d.Attempt)},
	}
}

// decide says what follows from an attempt.
func (n *Notifier) decide(p report, d state.Delivery) state.Result {
	r := state.Result{
		DeliveryID: d.ID,
		Attempt:    d.Attempt,
		Started:    p.started,
		Took:       p.took,
		Status:     p.status,
		Reply:      p.reply,
	}
	if p.err == nil {
		r.Outcome = state.OutcomeDelivered
		return r
	}
	r.Error = p.err.Error()
	end := p.started.Add(p.took)
	switch {
	case errors.Is(p.err, errStopping):
		r.Outcome, r.RetryAt = state.OutcomeRetry, end
	case p.hopeless, d.Try >= n.config.Retry.Attempts:
		r.Outcome = state.OutcomeParked
	default:
		r.Outcome, r.RetryAt = state.OutcomeRetry, end.Add(n.config.Retry.Interval)
	}
	// Ledgers keep microseconds; a rounded-up time would not be due when its
	// timer fires.
	r.RetryAt = r.RetryAt.Truncate(time.Microsecond)
	return r
}

// record writes a result to the ledger and says whether it, or a newer one, is
// there. What cannot be recorded is not lost: the delivery comes back when its
// lease runs out.
func (n *Notifier) record(r state.Result, d state.Delivery) bool {
	ctx, cancel := context.WithTimeout(n.results, recordTime)
	defer cancel()
	for pause := recordAgain; ; pause *= 2 {
		err := n.ledger.Finish(ctx, r)
		switch {
		case err == nil:
			return true
		case errors.Is(err, state.ErrFenced):
			n.log.Warn("result came too late", "event", d.Event.ID, "attempt", r.Attempt, "error", err)
			return true
		}
		if ctx.Err() == nil && pauseFor(ctx, pause) {
			continue
		}
		n.unrecorded.Add(1)
		n.metrics.unrecorded.Inc()
		n.log.Error("result was not recorded; the event will be sent again",
			"event", d.Event.ID, "attempt", r.Attempt, "error", err)
		return false
	}
}

// pauseFor waits and says whether ctx is still alive.
func pauseFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// observe counts an attempt and writes its one line of log.
func (n *Notifier) observe(p report, r state.Result, d state.Delivery) {
	word := n.metrics.attempt(r, p.err)
	if r.Outcome == state.OutcomeDelivered {
		n.metrics.lag.Observe(time.Since(d.Event.At).Seconds())
	}
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("event", d.Event.ID),
		slog.String("event_type", d.Event.Type.String()),
		slog.String("stream", d.Event.Stream.String()),
		slog.Int64("sequence", d.Sequence),
		slog.String("destination", n.label(d.Destination)),
		slog.String("url", p.url),
		slog.Int("attempt", d.Attempt),
		slog.Int("status", p.status),
		slog.Duration("took", p.took),
		slog.String("outcome", word),
	}
	if p.err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("error", p.err.Error()))
	}
	if r.Outcome == state.OutcomeRetry {
		attrs = append(attrs, slog.Time("retry_at", r.RetryAt))
	}
	n.log.LogAttrs(context.Background(), level, "attempt", attrs...)
}

// label names a destination in logs and metrics: template name and event type.
func (n *Notifier) label(d stillcast.Destination) string {
	name := "template " + strconv.FormatInt(d.TemplateID, 10)
	if template, ok := n.settings.CallbackTemplateByID(d.TemplateID); ok {
		name = template.Name
	}
	return name + "/" + d.Event.String()
}
