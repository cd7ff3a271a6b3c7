package console

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests *prometheus.CounterVec
	logins   *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, sessions func() float64) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stillcast_console_requests_total", Help: "Requests to the console, by the pattern of their path and the class of their answer's status.",
		}, []string{"route", "status"}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stillcast_console_logins_total", Help: "Tries to log in to the console: entered, refused, slowed (must wait first), busy (too many at once).",
		}, []string{"result"}),
	}
	held := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "stillcast_console_sessions", Help: "Browsers that are logged in to the console.",
	}, sessions)
	for _, c := range []prometheus.Collector{m.requests, m.logins, held} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register a metric of the console: %w", err)
		}
	}
	return m, nil
}
