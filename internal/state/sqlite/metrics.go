package sqlite

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	commitSeconds prometheus.Histogram
	batchSize     prometheus.Histogram
	failedCommits prometheus.Counter
	queue         prometheus.GaugeFunc
}

// newMetrics makes the metrics; waiting tells how many changes are queued.
func newMetrics(waiting func() int) *metrics {
	return &metrics{
		commitSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "stillcast_state_commit_seconds",
			Help:    "Time that a commit of the state took until it was on the disk.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
		batchSize: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "stillcast_state_batch_size",
			Help:    "Changes that were made durable by one commit of the state.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
		failedCommits: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stillcast_state_failed_commits_total",
			Help: "Commits of the state that failed, with all their changes, and single changes that the database could not make.",
		}),
		queue: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stillcast_state_queue",
			Help: "Changes that wait for the writer of the state.",
		}, func() float64 { return float64(waiting()) }),
	}
}

func (m *metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.commitSeconds, m.batchSize, m.failedCommits, m.queue}
}

// register registers all metrics or, with an error, none.
func (m *metrics) register(r prometheus.Registerer) error {
	for i, c := range m.collectors() {
		err := r.Register(c)
		if err == nil {
			continue
		}
		for _, done := range m.collectors()[:i] {
			r.Unregister(done)
		}
		return fmt.Errorf("register metrics of the state: %w", err)
	}
	return nil
}

func (m *metrics) unregister(r prometheus.Registerer) {
	for _, c := range m.collectors() {
		r.Unregister(c)
	}
}
