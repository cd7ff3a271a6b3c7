// Package pictures serves the pictures of a local object store over HTTP, at
// the URLs that the store gave out: GET and HEAD /pictures/BUCKET/KEY. A picture
// goes only to who has its URL, signature and all; nothing is ever listed.
//
// What is refused is answered in JSON:
//
//	{"code":"denied","field":"expires","message":"has passed: the URL expired at …"}
package pictures

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

// Path is where the handler belongs in a mux.
const Path = "/pictures/"

// store keeps the pictures and knows its own URLs.
type store interface {
	// Resolve returns what the path BUCKET/KEY and the query of a URL stand for.
	// It fails with a stillcast.Error of CodeDenied, or objstore.ErrNotFound.
	Resolve(location string, query url.Values, now time.Time) (bucket, key string, err error)
	Open(ctx context.Context, bucket, key string) (io.ReadSeekCloser, objstore.Info, error)
}

// Handler serves pictures. It is safe for concurrent use.
type Handler struct {
	store    store
	log      *slog.Logger
	requests *prometheus.CounterVec
}

// New returns a handler for the pictures in a store.
func New(s store, log *slog.Logger, metrics prometheus.Registerer) (*Handler, error) {
	h := &Handler{
		store: s,
		log:   log,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stillcast_pictures_requests_total",
			Help: "Requests for pictures, by HTTP status.",
		}, []string{"status"}),
	}
	return h, metrics.Register(h.requests)
}

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	defer func() { h.requests.WithLabelValues(strconv.Itoa(rec.status)).Inc() }()
	rec.Header().Set("X-Content-Type-Options", "nosniff")
	if err := h.serve(rec, r); err != nil {
		h.refuse(rec, r, err)
	}
}

// serve answers with the picture, or returns why not before anything is sent.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return errMethod
	}
	location, ok := strings.CutPrefix(r.URL.Path, Path)
	if !ok {
		return objstore.ErrNotFound
	}
	bucket, key, err := h.store.Resolve(location, r.URL.Query(), time.Now())
	if err != nil {
		return err
	}
	body, info, err := h.store.Open(r.Context(), bucket, key)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // nothing was written to it
	header := w.Header()
	header.Set("Content-Type", info.ContentType)
	header.Set("ETag", info.ETag)
	if info.CacheControl != "" {
		header.Set("Cache-Control", info.CacheControl)
	}
	http.ServeContent(w, r, "", info.Modified, body)
	return nil
}

var errMethod = errors.New("method not allowed")

// refuse answers with what err stands for.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var denied *stillcast.Error
	switch {
	case errors.Is(err, errMethod):
		w.Header().Set("Allow", "GET, HEAD")
		writeError(w, http.StatusMethodNotAllowed, stillcast.Errorf(
			stillcast.CodeInvalid, "method", "%.20q is not allowed; allowed are GET and HEAD", r.Method))
	case errors.As(err, &denied) && denied.Code == stillcast.CodeDenied:
		writeError(w, http.StatusForbidden, denied)
	case errors.Is(err, objstore.ErrNotFound), errors.Is(err, objstore.ErrName):
		writeError(w, http.StatusNotFound, stillcast.Errorf(stillcast.CodeNotFound, "", "there is no such picture"))
	default:
		h.log.ErrorContext(r.Context(), "picture cannot be read", "path", r.URL.Path, "error", err)
		writeError(w, http.StatusServiceUnavailable, stillcast.Errorf(
			"unavailable", "", "the picture cannot be read at the moment; the server's log says why"))
	}
}

func writeError(w http.ResponseWriter, status int, e *stillcast.Error) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// An error means that the client is gone.
	_ = json.NewEncoder(w).Encode(struct {
		Code    stillcast.Code `json:"code"`
		Field   string         `json:"field,omitempty"`
		Message string         `json:"message"`
	}{e.Code, e.Field, e.Message})
}

// recorder remembers the status of a response.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// ReadFrom implements [io.ReaderFrom], so that the kernel can copy files to the
// connection by itself.
func (r *recorder) ReadFrom(src io.Reader) (int64, error) {
	return io.Copy(r.ResponseWriter, src)
}

// Unwrap is for [http.ResponseController].
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
