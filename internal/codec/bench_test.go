package codec

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast/internal/codec/codectest"
)

// BenchmarkPool1080p is one shot after another through one worker; "rest" is what is not the worker's own work.
func BenchmarkPool1080p(b *testing.B) {
	config := DefaultConfig()
	config.Workers = 1
	p, err := NewPool(config, builtWorker(b, "real"), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	if err := p.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	r := request(codectest.Make(b, "mandelbrot=size=1920x1080,noise=alls=6:allf=t,format=yuv420p", 1, "-b:v", "4M", "-maxrate", "4M", "-bufsize", "4M", "-colorspace", "bt709"))
	var decode, scale, encode time.Duration
	size := 0
	begin := time.Now()
	for b.Loop() {
		made, err := p.Shoot(b.Context(), r)
		if err != nil {
			b.Fatal(err)
		}
		decode += made.Decode
		scale += made.Scale
		encode += made.Encode
		size = len(made.Pictures[0].Data)
	}
	rest := time.Since(begin) - decode - scale - encode
	b.Logf("key frame of %d KiB, JPEG of %d KiB", len(r.Units[0])>>10, size>>10)
	for unit, total := range map[string]time.Duration{"decode-ms/op": decode, "scale-ms/op": scale, "encode-ms/op": encode, "rest-ms/op": rest} {
		b.ReportMetric(float64(total.Microseconds())/1e3/float64(b.N), unit)
	}
}
