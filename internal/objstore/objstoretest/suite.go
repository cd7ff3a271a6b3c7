// Package objstoretest is the suite that every object store passes. The test of
// an implementation calls [Run] with functions that open stores and declares
// what the store lacks. Nothing in it is skipped: for what is declared lacking,
// the suite checks that it really is, and that the store behaves as it should
// then.
package objstoretest

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/objstore"
)

// Bucket is the bucket that the suite uses beside "". A store whose buckets are
// made elsewhere has both of them ready.
const Bucket = "shots-1250000000"

// MissingBucket is a bucket that nobody made.
const MissingBucket = "missing-1250000000"

// Store is the contract, see package objstore.
type Store interface {
	Put(ctx context.Context, o objstore.Object) error
	Head(ctx context.Context, bucket, key string) (objstore.Info, error)
	Get(ctx context.Context, bucket, key string) (io.ReadCloser, objstore.Info, error)
	Delete(ctx context.Context, bucket, key string) error
	PublicURL(bucket, region, key string) (string, error)
	Presign(ctx context.Context, bucket, key string, lifetime time.Duration) (string, error)
}

// Fault is what is wrong with the server that a store of [Suite.Faulty] talks to.
type Fault string

// The faults. All but FaultHalf befall every request.
const (
	FaultDenied      Fault = "denied"      // the server refuses the credentials, truly
	FaultThrottled   Fault = "throttled"   // it asks to slow down, as this kind of server does
	FaultUnavailable Fault = "unavailable" // it answers 503 and nothing else
	FaultBroken      Fault = "broken"      // it answers 500, as this kind of server does
	FaultRefused     Fault = "refused"     // nobody listens at its address
	FaultReset       Fault = "reset"       // it reads some of the request and resets the connection
	FaultSilent      Fault = "silent"      // it reads some of the request and then does nothing
	FaultHalf        Fault = "half"        // all is well, but answers to GET end in the midst of the object
)

// Lacks declares what a store cannot do.
type Lacks struct {
	// ContentType: the type given to Put is not kept; that of pictures is right
	// all the same, since it is told from their bytes.
	ContentType bool
	// CacheControl: the Cache-Control given to Put is not kept.
	CacheControl bool
	// Metadata: what is given to Put is checked and dropped.
	Metadata bool
	// NestedKeys: a key cannot lie below another one ("a" and "a/b"); the
	// second Put fails with objstore.ErrName.
	NestedKeys bool
	// Buckets: all objects are in one bucket, whatever bucket they name.
	Buckets bool
	// OwnBucket: there is no bucket ""; objstore.ErrName.
	OwnBucket bool
	// MissingBuckets: a bucket comes into being with its first object.
	MissingBuckets bool
	// Server: the store talks to none, so that faults of one, and deadlines
	// that pass while it is asked, are not tested; Suite.Faulty is nil.
	Server bool
}

// Suite is what [Run] needs from the test of an implementation.
type Suite struct {
	// Open returns an empty store and registers its closing with t.Cleanup.
	Open func(t *testing.T) Store
	// Faulty returns a store whose server has a fault, with the buckets as those
	// of Open and no object.
	Faulty func(t *testing.T, fault Fault) Store
	// Client fetches the URLs that Presign gives; nil for a plain one.
	Client *http.Client
	Lacks  Lacks
}

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	t.Helper()
	if (s.Faulty == nil) != s.Lacks.Server {
		t.Fatal("either a store declares that it lacks a server, or the suite gets faulty ones")
	}
	if s.Client == nil {
		s.Client = plainClient(t)
	}
	t.Run("PutHeadGet", s.putHeadGet)
	t.Run("Sizes", s.sizes)
	t.Run("Buckets", s.buckets)
	t.Run("MissingBucket", s.missingBucket)
	t.Run("NotFound", s.notFound)
	t.Run("Delete", s.deleteTwice)
	t.Run("Overwrite", s.overwrite)
	t.Run("ReaderKeepsItsObject", s.readerKeepsItsObject)
	t.Run("OddKeys", s.oddKeys)
	t.Run("NestedKeys", s.nestedKeys)
	t.Run("BadNames", s.badNames)
	t.Run("ContentType", s.contentType)
	t.Run("CacheControl", s.cacheControl)
	t.Run("Metadata", s.metadata)
	t.Run("BadMetadata", s.badMetadata)
	t.Run("Context", s.context)
	t.Run("ConcurrentPuts", s.concurrentPuts)
	t.Run("PublicURL", s.publicURL)
	t.Run("Presign", s.presign)
	t.Run("PresignTampered", s.presignTampered)
	t.Run("PresignExpires", s.presignExpires)
	t.Run("PresignLifetimes", s.presignLifetimes)
	if !s.Lacks.Server {
		t.Run("Faults", s.faults)
		t.Run("HalfAnAnswer", s.halfAnAnswer)
		t.Run("Deadline", s.deadline)
		t.Run("Cancel", s.cancel)
	}
}
