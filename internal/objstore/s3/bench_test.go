package s3_test

import (
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/testkit"
)

// BenchmarkPut100KB shares the machine with the server: compare it with that of
// package file by what both processes cost together.
func BenchmarkPut100KB(b *testing.B) {
	for name, o := range map[string]testkit.VersityGWOptions{"http": {}, "https": {TLS: true}} {
		b.Run(name, func(b *testing.B) {
			g := startGateway(b, o)
			s := openStore(b, g.config(ownBucket))
			body := make([]byte, 100_000)
			var n atomic.Int64
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			b.SetParallelism(4)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					o := objstore.Object{
						Key: "2026-11-26/" + strconv.FormatInt(n.Add(1), 10) + ".jpg", Body: body,
						ContentType: "image/jpeg", CacheControl: "max-age=60",
					}
					if err := s.Put(b.Context(), o); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
