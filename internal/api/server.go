package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast/internal/api/tcsign"
	"github.com/stillcast/stillcast/internal/guard"
)

// Version is the one version of the API.
const Version = "2018-08-01"

// Sizes that Tencent Cloud API 3.0 allows ("Signature v3", "Signature").
const (
	maxQuery = 32 << 10 // bytes, of a GET
	maxForm  = 1 << 20  // of a POST with the older signature
	maxBody  = 10 << 20 // of a POST with TC3
)

// Bodies larger than any sensible call's are read for so many requests at once:
// who sends them is not known before they are read.
const (
	smallBody   = 256 << 10 // bytes
	largeBodies = 4
)

// Options are what a [Server] needs; all are required.
type Options struct {
	Credentials []Credential
	Control     Control
	// Host returns the Host header of a request as it was sent, see [HostListener].
	Host       func(*http.Request) string
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Server answers the API's requests. It is an [http.Handler] for the path "/"
// and all others that clients send with a signature.
type Server struct {
	opts        Options
	actions     map[string]*Action
	credentials map[string]Credential
	verifier    *tcsign.Verifier
	guard       *guard.Guard[netip.Prefix]
	metrics     *metrics
	large       chan struct{} // holds one for each large body
}

// New returns a Server.
func New(opts Options) (*Server, error) {
	s := &Server{opts: opts, actions: map[string]*Action{}, credentials: map[string]Credential{}, guard: newGuard(), large: make(chan struct{}, largeBodies)}
	for _, c := range opts.Credentials {
		s.credentials[c.SecretID] = c
	}
	for _, a := range slices.Concat(Actions(), OwnActions()) {
		s.actions[a.Name] = &a
	}
	s.verifier = tcsign.New(func(id string) (string, bool) {
		c, ok := s.credentials[id]
		return c.SecretKey.Reveal(), ok
	})
	var err error
	s.metrics, err = newMetrics(opts.Registerer)
	return s, err
}

// Wants reports whether a request is one to the API, rather than of a browser.
func Wants(r *http.Request) bool {
	if r.Method == http.MethodPost {
		return true
	}
	return r.Header.Get("X-TC-Action") != "" || r.Header.Get("Authorization") != "" ||
		strings.Contains(r.URL.RawQuery, "Action=")
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	e := &exchange{server: s, request: r, id: uuid.NewString()}
	reply, err := e.answer(r.Context())
	if err != nil {
		reply = e.refusal(err)
	}
	w.Header().Set("Content-Type", "application/json") // exactly: clients look no further at others
	w.Header().Set("Cache-Control", "no-store")
	if _, err := w.Write(appendReply(nil, e.id, reply)); err != nil {
		s.opts.Logger.Debug("api reply not sent", "request", e.id, "error", err)
	}
	s.metrics.observe(e.name(), reply, time.Since(began))
}

// exchange is one request and its way to the answer.
type exchange struct {
	server  *Server
	request *http.Request
	id      string
	action  *Action // once it is known
	who     string  // SecretId, once the signature was verified
}

func (e *exchange) name() string {
	if e.action == nil {
		return "none"
	}
	return e.action.Name
}

func (e *exchange) answer(ctx context.Context) (any, error) {
	s := e.server
	from := guard.Network(e.request)
	if wait := s.guard.Wait(from); wait > 0 {
		return nil, faultf(codeTooOften, "too many wrong signatures came from this address; try again in %s", max(time.Second, wait.Round(time.Second)))
	}
	signed, raw, common, err := e.read()
	if err != nil {
		return nil, err
	}
	e.who, err = s.verifier.Verify(signed)
	if err != nil {
		s.guard.Failed(from)
		return nil, err
	}
	s.guard.Passed(from)
	if err := e.choose(common); err != nil {
		return nil, err
	}
	c, err := e.action.newCall(raw, s.opts.Control)
	if err != nil {
		return nil, err
	}
	c.audit = e.audit
	return e.action.run(ctx, c)
}

// choose finds the action and says whether the caller may call it.
func (e *exchange) choose(common commonParams) error {
	switch {
	case common.action == "":
		return faultf(codeMissing, "Action is missing")
	case common.version == "":
		return faultf(codeMissing, "Version is missing; it is %s", Version)
	case common.version != Version:
		return faultf(codeVersion, "Version is %s; allowed is %s", clip(common.version), Version)
	}
	a, ok := e.server.actions[common.action]
	if !ok {
		return faultf(codeAction, "there is no action %s", clip(common.action))
	}
	e.action = a
	if a.Writes && e.server.credentials[e.who].ReadOnly {
		return faultf(codeUnauthorized, "the credential %s may only read; %s changes something", e.who, a.Name)
	}
	return nil
}

// commonParams are those of every request.
type commonParams struct{ action, version string }

// read takes a request apart.
func (e *exchange) read() (*tcsign.Request, rawParams, commonParams, error) {
	r := e.request
	signed := &tcsign.Request{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Host: e.server.opts.Host(r), Header: r.Header,
	}
	tc3 := r.Header.Get("Authorization") != ""
	if len(r.URL.RawQuery) > maxQuery {
		return nil, rawParams{}, commonParams{}, faultf(codeTooLarge, "the query has %d bytes; at most %d are allowed", len(r.URL.RawQuery), maxQuery)
	}
	var err error
	switch r.Method {
	case http.MethodGet:
		signed.Form, err = parseQuery(r.URL.RawQuery)
	case http.MethodPost:
		most := int64(maxForm)
		if tc3 {
			most = maxBody
		}
		if signed.Body, err = e.server.readBody(r, most); err == nil && !tc3 {
			signed.Form, err = parseQuery(string(signed.Body))
		}
	default:
		err = faultf(codeProtocol, "the method is %s; allowed are GET and POST", clip(r.Method))
	}
	if err != nil {
		return nil, rawParams{}, commonParams{}, err
	}
	raw, common, err := params(signed, tc3)
	return signed, raw, common, err
}

// params separates an action's parameters from the common ones.
func params(r *tcsign.Request, tc3 bool) (rawParams, commonParams, error) {
	if !tc3 {
		common := commonParams{r.Form.Get("Action"), r.Form.Get("Version")}
		own := url.Values{}
		for name, values := range r.Form {
			if !isCommon(name) {
				own[name] = values
			}
		}
		raw, err := formParams(own)
		return raw, common, err
	}
	common := commonParams{r.Header.Get("X-TC-Action"), r.Header.Get("X-TC-Version")}
	if r.Method == http.MethodGet {
		raw, err := formParams(r.Form)
		return raw, common, err
	}
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
		return rawParams{}, common, faultf(codeInvalid, "Content-Type is %q; allowed is application/json", clip(kind))
	}
	raw, err := jsonParams(r.Body)
	return raw, common, err
}

// isCommon tells the parameters of the older signature from an action's own.
func isCommon(name string) bool {
	switch name {
	case "Action", "Version", "Timestamp", "Nonce", "SecretId", "Signature", "SignatureMethod", "Region", "Token", "Language", "RequestClient":
		return true
	}
	return false
}

func parseQuery(text string) (url.Values, error) {
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, faultf(codeInvalid, "the parameters cannot be read: %s", err)
	}
	return form, nil
}

func (s *Server) readBody(r *http.Request, most int64) ([]byte, error) {
	limited := http.MaxBytesReader(nil, r.Body, most)
	body, err := io.ReadAll(io.LimitReader(limited, smallBody))
	if err == nil && len(body) == smallBody {
		body, err = s.readLarge(body, limited)
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, faultf(codeTooLarge, "the body has more than %d bytes, the most that is allowed", most)
	}
	if _, ok := errors.AsType[*fault](err); ok {
		return nil, err
	}
	if err != nil {
		return nil, faultf(codeInvalid, "the body cannot be read: %s", err)
	}
	return body, nil
}

// readLarge reads the rest of a body, of which start has been read.
func (s *Server) readLarge(start []byte, rest io.Reader) ([]byte, error) {
	select {
	case s.large <- struct{}{}:
		defer func() { <-s.large }()
	default:
		return nil, faultf(codeTooOften, "%d bodies of more than %d bytes are being read; try again later", largeBodies, smallBody)
	}
	body := bytes.NewBuffer(start)
	_, err := body.ReadFrom(rest)
	return body.Bytes(), err
}

// refusal is the answer to a request that failed. What is no business of the
// caller is in the log alone.
func (e *exchange) refusal(err error) any {
	f, told := e.action.faultOf(err)
	if !told {
		e.server.opts.Logger.Error("api call failed", "request", e.id, "action", e.name(), "secret_id", e.who, "error", err)
	} else {
		level := slog.LevelInfo
		if e.who == "" && f.Code == codeTooOften {
			level = slog.LevelDebug // who guesses shall not fill the log
		}
		e.server.opts.Logger.Log(e.request.Context(), level, "api call refused", "request", e.id, "action", e.name(), "secret_id", e.who,
			"remote", e.request.RemoteAddr, "code", f.Code, "message", f.Message)
	}
	return f
}

// audit writes the one line of a change: who, what, before, after. Secrets are
// of types that do not show themselves.
func (e *exchange) audit(before, after any) {
	e.server.opts.Logger.Info("api change", "audit", true, "request", e.id, "secret_id", e.who, "remote", e.request.RemoteAddr,
		"action", e.name(), "before", before, "after", after)
}
