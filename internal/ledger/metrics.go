package ledger

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests *prometheus.CounterVec
	seconds  prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stillcast_ledger_requests_total", Help: "Requests to /api/v1, by operation and by the status of the answer.",
		}, []string{"operation", "status"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stillcast_ledger_seconds", Help: "Time to answer a request to /api/v1.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
		}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.seconds} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register the ledger's metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) observe(operation string, status int, took time.Duration) {
	m.requests.WithLabelValues(operation, strconv.Itoa(status)).Inc()
	m.seconds.Observe(took.Seconds())
}
