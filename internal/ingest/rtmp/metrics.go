package rtmp

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

// metrics is what the server counts.
type metrics struct {
	connections prometheus.Gauge
	received    prometheus.Counter
	closed      map[reason]prometheus.Counter

	kept, skipped, shed, unconfigured prometheus.Counter
}

// counts gathers what a session counts between two reads: adding to shared
// counters for every message would cost more than the message.
type counts struct {
	kept, skipped, shed, unconfigured int
}

func newMetrics(reg prometheus.Registerer, video, commands *chunk.Budget) (*metrics, error) {
	connections := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "stillcast_rtmp_connections", Help: "Open RTMP connections.",
	})
	received := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "stillcast_rtmp_received_bytes_total", Help: "Bytes received on RTMP connections.",
	})
	closed := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "stillcast_rtmp_connections_closed_total", Help: "RTMP connections closed, by reason.",
	}, []string{"reason"})
	messages := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "stillcast_rtmp_messages_total",
		Help: "RTMP messages by what became of them: kept; skipped (nobody wanted them); " +
			"shed (no memory left for them); unconfigured (skipped key frames before a sequence header).",
	}, []string{"result"})
	m := &metrics{
		connections: connections, received: received,
		closed:       make(map[reason]prometheus.Counter),
		kept:         messages.WithLabelValues("kept"),
		skipped:      messages.WithLabelValues("skipped"),
		shed:         messages.WithLabelValues("shed"),
		unconfigured: messages.WithLabelValues("unconfigured"),
	}
	for _, r := range reasons() {
		m.closed[r] = closed.WithLabelValues(string(r))
	}
	all := []prometheus.Collector{
		connections, received, closed, messages, inFlight("video", video), inFlight("command", commands),
	}
	for _, c := range all {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register RTMP metrics: %w", err)
		}
	}
	return m, nil
}

func inFlight(kind string, b *chunk.Budget) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "stillcast_rtmp_in_flight_bytes",
		Help:        "Memory of RTMP messages that are half received.",
		ConstLabels: prometheus.Labels{"kind": kind},
	}, func() float64 { return float64(b.Used()) })
}

// add counts what a session did since the last time, and clears c.
func (m *metrics) add(received int, c *counts) {
	m.received.Add(float64(received))
	for _, one := range []struct {
		counter prometheus.Counter
		n       int
	}{{m.kept, c.kept}, {m.skipped, c.skipped}, {m.shed, c.shed}, {m.unconfigured, c.unconfigured}} {
		if one.n > 0 {
			one.counter.Add(float64(one.n))
		}
	}
	*c = counts{}
}
