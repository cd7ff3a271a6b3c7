package capture

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	due, passed, taken prometheus.Counter
	shed, failed       *prometheus.CounterVec
	age                prometheus.Histogram
}

func newMetrics(r prometheus.Registerer, queued func() float64) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "stillcast_capture_" + name, Help: help})
	}
	byReason := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "stillcast_capture_" + name, Help: help}, []string{"reason"})
	}
	m := &metrics{
		due:    counter("due_total", "Due times that came, over all streams."),
		passed: counter("passed_total", "Due times passed over because no key frame was near: the interval stretches to the key frames."),
		taken:  counter("taken_total", "Shots that are durable."),
		shed:   byReason("shed_total", "Shots given up before they were decoded, by reason."),
		failed: byReason("failed_total", "Shots that gave no picture or could not be recorded, by stage."),
		age: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "stillcast_capture_taken_age_seconds",
			Help:    "Time from the arrival of the frame until its shot is durable.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 12),
		}),
	}
	for _, reason := range []string{shedBehind, shedFull, shedStopping} {
		m.shed.WithLabelValues(reason)
	}
	for _, stage := range []string{stageDecode, stageRecord} {
		m.failed.WithLabelValues(stage)
	}
	r.MustRegister(m.due, m.passed, m.taken, m.shed, m.failed, m.age,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stillcast_capture_queue", Help: "Shots that wait to be decoded.",
		}, queued))
	return m
}
