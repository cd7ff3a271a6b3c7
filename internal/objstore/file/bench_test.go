package file_test

import (
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/objstore/file"
)

func BenchmarkPut100KB(b *testing.B) {
	for _, fsync := range []bool{true, false} {
		b.Run("fsync="+strconv.FormatBool(fsync), func(b *testing.B) {
			o := file.Options{Config: file.DefaultConfig(), DataDir: b.TempDir(), PublicURL: "http://127.0.0.1:8080"}
			o.Config.Fsync = fsync
			s, err := file.Open(o)
			if err != nil {
				b.Fatal(err)
			}
			body := make([]byte, 100_000)
			var n atomic.Int64
			b.SetBytes(int64(len(body)))
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					key := "2026-11-26/" + strconv.FormatInt(n.Add(1), 10) + ".jpg"
					if err := s.Put(b.Context(), objstore.Object{Bucket: bucket, Key: key, Body: body}); err != nil {
						b.Error(err)
						return
					}
				}
			})
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
