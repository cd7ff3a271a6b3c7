package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api/tcsign"
)

// Credentials of the tests.
const (
	testID, testKey     = "AKIDtest", "a-key-of-the-tests"
	readerID, readerKey = "AKIDreader", "a-key-that-may-read-only"
)

// rig is a server on a port of its own, as internal/app sets one up.
type rig struct {
	*httptest.Server
	t       testing.TB
	api     *Server
	control *fakeControl

	mu  sync.Mutex
	log bytes.Buffer
}

// Write takes the server's log.
func (r *rig) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(p)
}

func (r *rig) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, control: &fakeControl{}}
	var err error
	r.api, err = New(Options{
		Credentials: []Credential{
			{SecretID: testID, SecretKey: testKey},
			{SecretID: readerID, SecretKey: readerKey, ReadOnly: true},
		},
		Control: r.control, Host: HostOf, Registerer: prometheus.NewRegistry(),
		Logger: slog.New(slog.NewJSONHandler(r, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Server = httptest.NewUnstartedServer(r.api)
	r.Listener = HostListener{r.Listener}
	r.Config.ConnContext = HostContext
	r.Start()
	t.Cleanup(r.Close)
	return r
}

func (r *rig) host() string { return strings.TrimPrefix(r.URL, "http://") }

// answer is a reply with what it came in.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	Fields  map[string]json.RawMessage
	Code    string
	Message string
}

func (r *rig) read(reply *http.Response, err error) answer {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.parse(reply.StatusCode, reply.Header, body)
}

func (r *rig) parse(status int, header http.Header, body []byte) answer {
	r.t.Helper()
	a := answer{status: status, header: header, body: body}
	var outer struct{ Response map[string]json.RawMessage }
	if err := json.Unmarshal(body, &outer); err != nil || outer.Response == nil {
		r.t.Fatalf("answer %q: %v; want {\"Response\":{…}}", body, err)
	}
	a.Fields = outer.Response
	if raw, ok := a.Fields["Error"]; ok {
		var e struct{ Code, Message string }
		if err := json.Unmarshal(raw, &e); err != nil {
			r.t.Fatal(err)
		}
		a.Code, a.Message = e.Code, e.Message
	}
	return a
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if a.Code != "" {
		t.Fatalf("refused: %s: %s", a.Code, a.Message)
	}
	b, err := json.Marshal(a.Fields)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
}

// signed is a TC3 request of an action; change alters it after it was signed.
type signed struct {
	method, action, version, query string
	id, key, service               string
	host                           string // that is signed; "": the rig's
	header                         http.Header
	body                           []byte
	at                             time.Time
}

func (r *rig) post(action string, body []byte) signed {
	return signed{
		method: http.MethodPost, action: action, version: Version, id: testID, key: testKey, service: "live", body: body,
		header: http.Header{"Content-Type": {"application/json"}}, at: time.Now(),
	}
}

func (r *rig) get(action, query string) signed {
	s := r.post(action, nil)
	s.method, s.query = http.MethodGet, query
	s.header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s
}

// sign makes the request that r gets.
func (r *rig) sign(s signed) *http.Request {
	r.t.Helper()
	target := r.URL + "/"
	if s.query != "" {
		target += "?" + s.query
	}
	req, err := http.NewRequestWithContext(r.t.Context(), s.method, target, bytes.NewReader(s.body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header = s.header.Clone()
	req.Header.Set("X-TC-Action", s.action)
	req.Header.Set("X-TC-Version", s.version)
	host := s.host
	if host == "" {
		host = r.host()
	}
	tcsign.Sign(&tcsign.Request{Method: s.method, Path: "/", Query: s.query, Host: host, Header: req.Header, Body: s.body}, s.service, s.id, s.key, s.at)
	return req
}

func (r *rig) send(s signed) answer {
	r.t.Helper()
	return r.read(r.Client().Do(r.sign(s)))
}

// call calls an action by POST with a JSON body made of params.
func (r *rig) call(action string, params any) answer {
	r.t.Helper()
	body, err := json.Marshal(params)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.send(r.post(action, body))
}

// must calls an action that must succeed.
func (r *rig) must(action string, params any) answer {
	r.t.Helper()
	a := r.call(action, params)
	if a.Code != "" {
		r.t.Fatalf("%s: %s: %s", action, a.Code, a.Message)
	}
	return a
}

// raw writes bytes to a connection of its own and reads one answer.
func (r *rig) raw(text string) (head string, body []byte) {
	r.t.Helper()
	var d net.Dialer
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
	defer cancel()
	c, err := d.DialContext(ctx, "tcp", r.host())
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		r.t.Fatal(err)
	}
	all, err := io.ReadAll(c)
	if err != nil {
		r.t.Fatal(err)
	}
	h, b, ok := bytes.Cut(all, []byte("\r\n\r\n"))
	if !ok {
		r.t.Fatalf("answer %q has no body", all)
	}
	return string(h), b
}

// v1 makes the parameters of the older signature.
func (r *rig) v1(method, action, algorithm string, own url.Values) url.Values {
	form := url.Values{
		"Action": {action}, "Version": {Version}, "Timestamp": {fmt.Sprint(time.Now().Unix())}, "Nonce": {"4711"},
		"SecretId": {testID}, "Region": {""},
	}
	if algorithm != "" {
		form.Set("SignatureMethod", algorithm)
	}
	maps.Copy(form, own)
	var names []string
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	var text []string
	for _, name := range names {
		text = append(text, name+"="+form.Get(name))
	}
	form.Set("Signature", v1Signature(algorithm, testKey, method+r.host()+"/?"+strings.Join(text, "&")))
	return form
}

func aPush(domain, app, name string) stillcast.Push {
	return stillcast.Push{
		ID: name, Stream: stillcast.Stream{Domain: domain, App: app, Name: name}, Domain: domain,
		Remote: netip.MustParseAddrPort("192.0.2.7:5000"), Started: time.Unix(1700000000, 0),
	}
}

var template = map[string]any{"TemplateName": "t", "CosAppId": 1250000000, "CosBucket": "shots", "CosRegion": "ap-guangzhou"}

// with returns the parameters with others added or changed.
func with(params map[string]any, more ...any) map[string]any {
	all := maps.Clone(params)
	for i := 0; i < len(more); i += 2 {
		all[more[i].(string)] = more[i+1]
	}
	return all
}
