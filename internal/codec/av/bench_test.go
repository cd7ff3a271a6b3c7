package av_test

import (
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/media"
)

// BenchmarkShot1080p is one shot without the way to a worker and back, and the parts of its time. HDR is mapped when the
// first picture of a frame is made, which counts as scaling.
func BenchmarkShot1080p(b *testing.B) {
	const source = "mandelbrot=size=1920x1080,noise=alls=6:allf=t,format="
	rate := []string{"-b:v", "4M", "-maxrate", "4M", "-bufsize", "4M", "-colorspace", "bt709"}
	clips := []struct {
		name          string
		clip          codectest.Clip
		width, height int
	}{
		{"H.264", codectest.Make(b, source+"yuv420p", 1, rate...), 1920, 1080},
		{"H.264 to 1280x720", codectest.Make(b, source+"yuv420p", 1, rate...), 1280, 720},
		{"H.264 to 640x360", codectest.Make(b, source+"yuv420p", 1, rate...), 640, 360},
		{"H.264 turned", codectest.Make(b, source+"yuv420p", 1, append(rate, "-bsf:v", "h264_metadata=display_orientation=insert:rotate=90")...), 1080, 1920},
		{"HEVC", codectest.Encode(b, media.HEVC, source+"yuv420p", 1, "-crf", "24"), 1920, 1080},
		{"HEVC 10 bit", codectest.Encode(b, media.HEVC, source+"yuv420p10le", 1, "-crf", "24"), 1920, 1080},
		{"HEVC PQ", codectest.Encode(b, media.HEVC, source+"yuv420p10le", 1, "-crf", "24", "-color_trc", "smpte2084"), 1920, 1080},
		{"AV1", codectest.Encode(b, media.AV1, source+"yuv420p", 1, "-crf", "30"), 1920, 1080},
		{"VP9", codectest.Encode(b, media.VP9, source+"yuv420p", 1, "-crf", "30"), 1920, 1080},
		{"VP8", codectest.Encode(b, media.VP8, source+"yuv420p", 1, "-crf", "30", "-qmin", "20", "-qmax", "40", "-b:v", "4M"), 1920, 1080},
	}
	for _, c := range clips {
		b.Run(c.name, func(b *testing.B) {
			b.Logf("key frame of %d KiB", len(c.clip.Units[0])>>10)
			var decode, scale, encode time.Duration
			for b.Loop() {
				begin := time.Now()
				frame, err := av.Decode(input(c.clip), codectest.MaxPixels)
				if err != nil {
					b.Fatal(err)
				}
				decoded := time.Now()
				picture, err := frame.Picture(av.Geometry{Width: c.width, Height: c.height})
				if err != nil {
					b.Fatal(err)
				}
				scaled := time.Now()
				if _, err := picture.JPEG(av.JPEGOptions{Quality: 85}); err != nil {
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
