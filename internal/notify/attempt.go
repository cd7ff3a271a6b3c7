package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
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
	request
	name     string // of the template, "" when there is none any more
	profile  stillcast.Profile
	asked    bool // a request was made
	hopeless bool // trying again is of no use until something is changed by a person
	started  time.Time
	took     time.Duration
}

// attempt sends one delivery of a grant and records the result.
func (n *Notifier) attempt(g grant, d state.Delivery, leaseEnd time.Time) {
	p := n.send(n.attempts, d)
	r := n.decide(p, d)
	recorded := n.record(r, d)
	if p.status == http.StatusGone {
		n.stopOnGone(d.Destination)
	}
	n.observe(p, r, d)
	n.conclude(g, p, r, func() time.Time {
		if !recorded {
			return leaseEnd
		}
		return r.RetryAt
	}())
}

// conclude tells the schedule what an attempt came to, and when its delivery is
// due again; zero for never.
func (n *Notifier) conclude(g grant, p report, r state.Result, due time.Time) {
	now := n.clock.now()
	counts := p.asked && !errors.Is(p.err, errStopping)
	n.mu.Lock()
	var changed bool
	if counts {
		changed = n.schedule.answered(g, verdictOf(p.status), now)
		n.stats.note(g.line.dest, p, r)
	}
	opened := g.line.breaker
	if wait, ok := retryAfter(p.retryAfter, p.started.Add(p.took)); ok && holds(p.status) {
		n.schedule.hold(g.line, now.Add(wait))
	}
	if !due.IsZero() {
		n.schedule.at(g.line, due)
	}
	n.schedule.release(g)
	n.mu.Unlock()
	n.poke()
	if changed {
		n.tellBreaker(g.line.dest, opened, p)
	}
}

// holds says whether a status with Retry-After is about the receiver as a whole,
// and not about the one event.
func holds(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// send makes the request of an attempt, if it can be made.
func (n *Notifier) send(ctx context.Context, d state.Delivery) report {
	p := report{started: time.Now()}
	m := message{event: d.Event, shot: d.Shot, sequence: d.Sequence}
	target, body, err := n.prepare(&p, d.Destination, m, d.Attempt)
	if err != nil {
		p.err = err
		return p
	}
	p.asked = true
	p.answer = n.clients.post(ctx, d.Destination, target, headerOf(m, d.Attempt, p.request), body)
	p.took = time.Since(p.started)
	if p.err == nil {
		p.err = judge(p.profile, p.status)
	}
	return p
}

// prepare makes the URL and the body of an attempt from the template as it is
// now. It sets what p says of the template and the request, and p.hopeless where
// the error is for good.
func (n *Notifier) prepare(p *report, to stillcast.Destination, m message, attempt int) (*url.URL, []byte, error) {
	template, ok := n.settings.CallbackTemplateByID(to.TemplateID)
	if !ok {
		p.hopeless = true
		return nil, nil, fmt.Errorf("callback template %d no longer exists", to.TemplateID)
	}
	p.name, p.profile = template.Name, template.Profile
	raw := template.URL(to.Event)
	if raw == "" {
		p.hopeless = true
		return nil, nil, fmt.Errorf("callback template %q has no URL for events of type %s", template.Name, to.Event)
	}
	target, err := url.Parse(raw)
	if err != nil {
		p.hopeless = true
		return nil, nil, fmt.Errorf("callback template %q has a malformed URL for events of type %s", template.Name, to.Event)
	}
	p.request = request{
		To:    target.Scheme + "://" + target.Host + target.EscapedPath(),
		Agent: n.userAgent, SentMS: p.started.UnixMilli(), Extras: template.Extras, Redact: template.RedactParam,
	}
	if template.Key != "" {
		p.Sign = callback.Sign(template.Key.Reveal(), p.expires())
	}
	if m.event.Type == stillcast.EventShot {
		if err := n.locate(&p.request, m.shot); err != nil {
			return nil, nil, fmt.Errorf("make URL of picture: %w", err)
		}
	}
	body, err := render(m, attempt, p.request)
	if err == nil {
		err = p.signBody(template, m.event.ID, body)
	}
	p.hopeless = err != nil
	return target, body, err
}

// locate adds the URLs of a shot's pictures.
func (n *Notifier) locate(r *request, shot stillcast.Shot) error {
	var err error
	if r.PicFullURL, err = n.pictures.URL(shot, r.sent()); err != nil {
		return err
	}
	for _, rendition := range shot.Renditions {
		picture := shot // in the same bucket under another key
		picture.Key = rendition.Key
		location, err := n.pictures.URL(picture, r.sent())
		if err != nil {
			return err
		}
		r.Renditions = append(r.Renditions, location)
	}
	return nil
}

// signBody signs the body by every signing secret of the template.
func (r *request) signBody(t stillcast.CallbackTemplate, id string, body []byte) error {
	if t.SigningSecret == "" {
		return nil
	}
	signatures := make([]string, 0, 2)
	for _, secret := range t.SigningSecrets() {
		signature, err := callback.SignWebhook(secret.Reveal(), id, r.sent(), body)
		if err != nil {
			return fmt.Errorf("callback template %q: %w", t.Name, err)
		}
		signatures = append(signatures, signature)
	}
	r.Signature = strings.Join(signatures, " ")
	return nil
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
	if p.asked {
		var err error
		if r.Request, err = p.record(); err != nil {
			n.log.Error("request cannot be kept", "event", d.Event.ID, "error", err)
		}
	}
	if p.err == nil {
		r.Outcome = state.OutcomeDelivered
		return r
	}
	r.Error = p.err.Error()
	wait, again := n.config.retryIn(p.profile, d)
	if asked, ok := retryAfter(p.retryAfter, p.started.Add(p.took)); ok && (asked > wait || n.config.shortens(p.profile, d)) {
		wait = asked
	}
	switch {
	case errors.Is(p.err, errStopping):
		r.Outcome, wait = state.OutcomeRetry, 0
	case p.hopeless, !again, p.status == http.StatusGone:
		r.Outcome = state.OutcomeParked
		return r
	default:
		r.Outcome = state.OutcomeRetry
	}
	// Ledgers keep microseconds; a rounded-up time would not be due when its
	// timer fires.
	r.RetryAt = n.clock.now().Add(wait).Truncate(time.Microsecond)
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
