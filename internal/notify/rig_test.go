package notify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testKey = "s3cret"

// Destinations of the tests: template n sends to host "a", "b", … .
func dest(n int64) stillcast.Destination {
	return stillcast.Destination{TemplateID: n, Event: stillcast.EventShot}
}

func host(n int64) string { return "h" + string(rune('a'+n-1)) + ".test" }

func template(n int64) stillcast.CallbackTemplate {
	return stillcast.CallbackTemplate{
		ID: n, Name: "hooks" + string(rune('a'+n-1)), Key: testKey,
		SnapshotURL: "http://" + host(n) + "/hook?token=hush",
	}
}

// rig is a notifier over a fake ledger and an in-memory network.
type rig struct {
	*Notifier
	options  Options
	ledger   *fakeLedger
	settings *fakeSettings
	pictures *fakePictures
	net      *memNet
	log      *lockedBuffer
	registry *prometheus.Registry
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	return newRigOver(t, change, nil)
}

// newRigOver takes another network; nil means one in memory.
func newRigOver(t *testing.T, change func(*Config), dial dialFunc) *rig {
	t.Helper()
	r := &rig{
		ledger:   &fakeLedger{},
		settings: &fakeSettings{by: map[int64]stillcast.CallbackTemplate{}},
		pictures: &fakePictures{},
		net:      &memNet{hosts: map[string]chan net.Conn{}},
		log:      &lockedBuffer{},
		registry: prometheus.NewRegistry(),
	}
	for n := int64(1); n <= 20; n++ {
		r.settings.set(template(n))
	}
	r.options = Options{
		Config: DefaultConfig(), Ledger: r.ledger, Settings: r.settings, Pictures: r.pictures,
		Version: "1.2.3", Logger: slog.New(slog.NewTextHandler(r.log, nil)), Metrics: r.registry,
	}
	if change != nil {
		change(&r.options.Config)
	}
	if dial == nil {
		dial = r.net.dial
	}
	var err error
	if r.Notifier, err = newNotifier(r.options, dial); err != nil {
		t.Fatal(err)
	}
	return r
}

// start runs the notifier until the test ends.
func (r *rig) start(t *testing.T) {
	t.Helper()
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.stopNow(t) })
}

// stopNow stops without waiting for attempts under way.
func (r *rig) stopNow(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// owe adds deliveries and tells the notifier.
func (r *rig) owe(d stillcast.Destination, n int) {
	r.ledger.owe(d, n)
	r.Wake(d)
}

// arrival is one request as a receiver saw it.
type arrival struct {
	at     time.Time
	header http.Header
	body   []byte
	path   string
}

// receiver records what arrives and answers with a status; gate, if any, runs
// before it answers.
type receiver struct {
	mu     sync.Mutex
	status int
	gate   func(*http.Request)
	got    []arrival
	now    int // under way
	most   int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	r.mu.Lock()
	r.got = append(r.got, arrival{at: time.Now(), header: q.Header, body: body, path: q.URL.RequestURI()})
	r.now++
	r.most = max(r.most, r.now)
	status := r.status
	r.mu.Unlock()
	if r.gate != nil {
		r.gate(q)
	}
	r.mu.Lock()
	r.now--
	r.mu.Unlock()
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"code":0}`)
}

func (r *receiver) arrivals() []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]arrival(nil), r.got...)
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *receiver) atOnce() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.most
}

// nobody is in use.
func nobody(stillcast.Destination) bool { return false }

// blackHole never answers; it lets go when the sender does, which a server
// notices once it has read the body.
func blackHole(q *http.Request) {
	_, _ = io.Copy(io.Discard, q.Body)
	<-q.Context().Done()
}

// takes answers after a while.
func takes(d time.Duration) func(*http.Request) {
	return func(q *http.Request) {
		select {
		case <-time.After(d):
		case <-q.Context().Done():
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// expect compares the metrics that want names, one "name{labels} value" a line.
func expect(t *testing.T, r *rig, want string) {
	t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			name := f.GetName()
			if len(labels) > 0 {
				name += "{" + strings.Join(labels, ",") + "}"
			}
			got[name] = fmt.Sprint(m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount()))
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(want), "\n") {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
}
