package ingest

import "github.com/prometheus/client_golang/prometheus"

type gateMetrics struct {
	admitted    prometheus.Counter
	refused     *prometheus.CounterVec // by error code
	unsupported *prometheus.CounterVec // by codec
	noVideo     prometheus.Counter
}

func newGateMetrics(r prometheus.Registerer, live func() float64) *gateMetrics {
	m := &gateMetrics{
		admitted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stillcast_ingest_pushes_total", Help: "Pushes accepted.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stillcast_ingest_refused_total", Help: "Pushes refused, by kind of error.",
		}, []string{"code"}),
		unsupported: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stillcast_ingest_unsupported_codec_total", Help: "Pushes ended because their video codec cannot be decoded.",
		}, []string{"codec"}),
		noVideo: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stillcast_ingest_no_video_total", Help: "Pushes that sent no video for a while after their begin.",
		}),
	}
	r.MustRegister(m.admitted, m.refused, m.unsupported, m.noVideo,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stillcast_ingest_streams", Help: "Streams that are live now.",
		}, live))
	return m
}
