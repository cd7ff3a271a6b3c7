package spool

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	stored  prometheus.Counter
	aside   prometheus.Gauge
	failed  *prometheus.CounterVec
	seconds prometheus.Histogram
}

func newMetrics(r prometheus.Registerer, stats func(context.Context) (int64, int64, error)) *metrics {
	m := &metrics{
		stored: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stillcast_spool_stored_total", Help: "Pictures stored.",
		}),
		aside: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "stillcast_spool_aside_pictures", Help: "Shots whose pictures could not be stored and that wait to be tried again.",
		}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stillcast_spool_failed_total", Help: "Tries to store a picture that failed, by kind of error.",
		}, []string{"kind"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stillcast_spool_store_seconds", Help: "Time to store the pictures of a shot and note it.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
	}
	gauge := func(name, help string, value func(count, bytes int64) int64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			count, bytes, err := stats(context.Background())
			if err != nil {
				return -1
			}
			return float64(value(count, bytes))
		})
	}
	r.MustRegister(m.stored, m.aside, m.failed, m.seconds,
		gauge("stillcast_spool_pictures", "Pictures that wait to be stored.", func(count, _ int64) int64 { return count }),
		gauge("stillcast_spool_bytes", "Bytes of the pictures that wait to be stored.", func(_, bytes int64) int64 { return bytes }))
	return m
}
