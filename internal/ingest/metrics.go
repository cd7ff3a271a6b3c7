package ingest

import "github.com/prometheus/client_golang/prometheus"

type gateMetrics struct {
	admitted    prometheus.Counter
	refused     map[Reason]prometheus.Counter
	unsupported *prometheus.CounterVec // by codec
	noVideo     prometheus.Counter
}

func newGateMetrics(r prometheus.Registerer, live func() float64) *gateMetrics {
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "stillcast_ingest_refused_total", Help: "Pushes refused, by reason.",
	}, []string{"reason"})
	m := &gateMetrics{
		refused: map[Reason]prometheus.Counter{},
		admitted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stillcast_ingest_pushes_total", Help: "Pushes accepted.",
		}),
		unsupported: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stillcast_ingest_unsupported_codec_total", Help: "Pushes ended because their video codec cannot be decoded.",
		}, []string{"codec"}),
		noVideo: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stillcast_ingest_no_video_total", Help: "Pushes that sent no video for a while after their begin.",
		}),
	}
	for _, reason := range reasons() {
		m.refused[reason] = refused.WithLabelValues(string(reason))
	}
	r.MustRegister(m.admitted, refused, m.unsupported, m.noVideo,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stillcast_ingest_streams", Help: "Streams that are live now.",
		}, live))
	return m
}
