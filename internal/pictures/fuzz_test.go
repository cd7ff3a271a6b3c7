package pictures_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/objstore/file"
	"github.com/stillcast/stillcast/internal/pictures"
)

// FuzzServe asks for anything by anybody: what is not the one signed URL gets no
// picture, and nothing breaks the handler.
func FuzzServe(f *testing.F) {
	s, err := file.Open(file.Options{Config: file.DefaultConfig(), DataDir: f.TempDir(), PublicURL: "http://127.0.0.1"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	if err := s.Put(f.Context(), objstore.Object{Bucket: bucket, Key: "a.jpg", Body: body()}); err != nil {
		f.Fatal(err)
	}
	raw, err := s.URL(stillcast.Shot{Bucket: bucket, Key: "a.jpg"}, time.Now())
	if err != nil {
		f.Fatal(err)
	}
	signed, err := url.Parse(raw)
	if err != nil {
		f.Fatal(err)
	}
	h, err := pictures.New(s, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(http.MethodGet, signed.Path, signed.RawQuery)
	f.Add(http.MethodPost, signed.Path, signed.RawQuery)
	f.Add(http.MethodHead, "/pictures/../url.key", "expires=1&signature=x")
	f.Add(http.MethodGet, "/pictures//a\x00", "expires=99999999999999999999&signature=")
	f.Add(http.MethodGet, "", "%")
	f.Fuzz(func(t *testing.T, method, path, query string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Method, r.URL = method, &url.URL{Path: path, RawQuery: query}
		h.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK:
			q := r.URL.Query()
			if path != signed.Path || q.Get("signature") != signed.Query().Get("signature") {
				t.Errorf("%q?%q gave a picture", path, query)
			}
		case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
			if !strings.HasPrefix(w.Body.String(), `{"code":`) {
				t.Errorf("%q?%q gave %q", path, query, w.Body)
			}
		default:
			t.Errorf("%q?%q gave the status %d", path, query, w.Code)
		}
	})
}
