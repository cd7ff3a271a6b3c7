package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Path is where the console is served.
const Path = "/console/"

// Role is what an account may do.
type Role = state.ConsoleRole

// The roles.
const (
	RoleViewer = state.ConsoleViewer
	RoleAdmin  = state.ConsoleAdmin
)

// Options are what a [Console] is made of. All are required.
type Options struct {
	Config   Config
	Accounts accounts
	Rules    rules
	Ledger   desks
	System   system
	Zone     *time.Location // of the times on its pages
	Logger   *slog.Logger
	Metrics  prometheus.Registerer
	Version  string
	Wall     *Wall
	Streams  streams
}

// Console serves the pages. It is safe for concurrent use.
type Console struct {
	opts    Options
	log     *slog.Logger
	pages   *pages
	static  *static
	mux     *http.ServeMux
	origin  *http.CrossOriginProtection
	doors   *doors
	guesses guesses
	metrics *metrics
	first   stillcast.Secret
}

// route is one page or action.
type route struct {
	pattern string // of [http.ServeMux], without Path: "GET deliveries/{id}"
	open    bool   // to who has not logged in, too
	role    Role   // that it needs; "" means RoleViewer for GET and RoleAdmin for the rest
	run     func(*view) error
}

// New returns a console that is ready to serve, with the accounts and sessions
// that there are. Where there is no account, it makes the first; see
// [Console.FirstPassword].
func New(ctx context.Context, o Options) (*Console, error) { return newConsole(ctx, o, recommended()) }

func newConsole(ctx context.Context, o Options, cost hashing) (*Console, error) {
	if o.Accounts == nil || o.Logger == nil || o.Metrics == nil || o.Zone == nil {
		return nil, errors.New("make the console: an option is missing")
	}
	c := &Console{opts: o, log: o.Logger, mux: http.NewServeMux(), origin: http.NewCrossOriginProtection(), guesses: newGuesses()}
	c.doors = &doors{store: o.Accounts, hasher: newHasher(cost), sessions: newSessions(o.Accounts, o.Config, o.Logger)}
	var err error
	if c.metrics, err = newMetrics(o.Metrics, c.doors.sessions.count); err != nil {
		return nil, err
	}
	if c.static, err = newStatic(); err != nil {
		return nil, err
	}
	if c.pages, err = newPages(c.static, o.Zone); err != nil {
		return nil, err
	}
	for _, area := range c.areas() {
		for _, r := range area {
			c.handle(r)
		}
	}
	c.mux.Handle("GET "+Path+"static/", c.static)
	c.mux.HandleFunc(Path, func(w http.ResponseWriter, req *http.Request) {
		c.run(route{pattern: "none", run: func(*view) error { return refusedf(http.StatusNotFound, "error.nothing") }}, w, req)
	})
	if c.first, err = c.doors.prepare(ctx); err != nil {
		return nil, fmt.Errorf("make the console: %w", err)
	}
	return c, nil
}

// areas are the routes of all areas.
func (c *Console) areas() [][]route {
	return [][]route{c.entryRoutes(), c.wallRoutes(), c.ruleRoutes(), c.deliveryRoutes(), c.systemRoutes()}
}

// FirstPassword returns the password of [FirstAccount] if this start made that
// account, else "". It is nowhere else.
func (c *Console) FirstPassword() stillcast.Secret { return c.first }

func (c *Console) handle(r route) {
	method, path, _ := strings.Cut(r.pattern, " ")
	if r.role == "" {
		r.role = RoleAdmin
		if method == http.MethodGet {
			r.role = RoleViewer
		}
	}
	c.mux.HandleFunc(method+" "+Path+path, func(w http.ResponseWriter, req *http.Request) { c.run(r, w, req) })
}

// maxForm is how much a form may send, in bytes.
const maxForm = 1 << 20

// ServeHTTP serves what is under [Path].
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	if err := c.origin.Check(r); err != nil {
		http.Error(w, "requests from other sites are refused", http.StatusForbidden)
		return
	}
	if c.stopped(w) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	c.mux.ServeHTTP(w, r)
}

// protect sets the headers that tell the browser to load nothing from elsewhere,
// to run no script that is in a page, and to show the console in no frame.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
		"connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// run serves one route to who may use it. The context of the request ends when
// the session does, or the server stops.
func (c *Console) run(r route, w http.ResponseWriter, req *http.Request) {
	answer := &recorder{ResponseWriter: w}
	v := &view{Console: c, w: answer, r: req, from: c.opts.Config.client(req)}
	v.words = c.pages.language(v)
	ctx, done := c.resume(v)
	defer done()
	v.r = req.WithContext(ctx)
	err := c.enter(v, r)
	if err == nil {
		err = r.run(v)
	}
	if err != nil {
		c.fail(v, err)
	}
	c.metrics.requests.WithLabelValues(r.pattern, answer.class()).Inc()
}

// resume finds the session of a request.
func (c *Console) resume(v *view) (ctx context.Context, done func()) {
	ctx = v.r.Context()
	cookie := v.cookie(sessionCookie)
	if cookie == "" {
		return ctx, func() {}
	}
	v.session, ctx, done = c.doors.sessions.use(ctx, sessionID(cookie))
	if v.session != nil {
		v.token = token(cookie)
	}
	return ctx, done
}

// enter checks that who asks may use a route.
func (c *Console) enter(v *view, r route) error {
	if v.session == nil {
		if r.open {
			return nil
		}
		return errLoggedOut
	}
	if changes(v.r.Method) && !v.sentToken() {
		return refusedf(http.StatusForbidden, "error.token")
	}
	if r.role == RoleAdmin && v.session.Role != RoleAdmin && !r.open {
		return refusedf(http.StatusForbidden, "entry.forbidden")
	}
	return nil
}

// changes tells whether requests of a method may change something (RFC 9110, 9.2.1).
func changes(method string) bool { return method != http.MethodGet && method != http.MethodHead }

// recorder remembers the status of an answer. Whoever flushes does it by
// [http.NewResponseController], which finds the writer beneath.
type recorder struct {
	http.ResponseWriter

	status int
}

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.NewResponseController].
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// class is the first digit of the status, such as "2xx".
func (r *recorder) class() string {
	if r.status == 0 {
		return "2xx"
	}
	return fmt.Sprintf("%dxx", r.status/100)
}
