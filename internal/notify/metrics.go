package notify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast/internal/state"
)

// metrics counts what the notifier does.
type metrics struct {
	attempts   map[string]prometheus.Counter // by result
	opened     prometheus.Counter
	closed     prometheus.Counter
	lag        prometheus.Histogram
	unrecorded prometheus.Counter
}

func newMetrics(registerer prometheus.Registerer, n *Notifier) (*metrics, error) {
	attempts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "stillcast_notify_attempts_total",
		Help: "Attempts to deliver an event, by result: delivered, retry, parked or interrupted.",
	}, []string{"result"})
	changes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "stillcast_notify_breaker_changes_total",
		Help: "Breakers of destinations that opened, because the destination does not work, or closed again.",
	}, []string{"to"})
	m := &metrics{
		attempts: map[string]prometheus.Counter{},
		opened:   changes.WithLabelValues("open"),
		closed:   changes.WithLabelValues("closed"),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "stillcast_notify_lag_seconds",
			Help:    "Time from an event (for a shot: the arrival of its frame) to its delivery, retries included.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 7200, 43200, 172800},
		}),
		unrecorded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stillcast_notify_unrecorded_total",
			Help: "Attempts whose result could not be recorded; their events are sent again.",
		}),
	}
	for _, result := range []string{resultDelivered, resultRetry, resultParked, resultInterrupted} {
		m.attempts[result] = attempts.WithLabelValues(result) // a counter that appears at 1 hides its first increase
	}
	gauge := func(name, help string, value func(*schedule) int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			n.mu.Lock()
			defer n.mu.Unlock()
			return float64(value(n.schedule))
		})
	}
	for _, c := range []prometheus.Collector{
		attempts, changes, m.lag, m.unrecorded, newBacklogCollector(n),
		gauge("stillcast_notify_slots_busy", "Slots taken by requests under way.",
			func(s *schedule) int { return s.busy }),
		gauge("stillcast_notify_destinations_probed", "Destinations that do not work and are sent only probes.",
			func(s *schedule) int { return s.breakers }),
		gauge("stillcast_notify_destinations_paused", "Destinations that somebody, or an answer of 410, paused.",
			func(s *schedule) int { return s.paused() }),
	} {
		if err := registerer.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

// The results of an attempt, in logs and metrics.
const (
	resultDelivered   = "delivered"
	resultRetry       = "retry"
	resultParked      = "parked"
	resultInterrupted = "interrupted"
)

// attempt counts an attempt and returns the word for its result.
func (m *metrics) attempt(r state.Result, err error) string {
	word := resultRetry
	switch {
	case errors.Is(err, errStopping):
		word = resultInterrupted
	case r.Outcome == state.OutcomeDelivered:
		word = resultDelivered
	case r.Outcome == state.OutcomeParked:
		word = resultParked
	}
	m.attempts[word].Inc()
	return word
}

const (
	backlogFresh   = 5 * time.Second // how long what was read serves more scrapes
	backlogTimeout = 5 * time.Second
)

// backlogCollector tells what is owed, as the ledger has it: also what waits,
// is delayed or is parked.
type backlogCollector struct {
	n          *Notifier
	deliveries *prometheus.Desc
	oldest     *prometheus.Desc
	backlog    *prometheus.Desc
	open       *prometheus.Desc

	mu   sync.Mutex
	read time.Time
	last []state.Backlog
}

func newBacklogCollector(n *Notifier) *backlogCollector {
	return &backlogCollector{
		n: n,
		deliveries: prometheus.NewDesc("stillcast_notify_deliveries",
			"Deliveries that are not done, by state: waiting for their picture, pending, claimed or parked.", []string{"state"}, nil),
		oldest: prometheus.NewDesc("stillcast_notify_oldest_undelivered_seconds",
			"Age of a destination's oldest event that is neither delivered nor parked; 0 when there is none.", []string{"destination"}, nil),
		backlog: prometheus.NewDesc("stillcast_notify_backlog",
			"Deliveries owed to a destination that are neither delivered nor parked.", []string{"destination"}, nil),
		open: prometheus.NewDesc("stillcast_notify_breaker_open",
			"1 for a destination that does not work and is sent only probes, 0 for others.", []string{"destination"}, nil),
	}
}

// Describe implements [prometheus.Collector].
func (c *backlogCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.deliveries
	out <- c.oldest
	out <- c.backlog
	out <- c.open
}

// Collect implements [prometheus.Collector].
func (c *backlogCollector) Collect(out chan<- prometheus.Metric) {
	type owed struct{ age, count float64 }
	states := map[string]int64{}
	destinations := map[string]owed{} // by label: two templates may share a name
	now := time.Now()
	for _, b := range c.backlogs(now) {
		states["waiting"] += b.Waiting
		states["pending"] += b.Pending
		states["claimed"] += b.Claimed
		states["parked"] += b.Parked
		label := c.n.label(b.Destination)
		o := destinations[label]
		o.count += float64(b.Waiting + b.Pending + b.Claimed)
		if !b.Oldest.IsZero() {
			o.age = max(o.age, now.Sub(b.Oldest).Seconds())
		}
		destinations[label] = o
	}
	for _, name := range []string{"waiting", "pending", "claimed", "parked"} {
		out <- prometheus.MustNewConstMetric(c.deliveries, prometheus.GaugeValue, float64(states[name]), name)
	}
	for label, o := range destinations {
		out <- prometheus.MustNewConstMetric(c.oldest, prometheus.GaugeValue, o.age, label)
		out <- prometheus.MustNewConstMetric(c.backlog, prometheus.GaugeValue, o.count, label)
	}
	open := map[string]float64{}
	for _, h := range c.n.Health() {
		label := c.n.label(h.Destination)
		open[label] += 0
		if h.Breaker == BreakerOpen {
			open[label] = 1
		}
	}
	for label, value := range open {
		out <- prometheus.MustNewConstMetric(c.open, prometheus.GaugeValue, value, label)
	}
}

// backlogs reads the ledger, unless it was read a moment ago. When that fails,
// what was read before still tells more than nothing: ages go on growing.
func (c *backlogCollector) backlogs(now time.Time) []state.Backlog {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.read.IsZero() && now.Sub(c.read) < backlogFresh {
		return c.last
	}
	ctx, cancel := context.WithTimeout(c.n.results, backlogTimeout)
	defer cancel()
	backlogs, err := c.n.ledger.Backlogs(ctx)
	if err != nil {
		c.n.log.Error("reading what is owed for the metrics failed", "error", err)
		return c.last
	}
	c.read, c.last = now, backlogs
	return backlogs
}
