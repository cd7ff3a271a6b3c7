package pictures_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/objstore/file"
	"github.com/stillcast/stillcast/internal/pictures"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const bucket = "shots-1250000000"

func body() []byte {
	return append([]byte{0xFF, 0xD8, 0xFF, 0xE0}, bytes.Repeat([]byte("0123456789"), 1000)...)
}

// server is a real HTTP server over a real store.
type server struct {
	*httptest.Server
	store   *file.Store
	metrics *prometheus.Registry
}

func newServer(t *testing.T, change func(*file.Config)) *server {
	t.Helper()
	mux := http.NewServeMux()
	s := &server{Server: httptest.NewServer(mux), metrics: prometheus.NewRegistry()}
	t.Cleanup(s.Close)
	config := file.DefaultConfig()
	if change != nil {
		change(&config)
	}
	var err error
	s.store, err = file.Open(file.Options{Config: config, DataDir: t.TempDir(), PublicURL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
	h, err := pictures.New(s.store, slog.New(slog.DiscardHandler), s.metrics)
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle(pictures.Path, h)
	return s
}

func (s *server) put(t *testing.T, key string) string {
	t.Helper()
	if err := s.store.Put(t.Context(), objstore.Object{Bucket: bucket, Key: key, Body: body()}); err != nil {
		t.Fatal(err)
	}
	return s.picURL(t, key, time.Now())
}

func (s *server) picURL(t *testing.T, key string, at time.Time) string {
	t.Helper()
	u, err := s.store.URL(stillcast.Shot{Bucket: bucket, Key: key}, at)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// answer is a response that was read to its end.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

func do(t *testing.T, method, location string, header map[string]string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, location, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(got)}
}

func TestPicture(t *testing.T) {
	s := newServer(t, nil)
	for _, key := range []string{"2026-11-26/cam-1.jpg", "odd/a b%2F?&#+ü直播!2F.jpg", "noext"} {
		u := s.put(t, key)
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			resp := do(t, method, u, nil)
			want := string(body())
			if method == http.MethodHead {
				want = ""
			}
			if resp.Status != http.StatusOK || resp.Body != want {
				t.Errorf("%s %s: status %d and %d bytes, want 200 and %d", method, u, resp.Status, len(resp.Body), len(want))
			}
			info, err := s.store.Head(t.Context(), bucket, key)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]string{
				"Content-Type":           "image/jpeg",
				"Content-Length":         strconv.Itoa(len(body())),
				"ETag":                   info.ETag,
				"Cache-Control":          "private, max-age=86400, immutable",
				"Last-Modified":          info.Modified.UTC().Format(http.TimeFormat),
				"X-Content-Type-Options": "nosniff",
				"Accept-Ranges":          "bytes",
			} {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s %s: %s is %q, want %q", method, key, name, got, want)
				}
			}
		}
	}
}

func TestConditionsAndRanges(t *testing.T) {
	s := newServer(t, nil)
	u := s.put(t, "a.jpg")
	first := do(t, http.MethodGet, u, nil)
	etag := first.Header.Get("ETag")
	tests := []struct {
		name   string
		header map[string]string
		status int
		body   string
	}{
		{"same ETag", map[string]string{"If-None-Match": etag}, http.StatusNotModified, ""},
		{"one of several", map[string]string{"If-None-Match": `"x", ` + etag}, http.StatusNotModified, ""},
		{"other ETag", map[string]string{"If-None-Match": `"x"`}, http.StatusOK, string(body())},
		{"not modified since", map[string]string{"If-Modified-Since": first.Header.Get("Last-Modified")}, http.StatusNotModified, ""},
		{"range", map[string]string{"Range": "bytes=4-13"}, http.StatusPartialContent, "0123456789"},
		{"range of another version", map[string]string{"Range": "bytes=4-13", "If-Range": `"x"`}, http.StatusOK, string(body())},
		{"range past the end", map[string]string{"Range": "bytes=999999-"}, http.StatusRequestedRangeNotSatisfiable, "*"},
	}
	for _, tt := range tests {
		got := do(t, http.MethodGet, u, tt.header)
		if got.Status != tt.status || tt.body != "*" && got.Body != tt.body {
			t.Errorf("%s: status %d and %d bytes, want %d and %d", tt.name, got.Status, len(got.Body), tt.status, len(tt.body))
		}
	}
	if err := s.store.Put(t.Context(), objstore.Object{Bucket: bucket, Key: "a.jpg", Body: body()}); err != nil {
		t.Fatal(err)
	}
	if got := do(t, http.MethodGet, u, map[string]string{"If-None-Match": etag}); got.Status != http.StatusOK {
		t.Errorf("after an overwrite the old ETag gives %d, want 200", got.Status)
	}
}

type reply struct{ Code, Field, Message string }

func wantReply(t *testing.T, name string, got answer, status int, want reply) {
	t.Helper()
	var r reply
	if err := json.Unmarshal([]byte(got.Body), &r); err != nil {
		t.Errorf("%s: %s is no JSON: %v", name, got.Body, err)
	}
	if diff := cmp.Diff(want, r); diff != "" || got.Status != status {
		t.Errorf("%s: status %d, want %d; reply (-want +got):\n%s", name, got.Status, status, diff)
	}
	for header, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store", "ETag": "", "Last-Modified": "",
	} {
		if got := got.Header.Get(header); got != want {
			t.Errorf("%s: %s is %q, want %q", name, header, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	s := newServer(t, nil)
	u := s.put(t, "2026/a.jpg")
	bare, query, _ := strings.Cut(u, "?")
	past := time.Now().Add(-48 * time.Hour).Truncate(time.Second)
	expired := past.Add(24 * time.Hour).UTC().Format(time.RFC3339)
	tests := []struct {
		name, method, url string
		status            int
		want              reply
	}{
		{"no query", "GET", bare, 403, reply{"denied", "signature", "is missing; use the whole URL of the event"}},
		{"no picture, no signature", "GET", bare + "x", 403, reply{"denied", "signature", "is missing; use the whole URL of the event"}},
		{"other picture's", "GET", strings.Replace(bare, "a.jpg", "b.jpg", 1) + "?" + query, 403, reply{"denied", "signature", "is wrong for this path and expiry"}},
		{"garbage", "GET", bare + "?%zz&expires=1&signature=%00", 403, reply{"denied", "signature", "is wrong for this path and expiry"}},
		{"expired", "GET", s.picURL(t, "2026/a.jpg", past), 403, reply{"denied", "expires", "has passed: the URL expired at " + expired}},
		{"never stored", "GET", s.picURL(t, "2026/none.jpg", time.Now()), 404, reply{"not_found", "", "there is no such picture"}},
		{"folder", "GET", s.picURL(t, "2026", time.Now()), 404, reply{"not_found", "", "there is no such picture"}},
		{"list", "GET", s.URL + pictures.Path, 404, reply{"not_found", "", "there is no such picture"}},
		{"post", "POST", u, 405, reply{"invalid", "method", `"POST" is not allowed; allowed are GET and HEAD`}},
		{"delete", "DELETE", u, 405, reply{"invalid", "method", `"DELETE" is not allowed; allowed are GET and HEAD`}},
	}
	for _, tt := range tests {
		got := do(t, tt.method, tt.url, nil)
		wantReply(t, tt.name, got, tt.status, tt.want)
		if allow := got.Header.Get("Allow"); (allow == "GET, HEAD") != (tt.status == 405) {
			t.Errorf("%s: Allow is %q", tt.name, allow)
		}
	}
	for status, want := range map[string]float64{"403": 5, "404": 3, "405": 2} {
		if got := count(t, s.metrics, status); got != want {
			t.Errorf("%v requests counted with status %s, want %v", got, status, want)
		}
	}
}

func count(t *testing.T, metrics *prometheus.Registry, status string) float64 {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "stillcast_pictures_requests_total" && m.GetLabel()[0].GetValue() == status {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func TestMetricsOfSuccess(t *testing.T) {
	s := newServer(t, nil)
	u := s.put(t, "a.jpg")
	resp := do(t, http.MethodGet, u, nil)
	do(t, http.MethodHead, u, nil)
	do(t, http.MethodGet, u, map[string]string{"If-None-Match": resp.Header.Get("ETag")})
	do(t, http.MethodGet, u, map[string]string{"Range": "bytes=0-0"})
	const want = `
# HELP stillcast_pictures_requests_total Requests for pictures, by HTTP status.
# TYPE stillcast_pictures_requests_total counter
stillcast_pictures_requests_total{status="200"} 2
stillcast_pictures_requests_total{status="206"} 1
stillcast_pictures_requests_total{status="304"} 1
`
	s.Close() // ends what still counts
	if err := testutil.GatherAndCompare(s.metrics, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

func TestUnsigned(t *testing.T) {
	s := newServer(t, func(c *file.Config) { c.SignedURLs, c.CacheControl = false, "" })
	u := s.put(t, "a.jpg")
	if strings.Contains(u, "?") {
		t.Errorf("the URL %s has a query", u)
	}
	resp := do(t, http.MethodGet, u, nil)
	if resp.Status != http.StatusOK || resp.Body != string(body()) {
		t.Errorf("status %d and %d bytes", resp.Status, len(resp.Body))
	}
	if _, ok := resp.Header["Cache-Control"]; ok {
		t.Errorf("Cache-Control is %q, want none", resp.Header["Cache-Control"])
	}
	for _, path := range []string{"shots-1250000000/", "shots-1250000000", "_/..%2F..%2Furl.key", "%2e%2e/url.key", "_/.~unfinished"} {
		got := do(t, http.MethodGet, s.URL+pictures.Path+path, nil)
		// Dots are taken out by the mux, which redirects to where that leads.
		if got.Status != http.StatusNotFound && got.Status != http.StatusTemporaryRedirect {
			t.Errorf("%s gave %d: %.100s", path, got.Status, got.Body)
		}
	}
}

// brokenStore fails as a disk does.
type brokenStore struct{ err error }

func (b brokenStore) Resolve(string, url.Values, time.Time) (bucket, key string, err error) {
	return "", "a.jpg", nil
}

func (b brokenStore) Open(context.Context, string, string) (io.ReadSeekCloser, objstore.Info, error) {
	return nil, objstore.Info{}, b.err
}

func TestBrokenStore(t *testing.T) {
	for _, kind := range []error{objstore.ErrUnavailable, objstore.ErrDenied} {
		var log bytes.Buffer
		h, err := pictures.New(brokenStore{fmt.Errorf("get /disk/a.jpg: %w", kind)},
			slog.New(slog.NewTextHandler(&log, nil)), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/pictures/_/a.jpg", http.NoBody))
		wantReply(t, kind.Error(), answer{w.Code, w.Header(), w.Body.String()}, http.StatusServiceUnavailable,
			reply{"unavailable", "", "the picture cannot be read at the moment; the server's log says why"})
		if !strings.Contains(log.String(), "get /disk/a.jpg: "+kind.Error()) {
			t.Errorf("the log says %s, want the path and %v", &log, kind)
		}
	}
}
