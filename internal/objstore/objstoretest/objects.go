package objstoretest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/objstore"
)

func (s Suite) putHeadGet(t *testing.T) {
	store := s.Open(t)
	body := jpeg(100_000, 'x')
	before := time.Now()
	mustPut(t, store, picture(Bucket, "2026-11-26/cam-1.jpg", body))
	after := time.Now()

	head := mustHead(t, store, Bucket, "2026-11-26/cam-1.jpg")
	got, info := mustGet(t, store, Bucket, "2026-11-26/cam-1.jpg")
	if !bytes.Equal(got, body) {
		t.Errorf("Get gave %d bytes that are not the %d put", len(got), len(body))
	}
	if diff := cmp.Diff(head, info); diff != "" {
		t.Errorf("Get describes the object differently from Head (-head +get):\n%s", diff)
	}
	if head.Size != int64(len(body)) {
		t.Errorf("Size is %d, want %d", head.Size, len(body))
	}
	if head.ContentType != jpegType {
		t.Errorf("ContentType is %q, want %q", head.ContentType, jpegType)
	}
	if len(head.ETag) < 3 || head.ETag[0] != '"' || head.ETag[len(head.ETag)-1] != '"' {
		t.Errorf("ETag is %s; want a strong one, quoted", head.ETag)
	}
	// Stores tell times in whole seconds, by clocks of their own.
	if head.Modified.Before(before.Add(-2*time.Second)) || head.Modified.After(after.Add(2*time.Second)) {
		t.Errorf("Modified is %s; the object was put between %s and %s", head.Modified, before, after)
	}
}

func (s Suite) sizes(t *testing.T) {
	store := s.Open(t)
	for _, size := range []int{0, 1, 11, 4096, 3<<20 + 1} {
		body := jpeg(size, 's')
		mustPut(t, store, picture(Bucket, "size.jpg", body))
		wantBody(t, store, Bucket, "size.jpg", body)
		if got := mustHead(t, store, Bucket, "size.jpg").Size; got != int64(size) {
			t.Errorf("Size is %d, want %d", got, size)
		}
	}
}

func (s Suite) buckets(t *testing.T) {
	store := s.Open(t)
	own, other := jpeg(100, 'a'), jpeg(100, 'b')
	if s.Lacks.OwnBucket {
		for method, err := range callAll(t.Context(), store, "", small) {
			wantKind(t, method, err, objstore.ErrName)
		}
		return
	}
	mustPut(t, store, picture("", "k.jpg", own))
	if s.Lacks.Buckets {
		wantBody(t, store, Bucket, "k.jpg", own)
		mustPut(t, store, picture(Bucket, "k.jpg", other))
		wantBody(t, store, "", "k.jpg", other)
		return
	}
	wantMissing(t, store, Bucket, "k.jpg")
	mustPut(t, store, picture(Bucket, "k.jpg", other))
	wantBody(t, store, "", "k.jpg", own)
	wantBody(t, store, Bucket, "k.jpg", other)
}

// missingBucket: what is not found there may be found tomorrow, when somebody
// has made the bucket, so nobody may be told that an object is not there.
func (s Suite) missingBucket(t *testing.T) {
	store := s.Open(t)
	switch {
	case s.Lacks.Buckets:
		return // no bucket but the one
	case s.Lacks.MissingBuckets:
		wantMissing(t, store, MissingBucket, "a.jpg")
		mustPut(t, store, picture(MissingBucket, "a.jpg", jpeg(10, 'a')))
		wantBody(t, store, MissingBucket, "a.jpg", jpeg(10, 'a'))
		return
	}
	for method, err := range callAll(t.Context(), store, MissingBucket, small) {
		if !errors.Is(err, objstore.ErrUnavailable) || errors.Is(err, objstore.ErrNotFound) {
			t.Errorf("%s in a bucket that does not exist gave the error %v, want ErrUnavailable", method, err)
		}
		if err != nil && !strings.Contains(err.Error(), MissingBucket) {
			t.Errorf("%s in a bucket that does not exist gave the error %v, which does not name the bucket", method, err)
		}
	}
}

func (s Suite) notFound(t *testing.T) {
	store := s.Open(t)
	wantMissing(t, store, Bucket, "none.jpg")
	mustPut(t, store, picture(Bucket, "a/b.jpg", jpeg(10, 'n')))
	wantMissing(t, store, Bucket, "a")
	wantMissing(t, store, Bucket, "a/b.jpg/c")
	wantMissing(t, store, Bucket, "a/B.jpg")
	wantMissing(t, store, Bucket, "a/"+strings.Repeat("n", objstore.MaxSegment))
}

func (s Suite) deleteTwice(t *testing.T) {
	store := s.Open(t)
	mustPut(t, store, picture(Bucket, "d/1.jpg", jpeg(10, '1')))
	mustPut(t, store, picture(Bucket, "d/2.jpg", jpeg(10, '2')))
	for range 2 {
		if err := store.Delete(t.Context(), Bucket, "d/1.jpg"); err != nil {
			t.Fatalf("Delete: %v", err)
		}
	}
	wantMissing(t, store, Bucket, "d/1.jpg")
	for _, none := range []string{"d", "d/2.jpg/x", "elsewhere/3.jpg"} {
		if err := store.Delete(t.Context(), Bucket, none); err != nil {
			t.Errorf("Delete of %q, which is no object: %v", none, err)
		}
	}
	wantBody(t, store, Bucket, "d/2.jpg", jpeg(10, '2'))
	mustPut(t, store, picture(Bucket, "d/1.jpg", jpeg(10, '3')))
	wantBody(t, store, Bucket, "d/1.jpg", jpeg(10, '3'))
}

func (s Suite) overwrite(t *testing.T) {
	store := s.Open(t)
	seen := make(map[string]byte)
	for fill := byte('a'); fill < 'a'+20; fill++ {
		mustPut(t, store, picture(Bucket, "same.jpg", jpeg(1000, fill)))
		wantBody(t, store, Bucket, "same.jpg", jpeg(1000, fill))
		etag := mustHead(t, store, Bucket, "same.jpg").ETag
		if before, ok := seen[etag]; ok {
			t.Fatalf("bodies %q and %q of one key have the same ETag %s", before, fill, etag)
		}
		seen[etag] = fill
	}
}

func (s Suite) readerKeepsItsObject(t *testing.T) {
	store := s.Open(t)
	old := jpeg(300_000, 'o')
	mustPut(t, store, picture(Bucket, "k.jpg", old))
	r, _, err := store.Get(t.Context(), Bucket, "k.jpg")
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	mustPut(t, store, picture(Bucket, "k.jpg", jpeg(200_000, 'n')))
	if err := store.Delete(t.Context(), Bucket, "k.jpg"); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatalf("read: %v", err)
	}
	if !bytes.Equal(got, old) {
		t.Errorf("a reader opened before an overwrite gave %d bytes that are not the %d of then", len(got), len(old))
	}
}

// concurrentPuts has several writers fight for one key while others read it:
// nobody may ever see a mix, a part, or nothing.
func (s Suite) concurrentPuts(t *testing.T) {
	store := s.Open(t)
	const writers, readers, rounds = 4, 2, 25
	size := func(fill byte) int { return 50_000 + 1000*int(fill) }
	mustPut(t, store, picture(Bucket, "hot.jpg", jpeg(size('a'), 'a')))

	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for w := range writers {
		fill := byte('a' + w)
		writing.Go(func() {
			for range rounds {
				if err := store.Put(t.Context(), picture(Bucket, "hot.jpg", jpeg(size(fill), fill))); err != nil {
					t.Errorf("Put: %v", err)
					return
				}
			}
		})
	}
	for range readers {
		reading.Go(func() {
			for {
				if err := readWhole(t.Context(), store, size); err != nil {
					t.Errorf("while others put: %v", err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
}

func readWhole(ctx context.Context, store Store, size func(byte) int) error {
	r, info, err := store.Get(ctx, Bucket, "hot.jpg")
	if err != nil {
		return err
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	if len(got) == 0 {
		return errors.New("the object is empty")
	}
	fill := got[len(got)-1]
	if !bytes.Equal(got, jpeg(size(fill), fill)) || info.Size != int64(len(got)) {
		return errors.New("the object is a mix, or not what Info describes")
	}
	return nil
}
