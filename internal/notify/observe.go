package notify

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// observe counts an attempt and writes its one line of log.
func (n *Notifier) observe(p report, r state.Result, d state.Delivery) {
	word := n.metrics.attempt(r, p.err)
	level := slog.LevelInfo
	if p.err != nil {
		level = slog.LevelWarn
	}
	if r.Outcome == state.OutcomeDelivered {
		n.metrics.lag.Observe(time.Since(d.Event.At).Seconds())
	}
	if !n.log.Enabled(context.Background(), level) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 12),
		slog.String("event", d.Event.ID),
		slog.String("event_type", d.Event.Type.String()),
		slog.String("stream", d.Event.Stream.String()),
		slog.Int64("sequence", d.Sequence),
		slog.String("destination", labelOf(d.Destination, p.name)),
		slog.String("url", p.To),
		slog.Int("attempt", d.Attempt),
		slog.Int("status", p.status),
		slog.Duration("took", p.took),
		slog.String("outcome", word),
	)
	if p.err != nil {
		attrs = append(attrs, slog.String("error", p.err.Error()))
	}
	if r.Outcome == state.OutcomeRetry {
		attrs = append(attrs, slog.Time("retry_at", r.RetryAt))
	}
	n.log.LogAttrs(context.Background(), level, "attempt", attrs...)
}

// tellBreaker logs and counts that a breaker opened or closed.
func (n *Notifier) tellBreaker(d stillcast.Destination, b breaker, p report) {
	name := labelOf(d, p.name)
	if !b.open() {
		n.metrics.closed.Inc()
		n.log.Info("destination works again", "destination", name, "url", p.To, "status", p.status)
		return
	}
	n.metrics.opened.Inc()
	n.log.Warn("destination does not work; it is only probed until it does", "destination", name, "url", p.To,
		"unanswered", b.unanswered, "failed", b.failed, "error", p.err)
}

// label names a destination in logs and metrics: template name and event type.
func (n *Notifier) label(d stillcast.Destination) string {
	template, _ := n.settings.CallbackTemplateByID(d.TemplateID)
	return labelOf(d, template.Name)
}

// labelOf is label where the template's name is known; "" for one that is gone.
func labelOf(d stillcast.Destination, name string) string {
	if name == "" {
		name = "template " + strconv.FormatInt(d.TemplateID, 10)
	}
	return name + "/" + d.Event.String()
}
