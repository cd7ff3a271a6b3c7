// Package costest is a double of Tencent Cloud COS, for tests without an account.
//
// It checks every signature by the documented algorithm, which it has from the
// documentation and from no client (Tencent Cloud COS, "Request Signature";
// TestDocumentedSignatures holds it to the examples there), answers with COS's
// headers, checksums and errors, and fails in the ways that a test wants. Buckets
// are told apart by the host, as with COS, so that a client reaches it best as
// its HTTP proxy: then even the hosts are the real ones.
//
// What it has of COS is PUT, GET, HEAD and DELETE of objects in one piece, and
// HEAD of buckets; anything else is answered with NotImplemented.
package costest

import (
	"crypto/rand"
	"encoding/xml"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options is what a server is made from.
type Options struct {
	SecretID, SecretKey string
	// Token is the security token that requests must carry, "" for none.
	Token string
	// Buckets are those that exist, NAME-APPID, each with its region.
	Buckets map[string]string
	// Hosts are further hosts, each with the bucket that it serves: custom domains.
	Hosts map[string]string
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
}

// Server is the double: an [http.Handler] that keeps objects in memory.
type Server struct {
	options Options

	mutex    sync.Mutex
	objects  map[place]Object
	fault    Fault
	requests int
}

// place is where an object is.
type place struct{ bucket, key string }

// New returns a server without objects.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Server{options: o, objects: make(map[place]Object)}
}

// Requests returns how many requests came, those with a fault among them.
func (s *Server) Requests() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.requests
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	s.requests++
	fault := s.fault
	s.mutex.Unlock()
	w.Header().Set("Server", "tencent-cos")
	w.Header().Set("x-cos-request-id", rand.Text())
	if fault != nil && fault(w, r) {
		return
	}
	if err := s.serve(w, r); err != nil {
		writeError(w, r, answerOf(err))
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) error {
	bucket, err := s.bucketOf(r.Host)
	if err != nil {
		return err
	}
	key := strings.TrimPrefix(r.URL.Path, "/")
	signed, err := s.authorize(r)
	if err != nil && (signed || !s.isPublic(r, place{bucket, key})) {
		return err
	}
	region, ok := s.options.Buckets[bucket]
	if !ok {
		return refuse(http.StatusNotFound, "NoSuchBucket", "the specified bucket does not exist")
	}
	switch {
	case key == "" && r.Method == http.MethodHead:
		w.Header().Set("x-cos-bucket-region", region)
		return nil
	case key == "":
		return refuse(http.StatusNotImplemented, "NotImplemented", "of buckets the double has HEAD alone")
	}
	return s.serveObject(w, r, place{bucket, key})
}

// isPublic tells whether a request without signature reads what everybody may.
func (s *Server) isPublic(r *http.Request, p place) bool {
	o, ok := s.Object(p.bucket, p.key)
	return ok && o.Header.Get("x-cos-acl") == "public-read" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// bucketOf returns the bucket that a host names. One that is in another region
// is not there, as with COS.
func (s *Server) bucketOf(host string) (string, error) {
	if bucket, ok := s.options.Hosts[host]; ok {
		return bucket, nil
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	bucket, rest, _ := strings.Cut(host, ".")
	service, rest, _ := strings.Cut(rest, ".")
	region, domain, _ := strings.Cut(rest, ".")
	switch service + " " + domain {
	case "cos myqcloud.com", "cos tencentcos.cn", "cos-internal tencentcos.cn":
	default:
		return "", refuse(http.StatusBadRequest, "InvalidURI", "the host "+host+" is none of COS's")
	}
	if region != "accelerate" && s.options.Buckets[bucket] != region {
		return "", refuse(http.StatusNotFound, "NoSuchBucket", "the specified bucket does not exist")
	}
	return bucket, nil
}

// writeError writes a refusal as COS does (Tencent Cloud COS, "Error Codes"); an
// answer to HEAD has no body.
func writeError(w http.ResponseWriter, r *http.Request, a *answer) {
	body, err := xml.MarshalIndent(struct {
		XMLName                                     xml.Name `xml:"Error"`
		Code, Message, Resource, RequestId, TraceId string
	}{
		Code: a.code, Message: a.message, Resource: "/" + r.Host + r.URL.Path,
		RequestId: w.Header().Get("x-cos-request-id"), TraceId: rand.Text(),
	}, "", "\t")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	body = append([]byte("<?xml version='1.0' encoding='utf-8' ?>\n"), body...)
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}
