package costest

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash/crc64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody is the size of the largest object in bytes.
const maxBody = 64 << 20

// Object is what the server holds under a key. Its parts are not to be changed.
type Object struct {
	Body []byte
	// Header has those headers of PUT that COS keeps.
	Header   http.Header
	Modified time.Time
}

// Object returns what is under a key.
func (s *Server) Object(bucket, key string) (Object, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	o, ok := s.objects[place{bucket, key}]
	return o, ok
}

func (s *Server) serveObject(w http.ResponseWriter, r *http.Request, p place) error {
	switch r.Method {
	case http.MethodPut:
		return s.put(w, r, p)
	case http.MethodGet, http.MethodHead:
		return s.get(w, r, p)
	case http.MethodDelete:
		s.mutex.Lock()
		delete(s.objects, p)
		s.mutex.Unlock()
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "of objects the double has PUT, GET, HEAD and DELETE")
}

func (s *Server) put(w http.ResponseWriter, r *http.Request, p place) error {
	if r.URL.RawQuery != "" || r.Header.Get("x-cos-copy-source") != "" {
		return refuse(http.StatusNotImplemented, "NotImplemented", "the double stores objects in one piece")
	}
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	header := kept(r.Header)
	s.mutex.Lock()
	s.objects[p] = Object{Body: body, Header: header, Modified: s.options.Now()}
	s.mutex.Unlock()
	setSums(w.Header(), body)
	copyEncryption(w.Header(), header)
	return nil
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, refuse(http.StatusBadRequest, "EntityTooLarge", "the object is larger than "+strconv.Itoa(maxBody)+" bytes")
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "RequestTimeOut", "the body did not come: "+err.Error())
	}
	sum := md5.Sum(body)
	if want := r.Header.Get("Content-MD5"); want != "" && want != base64.StdEncoding.EncodeToString(sum[:]) {
		return nil, refuse(http.StatusBadRequest, "BadDigest", "the Content-MD5 is not that of the body")
	}
	return body, nil
}

// kept returns the headers that are stored with an object.
func kept(sent http.Header) http.Header {
	h := http.Header{}
	for name, values := range sent {
		lower := strings.ToLower(name)
		switch lower {
		case "cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires",
			"x-cos-acl", "x-cos-storage-class":
			h[name] = values
		default:
			if strings.HasPrefix(lower, "x-cos-meta-") || strings.HasPrefix(lower, "x-cos-server-side-encryption") {
				h[name] = values
			}
		}
	}
	return h
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, p place) error {
	o, ok := s.Object(p.bucket, p.key)
	if !ok {
		return refuse(http.StatusNotFound, "NoSuchKey", "the specified key does not exist")
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	for name, values := range o.Header {
		lower := strings.ToLower(name)
		if lower != "x-cos-acl" && (lower != "x-cos-storage-class" || values[0] != "STANDARD") {
			h[name] = values
		}
	}
	setSums(h, o.Body)
	http.ServeContent(w, r, "", o.Modified, bytes.NewReader(o.Body))
	return nil
}

func setSums(h http.Header, body []byte) {
	sum := md5.Sum(body)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
	h.Set("x-cos-hash-crc64ecma", strconv.FormatUint(crc64.Checksum(body, crc64.MakeTable(crc64.ECMA)), 10))
}

func copyEncryption(to, from http.Header) {
	for name, values := range from {
		if strings.HasPrefix(strings.ToLower(name), "x-cos-server-side-encryption") {
			to[name] = values
		}
	}
}
