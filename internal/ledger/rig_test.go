package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeBook keeps rows as the state does, as far as the ledger asks for them.
type fakeBook struct {
	mu         sync.Mutex
	shots      []state.ShotStatus     // ids ascend
	deliveries []state.DeliveryStatus // ids ascend
	attempts   map[int64][]state.Result
	paused     map[stillcast.Destination]string
	err        error
	filters    []state.DeliveryFilter // of ReplayMany
	hold       chan struct{}          // what a step of ReplayMany waits for; nil for nothing
}

func page[T any](rows []T, id func(T) int64, afterID, beforeID int64, descending bool, limit int) []T {
	rows = slices.DeleteFunc(slices.Clone(rows), func(row T) bool {
		return id(row) <= afterID || beforeID > 0 && id(row) >= beforeID
	})
	if descending {
		slices.Reverse(rows)
	}
	return rows[:min(len(rows), limit)]
}

func (b *fakeBook) Shots(_ context.Context, f state.ShotFilter) ([]state.ShotStatus, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rows := slices.DeleteFunc(slices.Clone(b.shots), func(s state.ShotStatus) bool {
		return f.Stream != nil && *f.Stream != s.Stream || f.State != "" && f.State != s.State
	})
	return page(rows, func(s state.ShotStatus) int64 { return s.ID }, f.AfterID, f.BeforeID, f.Descending, f.Limit), b.err
}

func (b *fakeBook) Shot(_ context.Context, id int64) (state.ShotStatus, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.shots {
		if s.ID == id {
			return s, b.err
		}
	}
	return state.ShotStatus{}, stillcast.Errorf(stillcast.CodeNotFound, "", "there is no shot %d", id)
}

func (b *fakeBook) Deliveries(_ context.Context, f state.DeliveryFilter) ([]state.DeliveryStatus, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rows := slices.DeleteFunc(slices.Clone(b.deliveries), func(d state.DeliveryStatus) bool {
		return f.Destination != nil && *f.Destination != d.Destination || f.State != "" && f.State != d.State ||
			f.ShotID != 0 && f.ShotID != d.Shot.ID
	})
	return page(rows, func(d state.DeliveryStatus) int64 { return d.ID }, f.AfterID, f.BeforeID, f.Descending, f.Limit), b.err
}

func (b *fakeBook) Delivery(_ context.Context, id int64) (state.DeliveryStatus, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := b.find(id); i >= 0 {
		return b.deliveries[i], b.err
	}
	return state.DeliveryStatus{}, stillcast.Errorf(stillcast.CodeNotFound, "", "there is no delivery %d", id)
}

func (b *fakeBook) find(id int64) int {
	return slices.IndexFunc(b.deliveries, func(d state.DeliveryStatus) bool { return d.ID == id })
}

func (b *fakeBook) Attempts(_ context.Context, id int64) ([]state.Result, error) {
	return b.attempts[id], b.err
}

func (b *fakeBook) Destinations(context.Context) ([]state.DestinationStatus, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []state.DestinationStatus
	for _, d := range b.deliveries {
		i := slices.IndexFunc(all, func(s state.DestinationStatus) bool { return s.Destination == d.Destination })
		if i < 0 {
			i = len(all)
			reason, paused := b.paused[d.Destination]
			all = append(all, state.DestinationStatus{Backlog: state.Backlog{Destination: d.Destination, Paused: paused}, PausedAt: at, PauseReason: reason})
		}
		if d.State == state.StateParked {
			all[i].Parked++
		}
	}
	return all, b.err
}

func (b *fakeBook) Replay(_ context.Context, id int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.find(id)
	if i < 0 {
		return stillcast.Errorf(stillcast.CodeNotFound, "", "there is no delivery %d", id)
	}
	if b.deliveries[i].State != state.StateParked {
		return stillcast.Errorf(stillcast.CodeConflict, "", "it is %s", b.deliveries[i].State)
	}
	b.deliveries[i].State = state.StatePending
	return nil
}

func (b *fakeBook) ReplayMany(ctx context.Context, f state.DeliveryFilter, most int) (int, int64, error) {
	if b.hold != nil {
		select {
		case <-b.hold:
		case <-ctx.Done():
			return 0, 0, context.Cause(ctx)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.filters = append(b.filters, f)
	n, looked, next := 0, 0, int64(0)
	for i, d := range b.deliveries {
		if d.ID <= f.AfterID || d.ID >= f.BeforeID {
			continue
		}
		if looked == most {
			return n, next, b.err
		}
		looked++
		next = d.ID
		if d.State == f.State {
			b.deliveries[i].State = state.StatePending
			n++
		}
	}
	return n, 0, b.err
}

// fakeCourier notes what it is told.
type fakeCourier struct {
	mu    sync.Mutex
	book  *fakeBook
	woken []stillcast.Destination
	err   error // of Pause
}

func (c *fakeCourier) Wake(to ...stillcast.Destination) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.woken = append(c.woken, to...)
}

func (c *fakeCourier) Pause(_ context.Context, to stillcast.Destination, reason string) error {
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	c.book.paused[to] = reason
	return c.err
}

func (c *fakeCourier) Resume(_ context.Context, to stillcast.Destination) error {
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	delete(c.book.paused, to)
	return nil
}

func (c *fakeCourier) Health() map[stillcast.Destination]Health {
	return map[stillcast.Destination]Health{shotsTo: {Breaker: "open", Unanswered: 9, SuccessRate: 0.25, P95MS: 12.5}}
}

func (c *fakeCourier) Test(_ context.Context, to stillcast.Destination) (TestResult, error) {
	return TestResult{Request: NewRequest("http://a.example.com/shot", http.Header{"B": {"2"}, "A": {"1"}}, []byte(DestinationID(to).String())), Started: Time(at), Status: 503, Error: "status 503"}, nil
}

func (c *fakeCourier) Request(d state.DeliveryStatus, attempt state.Result) (*Request, error) {
	switch attempt.Attempt {
	case 1:
		return NewRequest("http://a.example.com/shot", http.Header{"Stillcast-Event-Id": {d.Event.ID}}, []byte(`{"a":"<&>"}`)), nil
	case 2:
		return nil, errors.New("the callback template has no signing secret any more")
	}
	return nil, nil
}

type fakePictures struct{}

func (fakePictures) URL(shot stillcast.Shot, _ time.Time) (string, error) {
	if strings.HasPrefix(shot.Key, "bad") {
		return "", errors.New("no key for urls")
	}
	return "http://pictures.example.com/" + shot.Key + "?signature=a&expires=1", nil
}

var (
	at       = time.Date(2026, 11, 26, 20, 54, 26, 123456000, time.UTC)
	room     = stillcast.Stream{Domain: "push.example.com", App: "live", Name: "room1"}
	shotsTo  = stillcast.Destination{TemplateID: 3, Event: stillcast.EventShot}
	beginsTo = stillcast.Destination{TemplateID: 3, Event: stillcast.EventPushBegin}
)

const (
	writerID = "AKIDwriter"
	readerID = "AKIDreader"
)

// rig is a ledger on a port of its own.
type rig struct {
	*httptest.Server
	t       testing.TB
	ledger  *Server
	book    *fakeBook
	courier *fakeCourier
	live    []stillcast.Push

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
	r := &rig{t: t, book: &fakeBook{attempts: map[int64][]state.Result{}, paused: map[stillcast.Destination]string{}}}
	r.courier = &fakeCourier{book: r.book}
	resources := stillcast.NewResources(stillcast.ResourceSet{
		Domains:           []stillcast.Domain{{Name: "*"}},
		SnapshotTemplates: []stillcast.SnapshotTemplate{{ID: 1, Name: "every"}},
		SnapshotRules:     []stillcast.SnapshotRule{{Domain: "*", TemplateID: 1}},
		CallbackTemplates: []stillcast.CallbackTemplate{{ID: 3, Name: "hooks", SnapshotURL: "https://a.example.com/shot?token=hushhush", StreamEndURL: "https://a.example.com/end"}},
	})
	var err error
	r.ledger, err = New(Options{
		Identify: identify, Book: r.book, Courier: r.courier, Pictures: fakePictures{},
		Resources: func() *stillcast.Resources { return resources },
		Live:      func() []stillcast.Push { return slices.Clone(r.live) },
		Status: func(context.Context) (Status, error) {
			return Status{Version: "test", Started: Time(at), Stores: []StoreStatus{{Name: "primary", Type: "file"}}}, nil
		},
		Logger: slog.New(slog.NewJSONHandler(r, nil)), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Server = httptest.NewServer(r.ledger)
	t.Cleanup(func() {
		r.Close()
		r.ledger.Stop()
	})
	return r
}

// identify takes the secret id for the key.
func identify(r *http.Request) (Caller, error) {
	switch id, key, _ := r.BasicAuth(); {
	case id == "AKIDguesser":
		return Caller{}, TooOften(errors.New("wait"), 1500*time.Millisecond)
	case id != key || id == "":
		return Caller{}, Unauthorized(stillcast.Errorf(stillcast.CodeDenied, "Authorization", "holds no credential"))
	default:
		return Caller{Name: id, ReadOnly: id == readerID}, nil
	}
}

// fill makes rows: shots 1 to n, each with a parked delivery of the same id.
func (r *rig) fill(n int) {
	for i := 1; i <= n; i++ {
		shot := stillcast.Shot{
			ID: int64(i), EventID: "e", PushID: "p", Stream: room, Key: "k", Due: at, Captured: at, Width: 1280, Height: 720, Size: 1000,
			Format: stillcast.FormatJPEG, Renditions: []stillcast.Rendition{{Key: "k-320", Width: 320, Height: 180, Size: 100}},
			Facts: stillcast.Facts{Accuracy: stillcast.AccuracyKeyframe, Hash: 0xff, Distance: 3, Age: -1500 * time.Microsecond},
		}
		r.book.shots = append(r.book.shots, state.ShotStatus{Shot: shot, State: state.ShotStored, Stored: at.Add(50 * time.Millisecond)})
		r.book.deliveries = append(r.book.deliveries, state.DeliveryStatus{
			Delivery: state.Delivery{
				ID: int64(i), Destination: shotsTo, Shot: shot, Sequence: int64(i), Attempt: 3, Try: 3,
				Event: stillcast.Event{ID: "e", Type: stillcast.EventShot, Stream: room, PushID: "p", At: at},
			},
			State: state.StateParked, Finished: at, LastStatus: 503, LastError: "status 503",
		})
	}
}

// answer is a reply with what it came in.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (r *rig) send(method, path, body string, change ...func(*http.Request)) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.URL+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.SetBasicAuth(writerID, writerID)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, f := range change {
		f(req)
	}
	reply, err := r.Client().Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer reply.Body.Close()
	a := answer{status: reply.StatusCode, header: reply.Header}
	if a.body, err = io.ReadAll(reply.Body); err != nil {
		r.t.Fatal(err)
	}
	if kind := reply.Header.Get("Content-Type"); kind != "application/json" {
		r.t.Errorf("%s %s: Content-Type %q", method, path, kind)
	}
	return a
}

// get reads a reply of status 200.
func get[T any](r *rig, path string) T {
	r.t.Helper()
	return as[T](r, r.send(http.MethodGet, path, ""), http.StatusOK)
}

// post reads a reply of a change.
func post[T any](r *rig, path, body string, status int) T {
	r.t.Helper()
	return as[T](r, r.send(http.MethodPost, path, body), status)
}

func as[T any](r *rig, a answer, status int) T {
	r.t.Helper()
	var v T
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil || a.status != status {
		r.t.Fatalf("status %d, want %d; %v\n%s", a.status, status, err, a.body)
	}
	return v
}
