package api

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the protocol's own
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api/tcsign"
	"github.com/stillcast/stillcast/internal/state"
)

// The tests of this file are what clients written for Tencent Cloud need.

func v1Signature(algorithm, key, text string) string {
	method := map[string]func() hash.Hash{"": sha1.New, "HmacSHA1": sha1.New, "HmacSHA256": sha256.New}[algorithm]
	h := hmac.New(method, []byte(key))
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// Python's client looks for errors in two content types only, and takes every
// status but 200 for a broken network, as the others do.
func TestEveryAnswerIs200AndPlainJSON(t *testing.T) {
	r := newRig(t)
	uuid := regexp.MustCompile(`^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$`)
	unsigned, err := r.Client().Post(r.URL+"/", "application/json", strings.NewReader("{}"))
	answers := map[string]answer{
		"success":        r.must("DescribeLiveSnapshotTemplates", nil),
		"unknown action": r.call("DescribeNothing", nil),
		"wrong value":    r.call("CreateLiveSnapshotTemplate", with(template, "Width", -1)),
		"unsigned":       r.read(unsigned, err),
	}
	for name, a := range answers {
		if a.status != http.StatusOK {
			t.Errorf("%s: status %d, want 200", name, a.status)
		}
		if got := a.header.Values("Content-Type"); len(got) != 1 || got[0] != "application/json" {
			t.Errorf("%s: Content-Type %q, want exactly application/json", name, got)
		}
		if !uuid.Match(a.Fields["RequestId"]) {
			t.Errorf("%s: RequestId %s, want a UUID", name, a.Fields["RequestId"])
		}
		if strings.HasSuffix(string(a.body), "\n") {
			t.Errorf("%s: something follows the object", name)
		}
		if (a.Code == "") != (name == "success") {
			t.Errorf("%s: code %q", name, a.Code)
		}
	}
}

func TestNodeSignsAnotherServiceAndTheHostWithoutPort(t *testing.T) {
	r := newRig(t)
	name, _, _ := strings.Cut(r.host(), ":")
	for _, service := range []string{"127", "localhost:18080"} {
		s := r.post("DescribeLiveSnapshotTemplates", []byte("{}"))
		s.service, s.host = service, name
		if a := r.send(s); a.Code != "" {
			t.Errorf("service %s: %s: %s", service, a.Code, a.Message)
		}
	}
	s := r.post("DescribeLiveSnapshotTemplates", []byte("{}"))
	s.host = "live.example.com"
	if a := r.send(s); a.Code != tcsign.CodeFailure {
		t.Errorf("another host was signed: code %q, want %s", a.Code, tcsign.CodeFailure)
	}
}

// Node.js and Python keep their own order of the query and escape as they like.
func TestTheQueryIsSignedAsItWasSent(t *testing.T) {
	r := newRig(t)
	for _, query := range []string{"StreamName=s&DomainName=d.example.com&AppName=live", "AppName=l%69ve&StreamName=%73&DomainName=d.example.com"} {
		a := r.send(r.get("DescribeLiveStreamState", query))
		if a.Code != "" || string(a.Fields["StreamState"]) != `"inactive"` {
			t.Errorf("%s: %s %s", query, a.Code, a.body)
		}
	}
}

// tccli knows no flag for http: it takes the endpoint http://HOST:PORT, and sends and signs that as its host.
func TestTccliSendsAURLAsHost(t *testing.T) {
	r := newRig(t)
	for _, host := range []string{"http://" + r.host(), "https://" + r.host()} {
		s := r.post("DescribeLiveSnapshotTemplates", []byte("{}"))
		s.host = host
		req := r.sign(s)
		head, body := r.raw("POST / HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nX-TC-Action: DescribeLiveSnapshotTemplates\r\n" +
			"X-TC-Version: " + Version + "\r\nX-TC-Timestamp: " + req.Header.Get("X-TC-Timestamp") + "\r\nAuthorization: " + req.Header.Get("Authorization") + "\r\n" +
			"Accept-Encoding: identity\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
		if !strings.HasPrefix(head, "HTTP/1.1 200 OK\r\n") {
			t.Errorf("host %s: answer %q", host, head)
		}
		if a := r.parse(200, nil, body); a.Code != "" {
			t.Errorf("host %s: %s: %s", host, a.Code, a.Message)
		}
	}
}

func TestUnsignedPayload(t *testing.T) {
	r := newRig(t)
	s := r.post("CreateLiveSnapshotTemplate", []byte(`{"TemplateName":"t","CosAppId":1,"CosBucket":"b","CosRegion":"r"}`))
	s.header.Set("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD")
	if a := r.send(s); a.Code != "" {
		t.Errorf("%s: %s", a.Code, a.Message)
	}
}

func TestIntegersMayBeStrings(t *testing.T) {
	r := newRig(t)
	a := r.must("CreateLiveSnapshotTemplate", map[string]any{
		"CosRegion": "beijing", "Description": "testDesc", "SnapshotInterval": "10", "PornFlag": "0", "CosBucket": "bucket",
		"TemplateName": "testName", "Height": "250", "CosAppId": "8954511", "Width": "250",
	})
	if got := string(a.Fields["TemplateId"]); got != "1" {
		t.Errorf("TemplateId is %s, want a JSON number", got)
	}
	var reply snapshotTemplateReply
	r.must("DescribeLiveSnapshotTemplate", map[string]any{"TemplateId": "1"}).into(t, &reply)
	if reply.Template.SnapshotInterval != 10 || reply.Template.CosAppID != 8954511 || reply.Template.Width != 250 {
		t.Errorf("template %+v", reply.Template)
	}
}

func TestListsInAQuery(t *testing.T) {
	r := newRig(t)
	query := url.Values{"TemplateName": {"c"}, "StreamBeginNotifyUrl": {"http://a.example.com/"}, "RecordExceptionLevels.0": {"error"}, "RecordExceptionLevels.1": {"info"}}
	a := r.send(r.get("CreateLiveCallbackTemplate", query.Encode()))
	if a.Code != "" {
		t.Fatalf("%s: %s", a.Code, a.Message)
	}
	if got := r.control.set.CallbackTemplates[0].Kept.RecordExceptionLevels; got != "error,info" {
		t.Errorf("levels %q", got)
	}
}

// Terraform takes a default that it did not set for a change of somebody else's.
func TestDefaultsAreNeverShown(t *testing.T) {
	r := newRig(t)
	r.must("AddLiveDomain", map[string]any{"DomainName": "d.example.com", "DomainType": 0})
	r.must("CreateLiveSnapshotTemplate", template)
	r.must("CreateLiveSnapshotRule", map[string]any{"DomainName": "d.example.com", "TemplateId": 1})
	r.must("CreateLiveCallbackTemplate", map[string]any{"TemplateName": "c", "SnapshotNotifyUrl": "http://a.example.com/"})
	for action, want := range map[string]string{
		"DescribeLiveSnapshotTemplates": `[{"TemplateId":1,"TemplateName":"t","SnapshotInterval":0,"Width":0,"Height":0,"PornFlag":0,"CosAppId":1250000000,"CosBucket":"shots","CosRegion":"ap-guangzhou","Description":"","CosPrefix":"","CosFileName":""}]`,
		"DescribeLiveSnapshotRules":     `[{"CreateTime":"2021-06-02 10:12:05","UpdateTime":"2021-06-02 10:12:05","TemplateId":1,"DomainName":"d.example.com","AppName":"","StreamName":""}]`,
		"DescribeLiveCallbackTemplates": `[{"TemplateId":2,"TemplateName":"c","Description":"","StreamBeginNotifyUrl":"","StreamMixNotifyUrl":"","StreamEndNotifyUrl":"","RecordNotifyUrl":"","SnapshotNotifyUrl":"http://a.example.com/","PornCensorshipNotifyUrl":"","CallbackKey":"","PushExceptionNotifyUrl":"","AudioAuditNotifyUrl":"","RecordExceptionNotifyUrl":""}]`,
	} {
		a := r.must(action, nil)
		got := string(a.Fields["Templates"]) + string(a.Fields["Rules"])
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", action, got, want)
		}
	}
	var domain domainReply
	r.must("DescribeLiveDomain", map[string]any{"DomainName": "d.example.com"}).into(t, &domain)
	if domain.DomainInfo.PlayType != 0 {
		t.Errorf("PlayType %d of a domain without one, want 0", domain.DomainInfo.PlayType)
	}
}

func TestOlderSignature(t *testing.T) {
	r := newRig(t)
	for _, algorithm := range []string{"", "HmacSHA1", "HmacSHA256"} {
		own := url.Values{"TemplateId": {"7"}}
		reply, err := r.Client().PostForm(r.URL+"/", r.v1(http.MethodPost, "DescribeLiveSnapshotTemplate", algorithm, own))
		if a := r.read(reply, err); a.Code != "FailedOperation.NotFound" {
			t.Errorf("POST %s: %q %s", algorithm, a.Code, a.Message)
		}
		reply, err = r.Client().Get(r.URL + "/?" + r.v1(http.MethodGet, "DescribeLiveSnapshotTemplate", algorithm, own).Encode())
		if a := r.read(reply, err); a.Code != "FailedOperation.NotFound" {
			t.Errorf("GET %s: %q %s", algorithm, a.Code, a.Message)
		}
	}
}

// A proxy is how Terraform reaches another server without its name in DNS: the request line holds the URL.
func TestAbsoluteForm(t *testing.T) {
	r := newRig(t)
	s := r.post("DescribeLiveSnapshotTemplates", []byte("{}"))
	s.host = "live.tencentcloudapi.com"
	req := r.sign(s)
	_, body := r.raw("POST http://" + s.host + "/ HTTP/1.1\r\nHost: " + s.host + "\r\nContent-Type: application/json\r\nX-TC-Action: DescribeLiveSnapshotTemplates\r\n" +
		"X-TC-Version: " + Version + "\r\nX-TC-Timestamp: " + req.Header.Get("X-TC-Timestamp") + "\r\nAuthorization: " + req.Header.Get("Authorization") +
		"\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
	if a := r.parse(200, nil, body); a.Code != "" {
		t.Errorf("%s: %s", a.Code, a.Message)
	}
}

// Everything but the first Host line goes through as it was sent, however it comes.
func FuzzHostListener(f *testing.F) {
	f.Add([]byte("POST / HTTP/1.1\r\nHost: http://127.0.0.1:80\r\n\r\nbody"), uint8(3))
	f.Add([]byte("GET / HTTP/1.1\nA: b\nhost:https://x/\n\nHost: http://y\n"), uint8(1))
	f.Add([]byte("\r\n\r\n"), uint8(1))
	f.Fuzz(func(t *testing.T, sent []byte, size uint8) {
		c := &hostConn{Conn: &readConn{left: sent, size: int(size) + 1}}
		got, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		want := string(sent)
		if c.host != "" {
			line := regexp.MustCompile(`(?im)^host[ \t]*:[^\n]*`).FindString(want)
			plain := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(c.host, "http://"), "https://"), "/")
			want = strings.Replace(want, line, "Host: "+plain+"\r", 1)
		}
		if string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestTimesAreInTheNotationOfTheQuestion(t *testing.T) {
	r := newRig(t)
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	r.control.calls = []state.AttemptRecord{{
		Event:    stillcast.Event{Type: stillcast.EventShot, At: at, Stream: stillcast.Stream{Name: "s"}, Fields: json.RawMessage(`{"a":1}`)},
		Response: "ok", Responded: at.Add(time.Second),
	}}
	for _, notation := range []struct {
		format string
		zone   *time.Location
	}{{utcNotation, time.UTC}, {localNotation, r.control.Location()}} {
		var reply callbackRecordsReply
		r.must("DescribeCallbackRecordsList", map[string]any{
			"StartTime": at.Add(-time.Hour).In(notation.zone).Format(notation.format), "EndTime": at.Add(time.Hour).In(notation.zone).Format(notation.format),
			"StreamName": "s", "PageNum": 1, "PageSize": 10,
		}).into(t, &reply)
		want := CallbackEventInfo{
			EventTime: at.In(notation.zone).Format(notation.format), EventType: 200, Request: `{"a":1}`, Response: "ok",
			ResponseTime: at.Add(time.Second).In(notation.zone).Format(notation.format), ResultCode: 1, StreamID: "s",
		}
		if fmt.Sprint(reply.DataInfoList) != fmt.Sprint([]CallbackEventInfo{want}) || reply.TotalNum != 1 || reply.TotalPage != 1 {
			t.Errorf("reply %+v, want %+v", reply, want)
		}
	}
}
