package media_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/media"
)

func TestUnroller(t *testing.T) {
	const wrap31, wrap32 = 1 << 31, 1 << 32
	tests := []struct {
		name string
		in   []uint32
		want []int64 // in milliseconds
	}{
		{"plain", []uint32{5, 45, 85}, []int64{5, 45, 85}},
		{"backwards", []uint32{100, 60, 140}, []int64{100, 60, 140}},
		{"FFmpeg wraps at 2^31", []uint32{2147482295, 647, 2647}, []int64{2147482295, wrap31 + 647, wrap31 + 2647}},
		{"specification wraps at 2^32", []uint32{math.MaxUint32 - 10, 29}, []int64{wrap32 - 11, wrap32 + 29}},
		{"passes 2^31 without a wrap", []uint32{math.MaxInt32, 1 << 31, 1<<31 + 40}, []int64{math.MaxInt32, wrap31, wrap31 + 40}},
		{"back over a wrap", []uint32{math.MaxInt32 - 9, 10, math.MaxInt32 - 9}, []int64{wrap31 - 10, wrap31 + 10, wrap31 - 10}},
		{"many wraps", []uint32{0, 1 << 29, 2 << 29, 3 << 29, 0, 1 << 29}, []int64{0, 1 << 29, 2 << 29, 3 << 29, 4 << 29, 5 << 29}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var u media.Unroller
			var got []int64
			for _, timestamp := range tt.in {
				looked := u.At(timestamp)
				d := u.Unroll(timestamp)
				if looked != d || u.At(timestamp) != d {
					t.Errorf("At(%d) is %s before and %s after Unroll, which is %s", timestamp, looked, u.At(timestamp), d)
				}
				got = append(got, d.Milliseconds())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("times (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzUnroller(f *testing.F) {
	f.Add(uint32(0), int32(40), true)
	f.Add(uint32(math.MaxInt32), int32(40), true)
	f.Add(uint32(math.MaxUint32), int32(-40), false)
	f.Fuzz(func(t *testing.T, start uint32, step int32, mod31 bool) {
		step %= 1 << 30
		next := start + uint32(step)
		if mod31 {
			start &= math.MaxInt32
			next = (start + uint32(step)) & math.MaxInt32
		}
		var u media.Unroller
		first := u.Unroll(start)
		if got := u.Unroll(next) - first; got != time.Duration(step)*time.Millisecond {
			t.Fatalf("from %d to %d: step of %s, want %d ms", start, next, got, step)
		}
	})
}
