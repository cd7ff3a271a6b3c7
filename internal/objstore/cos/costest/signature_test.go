package costest_test

import (
	"bufio"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/objstore/cos/costest"
)

// The example of the documentation (Tencent Cloud COS, "Request Signature", "Use
// Case"): its account, its bucket, and its two requests as they are sent.
const (
	secretID  = "AKIDQjz3ltompVjBni5LitkWHFlFpwkn9U5q"
	secretKey = "BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz"
	bucket    = "examplebucket-1250000000"
	region    = "ap-beijing"

	documentedPut = `PUT /exampleobject(%E8%85%BE%E8%AE%AF%E4%BA%91) HTTP/1.1
Date: Thu, 16 May 2019 06:45:51 GMT
Host: examplebucket-1250000000.cos.ap-beijing.myqcloud.com
Content-Type: text/plain
Content-Length: 13
Content-MD5: mQ/fVh815F3k6TAUm8m0eg==
x-cos-acl: private
x-cos-grant-read: uin="100000000011"
Authorization: q-sign-algorithm=sha1&q-ak=AKIDQjz3ltompVjBni5LitkWHFlFpwkn9U5q&q-sign-time=1557989151;1557996351&q-key-time=1557989151;1557996351&q-header-list=content-length;content-md5;content-type;date;host;x-cos-acl;x-cos-grant-read&q-url-param-list=&q-signature=3b8851a11a569213c17ba8fa7dcf2abec6935172

ObjectContent`

	documentedGet = `GET /exampleobject(%E8%85%BE%E8%AE%AF%E4%BA%91)?response-content-type=application%2Foctet-stream&response-cache-control=max-age%3D600 HTTP/1.1
Date: Thu, 16 May 2019 06:55:53 GMT
Host: examplebucket-1250000000.cos.ap-beijing.myqcloud.com
Authorization: q-sign-algorithm=sha1&q-ak=AKIDQjz3ltompVjBni5LitkWHFlFpwkn9U5q&q-sign-time=1557989753;1557996953&q-key-time=1557989753;1557996953&q-header-list=date;host&q-url-param-list=response-cache-control;response-content-type&q-signature=01681b8c9d798a678e43b685a9f1bba0f6c0e012

`
)

// documentedNow is when both requests are valid.
const documentedNow = 1557990000

func newServer(now int64) *costest.Server {
	return costest.New(costest.Options{
		SecretID: secretID, SecretKey: secretKey, Buckets: map[string]string{bucket: region},
		Now: func() time.Time { return time.Unix(now, 0) },
	})
}

func readRequest(t *testing.T, text string) *http.Request {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n" + body)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// send returns the status and the code of error of what a server answers.
func send(t *testing.T, s *costest.Server, r *http.Request) (status int, code string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var e struct{ Code, Message, Resource, RequestId, TraceId string }
	if w.Code >= 300 && r.Method != http.MethodHead {
		if err := xml.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Message == "" || e.RequestId != w.Header().Get("x-cos-request-id") || e.TraceId == "" {
			t.Fatalf("status %d with the body %q, which is no error of COS: %v", w.Code, w.Body.Bytes(), err)
		}
	}
	return w.Code, e.Code
}

// TestDocumentedSignatures holds the double to the signatures in the
// documentation, which no client of ours made.
func TestDocumentedSignatures(t *testing.T) {
	s := newServer(documentedNow)
	if status, code := send(t, s, readRequest(t, documentedPut)); status != http.StatusOK {
		t.Errorf("the documented PUT was answered with %d %s", status, code)
	}
	if o, ok := s.Object(bucket, "exampleobject(腾讯云)"); !ok || string(o.Body) != "ObjectContent" || o.Header.Get("x-cos-acl") != "private" {
		t.Errorf("after it the object is %+v, %t", o, ok)
	}
	if status, code := send(t, s, readRequest(t, documentedGet)); status != http.StatusOK {
		t.Errorf("the documented GET was answered with %d %s", status, code)
	}
}

// TestDocumentedSignatureInTheURL puts the documented GET's signature into its
// query, as the documentation says that it may be.
func TestDocumentedSignatureInTheURL(t *testing.T) {
	s := newServer(documentedNow)
	send(t, s, readRequest(t, documentedPut))
	r := readRequest(t, documentedGet)
	query := r.URL.Query()
	for part := range strings.SplitSeq(r.Header.Get("Authorization"), "&") {
		name, value, _ := strings.Cut(part, "=")
		query.Set(name, value)
	}
	r.Header.Del("Authorization")
	r.URL.RawQuery = query.Encode()
	if status, code := send(t, s, r); status != http.StatusOK {
		t.Errorf("it was answered with %d %s", status, code)
	}
	query.Set("response-cache-control", "max-age=601")
	r.URL.RawQuery = query.Encode()
	if status, code := send(t, s, r); code != "SignatureDoesNotMatch" {
		t.Errorf("with another parameter it was answered with %d %s", status, code)
	}
}

// TestWrongSignatures changes one thing of a good request each time.
func TestWrongSignatures(t *testing.T) {
	signature := func(old, replacement string) func(*http.Request) {
		return func(r *http.Request) {
			was := r.Header.Get("Authorization")
			is := strings.Replace(was, old, replacement, 1)
			if was == is {
				t.Fatalf("%q is not in %q", old, was)
			}
			r.Header.Set("Authorization", is)
		}
	}
	tests := []struct {
		name   string
		change func(*http.Request)
		now    int64
		want   string // code of error
	}{
		{"none", func(r *http.Request) { r.Header.Del("Authorization") }, documentedNow, "AccessDenied"},
		{"method", func(r *http.Request) { r.Method = http.MethodDelete }, documentedNow, "SignatureDoesNotMatch"},
		{"path", func(r *http.Request) { r.URL.Path += "x" }, documentedNow, "SignatureDoesNotMatch"},
		{"value of a header", func(r *http.Request) { r.Header.Set("x-cos-acl", "public-read") }, documentedNow, "SignatureDoesNotMatch"},
		{"header listed and not sent", func(r *http.Request) { r.Header.Del("x-cos-grant-read") }, documentedNow, "SignatureDoesNotMatch"},
		{"header sent and not listed", func(r *http.Request) { r.Header.Set("x-cos-storage-class", "MAZ") }, documentedNow, "SignatureDoesNotMatch"},
		{"header sent twice", func(r *http.Request) { r.Header.Add("x-cos-acl", "private") }, documentedNow, "SignatureDoesNotMatch"},
		{"parameter sent and not listed", func(r *http.Request) { r.URL.RawQuery = "acl" }, documentedNow, "SignatureDoesNotMatch"},
		{"parameter listed and not sent", signature("q-url-param-list=", "q-url-param-list=acl"), documentedNow, "SignatureDoesNotMatch"},
		{"host", func(r *http.Request) { r.Host = "examplebucket-1250000000.cos.accelerate.myqcloud.com" }, documentedNow, "SignatureDoesNotMatch"},
		{"host not listed", signature(";host;", ";"), documentedNow, "SignatureDoesNotMatch"},
		{"lists out of order", signature("date;host", "host;date"), documentedNow, "InvalidArgument"},
		{"list in upper case", signature("date;host", "date;Host"), documentedNow, "InvalidArgument"},
		{"signature", signature("5172", "5173"), documentedNow, "SignatureDoesNotMatch"},
		{"signature in upper case", signature("3b8851", "3B8851"), documentedNow, "InvalidArgument"},
		{"signature cut", signature("5172", ""), documentedNow, "InvalidArgument"},
		{"key", signature("9U5q", "9U5r"), documentedNow, "InvalidAccessKeyId"},
		{"algorithm", signature("sha1", "sha256"), documentedNow, "InvalidArgument"},
		{"other end of the key", signature("q-key-time=1557989151;1557996351", "q-key-time=1557989151;1557996352"), documentedNow, "InvalidArgument"},
		{"part missing", signature("&q-url-param-list=", ""), documentedNow, "InvalidArgument"},
		{"part twice", signature("&q-ak=", "&q-ak=x&q-ak="), documentedNow, "InvalidArgument"},
		{"part too many", signature("&q-ak=", "&q-x=x&q-ak="), documentedNow, "InvalidArgument"},
		{"two signatures", func(r *http.Request) { r.URL.RawQuery = "q-signature=x" }, documentedNow, "InvalidArgument"},
		{"query that cannot be read", func(r *http.Request) { r.URL.RawQuery = "%zz" }, documentedNow, "InvalidURI"},
		{"expired", func(*http.Request) {}, 1557996351, "AccessDenied"},
		{"not yet begun", func(*http.Request) {}, 1557989151 - 901, "RequestTimeTooSkewed"},
		{"body", func(r *http.Request) { r.Body = http.NoBody }, documentedNow, "BadDigest"},
		{"foreign host", func(r *http.Request) { r.Host = "example.com" }, documentedNow, "InvalidURI"},
		{"other region", func(r *http.Request) { r.Host = "examplebucket-1250000000.cos.ap-shanghai.myqcloud.com" }, documentedNow, "NoSuchBucket"},
		{"other bucket", func(r *http.Request) { r.Host = "otherbucket-1250000000.cos.ap-beijing.myqcloud.com" }, documentedNow, "NoSuchBucket"},
	}
	for _, tt := range tests {
		s := newServer(tt.now)
		r := readRequest(t, documentedPut)
		tt.change(r)
		if status, code := send(t, s, r); code != tt.want || status < 400 || status > 499 {
			t.Errorf("%s: answered with %d %s, want %s", tt.name, status, code, tt.want)
		}
		if _, ok := s.Object(bucket, "exampleobject(腾讯云)"); ok {
			t.Errorf("%s: the object was stored", tt.name)
		}
	}
	for _, within := range []int64{1557989151, 1557989151 - 900, 1557996350} {
		if status, code := send(t, newServer(within), readRequest(t, documentedPut)); status != http.StatusOK {
			t.Errorf("at %d it was answered with %d %s", within, status, code)
		}
	}
}

// TestSignatureWithoutHost: a signature that is right, by another program, but
// good for every bucket is refused.
func TestSignatureWithoutHost(t *testing.T) {
	r := readRequest(t, documentedGet)
	r.Header.Set("Authorization", strings.NewReplacer("date;host", "date", "01681b8c9d798a678e43b685a9f1bba0f6c0e012",
		"a55a2c9ab70eb6b88f5708fe00ce0c7a1e5ae134").Replace(r.Header.Get("Authorization")))
	w := httptest.NewRecorder()
	newServer(documentedNow).ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), "the header host is not signed") {
		t.Errorf("it was answered with %d %s", w.Code, w.Body)
	}
}

// FuzzSignature gives the parser any header and any query: none but the
// documented one is good for the documented request, and nothing breaks.
func FuzzSignature(f *testing.F) {
	documented := "q-sign-algorithm=sha1&q-ak=AKIDQjz3ltompVjBni5LitkWHFlFpwkn9U5q&q-sign-time=1557989753;1557996953&q-key-time=1557989753;1557996953&q-header-list=date;host&q-url-param-list=response-cache-control;response-content-type&q-signature=01681b8c9d798a678e43b685a9f1bba0f6c0e012"
	f.Add(documented, "")
	f.Add(strings.Replace(documented, "date;host", "date;date;host", 1), "")
	f.Add("", url.QueryEscape(documented))
	f.Add("", strings.ReplaceAll(documented, ";", "%3B")+"&a=b&a=c")
	f.Add("q-sign-algorithm=sha1&q-ak=&q-sign-time=18446744073709551615;0", "q-signature=%00")
	f.Fuzz(func(t *testing.T, header, query string) {
		if strings.Contains(query, "01681b8c") && strings.Contains(query, "response-") {
			return // it may be the presigned form of the documented request
		}
		s := newServer(documentedNow)
		r := readRequest(t, documentedGet)
		good := header == documented && query == ""
		if query != "" {
			r.URL.RawQuery = query
		}
		r.Header.Del("Authorization")
		if header != "" {
			r.Header["Authorization"] = []string{header}
		}
		status, code := send(t, s, r)
		if allowed := code == "NoSuchKey"; allowed && !good && !sameParts(header, documented) {
			t.Errorf("%q with %q was allowed: %d", header, query, status)
		}
		if good && code != "NoSuchKey" {
			t.Errorf("the documented signature was answered with %d %s", status, code)
		}
	})
}

// sameParts tells whether two headers have the same parts in any order.
func sameParts(a, b string) bool {
	sorted := func(s string) string {
		parts := strings.Split(s, "&")
		slices.Sort(parts)
		return strings.Join(parts, "&")
	}
	return sorted(a) == sorted(b)
}
