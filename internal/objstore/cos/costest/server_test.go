package costest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/objstore/cos/costest"
)

// public starts a server that holds "picture" under a.jpg for everybody, put by a
// request that is signed as documented, and returns a client that reaches it.
func public(t *testing.T) (*costest.Server, *http.Client) {
	t.Helper()
	s := newServer(documentedNow)
	r := readRequest(t, documentedPut)
	if status, code := send(t, s, r); status != http.StatusOK {
		t.Fatalf("PUT was answered with %d %s", status, code)
	}
	o, _ := s.Object(bucket, "exampleobject(腾讯云)")
	o.Header.Set("x-cos-acl", "public-read") // the headers of the documentation's are signed
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	proxy, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return s, &http.Client{
		Transport: transport, Timeout: 5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

const publicURL = "http://examplebucket-1250000000.cos.ap-beijing.myqcloud.com/exampleobject(%E8%85%BE%E8%AE%AF%E4%BA%91)"

// reply is what came of a request.
type reply struct {
	status int
	header http.Header
	body   string
}

func ask(t *testing.T, client *http.Client, method string, header http.Header) (reply, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, publicURL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	resp, err := client.Do(r)
	if err != nil {
		return reply{}, err
	}
	body, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(body)}, errors.Join(err, resp.Body.Close())
}

func TestPublicObject(t *testing.T) {
	_, client := public(t)
	tests := []struct {
		method string
		header http.Header
		status int
		body   string
	}{
		{http.MethodGet, http.Header{}, http.StatusOK, "ObjectContent"},
		{http.MethodHead, http.Header{}, http.StatusOK, ""},
		{http.MethodGet, http.Header{"Range": {"bytes=6-8"}}, http.StatusPartialContent, "Con"},
		{http.MethodGet, http.Header{"Range": {"bytes=-3"}}, http.StatusPartialContent, "ent"},
		{http.MethodGet, http.Header{"If-None-Match": {`"990fdf561f35e45de4e930149bc9b47a"`}}, http.StatusNotModified, ""},
	}
	for _, tt := range tests {
		got, err := ask(t, client, tt.method, tt.header)
		if err != nil || got.status != tt.status || got.body != tt.body {
			t.Errorf("%s %v gave %+v, %v, want status %d and %q", tt.method, tt.header, got, err, tt.status, tt.body)
			continue
		}
		sums := map[string]string{}
		// The CRC-64 was computed by another program, the MD5 is the documented Content-MD5.
		want := map[string]string{"ETag": `"990fdf561f35e45de4e930149bc9b47a"`, "x-cos-hash-crc64ecma": "2900061071848923409"}
		for name := range want {
			sums[name] = got.header.Get(name)
		}
		if diff := cmp.Diff(want, sums); diff != "" {
			t.Errorf("%s %v: headers (-want +got):\n%s", tt.method, tt.header, diff)
		}
		if got.header.Get("x-cos-request-id") == "" || got.header.Get("x-cos-acl") != "" {
			t.Errorf("%s %v: headers %v", tt.method, tt.header, got.header)
		}
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPost} {
		if got, err := ask(t, client, method, http.Header{}); err != nil || got.status != http.StatusForbidden {
			t.Errorf("%s without signature gave %+v, %v, want 403", method, got, err)
		}
	}
}

func TestFaults(t *testing.T) {
	s, client := public(t)
	statuses := map[string]struct {
		fault  costest.Fault
		status int
	}{
		"throttled":   {costest.Throttled, http.StatusServiceUnavailable},
		"unavailable": {costest.Unavailable, http.StatusServiceUnavailable},
		"denied":      {costest.Denied, http.StatusForbidden},
		"broken":      {costest.Broken, http.StatusInternalServerError},
		"plain":       {costest.Plain(http.StatusBadGateway), http.StatusBadGateway},
		"redirected":  {costest.Redirected("http://example.com/"), http.StatusTemporaryRedirect},
		"none":        {nil, http.StatusOK},
	}
	for name, tt := range statuses {
		s.Fail(tt.fault)
		if got, err := ask(t, client, http.MethodGet, http.Header{}); err != nil || got.status != tt.status {
			t.Errorf("%s: GET gave %+v, %v, want status %d", name, got, err, tt.status)
		}
	}
	client.Timeout = 100 * time.Millisecond
	for name, fault := range map[string]costest.Fault{"reset": costest.Reset, "half": costest.HalfAnswer, "silent": costest.Silent} {
		s.Fail(fault)
		if got, err := ask(t, client, http.MethodGet, http.Header{}); err == nil {
			t.Errorf("%s: GET gave %+v and no error", name, got)
		}
	}
}
