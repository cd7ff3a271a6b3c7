package console

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast/internal/state/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cheap makes hashes fast: the cost is not what most tests are about.
func cheap() hashing { return hashing{time: 1, memory: 64, threads: 1} }

// rig is a console at work on a real state, with an account of each role.
type rig struct {
	*Console

	t      *testing.T
	folder string
	store  *sqlite.Store
	server *httptest.Server
	log    *logged

	admin, viewer string // passwords of the accounts "admin" and "viewer"
}

// logged is what the console logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newRig starts a console; change changes its options.
func newRig(t *testing.T, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, folder: t.TempDir(), log: &logged{}}
	began.Do(func() { began.begin(t) })
	r.admin, r.viewer = began.admin, began.viewer
	if err := os.WriteFile(filepath.Join(r.folder, databaseFile), began.database, 0o600); err != nil {
		t.Fatal(err)
	}
	r.open(change...)
	t.Cleanup(r.close)
	return r
}

const databaseFile = "stillcast.db"

// began is a state after a first start, which most tests begin with: to make the
// tables takes longer than what they test.
var began beginning

type beginning struct {
	sync.Once

	database      []byte
	admin, viewer string
}

func (b *beginning) begin(t *testing.T) {
	t.Helper()
	r := &rig{t: t, folder: t.TempDir(), log: &logged{}}
	r.open()
	b.admin = r.FirstPassword().Reveal()
	var err error
	if b.viewer, err = r.doors.add(t.Context(), "viewer", RoleViewer); err != nil {
		t.Fatal(err)
	}
	r.close()
	if b.database, err = os.ReadFile(filepath.Join(r.folder, databaseFile)); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) open(change ...func(*Options)) {
	r.t.Helper()
	cfg := sqlite.DefaultConfig()
	cfg.Path = filepath.Join(r.folder, databaseFile)
	logger := slog.New(slog.NewTextHandler(r.log, nil))
	var err error
	if r.store, err = sqlite.Open(r.t.Context(), cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry()); err != nil {
		r.t.Fatal(err)
	}
	o := Options{
		Config: DefaultConfig(), Accounts: r.store, Zone: time.FixedZone("", 8*3600), Logger: logger,
		Metrics: prometheus.NewRegistry(), Version: "test",
	}
	for _, c := range change {
		c(&o)
	}
	if r.Console, err = newConsole(r.t.Context(), o, cheap()); err != nil {
		r.t.Fatal(err)
	}
	r.server = httptest.NewServer(r.Console)
}

func (r *rig) close() {
	r.Stop()
	r.server.Close()
	if err := r.store.Close(); err != nil {
		r.t.Error(err)
	}
}

// restart is what a restart of the server is to its console.
func (r *rig) restart(change ...func(*Options)) {
	r.t.Helper()
	r.close()
	r.open(change...)
}

// browser is somebody with cookies of their own, who follows no redirect.
type browser struct {
	*rig

	client *http.Client
	header http.Header // of all requests
	token  string      // of the last page
}

func (r *rig) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return &browser{rig: r, header: http.Header{}, client: &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// as returns a browser in which an account is logged in.
func (r *rig) as(account, password string) *browser {
	r.t.Helper()
	b := r.browser()
	if a := b.login(account, password); a.status != http.StatusSeeOther {
		r.t.Fatalf("login as %s: %d\n%s", account, a.status, a.body)
	}
	b.get("account")
	return b
}

// answered is what came back.
type answered struct {
	status int
	header http.Header
	body   string
}

func (a answered) location() string { return a.header.Get("Location") }

func (b *browser) login(account, password string) answered {
	b.t.Helper()
	return b.post("login", "account", account, "password", password)
}

func (b *browser) get(path string) answered {
	b.t.Helper()
	return b.send(http.MethodGet, path, nil)
}

// post sends a form, given as name and value by turns, with the token of the page
// that was seen last.
func (b *browser) post(path string, fields ...string) answered {
	b.t.Helper()
	form := url.Values{}
	if b.token != "" {
		form.Set("csrf", b.token)
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.send(http.MethodPost, path, strings.NewReader(form.Encode()))
}

// send sends a request to a path below [Path].
func (b *browser) send(method, path string, body io.Reader) answered {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+Path+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header = b.header.Clone()
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	reply, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	a := answered{status: reply.StatusCode, header: reply.Header, body: string(text)}
	if _, rest, ok := strings.Cut(a.body, `<meta name="csrf" content="`); ok {
		b.token, _, _ = strings.Cut(rest, `"`)
	}
	return a
}

// want checks the status of an answer and that its body holds texts.
func (b *browser) want(a answered, status int, texts ...string) {
	b.t.Helper()
	if a.status != status {
		b.t.Errorf("status %d, want %d\n%s", a.status, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			b.t.Errorf("the answer lacks %q\n%s", text, a.body)
		}
	}
}

// wantTo checks that an answer sends the browser to a page.
func (b *browser) wantTo(a answered, location string) {
	b.t.Helper()
	if a.status != http.StatusSeeOther || a.location() != location {
		b.t.Errorf("status %d to %q, want %d to %q\n%s", a.status, a.location(), http.StatusSeeOther, location, a.body)
	}
}
