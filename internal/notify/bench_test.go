package notify

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/state"
	"github.com/stillcast/stillcast/internal/state/sqlite"
)

// field is a notifier over a real ledger on disk, with receivers on this machine.
// The log goes nowhere, but is written.
type field struct {
	*Notifier
	store    *sqlite.Store
	settings *fakeSettings
	claims   atomic.Int64
	fields   []byte
	streams  []stillcast.Stream

	mu      sync.Mutex
	durable map[string]time.Time // by event id
	lags    []time.Duration      // from durable to received
	arrived sync.WaitGroup
}

func newField(b *testing.B, extras bool) *field {
	b.Helper()
	config := sqlite.DefaultConfig()
	config.Path = filepath.Join(b.TempDir(), "stillcast.db")
	discard := slog.New(slog.NewTextHandler(io.Discard, nil)) //nolint:sloglint // that lines are made counts
	registry := prometheus.NewRegistry()
	store, err := sqlite.Open(b.Context(), config, discard, registry)
	if err != nil {
		b.Fatal(err)
	}
	f := &field{store: store, settings: &fakeSettings{by: map[int64]stillcast.CallbackTemplate{}}, durable: map[string]time.Time{}}
	server := httptest.NewServer(http.HandlerFunc(f.receive))
	hole := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { blackHole(q) }))
	for n := range int64(10) {
		to := stillcast.CallbackTemplate{ID: n, Name: fmt.Sprint("hooks", n), Key: testKey, StreamBeginURL: fmt.Sprint(server.URL, "/", n), Extras: extras}
		if extras {
			to.SigningSecret = testSecret
		}
		if n == 0 {
			to.StreamBeginURL = hole.URL
		}
		f.settings.set(to)
	}
	if f.fields, err = PushBeginFields(push, 1250000000); err != nil {
		b.Fatal(err)
	}
	for n := range 200 {
		f.streams = append(f.streams, stillcast.Stream{Domain: "push.example.com", App: "live", Name: fmt.Sprint("room", n)})
	}
	options := Options{
		Config: DefaultConfig(), Ledger: &countedLedger{Store: store, claims: &f.claims}, Settings: f.settings, Pictures: &fakePictures{}, Version: "1", Logger: discard, Metrics: registry,
	}
	options.Config.AllowNetworks = prefixes("127.0.0.0/8")
	if f.Notifier, err = New(options); err != nil {
		b.Fatal(err)
	}
	if err := f.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		(&rig{Notifier: f.Notifier}).stopNow(b)
		hole.Close()
		server.Close()
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	return f
}

// countedLedger counts the claims.
type countedLedger struct {
	*sqlite.Store

	claims *atomic.Int64
}

func (l *countedLedger) Claim(ctx context.Context, c state.Claim) ([]state.Delivery, error) {
	l.claims.Add(1)
	return l.Store.Claim(ctx, c)
}

// begins is the destination of events 1 of a template; that of template 0 never answers.
func begins(template int64) stillcast.Destination {
	return stillcast.Destination{TemplateID: template, Event: stillcast.EventPushBegin}
}

func (f *field) receive(w http.ResponseWriter, q *http.Request) {
	now := time.Now()
	_, _ = io.Copy(io.Discard, q.Body)
	w.WriteHeader(http.StatusOK)
	id := q.Header.Get(callback.HeaderEventID)
	f.mu.Lock()
	defer f.mu.Unlock()
	if at, ok := f.durable[id]; ok { // else it was faster than who waits for the commit
		f.lags = append(f.lags, now.Sub(at))
		delete(f.durable, id)
	} else {
		f.lags = append(f.lags, 0)
		f.durable[id] = now
	}
	f.arrived.Done()
}

// event makes an event durable and wakes the notifier, as the server does.
func (f *field) event(b *testing.B, i int64, to stillcast.Destination) {
	b.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		b.Error(err)
		return
	}
	e := stillcast.Event{
		ID: id.String(), Type: stillcast.EventPushBegin, Stream: f.streams[i%int64(len(f.streams))], PushID: push.ID, At: time.Now(), Fields: f.fields,
	}
	if err := f.store.RecordEvent(b.Context(), state.NewEvent{Event: e, Destinations: []stillcast.Destination{to}}); err != nil {
		b.Error(err)
		return
	}
	f.mu.Lock()
	if _, early := f.durable[e.ID]; early {
		delete(f.durable, e.ID)
	} else {
		f.durable[e.ID] = time.Now()
	}
	f.mu.Unlock()
	f.Wake(to)
}

// all makes n events durable with so many callers at a time.
func (f *field) all(b *testing.B, n, callers int, to func(i int64) stillcast.Destination) {
	b.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				f.event(b, i, to(i))
			}
		})
	}
	group.Wait()
}

// paced makes n events durable at a rate, each on time whatever the one before takes.
func (f *field) paced(b *testing.B, n, perSecond int, to func(i int64) stillcast.Destination) {
	b.Helper()
	var group sync.WaitGroup
	begin := time.Now()
	for i := range int64(n) {
		timer := time.NewTimer(time.Until(begin.Add(time.Duration(i) * time.Second / time.Duration(perSecond))))
		<-timer.C
		group.Go(func() { f.event(b, i, to(i)) })
	}
	group.Wait()
}

func (f *field) percentile(p int) float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lags) == 0 {
		return 0
	}
	slices.Sort(f.lags)
	return float64(f.lags[(len(f.lags)-1)*p/100].Microseconds()) / 1000
}

// cpuTime is what this process used, receivers included.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDelivery accepts events from 64 callers, durable, and delivers them to
// receivers on this machine. One event is one operation; the CPU time is of all:
// callers, state, notifier and receivers.
func BenchmarkDelivery(b *testing.B) {
	for name, bench := range map[string]struct {
		destinations int64
		extras       bool
	}{"1destination": {1, false}, "8destinations": {8, false}, "8destinations/signed": {8, true}} {
		b.Run(name, func(b *testing.B) {
			f := newField(b, bench.extras)
			f.arrived.Add(b.N)
			b.ReportAllocs()
			b.ResetTimer()
			before := cpuTime(b)
			f.all(b, b.N, 64, func(i int64) stillcast.Destination { return begins(1 + i%bench.destinations) })
			f.arrived.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(f.claims.Load())/float64(b.N), "claims/event")
			b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/event")
		})
	}
}

// BenchmarkDeliveryLag delivers 1,000 events a second and reports how long they
// take from their durable row to the receiver.
func BenchmarkDeliveryLag(b *testing.B) {
	f := newField(b, false)
	f.arrived.Add(b.N)
	b.ResetTimer()
	f.paced(b, b.N, 1000, func(i int64) stillcast.Destination { return begins(1 + i%8) })
	f.arrived.Wait()
	b.StopTimer()
	b.ReportMetric(f.percentile(50), "p50-ms")
	b.ReportMetric(f.percentile(99), "p99-ms")
}

// BenchmarkBlackHole delivers 200 events a second to eight receivers, in turns
// with and without 100,000 that are owed to one that never answers, and reports
// the lag of both, and what the owed ones take of memory.
func BenchmarkBlackHole(b *testing.B) {
	const owed = 100_000
	fields := map[string]*field{"alone": newField(b, false), "beside": newField(b, false)}
	before := heapBytes()
	fields["beside"].all(b, owed, 512, func(int64) stillcast.Destination { return begins(0) })
	fields["beside"].mu.Lock()
	fields["beside"].durable = map[string]time.Time{} // of this benchmark, not of the server
	fields["beside"].mu.Unlock()
	grown := heapBytes() - before
	const round = 100
	for _, name := range []string{"alone", "beside"} {
		fields[name].lags = nil
	}
	b.ResetTimer()
	for done := 0; done < b.N; done += round {
		for _, name := range []string{"alone", "beside"} {
			f := fields[name]
			f.arrived.Add(round)
			f.paced(b, round, 200, func(i int64) stillcast.Destination { return begins(1 + i%8) })
			f.arrived.Wait()
		}
	}
	b.StopTimer()
	for name, f := range fields {
		b.ReportMetric(f.percentile(50), name+"-p50-ms")
		b.ReportMetric(f.percentile(95), name+"-p95-ms")
	}
	b.ReportMetric(float64(grown)/(1<<20), "MiB-for-100k")
}

func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far below
}
