package av_test

import (
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/codec/codectest"
)

// BenchmarkShot1080p is one shot without the way to a worker and back, and the parts of its time.
func BenchmarkShot1080p(b *testing.B) {
	clip := codectest.Make(b, "mandelbrot=size=1920x1080,noise=alls=6:allf=t,format=yuv420p", 1, "-b:v", "4M", "-maxrate", "4M", "-bufsize", "4M", "-colorspace", "bt709")
	b.Logf("key frame of %d KiB", len(clip.Units[0])>>10)
	for _, size := range []struct {
		name          string
		width, height int
	}{{"1920x1080", 1920, 1080}, {"640x360", 640, 360}} {
		b.Run(size.name, func(b *testing.B) {
			var decode, scale, encode time.Duration
			for b.Loop() {
				begin := time.Now()
				frame, err := av.Decode(input(clip), codectest.MaxPixels)
				if err != nil {
					b.Fatal(err)
				}
				decoded := time.Now()
				picture, err := frame.Scale(size.width, size.height)
				if err != nil {
					b.Fatal(err)
				}
				scaled := time.Now()
				if _, err := picture.JPEG(85); err != nil {
					b.Fatal(err)
				}
				encode += time.Since(scaled)
				decode += decoded.Sub(begin)
				scale += scaled.Sub(decoded)
				picture.Close()
				frame.Close()
			}
			for unit, total := range map[string]time.Duration{"decode-ms/op": decode, "scale-ms/op": scale, "encode-ms/op": encode} {
				b.ReportMetric(float64(total.Microseconds())/1e3/float64(b.N), unit)
			}
		})
	}
}
