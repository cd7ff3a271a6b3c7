package objstoretest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

// presign checks that who has nothing but the URL gets the picture.
func (s Suite) presign(t *testing.T) {
	store := s.Open(t)
	for i, key := range oddKeys() {
		body := jpeg(100+i, byte(i))
		mustPut(t, store, picture(Bucket, key, body))
		status, header, got := s.fetch(t, http.MethodGet, mustPresign(t, store, key, time.Hour))
		if status != http.StatusOK || !bytes.Equal(got, body) {
			t.Errorf("%q: its presigned URL was answered with status %d and %d bytes, want 200 and the %d put: %.200q",
				key, status, len(got), len(body), got)
		}
		if got := header.Get("Content-Type"); got != jpegType {
			t.Errorf("%q: the Content-Type is %q, want %q", key, got, jpegType)
		}
		if got := header.Get("Cache-Control"); got != cacheForever && !s.Lacks.CacheControl {
			t.Errorf("%q: the Cache-Control is %q, want %q", key, got, cacheForever)
		}
	}
	status, _, _ := s.fetch(t, http.MethodGet, mustPresign(t, store, "none.jpg", time.Hour))
	if status != http.StatusNotFound {
		t.Errorf("the presigned URL of no object was answered with status %d, want 404", status)
	}
}

// presignTampered checks that a URL opens one object to one method, and that
// each of its parameters is protected.
func (s Suite) presignTampered(t *testing.T) {
	store := s.Open(t)
	body, other := jpeg(1000, 'a'), jpeg(1000, 'b')
	mustPut(t, store, picture(Bucket, "a.jpg", body))
	mustPut(t, store, picture(Bucket, "b.jpg", other))
	signed := mustParse(t, mustPresign(t, store, "a.jpg", time.Hour))

	wantRefusal := func(method, what string, changed url.URL) {
		t.Helper()
		status, _, got := s.fetch(t, method, changed.String())
		if status < 400 || status > 499 || bytes.Contains(got, body) || bytes.Contains(got, other) {
			t.Errorf("%s: %s was answered with status %d and %d bytes, want a refusal: %s", what, method, status, len(got), changed.String())
		}
	}
	for name := range signed.Query() {
		query := signed.Query()
		query.Set(name, changed(query.Get(name)))
		u := *signed
		u.RawQuery = query.Encode()
		wantRefusal(http.MethodGet, "with another "+name, u)
	}
	u := *signed
	u.RawQuery = ""
	wantRefusal(http.MethodGet, "without a signature", u)
	u = *mustParse(t, mustPresign(t, store, "b.jpg", time.Hour))
	u.RawQuery = signed.RawQuery
	wantRefusal(http.MethodGet, "with the signature of another key", u)
	wantRefusal(http.MethodDelete, "with the signature of GET", *signed)
	wantRefusal(http.MethodPut, "with the signature of GET", *signed)
	wantBody(t, store, Bucket, "a.jpg", body)
}

// changed returns another value of the same kind: a digit stays a digit, so that
// times and keys are refused for what they say, not for how.
func changed(value string) string {
	if value == "" {
		return "x"
	}
	last := value[len(value)-1]
	next := last ^ 1 // 0 and 1, 2 and 3, …, b and c, d and e
	return value[:len(value)-1] + string(rune(next))
}

// presignExpires waits for the end of the shortest lifetime there is.
func (s Suite) presignExpires(t *testing.T) {
	store := s.Open(t)
	body := jpeg(1000, 'e')
	mustPut(t, store, picture(Bucket, "a.jpg", body))
	short := mustPresign(t, store, "a.jpg", objstore.MinLifetime)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		status, _, got := s.fetch(t, http.MethodGet, short)
		if status >= 400 && status <= 499 && !bytes.Contains(got, body) {
			return
		}
		select {
		case <-again.C:
		case <-t.Context().Done():
			t.Fatalf("a presigned URL is answered with status %d long after its end", status)
		}
	}
}

func (s Suite) presignLifetimes(t *testing.T) {
	store := s.Open(t)
	for _, lifetime := range []time.Duration{objstore.MinLifetime, objstore.MaxLifetime} {
		if _, err := store.Presign(t.Context(), Bucket, "a.jpg", lifetime); err != nil {
			t.Errorf("Presign for %s: %v", lifetime, err)
		}
	}
	for _, lifetime := range []time.Duration{-time.Hour, 0, objstore.MinLifetime - 1, 1500 * time.Millisecond, objstore.MaxLifetime + time.Second} {
		_, err := store.Presign(t.Context(), Bucket, "a.jpg", lifetime)
		if e, ok := errors.AsType[*stillcast.Error](err); !ok || e.Field != "lifetime" {
			t.Errorf("Presign for %s gave the error %v, want one about the lifetime", lifetime, err)
		}
	}
}

func mustPresign(t *testing.T, s Store, key string, lifetime time.Duration) string {
	t.Helper()
	signed, err := s.Presign(t.Context(), Bucket, key, lifetime)
	if err != nil {
		t.Fatalf("Presign(%q): %v", key, err)
	}
	return signed
}

func mustParse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (s Suite) fetch(t *testing.T, method, address string) (status int, header http.Header, body []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, http.NoBody)
	if err != nil {
		t.Fatalf("%s %s: %v", method, address, err)
	}
	answer, err := s.Client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, address, err)
	}
	body, err = io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatalf("%s %s: %v", method, address, err)
	}
	return answer.StatusCode, answer.Header, body
}

// plainClient knows nothing but the URLs it is given.
func plainClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
