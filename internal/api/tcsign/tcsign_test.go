package tcsign

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The credential of the published samples.
const (
	sampleID  = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	sampleKey = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
)

func newVerifier(at int64) *Verifier {
	v := New(func(id string) (string, bool) { return sampleKey, id == sampleID })
	v.now = func() time.Time { return time.Unix(at, 0) }
	return v
}

// tc3Sample is the request of the page "Signature v3".
func tc3Sample() *Request {
	return &Request{
		Method: "POST", Path: "/", Host: "cvm.tencentcloudapi.com",
		Header: http.Header{
			"Content-Type":   {"application/json; charset=utf-8"},
			"X-Tc-Timestamp": {"1551113065"},
			"Authorization": {"TC3-HMAC-SHA256 Credential=" + sampleID + "/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, " +
				"Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"},
		},
		Body: []byte(`{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`),
	}
}

// v1Sample is the request of the page "Signature".
func v1Sample() *Request {
	form, err := url.ParseQuery("Action=DescribeInstances&InstanceIds.0=ins-09dx96dg&Limit=20&Nonce=11886&Offset=0&Region=ap-guangzhou" +
		"&SecretId=" + sampleID + "&Timestamp=1465185768&Version=2017-03-12")
	if err != nil {
		panic(err)
	}
	form.Set("Signature", "EliP9YW3pW28FpsEdkXt/+WcGeI=")
	return &Request{Method: "GET", Path: "/", Host: "cvm.tencentcloudapi.com", Header: http.Header{}, Form: form}
}

func TestPublishedVectors(t *testing.T) {
	for name, test := range map[string]struct {
		request *Request
		at      int64
	}{"TC3": {tc3Sample(), 1551113065}, "v1": {v1Sample(), 1465185768}} {
		id, err := newVerifier(test.at).Verify(test.request)
		if err != nil || id != sampleID {
			t.Errorf("%s: %q, %v; want the sample to be accepted", name, id, err)
		}
	}
}

func authorization(r *Request, change func(string) string) {
	r.Header.Set("Authorization", change(r.Header.Get("Authorization")))
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Request)
		code   string
	}{
		{"SKIP", func(r *Request) { r.Header.Set("Authorization", "SKIP") }, CodeFailure},
		{"body", func(r *Request) { r.Body = append(r.Body, ' ') }, CodeFailure},
		{"host", func(r *Request) { r.Host = "example.com" }, CodeFailure},
		{"method", func(r *Request) { r.Method = "PUT" }, CodeFailure},
		{"query", func(r *Request) { r.Query = "a=b" }, CodeFailure},
		{"unknown id", func(r *Request) {
			authorization(r, func(a string) string { return strings.Replace(a, sampleID, "AKIDother", 1) })
		}, CodeUnknownID},
		{"other day", func(r *Request) {
			authorization(r, func(a string) string { return strings.Replace(a, "2019-02-25", "2019-02-26", 1) })
		}, CodeFailure},
		{"host not signed", func(r *Request) {
			authorization(r, func(a string) string { return strings.Replace(a, ";host", "", 1) })
		}, CodeFailure},
		{"content type not signed", func(r *Request) {
			authorization(r, func(a string) string { return strings.Replace(a, "content-type;", "", 1) })
		}, CodeFailure},
		{"no timestamp", func(r *Request) { r.Header.Del("X-Tc-Timestamp") }, CodeMissing},
		{"timestamp is text", func(r *Request) { r.Header.Set("X-Tc-Timestamp", "now") }, CodeInvalid},
		{"no signature", func(r *Request) {
			authorization(r, func(a string) string { return a[:strings.Index(a, ", Signature")] })
		}, CodeFailure},
		{"twice", func(r *Request) { authorization(r, func(a string) string { return a + ", Signature=00" }) }, CodeFailure},
		{"claims an unsigned payload", func(r *Request) { r.Header.Set("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD") }, CodeFailure},
		{"not signed at all", func(r *Request) { r.Header.Del("Authorization") }, CodeMissing},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := tc3Sample()
			test.change(r)
			_, err := newVerifier(1551113065).Verify(r)
			wantCode(t, err, test.code)
		})
	}
}

func TestRefusalsOfTheOlderSignature(t *testing.T) {
	tests := []struct{ name, field, value, code string }{
		{"value", "Limit", "21", CodeFailure},
		{"signature", "Signature", "AAAA", CodeFailure},
		{"method", "SignatureMethod", "HmacMD5", CodeInvalid},
		{"no nonce", "Nonce", "", CodeMissing},
		{"no id", "SecretId", "", CodeMissing},
		{"unknown id", "SecretId", "AKIDother", CodeUnknownID},
		{"timestamp", "Timestamp", "-5", CodeInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := v1Sample()
			r.Form.Set(test.field, test.value)
			_, err := newVerifier(1465185768).Verify(r)
			wantCode(t, err, test.code)
		})
	}
}

func TestSkew(t *testing.T) {
	for off, code := range map[int64]string{-301: CodeExpired, -300: "", 300: "", 301: CodeExpired} {
		_, err := newVerifier(1551113065 + off).Verify(tc3Sample())
		wantCode(t, err, code)
	}
}

func TestACopiedRequestIsRefused(t *testing.T) {
	v := newVerifier(1551113065)
	for _, step := range []struct {
		after int64
		code  string
	}{{0, ""}, {0, ""}, {9, ""}, {11, CodeFailure}, {200, CodeFailure}} {
		v.now = func() time.Time { return time.Unix(1551113065+step.after, 0) }
		_, err := v.Verify(tc3Sample())
		wantCode(t, err, step.code)
	}
	v.now = func() time.Time { return time.Unix(1551113065+1000, 0) }
	if _, err := v.Verify(tc3Sample()); err == nil {
		t.Error("an expired request was accepted")
	}
}

func TestSightingsAreForgotten(t *testing.T) {
	v := newVerifier(1551113065)
	if _, err := v.Verify(tc3Sample()); err != nil {
		t.Fatal(err)
	}
	v.seen[1] = sighting{forget: 1551113065 + 5000}
	if err := v.once(signature{value: "later", timestamp: time.Unix(1551113065+400, 0)}, time.Unix(1551113065+400, 0)); err != nil {
		t.Fatal(err)
	}
	if len(v.seen) != 2 {
		t.Errorf("%d signatures are remembered, want 2: the first expired", len(v.seen))
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != code || e.Message == "" {
		t.Errorf("error %v, want code %s with a message", err, code)
	}
}

func FuzzAuthorization(f *testing.F) {
	f.Add(tc3Sample().Header.Get("Authorization"))
	f.Add("TC3-HMAC-SHA256 Credential=///tc3_request,SignedHeaders=,Signature=")
	f.Fuzz(func(t *testing.T, header string) {
		r := tc3Sample()
		if header == r.Header.Get("Authorization") {
			return
		}
		r.Header.Set("Authorization", header)
		// Spaces and order may differ; what was signed may not.
		if _, err := newVerifier(1551113065).Verify(r); err == nil && !strings.Contains(header, "Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168") {
			t.Errorf("accepted %q", header)
		}
	})
}

func FuzzOlderSignature(f *testing.F) {
	f.Add("Action=A&Nonce=1&SecretId=" + sampleID + "&Signature=EliP9YW3pW28FpsEdkXt%2F%2BWcGeI%3D&Timestamp=1465185768")
	f.Add("Nonce=&Timestamp=99999999999999999999&SignatureMethod=HmacSHA256")
	valid := v1Sample().Form.Encode()
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil || form.Encode() == valid {
			return
		}
		r := &Request{Method: "GET", Path: "/", Host: "cvm.tencentcloudapi.com", Header: http.Header{}, Form: form}
		if _, err := newVerifier(1465185768).Verify(r); err == nil {
			t.Errorf("accepted %q", query)
		}
	})
}

func TestSignedRequestsAreAccepted(t *testing.T) {
	r := &Request{Method: "POST", Path: "/", Host: "127.0.0.1:8080", Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte("{}")}
	Sign(r, "live", sampleID, sampleKey, time.Unix(1700000000, 0))
	if id, err := newVerifier(1700000000).Verify(r); err != nil || id != sampleID {
		t.Errorf("%q, %v", id, err)
	}
	r.Body = []byte("[]")
	_, err := newVerifier(1700000000).Verify(r)
	wantCode(t, err, CodeFailure)
}

func TestHostsAndPathsThatClientsSign(t *testing.T) {
	for host, want := range map[string]int{"a.example.com": 1, "a.example.com:80": 2, "[::1]": 1, "[::1]:80": 2, "http://127.0.0.1:80": 2} {
		if got := (&Request{Host: host}).hosts(); len(got) != want || got[0] != host {
			t.Errorf("hosts of %s: %q, want %d", host, got, want)
		}
	}
	for path, want := range map[string]int{"": 1, "/": 1, "/api/": 2} {
		if got := (&Request{Path: path}).paths(); len(got) != want || got[0] != "/" {
			t.Errorf("paths of %q: %q, want %d", path, got, want)
		}
	}
}
