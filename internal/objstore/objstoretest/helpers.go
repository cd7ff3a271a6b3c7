package objstoretest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/stillcast/stillcast/internal/objstore"
)

const (
	jpegType     = "image/jpeg"
	cacheForever = "public, max-age=60"
)

// jpeg returns a body that begins as a JPEG does, filled up with one byte.
func jpeg(size int, fill byte) []byte {
	body := bytes.Repeat([]byte{fill}, size)
	copy(body, []byte{0xFF, 0xD8, 0xFF, 0xE0, 0x00, 0x10, 'J', 'F', 'I', 'F', 0x00})
	return body
}

func picture(bucket, key string, body []byte) objstore.Object {
	return objstore.Object{
		Bucket: bucket, Key: key, Body: body,
		ContentType: jpegType, CacheControl: cacheForever,
	}
}

func mustPut(t *testing.T, s Store, o objstore.Object) {
	t.Helper()
	if err := s.Put(t.Context(), o); err != nil {
		t.Fatalf("Put(%q, %q): %v", o.Bucket, o.Key, err)
	}
}

func mustHead(t *testing.T, s Store, bucket, key string) objstore.Info {
	t.Helper()
	info, err := s.Head(t.Context(), bucket, key)
	if err != nil {
		t.Fatalf("Head(%q, %q): %v", bucket, key, err)
	}
	return info
}

func mustGet(t *testing.T, s Store, bucket, key string) ([]byte, objstore.Info) {
	t.Helper()
	r, info, err := s.Get(t.Context(), bucket, key)
	if err != nil {
		t.Fatalf("Get(%q, %q): %v", bucket, key, err)
	}
	body, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatalf("read %q, %q: %v", bucket, key, err)
	}
	return body, info
}

func wantBody(t *testing.T, s Store, bucket, key string, want []byte) {
	t.Helper()
	if got, _ := mustGet(t, s, bucket, key); !bytes.Equal(got, want) {
		t.Errorf("Get(%q, %q) gave %d bytes that are not the %d put", bucket, key, len(got), len(want))
	}
}

// wantMissing checks that both Head and Get say that there is no object.
func wantMissing(t *testing.T, s Store, bucket, key string) {
	t.Helper()
	if _, err := s.Head(t.Context(), bucket, key); !errors.Is(err, objstore.ErrNotFound) {
		t.Errorf("Head(%q, %q) gave the error %v, want ErrNotFound", bucket, key, err)
	}
	r, _, err := s.Get(t.Context(), bucket, key)
	if !errors.Is(err, objstore.ErrNotFound) {
		t.Errorf("Get(%q, %q) gave the error %v, want ErrNotFound", bucket, key, err)
	}
	if err == nil {
		_ = r.Close()
	}
}

// call is a method that asks the server, for an object that may not be there.
type call struct {
	method string
	do     func(ctx context.Context, s Store, bucket string) error
}

func calls(size int) []call {
	const key = "a.jpg"
	return []call{
		{"Put", func(ctx context.Context, s Store, bucket string) error {
			return s.Put(ctx, picture(bucket, key, jpeg(size, 'a')))
		}},
		{"Head", func(ctx context.Context, s Store, bucket string) error {
			_, err := s.Head(ctx, bucket, key)
			return err
		}},
		{"Get", func(ctx context.Context, s Store, bucket string) error {
			r, _, err := s.Get(ctx, bucket, key)
			if err == nil {
				_ = r.Close()
			}
			return err
		}},
		{"Delete", func(ctx context.Context, s Store, bucket string) error { return s.Delete(ctx, bucket, key) }},
	}
}

// Sizes of what callAll puts. A server that refuses a large one before it was
// sent may break the connection, and then cannot be heard.
const (
	small = 1000
	large = 2 << 20 // more than what lies between the two can hold
)

// callAll makes all calls at once and returns their errors by method.
func callAll(ctx context.Context, s Store, bucket string, size int) map[string]error {
	var wait sync.WaitGroup
	var mu sync.Mutex
	errs := make(map[string]error)
	for _, c := range calls(size) {
		wait.Go(func() {
			err := c.do(ctx, s, bucket)
			mu.Lock()
			defer mu.Unlock()
			errs[c.method] = err
		})
	}
	wait.Wait()
	return errs
}
