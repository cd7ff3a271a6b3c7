package api

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	calls   *prometheus.CounterVec
	seconds prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stillcast_api_calls_total", Help: "Calls of the control API, by action and by the code of the answer, which is empty for a success.",
		}, []string{"action", "code"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stillcast_api_seconds", Help: "Time to answer a call.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 12),
		}),
	}
	for _, c := range []prometheus.Collector{m.calls, m.seconds} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register the api's metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) observe(action string, reply any, took time.Duration) {
	code := ""
	if f, ok := reply.(*fault); ok {
		code = f.Code
	}
	m.calls.WithLabelValues(action, code).Inc()
	m.seconds.Observe(took.Seconds())
}
