package app

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/api"
	"github.com/stillcast/stillcast/internal/ledger"
	"github.com/stillcast/stillcast/internal/ledger/client"
	"github.com/stillcast/stillcast/internal/testkit"
)

// recorder is a receiver that keeps each request as it came, and answers 503
// until it is repaired.
type recorder struct {
	*httptest.Server

	mu       sync.Mutex
	repaired bool
	refused  []received
	accepted []received
}

type received struct {
	id     string // of the event
	header http.Header
	body   string
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// ServeHTTP implements [http.Handler].
func (r *recorder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return // the sender was stopped
	}
	got := received{q.Header.Get(callback.HeaderEventID), q.Header.Clone(), string(body)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.repaired {
		r.refused = append(r.refused, got)
		http.Error(w, "out for <repairs>", http.StatusServiceUnavailable)
		return
	}
	r.accepted = append(r.accepted, got)
}

func (r *recorder) repair() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.repaired = true
}

func (r *recorder) got() (refused, accepted []received) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.refused), slices.Clone(r.accepted)
}

// reader reads the ledger of a server.
type reader struct {
	t *testing.T
	*client.Client
}

func newReader(t *testing.T, a *App, c api.Credential) reader {
	t.Helper()
	var h http.Client
	t.Cleanup(h.CloseIdleConnections)
	return reader{t, &client.Client{Endpoint: "http://" + a.HTTPAddr().String(), SecretID: c.SecretID, SecretKey: c.SecretKey, HTTP: &h}}
}

func (r reader) deliveries(query url.Values) []ledger.Delivery {
	r.t.Helper()
	var page ledger.DeliveryPage
	if err := r.Get(r.t.Context(), "deliveries", query, &page); err != nil {
		r.t.Fatal(err)
	}
	return page.Deliveries
}

func (r reader) detail(id ledger.ID) ledger.DeliveryDetail {
	r.t.Helper()
	var d ledger.DeliveryDetail
	text, _ := id.MarshalText()
	if err := r.Get(r.t.Context(), "deliveries/"+string(text), nil, &d); err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r reader) destination(id string) ledger.Destination {
	r.t.Helper()
	var d ledger.Destination
	if err := r.Get(r.t.Context(), "destinations/"+id, nil, &d); err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r reader) post(path string, params map[string]string, reply any) {
	r.t.Helper()
	if err := r.Post(r.t.Context(), path, params, reply); err != nil {
		r.t.Fatal(err)
	}
}

// until waits until something is so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	over := time.After(60 * time.Second)
	for !so() {
		select {
		case <-tick.C:
		case <-over:
			t.Fatalf("not within 60 s: %s", what)
		}
	}
}

// TestARepairedReceiverGetsWhatItMissed goes the way of an operator: a receiver
// fails, is seen, looked into, paused, repaired, tested, resumed, and gets what
// was parked.
func TestARepairedReceiverGetsWhatItMissed(t *testing.T) {
	hook := newRecorder(t)
	cfg := testConfig(t.TempDir(), hook.URL)
	cfg.Callback.Retry.Attempts, cfg.Callback.Retry.Interval = 2, 100*time.Millisecond
	a := startApp(t, cfg)
	own, _ := a.Credential()
	r := newReader(t, a, own)
	publisher := pushS(t, a)

	// It is seen.
	parked := url.Values{"state": {"parked"}, "event_type": {"shot"}, "domain": {"127.0.0.1"}, "app": {"live"}, "stream": {"s"}, "order": {"asc"}}
	until(t, "two shots are parked", func() bool { return len(r.deliveries(parked)) >= 2 })
	id := r.deliveries(parked)[0].Destination.String()
	if d := r.destination(id); d.Owed.Parked < 2 || d.TemplateName != "hooks" || d.Health == nil || d.Health.SuccessRate != 0 || d.Health.LastStatus != 503 {
		t.Errorf("the failing destination %+v with health %+v", d, d.Health)
	}
	lookInto(t, r, hook, r.deliveries(parked)[0])

	// It is paused: what is owed waits.
	var d ledger.Destination
	r.post("destinations/"+id+"/pause", map[string]string{"reason": "repairs"}, &d)
	if d.Paused == nil || d.Paused.Reason != "repairs" {
		t.Errorf("paused %+v", d)
	}
	until(t, "a delivery waits for the paused destination", func() bool {
		for _, waits := range r.deliveries(url.Values{"state": {"pending"}, "destination": {id}}) {
			if waits.Attempts == 0 {
				return true
			}
		}
		return false
	})
	publisher.Interrupt()
	if err := publisher.Wait(); err == nil {
		t.Log("the publisher ended by itself")
	}

	// It is repaired, and a test event shows it; then it is resumed, and has what waited.
	hook.repair()
	var test ledger.TestResult
	r.post("destinations/"+id+"/test", nil, &test)
	if !test.Delivered || test.Status != 200 || test.Request == nil || !strings.Contains(test.Request.Body, `"event_type":200`) || test.Request.URL != hook.URL+"/shot" {
		t.Errorf("test event %+v", test)
	}
	var resumed ledger.Destination
	r.post("destinations/"+id+"/resume", nil, &resumed)
	if resumed.Paused != nil {
		t.Errorf("resumed %+v", resumed)
	}
	until(t, "what waited was delivered", func() bool {
		d := r.destination(id)
		return d.Owed.Pending == 0 && d.Owed.Claimed == 0 && d.Owed.Waiting == 0
	})
	missed := r.deliveries(parked)
	if len(missed) < 2 {
		t.Fatalf("parked %+v, want those from before", missed)
	}

	// What was parked is replayed by a filter, and arrives under the same ids.
	var job ledger.ReplayJob
	r.post("replays", map[string]string{"destination": id, "domain": "127.0.0.1", "app": "live", "stream": "s"}, &job)
	until(t, "the replay ends", func() bool {
		if err := r.Get(t.Context(), "replays/"+job.ID, nil, &job); err != nil {
			t.Fatal(err)
		}
		return job.State != "running"
	})
	if job.State != "done" || job.Replayed != int64(len(missed)) || job.Progress != 1 {
		t.Errorf("replay %+v, want %d", job, len(missed))
	}
	until(t, "everything is delivered", func() bool { return r.destination(id).Owed == ledger.Owed{} })
	checkArrived(t, r, hook, id)
}

// lookInto compares what the ledger says of a parked delivery with what the
// receiver saw.
func lookInto(t *testing.T, r reader, hook *recorder, d ledger.Delivery) {
	t.Helper()
	detail := r.detail(d.ID)
	refused, _ := hook.got()
	refused = slices.DeleteFunc(refused, func(got received) bool { return got.id != d.EventID })
	if len(detail.Log) != 2 || len(refused) != 2 || detail.LastStatus != 503 || detail.Sequence != 1 {
		t.Fatalf("delivery %+v; the receiver saw %d attempts", detail, len(refused))
	}
	for i, attempt := range detail.Log {
		if attempt.Status != 503 || !strings.HasPrefix(attempt.Reply, "out for <repairs>") || attempt.Error == "" || attempt.TookMS <= 0 || attempt.Request == nil ||
			attempt.Request.URL != hook.URL+"/shot" {
			t.Fatalf("attempt %+v", attempt)
		}
		if attempt.Request.Body != refused[i].body {
			t.Errorf("attempt %d sent %s, the ledger says %s", i+1, refused[i].body, attempt.Request.Body)
		}
		for _, h := range attempt.Request.Header {
			if refused[i].header.Get(h.Name) != h.Value {
				t.Errorf("attempt %d: header %s is %q, came as %q", i+1, h.Name, h.Value, refused[i].header.Get(h.Name))
			}
		}
		if len(attempt.Request.Header) < 6 {
			t.Errorf("attempt %d has the headers %v", i+1, attempt.Request.Header)
		}
	}
	var shot ledger.ShotDetail
	text, _ := d.ShotID.MarshalText()
	if err := r.Get(t.Context(), "shots/"+string(text), nil, &shot); err != nil {
		t.Fatal(err)
	}
	if shot.State != "stored" || shot.EventID != d.EventID || len(shot.Deliveries) != 1 || shot.Picture.Width != 320 {
		t.Errorf("shot %+v", shot)
	}
	if picture, err := download(t.Context(), shot.Picture.URL); err != nil || len(picture) != shot.Picture.Bytes {
		t.Errorf("picture of %d bytes, %v; want %d", len(picture), err, shot.Picture.Bytes)
	}
}

// checkArrived demands that all shots arrived, each under the id and the sequence
// that the ledger has for it.
func checkArrived(t *testing.T, r reader, hook *recorder, id string) {
	t.Helper()
	all := r.deliveries(url.Values{"destination": {id}, "order": {"asc"}})
	want := map[string]int64{}
	for i, d := range all {
		if d.State != "delivered" || d.Sequence != int64(i+1) {
			t.Errorf("delivery %+v, want it delivered, %d of the stream", d, i+1)
		}
		want[d.EventID] = d.Sequence
	}
	_, accepted := hook.got()
	got := map[string]int64{}
	for _, e := range accepted {
		if e.header.Get(callback.HeaderTest) == "" && strings.Contains(e.body, `"event_type":200`) {
			got[e.id] = callback.MetaFromHeader(e.header).Sequence
		}
	}
	if !maps.Equal(want, got) {
		t.Errorf("arrived %v, want %v", got, want)
	}
}

func TestLedgerAsksWho(t *testing.T) {
	cfg := testConfig(t.TempDir(), "http://127.0.0.1:9")
	writer := api.Credential{SecretID: "AKIDwriter", SecretKey: "0123456789abcdef"}
	watcher := api.Credential{SecretID: "AKIDreader", SecretKey: "fedcba9876543210", ReadOnly: true}
	cfg.API.Credentials = []api.Credential{writer, watcher}
	a := startApp(t, cfg)
	id := "1-shot"
	var all ledger.DestinationList
	if err := newReader(t, a, watcher).Get(t.Context(), "destinations", nil, &all); err != nil || len(all.Destinations) != 3 {
		t.Fatalf("who may read sees %+v, %v", all, err)
	}
	for i := range all.Destinations {
		if all.Destinations[i].EventType == "shot" {
			id = all.Destinations[i].ID.String()
		}
	}
	var d ledger.Destination
	err := newReader(t, a, watcher).Post(t.Context(), "destinations/"+id+"/pause", nil, &d)
	if e, ok := errors.AsType[*client.Error](err); !ok || e.Status != http.StatusForbidden || !strings.Contains(e.Message, "may only read") {
		t.Errorf("who may only read pauses: %v", err)
	}
	if err := newReader(t, a, writer).Post(t.Context(), "destinations/"+id+"/pause", nil, &d); err != nil || d.Paused == nil {
		t.Errorf("who may write pauses: %v", err)
	}
	wrong := writer
	wrong.SecretKey = "guess"
	var status ledger.Status
	err = newReader(t, a, wrong).Get(t.Context(), "status", nil, &status)
	if e, ok := errors.AsType[*client.Error](err); !ok || e.Status != http.StatusUnauthorized || e.Field != "Authorization" {
		t.Errorf("a wrong key: %v", err)
	}
	if err := newReader(t, a, watcher).Get(t.Context(), "status", nil, &status); err != nil || status.Version != "test" || !status.Ready || status.UptimeS <= 0 || len(status.Stores) != 1 ||
		status.Stores[0] != (ledger.StoreStatus{Name: "primary", Type: "file", Working: true}) {
		t.Errorf("status %+v, %v", status, err)
	}
}

func TestLiveStreamsWithTheirNewestShot(t *testing.T) {
	h := newHooks(t)
	a := startApp(t, testConfig(t.TempDir(), h.URL))
	own, _ := a.Credential()
	r := newReader(t, a, own)
	testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "s"), testkit.Source{Width: 320, Height: 180, Rate: 25},
		testkit.Encoding{KeyFrames: 500 * time.Millisecond, Duration: 60 * time.Second})
	h.shot()
	var page ledger.StreamPage
	if err := r.Get(t.Context(), "streams", url.Values{"app": {"live"}}, &page); err != nil || len(page.Streams) != 1 {
		t.Fatalf("streams %+v, %v", page, err)
	}
	s := page.Streams[0]
	if s.Stream.Name != "s" || s.SnapshotTemplate == nil || s.SnapshotTemplate.Name != "t" || s.CallbackTemplate == nil || s.NewestShot == nil || s.NewestShot.PushID != s.PushID {
		t.Errorf("stream %+v", s)
	}
	var shots ledger.ShotPage
	if err := r.Get(t.Context(), "shots", url.Values{"domain": {"127.0.0.1"}, "app": {"live"}, "stream": {"s"}, "state": {"stored"}}, &shots); err != nil ||
		len(shots.Shots) == 0 || shots.Shots[0].Picture.URL == "" {
		t.Errorf("shots %+v, %v", shots, err)
	}
}
