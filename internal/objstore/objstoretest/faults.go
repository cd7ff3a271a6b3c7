package objstoretest

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/objstore"
)

// Long enough for a request to be under way, short for who waits for the test.
const underWay = 100 * time.Millisecond

func (s Suite) faults(t *testing.T) {
	for fault, want := range map[Fault]error{
		FaultDenied:      objstore.ErrDenied,
		FaultThrottled:   objstore.ErrThrottled,
		FaultUnavailable: objstore.ErrUnavailable,
		FaultBroken:      objstore.ErrUnavailable,
		FaultRefused:     objstore.ErrUnavailable,
		FaultReset:       objstore.ErrUnavailable,
	} {
		t.Run(string(fault), func(t *testing.T) {
			for method, err := range callAll(t.Context(), s.Faulty(t, fault), Bucket, small) {
				if method == "Head" && fault == FaultThrottled && errors.Is(err, objstore.ErrUnavailable) {
					continue // its answer has no body that could tell one 503 from another
				}
				wantKind(t, method, err, want)
			}
		})
	}
}

// wantKind checks that an error is of one kind and of no other.
func wantKind(t *testing.T, method string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s gave the error %v, want %v", method, err, want)
	}
	for _, other := range []error{
		objstore.ErrNotFound, objstore.ErrDenied, objstore.ErrThrottled, objstore.ErrUnavailable, objstore.ErrName,
		context.Canceled, context.DeadlineExceeded,
	} {
		if !errors.Is(want, other) && errors.Is(err, other) {
			t.Errorf("%s gave the error %v, which is %q beside %q", method, err, other, want)
		}
	}
}

func (s Suite) halfAnAnswer(t *testing.T) {
	store := s.Faulty(t, FaultHalf)
	body := jpeg(200_000, 'h')
	mustPut(t, store, picture(Bucket, "half.jpg", body))
	r, _, err := store.Get(t.Context(), Bucket, "half.jpg")
	if err == nil {
		var got []byte
		got, err = io.ReadAll(r)
		if len(got) >= len(body) {
			t.Fatalf("%d bytes came of an answer that ends in the midst of %d", len(got), len(body))
		}
		if err := r.Close(); err != nil {
			t.Logf("Close: %v", err)
		}
	}
	wantKind(t, "Get", err, objstore.ErrUnavailable)
}

func (s Suite) deadline(t *testing.T) {
	store := s.Faulty(t, FaultSilent)
	ctx, cancel := context.WithTimeout(t.Context(), underWay)
	defer cancel()
	for method, err := range callAll(ctx, store, Bucket, large) {
		wantKind(t, method, err, context.DeadlineExceeded)
	}
}

// cancel also checks that the reason of a cancellation is told.
func (s Suite) cancel(t *testing.T) {
	store := s.Faulty(t, FaultSilent)
	stopping := errors.New("the program stops")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer time.AfterFunc(underWay, func() { cancel(stopping) }).Stop()
	for method, err := range callAll(ctx, store, Bucket, large) {
		wantKind(t, method, err, context.Canceled)
		if !errors.Is(err, stopping) {
			t.Errorf("%s gave the error %v, which does not tell the cause of the cancellation", method, err)
		}
	}
}
