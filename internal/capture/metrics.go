package capture

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	due, passed, taken, poison      prometheus.Counter
	shed, failed, skipped, fallback *prometheus.CounterVec
	age                             prometheus.Histogram
}

func newMetrics(r prometheus.Registerer, queued, kept func() float64) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "stillcast_capture_" + name, Help: help})
	}
	by := func(label, name, help string, values ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "stillcast_capture_" + name, Help: help}, []string{label})
		for _, v := range values {
			c.WithLabelValues(v)
		}
		return c
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "stillcast_capture_" + name, Help: help}, value)
	}
	m := &metrics{
		due:    counter("due_total", "Due times that came, over all streams."),
		passed: counter("passed_total", "Due times passed over because no frame came near: key frames are rarer than the interval, or the stream stood still."),
		poison: counter("poison_total", "Inputs that killed two workers, or held them up too long. They are not tried again."),
		taken:  counter("taken_total", "Shots that are durable."),
		shed: by("reason", "shed_total", "Shots given up before they were decoded, by reason.",
			shedBehind, shedFull, shedStopping, shedPoison, shedHopeless, shedRoom),
		failed: by("reason", "failed_total", "Shots that gave no picture or could not be recorded, by stage.",
			stageDecode, stageRecord),
		skipped: by("reason", "skipped_total", "Shots left out as their template says, by reason.",
			skipBlack, skipUnchanged),
		fallback: by("reason", "exact_fallback_total", "Due times of exact templates that got a key frame, by reason.",
			fallbackGOP, fallbackTotal, fallbackUnits, fallbackBytes, fallbackShare, fallbackStart, fallbackFailed),
		age: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "stillcast_capture_taken_age_seconds",
			Help:    "Time from the arrival of the frame until its shot is durable.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 12),
		}),
	}
	r.MustRegister(m.due, m.passed, m.poison, m.taken, m.shed, m.failed, m.skipped, m.fallback, m.age,
		gauge("queue", "Shots that wait to be decoded.", queued),
		gauge("gop_bytes", "Memory of the pictures kept for exact shots and recovery points, over all streams.", kept))
	return m
}
