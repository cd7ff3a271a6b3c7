package codec

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Why a worker was replaced: labels of the metric.
const (
	reasonDied     = "died"     // during a shot or between two
	reasonTimeout  = "timeout"  // its shot took too long
	reasonProtocol = "protocol" // it answered nonsense
	reasonRecycled = "recycled" // after Config.MaxShots, or with little left of Config.CPULimit
	reasonBloated  = "bloated"  // it held more than Config.MaxRSS after a shot
	reasonStart    = "start"    // it did not come up
)

type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	workers  prometheus.Gauge
	restarts *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stillcast_codec_requests_total",
			Help: "Shots asked of the workers, by result.",
		}, []string{"result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "stillcast_codec_seconds",
			Help:    "Time of shots in a worker, by stage: decode, scale, encode.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"stage"}),
		workers: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "stillcast_codec_workers",
			Help: "Worker processes that are ready or busy.",
		}),
		restarts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stillcast_codec_worker_restarts_total",
			Help: "Workers replaced, by reason.",
		}, []string{"reason"}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.seconds, m.workers, m.restarts} {
		if err := registerer.Register(c); err != nil {
			return nil, fmt.Errorf("register the codec's metrics: %w", err)
		}
	}
	for _, reason := range []string{reasonDied, reasonTimeout, reasonProtocol, reasonRecycled, reasonBloated, reasonStart} {
		m.restarts.WithLabelValues(reason)
	}
	return m, nil
}

func (m *metrics) observe(r *Result, err error) {
	m.requests.WithLabelValues(resultOf(err)).Inc()
	if err != nil {
		return
	}
	stages := []struct {
		name string
		took time.Duration
	}{{"decode", r.Decode}, {"scale", r.Scale}, {"encode", r.Encode}}
	for _, s := range stages {
		m.seconds.WithLabelValues(s.name).Observe(s.took.Seconds())
	}
}
