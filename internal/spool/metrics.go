package spool

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	stored  *prometheus.CounterVec
	aside   *prometheus.GaugeVec
	open    *prometheus.GaugeVec
	failed  *prometheus.CounterVec
	seconds prometheus.Histogram
}

func newMetrics(r prometheus.Registerer, stats func(context.Context) (int64, int64, error), oldest func(context.Context) (time.Time, error)) *metrics {
	m := &metrics{
		stored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stillcast_spool_stored_total", Help: "Pictures stored, by lane: the primary store alone, or that and a mirror.",
		}, []string{"store"}),
		aside: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "stillcast_spool_aside_pictures", Help: "Shots whose pictures could not be stored and that wait to be tried again, by lane.",
		}, []string{"store"}),
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "stillcast_spool_breaker_open", Help: "1 while a store does not work and is only tried with one picture at a time.",
		}, []string{"store"}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stillcast_spool_failed_total", Help: "Tries to store a picture that failed, by store and kind of error.",
		}, []string{"store", "kind"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stillcast_spool_store_seconds", Help: "Time to store the pictures of a shot and note it.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
	}
	gauge := func(name, help string, value func(context.Context) (float64, error)) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			v, err := value(context.Background())
			if err != nil {
				return -1
			}
			return v
		})
	}
	r.MustRegister(m.stored, m.aside, m.open, m.failed, m.seconds,
		gauge("stillcast_spool_pictures", "Pictures that wait to be stored.", func(ctx context.Context) (float64, error) {
			count, _, err := stats(ctx)
			return float64(count), err
		}),
		gauge("stillcast_spool_bytes", "Bytes of the pictures that wait to be stored.", func(ctx context.Context) (float64, error) {
			_, bytes, err := stats(ctx)
			return float64(bytes), err
		}),
		gauge("stillcast_spool_oldest_seconds", "Age of the oldest picture that waits to be stored; 0 for none.", func(ctx context.Context) (float64, error) {
			at, err := oldest(ctx)
			if err != nil || at.IsZero() {
				return 0, err
			}
			return max(0, time.Since(at).Seconds()), nil
		}))
	return m
}
