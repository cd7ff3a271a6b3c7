// Package objstoretest is the suite that every object store passes. The test of
// an implementation calls [Run] with a function that opens an empty store and
// declares what the store lacks. Nothing in it is skipped: for what is declared
// lacking, the suite checks that it really is, and that the store behaves as it
// should then.
package objstoretest

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

// Bucket is the bucket that the suite uses beside "". A store whose buckets are
// made elsewhere has both of them ready.
const Bucket = "shots-1250000000"

// Store is the contract, see package objstore.
type Store interface {
	Put(ctx context.Context, o objstore.Object) error
	Head(ctx context.Context, bucket, key string) (objstore.Info, error)
	Get(ctx context.Context, bucket, key string) (io.ReadCloser, objstore.Info, error)
	Delete(ctx context.Context, bucket, key string) error
	URL(shot stillcast.Shot, now time.Time) (string, error)
}

// Lacks declares what a store cannot do.
type Lacks struct {
	// ContentType: the type given to Put is not kept; that of pictures is right
	// all the same, since it is told from their bytes.
	ContentType bool
	// CacheControl: the Cache-Control given to Put is not kept.
	CacheControl bool
	// NestedKeys: a key cannot lie below another one ("a" and "a/b"); the
	// second Put fails with objstore.ErrName.
	NestedKeys bool
}

// Run runs the suite. Open returns an empty store and registers its closing
// with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Store, lacks Lacks) {
	t.Helper()
	s := suite{open: open, lacks: lacks}
	t.Run("PutHeadGet", s.putHeadGet)
	t.Run("Sizes", s.sizes)
	t.Run("Buckets", s.buckets)
	t.Run("NotFound", s.notFound)
	t.Run("Delete", s.deleteTwice)
	t.Run("Overwrite", s.overwrite)
	t.Run("ReaderKeepsItsObject", s.readerKeepsItsObject)
	t.Run("OddKeys", s.oddKeys)
	t.Run("NestedKeys", s.nestedKeys)
	t.Run("BadNames", s.badNames)
	t.Run("ContentType", s.contentType)
	t.Run("CacheControl", s.cacheControl)
	t.Run("Context", s.context)
	t.Run("ConcurrentPuts", s.concurrentPuts)
	t.Run("URL", s.url)
}

type suite struct {
	open  func(t *testing.T) Store
	lacks Lacks
}
