package cos_test

import (
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stillcast/stillcast/internal/objstore"
)

// BenchmarkPut100KB includes what the double does: it reads the object, checks
// its signature and makes both sums of it, in the same process.
func BenchmarkPut100KB(b *testing.B) {
	_, c := double(b)
	s := open(b, c)
	body := make([]byte, 100_000)
	var n atomic.Int64
	b.SetBytes(int64(len(body)))
	b.SetParallelism(4)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			key := "2026-11-26/" + strconv.FormatInt(n.Add(1)%100, 10) + ".jpg" // memory stays bounded
			if err := s.Put(b.Context(), objstore.Object{Key: key, Body: body, ContentType: "image/jpeg"}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
