package app

import (
	"testing"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/objstore/cos"
	"github.com/stillcast/stillcast/internal/objstore/s3"
)

// TestOneBucketForAll: where several templates' pictures share a bucket, the rows
// of their shots name that one, in which a key is given once; and a mirror keeps
// the buckets apart.
func TestOneBucketForAll(t *testing.T) {
	cfg := config.Default()
	cfg.DataDir = t.TempDir()
	cfg.Storage.Type = config.StorageS3
	cfg.Storage.S3 = s3.DefaultConfig()
	cfg.Storage.S3.Endpoint, cfg.Storage.S3.Bucket = "http://127.0.0.1:9", "all"
	cfg.Storage.S3.AccessKey, cfg.Storage.S3.SecretKey = "key", "secret"
	backup := cos.DefaultConfig()
	backup.Bucket, backup.Region = "backup-1250000000", "ap-guangzhou"
	backup.SecretID, backup.SecretKey = "id", "secret"
	cfg.Storage.Mirrors = []config.Mirror{
		{Name: "cos", Type: config.StorageCOS, COS: backup},
		{Name: "file", Type: config.StorageFile, File: config.Default().Storage.File},
	}
	places, err := openPlaces(&cfg, "http://127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := places.close(); err != nil {
			t.Error(err)
		}
	}()
	for _, name := range []string{"", "one-1", "two-2"} {
		if got := places.primary.bucket(name); got != "all" {
			t.Errorf("the bucket %q is %q in the first store, want all", name, got)
		}
	}
	if got := places.primary.key("all", "a.jpg"); got != "a.jpg" {
		t.Errorf("the key in the first store is %q, want that of the event", got)
	}
	for i, want := range []string{"one-1/a.jpg", "a.jpg"} {
		if got := places.mirrors[i].key("one-1", "a.jpg"); got != want {
			t.Errorf("the key in mirror %d is %q, want %q", i, got, want)
		}
	}
	if store, bucket := places.mirrors[0].at(stillcast.Shot{Bucket: "one-1", Region: "ap-beijing"}); store != places.mirrors[0].objects || bucket != "" {
		t.Errorf("a shot of another bucket and region is in %q, want the mirror's own bucket", bucket)
	}
}
