package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
)

// Path is where everything is served. Its number changes when what is there
// changes in a way that breaks callers.
const Path = "/api/v1/"

const (
	// atOnce is how many requests are worked on at once, so that who lists
	// much leaves the database to the shots. Others wait their turn.
	atOnce = 8
	// patience is how long a request may take, its turn included.
	patience = 30 * time.Second
)

// Caller is who asks.
type Caller struct {
	Name     string // of the credential or the account, for the audit log
	Account  bool   // it is an account of the console
	ReadOnly bool   // may change nothing
}

// Options are what a [Server] needs; all are required.
type Options struct {
	// Identify finds out who asks; see [Unauthorized] and [TooOften] for its errors.
	Identify func(*http.Request) (Caller, error)
	Book     Book
	Courier  Courier
	Pictures Pictures
	// Resources are the templates and rules as they are now.
	Resources func() *stillcast.Resources
	// Live are the pushes that are live, in any order.
	Live func() []stillcast.Push
	// Status says how the server is.
	Status     func(context.Context) (Status, error)
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Server answers requests to [Path]. It is safe for concurrent use.
type Server struct {
	opts    Options
	mux     *http.ServeMux
	metrics *metrics
	cross   *http.CrossOriginProtection
	turns   chan struct{} // holds one for each request that is worked on
	jobs    *jobs
}

// New returns a Server.
func New(opts Options) (*Server, error) {
	m, err := newMetrics(opts.Registerer)
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts: opts, mux: http.NewServeMux(), metrics: m, cross: http.NewCrossOriginProtection(), turns: make(chan struct{}, atOnce),
		jobs: newJobs(opts.Book, opts.Courier, opts.Logger),
	}
	byPath := map[string]methods{}
	for _, o := range operations() {
		if byPath[o.path] == nil {
			byPath[o.path] = methods{}
		}
		byPath[o.path][o.method] = &o
	}
	for path, operations := range byPath {
		s.mux.Handle(path, s.handler(operations))
	}
	s.mux.Handle("/", s.handler(nil))
	return s, nil
}

// Stop ends the replays that run in the background. What they have replayed stays so.
func (s *Server) Stop() { s.jobs.stop() }

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// methods are the operations of one path.
type methods map[string]*operation

func (m methods) of(method string) *operation {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return m[method]
}

// names are the methods, in alphabetical order.
func (m methods) names() []string {
	names := slices.Collect(maps.Keys(m))
	if _, ok := m[http.MethodGet]; ok {
		names = append(names, http.MethodHead)
	}
	slices.Sort(names)
	return names
}

func (s *Server) handler(m methods) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		c := &call{Server: s, request: r, id: uuid.NewString(), methods: m, operation: m.of(r.Method), remote: r.RemoteAddr}
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		reply, err := c.answer(ctx)
		status := 0
		if err != nil {
			status, reply = c.refusal(w, err)
		} else {
			status = c.operation.status
		}
		c.write(w, status, reply)
		s.metrics.observe(c.name(), status, time.Since(began))
	})
}

// call is one request and its way to the answer.
type call struct {
	*Server

	request   *http.Request
	id        string
	methods   methods    // of the path
	operation *operation // nil where there is none
	who       Caller
	remote    string // address
}

func (c *call) name() string {
	if c.operation == nil {
		return "none"
	}
	return c.operation.id
}

func (c *call) answer(ctx context.Context) (any, error) {
	if c.operation != nil && c.operation.open {
		return c.run(ctx)
	}
	var err error
	if c.who, err = c.opts.Identify(c.request); err != nil {
		return nil, err
	}
	if c.operation == nil {
		return nil, c.nothing()
	}
	if err := c.mayChange(); err != nil {
		return nil, err
	}
	return c.run(ctx)
}

// nothing is the error of a path or method that is not there.
func (c *call) nothing() error {
	if len(c.methods) == 0 {
		return stillcast.Errorf(stillcast.CodeNotFound, "path", "is %q; what there is stands in %sopenapi.json", clip(c.request.URL.Path), Path)
	}
	return &fault{
		status: http.StatusMethodNotAllowed, code: codeMethod, field: "method",
		message: "is " + clip(c.request.Method) + "; allowed here are " + list(c.methods.names()),
	}
}

// mayChange refuses who may not change anything, and what a browser sends without
// its user's knowledge: it adds cookies and remembered passwords by itself.
func (c *call) mayChange() error {
	if !c.operation.changes() {
		return nil
	}
	if c.who.ReadOnly {
		return stillcast.Errorf(stillcast.CodeDenied, "Authorization", "is of %s, which may only read; %s changes something", c.who.Name, c.operation.id)
	}
	if c.request.Header.Get("Cookie") != "" {
		return stillcast.Errorf(stillcast.CodeDenied, "Cookie", "is not allowed with what changes something; send the credential alone")
	}
	if err := c.cross.Check(c.request); err != nil {
		return stillcast.Errorf(stillcast.CodeDenied, "Origin", "is %q, another site than this; it may change nothing", clip(c.request.Header.Get("Origin")))
	}
	return nil
}

// run does what a request asks for.
func (c *call) run(ctx context.Context) (any, error) {
	done, err := c.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	all, err := sent(c.request, c.operation.params)
	if err != nil {
		return nil, err
	}
	return c.do(ctx, all)
}

// turn waits until this is one of the few that are worked on. Done ends it.
func (c *call) turn(ctx context.Context) (done func(), err error) {
	select {
	case c.turns <- struct{}{}:
		return func() { <-c.turns }, nil
	case <-ctx.Done():
		return nil, stillcast.Errorf(stillcast.CodeLimit, "", "%d requests are being worked on; try again later", atOnce)
	}
}

// do does an operation with what was given, and notes who changed what.
func (c *call) do(ctx context.Context, all []given) (any, error) {
	o := c.operation
	in, err := bind(o.input, o.params, all)
	if err != nil {
		return nil, err
	}
	reply, err := o.run(ctx, c, in)
	// What failed on the way may have changed something; what was refused did not.
	if _, refused := faultOf(err); o.changes() && (err == nil || !refused) {
		c.audit(all, err)
	}
	return reply, err
}

// audit writes the one line of a change: who and what.
func (c *call) audit(all []given, err error) {
	input := make([]any, 0, len(all))
	for _, g := range all {
		input = append(input, slog.String(g.name, g.text))
	}
	who := "secret_id"
	if c.who.Account {
		who = "account"
	}
	c.opts.Logger.LogAttrs(context.Background(), slog.LevelInfo, "ledger change",
		slog.Bool("audit", true), slog.String("request", c.id), slog.String(who, c.who.Name), slog.String("remote", c.remote),
		slog.String("action", c.operation.id), slog.Group("input", input...), slog.Bool("done", err == nil))
}

// refusal is the answer to a request that failed. What is no business of the
// caller is in the log alone.
func (c *call) refusal(w http.ResponseWriter, err error) (int, any) {
	f, known := faultOf(err)
	log := c.opts.Logger.With("request", c.id, "operation", c.name(), "secret_id", c.who.Name, "remote", c.request.RemoteAddr)
	switch {
	case errors.Is(err, context.Canceled) && c.request.Context().Err() != nil:
		log.Debug("ledger request given up by its sender")
	case errors.Is(err, context.DeadlineExceeded):
		log.Warn("ledger request took too long", "error", err)
		f = &fault{
			status: http.StatusServiceUnavailable, code: string(stillcast.CodeLimit),
			message: "took longer than " + patience.String() + "; ask for less, such as one stream or destination, or a shorter time",
		}
	case !known:
		log.Error("ledger request failed", "error", err)
	case c.who.Name == "": // who guesses shall not fill the log
		log.Debug("ledger request refused", "code", f.code, "message", f.Error())
	default:
		log.Info("ledger request refused", "code", f.code, "message", f.Error())
	}
	h := w.Header()
	switch f.status {
	case http.StatusUnauthorized: // RFC 9110, 11.6.1: names how to say who asks
		h.Add("WWW-Authenticate", `Basic realm="Stillcast", charset="UTF-8"`)
		h.Add("WWW-Authenticate", `Bearer realm="Stillcast"`)
	case http.StatusMethodNotAllowed: // RFC 9110, 15.5.6
		h.Set("Allow", strings.Join(c.methods.names(), ", "))
	}
	if f.retryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((f.retryAfter+time.Second-1)/time.Second), 10))
	}
	return f.status, Refusal{Error: RefusalError{Code: f.code, Field: f.field, Message: f.message}}
}

// RequestID is the header of replies that names the request in the log.
const RequestID = "X-Request-Id"

// write sends a reply.
func (c *call) write(w http.ResponseWriter, status int, reply any) {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false) // bodies of events stand in replies as they were sent
	if err := e.Encode(reply); err != nil {
		c.opts.Logger.Error("ledger reply cannot be written as JSON", "request", c.id, "operation", c.name(), "error", err)
		status = http.StatusInternalServerError
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set(RequestID, c.id)
	w.WriteHeader(status)
	if _, err := w.Write(body.Bytes()); err != nil {
		c.opts.Logger.Debug("ledger reply not sent", "request", c.id, "error", err)
	}
}
