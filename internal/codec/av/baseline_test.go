package av_test

import "testing"

// jpegs has both encoders of baseline JPEGs in it.
var jpegs = program{
	main: "jpegs.c",
	sources: []string{
		"jpeg.c", "baseline.c", "entropy.c", "transform.c", "transform_avx2.c", "strip.c", "rows.c", "rows_avx2.c", "rows_neon.c", "colour.c",
	},
	libraries: []string{"libavutil", "libjpeg"},
}

// The JPEGs that are made here are, byte by byte, those of libjpeg: of noise, of the largest coefficients, of flat and of
// usual pictures, of odd and of tiny ones, at every quality.
func TestJPEGsAreThoseOfLibjpeg(t *testing.T) {
	t.Parallel()
	jpegs.test(t)
}

// BenchmarkBaseline is the encoding of one picture of 1920x1080 at quality 85, its colours included, by both.
func BenchmarkBaseline(b *testing.B) {
	jpegs.measure(b)
}
