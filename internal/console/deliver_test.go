package console

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ledger"
	"github.com/stillcast/stillcast/internal/state"
	"github.com/stillcast/stillcast/internal/state/sqlite"
)

// hostile is what a receiver may answer: markup, control characters, bytes that are
// no UTF-8, and what turns text around.
const hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{.Token}}\x00\x1b[31m\u202eevil\u2066 \xff\xfe"

// pushCredential is what the publisher of the events logged in with.
const pushCredential = "f0e1d2c3b4a5968778695a4b3c2d1e0f"

// ledgerRig is a rig with a real ledger, whose courier sends nothing.
type ledgerRig struct {
	*rig

	ledger *ledger.Server
}

// sentNowhere is a courier that sends nothing and says what it was told to.
type sentNowhere struct {
	store  *sqlite.Store
	health map[stillcast.Destination]ledger.Health
}

func (c *sentNowhere) Wake(...stillcast.Destination) {}

func (c *sentNowhere) Pause(ctx context.Context, to stillcast.Destination, reason string) error {
	return c.store.PauseDestination(ctx, to, reason)
}

func (c *sentNowhere) Resume(ctx context.Context, to stillcast.Destination) error {
	return c.store.ResumeDestination(ctx, to)
}

func (c *sentNowhere) Health() map[stillcast.Destination]ledger.Health { return c.health }

func (c *sentNowhere) Test(context.Context, stillcast.Destination) (ledger.TestResult, error) {
	return ledger.TestResult{
		Status: http.StatusServiceUnavailable, Reply: strings.Repeat(hostile, 5), Error: "answered " + hostile,
		Request: ledger.NewRequest("http://hooks.example.com/shot", http.Header{"X-A": {hostile}}, []byte(`{"a":"`+"<b>"+`"}`)),
	}, nil
}

func (c *sentNowhere) Request(d state.DeliveryStatus, _ state.Result) (*ledger.Request, error) {
	body := append(d.Event.Fields[:len(d.Event.Fields)-1:len(d.Event.Fields)-1], `,"t":1}`...)
	return ledger.NewRequest("http://hooks.example.com/shot", http.Header{"Stillcast-Event-Id": {d.Event.ID}}, body), nil
}

type noPictures struct{}

func (noPictures) URL(stillcast.Shot, time.Time) (string, error) { return "", nil }

func hooksOnly() *stillcast.Resources {
	return stillcast.NewResources(stillcast.ResourceSet{CallbackTemplates: []stillcast.CallbackTemplate{{
		ID: 3, Name: "hooks", StreamBeginURL: "http://hooks.example.com/begin?key=hush", SnapshotURL: "http://hooks.example.com/shot",
	}}})
}

var beginsTo = stillcast.Destination{TemplateID: 3, Event: stillcast.EventPushBegin}

func newLedgerRig(t *testing.T) *ledgerRig {
	t.Helper()
	d := &ledgerRig{}
	d.rig = newRig(t, func(o *Options) {
		d.ledger = addLedger(t, o)
		o.Streams = newFakeStreams()
	})
	return d
}

// addLedger gives a console the ledger of its state, with one destination that
// does not work.
func addLedger(t *testing.T, o *Options) *ledger.Server {
	t.Helper()
	store := o.Accounts.(*sqlite.Store)
	courier := &sentNowhere{store: store, health: map[stillcast.Destination]ledger.Health{beginsTo: {
		Breaker: "open", Attempts: 4, SuccessRate: 0.25, P50MS: 12.5, P95MS: 2500, LastStatus: 503, LastError: "answered " + hostile,
		OpenSince: ledger.Time(time.Now()), NextProbe: ledger.Time(time.Now().Add(time.Minute)),
	}}}
	return addLedgerOf(t, o, courier, hooksOnly)
}

// addLedgerOf does so with a courier and rules of one's own.
func addLedgerOf(t *testing.T, o *Options, courier ledger.Courier, resources func() *stillcast.Resources) *ledger.Server {
	t.Helper()
	server, err := ledger.New(ledger.Options{
		Identify: func(*http.Request) (ledger.Caller, error) { return ledger.Caller{}, nil },
		Book:     o.Accounts.(*sqlite.Store), Courier: courier, Pictures: noPictures{}, Resources: resources, Live: func() []stillcast.Push { return nil },
		Status: func(context.Context) (ledger.Status, error) { return ledger.Status{}, nil },
		Logger: o.Logger, Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Ledger = server
	t.Cleanup(server.Stop)
	return server
}

// owe records an event and its one attempt that came to an outcome, with a reply.
func (d *ledgerRig) owe(n int, outcome state.Outcome, reply string) {
	d.t.Helper()
	d.owed(n, stillcast.Stream{Domain: "push.example.com", App: "live", Name: fmt.Sprintf("room%d", n%2)}, outcome, reply)
}

// owed does so for an event of a stream.
func (d *ledgerRig) owed(n int, stream stillcast.Stream, outcome state.Outcome, reply string) {
	d.t.Helper()
	at := time.Date(2026, 11, 26, 12, n, 0, 0, time.UTC)
	fields, err := json.Marshal(map[string]any{
		"event_type": 1, "appname": "<live>",
		"stream_param": "a=1&tx%53ecret=" + pushCredential + "&txTime=5f5e1000",
	})
	if err != nil {
		d.t.Fatal(err)
	}
	id := fmt.Sprintf("00000000-0000-7000-8000-%012d", n)
	err = d.store.RecordEvent(d.t.Context(), state.NewEvent{
		Event: stillcast.Event{
			ID: id, Type: stillcast.EventPushBegin, PushID: id, At: at, Fields: fields, Stream: stream,
		},
		Destinations: []stillcast.Destination{beginsTo},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	claimed, err := d.store.Claim(d.t.Context(), state.Claim{Destination: beginsTo, Limit: 1, Now: time.Now(), Lease: time.Minute})
	if err != nil || len(claimed) != 1 {
		d.t.Fatalf("claimed %d: %v", len(claimed), err)
	}
	result := state.Result{
		DeliveryID: claimed[0].ID, Attempt: claimed[0].Attempt, Outcome: outcome, Started: at, Took: 12 * time.Millisecond,
		Status: 503, Reply: reply, Error: "answered 503 Service Unavailable; only 200 counts", Request: json.RawMessage(`{}`),
	}
	if outcome == state.OutcomeDelivered {
		result.Status, result.Error = http.StatusOK, ""
	}
	if err := d.store.Finish(d.t.Context(), result); err != nil {
		d.t.Fatal(err)
	}
}

func (d *ledgerRig) asAdmin() *browser  { return d.as("admin", d.admin) }
func (d *ledgerRig) asViewer() *browser { return d.as("viewer", d.viewer) }

// lacks checks that an answer holds none of some texts.
func (b *browser) lacks(a answered, texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			b.t.Errorf("the answer holds %q\n%s", text, a.body)
		}
	}
}

// Receivers cannot put anything into a page but text.
func TestHostileReplies(t *testing.T) {
	d := newLedgerRig(t)
	d.owe(1, state.OutcomeParked, hostile+strings.Repeat("\x07", 1024-len(hostile)))
	b := d.asAdmin()
	for name, a := range map[string]answered{
		"delivery": b.get("deliveries/1"), "destinations": b.get("destinations"), "deliveries": b.get("deliveries"),
		"test": b.post("destinations/3-push_begin/test"),
	} {
		b.want(a, http.StatusOK)
		b.lacks(a, "<script>alert", "<img src=x", "\u202e", "\u2066", "\x1b", "\x00", "\xff", "\x07", b.token+"\x00")
		if name != "deliveries" && !strings.Contains(a.body, "⟨U&#43;202E⟩evil") {
			t.Errorf("%s does not show what was answered:\n%s", name, a.body)
		}
	}
	b.want(b.get("deliveries/1"), http.StatusOK, "␀␛[31m", html.EscapeString("<script>alert(1)</script>"), "HTTP 503", "POST http://hooks.example.com/shot", "Stillcast-Event-Id")
}

// Viewers look, and change nothing; what publishers log in with is not for them.
func TestViewersOfDeliveries(t *testing.T) {
	d := newLedgerRig(t)
	d.owe(1, state.OutcomeParked, `echo: {"stream_param":"txSecret=`+pushCredential+`"} and `+pushCredential)
	admin, viewer := d.asAdmin(), d.asViewer()
	admin.want(admin.get("deliveries/1"), http.StatusOK, pushCredential, "deliveries/1/replay", "00000000-0000-7000-8000-000000000001")
	a := viewer.get("deliveries/1")
	viewer.want(a, http.StatusOK, mask, "txTime=5f5e1000", "viewers")
	viewer.lacks(a, pushCredential, "deliveries/1/replay")
	for _, path := range []string{"deliveries", "destinations", "replays"} {
		a := viewer.get(path)
		viewer.want(a, http.StatusOK)
		viewer.lacks(a, pushCredential, "/pause", "/test", "/cancel", `action="/console/replays"`, `type="checkbox" name="id"`)
	}
	for _, path := range []string{
		"deliveries/1/replay", "deliveries/replay", "replays", "replays/x/cancel",
		"destinations/3-push_begin/pause", "destinations/3-push_begin/resume", "destinations/3-push_begin/test",
	} {
		viewer.want(viewer.post(path, "id", "1"), http.StatusForbidden)
	}
	// Nor by the ledger itself, were the console to let them in.
	v := &view{Console: d.Console, session: &session{Role: RoleViewer}}
	if _, err := v.desk().Replay(t.Context(), "1"); stillcast.CodeOf(err) != stillcast.CodeDenied {
		t.Errorf("a viewer replays: %v", err)
	}
}

// A destination is paused and resumed by the ledger, which notes who did it.
func TestPauseAndResume(t *testing.T) {
	d := newLedgerRig(t)
	d.owe(1, state.OutcomeParked, "")
	b := d.asAdmin()
	b.want(b.get("destinations"), http.StatusOK, "hooks", "Failing", "25 %", "12.5 ms / 2.50 s", "Parked 1", "http://hooks.example.com/begin")
	b.lacks(b.get("destinations"), "hush", "/resume")
	b.wantTo(b.post("destinations/3-push_begin/pause", "reason", "new <release>"), Path+"destinations?done=done.paused")
	b.want(b.get("destinations"), http.StatusOK, "Paused since", "new &lt;release&gt;", "/resume")
	b.want(b.post("destinations/3-push_begin/pause", "reason", strings.Repeat("x", 2000)), unprocessable, `aria-invalid="true"`, "at most")
	b.wantTo(b.post("destinations/3-push_begin/resume"), Path+"destinations?done=done.unpaused")
	b.want(b.get("destinations?done=done.unpaused"), http.StatusOK, "Resumed.")
	for state, card := range map[string]ledger.Destination{
		"paused": {Paused: &ledger.Paused{}, Health: &ledger.Health{Breaker: "open", Attempts: 1}}, "unknown": {}, "failing": {Health: &ledger.Health{Breaker: "open"}},
		"troubled": {Health: &ledger.Health{Attempts: 2, LastError: "x"}}, "working": {Health: &ledger.Health{Attempts: 2}},
	} {
		if got := (destinationCard{card}).State(); got != state || (destinationCard{card}).Kind() == "" {
			t.Errorf("%+v is %s, want %s", card, got, state)
		}
	}
	b.want(b.post("destinations/9-shot/pause"), http.StatusNotFound)
	b.want(b.post("destinations/nonsense/pause"), unprocessable)
	for _, want := range []string{"action=pauseDestination", "account=admin", "audit=true", `input.reason="new <release>"`} {
		if !strings.Contains(d.log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, d.log)
		}
	}
}

// The list is filtered, says what is wrong with a filter, and goes on page by page.
func TestListOfDeliveries(t *testing.T) {
	d := newLedgerRig(t)
	for n := range 55 {
		outcome := state.OutcomeParked
		if n%2 == 0 {
			outcome = state.OutcomeDelivered
		}
		d.owe(n, outcome, "")
	}
	b := d.asViewer()
	rows := func(path string) (n int, a answered) {
		a = b.get(path)
		b.want(a, http.StatusOK)
		return len(regexp.MustCompile(`<td class="number"><a href="/console/deliveries/\d+">`).FindAllString(a.body, -1)), a
	}
	n, first := rows("deliveries")
	if at55, at6 := strings.Index(first.body, ">55<"), strings.Index(first.body, ">6<"); n != 50 || at55 < 0 || at6 < at55 {
		t.Errorf("%d rows, 55 at %d, 6 at %d", n, at55, at6)
	}
	next := regexp.MustCompile(`rel="next" href="/console/([^"]+)"`).FindStringSubmatch(first.body)
	if next == nil {
		t.Fatal("there is no next page")
	}
	if n, _ := rows(html.UnescapeString(next[1])); n != 5 {
		t.Errorf("%d rows on the second page", n)
	}
	for query, want := range map[string]int{
		"state=parked": 27, "state=delivered&destination=3-push_begin": 28, "event_type=shot": 0,
		"domain=push.example.com&app=live&stream=room1": 27,
		// Times without a zone are those of the console: 20:10 there is 12:10 UTC.
		"from=2026-11-26T20:10&until=2026-11-26T20:20": 10, "from=2026-11-26T12:10:00Z&until=2026-11-26T12:20:00Z": 10,
	} {
		if n, _ := rows("deliveries?" + query); n != want {
			t.Errorf("%s: %d rows, want %d", query, n, want)
		}
	}
	for query, field := range map[string]string{
		"state=lost": "state", "destination=x": "destination", "domain=a": "app", "from=yesterday": "from",
		"from=2026-11-26T20:20&until=2026-11-26T20:10": "until", "cursor=x": "form",
	} {
		a := b.get("deliveries?" + query)
		b.want(a, unprocessable)
		if field == "form" {
			b.want(a, unprocessable, `role="alert"`)
			continue
		}
		b.want(a, unprocessable, `aria-describedby="`+field+`-fault"`, `id="`+field+`-fault"`)
	}
	b.want(b.get("deliveries/99"), http.StatusNotFound)
	b.want(b.get("deliveries/x"), http.StatusNotFound)
}

// One is replayed, some are, and all that a filter selects.
func TestReplays(t *testing.T) {
	d := newLedgerRig(t)
	for n := range 6 {
		d.owe(n, state.OutcomeParked, "")
	}
	b := d.asAdmin()
	b.wantTo(b.post("deliveries/1/replay"), Path+"deliveries/1?done=done.replayed")
	b.want(b.post("deliveries/1/replay"), http.StatusConflict)
	form := url.Values{"csrf": {b.token}, "id": {"1", "2", "3"}, "query": {"state=parked"}}
	a := b.send(http.MethodPost, "deliveries/replay", strings.NewReader(form.Encode()))
	b.want(a, http.StatusOK, "2 deliveries are sent again", "1 were not", `<option value="parked" selected>`)
	b.want(b.post("deliveries/replay"), unprocessable)

	b.want(b.post("replays", "state", "delivered"), unprocessable, `id="destination-fault"`)
	b.want(b.post("replays", "state", "delivered", "destination", "3-push_begin"), unprocessable, `id="from-fault"`)
	begun := b.post("replays", "state", "parked", "destination", "3-push_begin", "until", "2026-11-26T20:05")
	if !strings.HasPrefix(begun.location(), Path+"replays?") || !strings.HasSuffix(begun.location(), "&done=done.replay_begun") {
		t.Errorf("a replay that begins leads to %s", begun.location())
	}
	b.header.Set("Hx-Request", "true")
	b.header.Set("Hx-Target", "replay-jobs")
	for a = b.get("replays"); strings.Contains(a.body, "hx-trigger"); a = b.get("replays") {
		if t.Context().Err() != nil {
			t.Fatal("the replay does not end")
		}
	}
	b.want(a, http.StatusOK, `value="100"`, "Done", `<td class="number">2</td>`, "<td>admin</td>", `id="replay-jobs"`)
	b.lacks(a, "<html")
	b.header.Del("Hx-Request")
	b.want(b.get("deliveries?state=parked"), http.StatusOK, ">6<")
	if n, err := d.store.Deliveries(t.Context(), state.DeliveryFilter{State: state.StateParked, Limit: 10}); err != nil || len(n) != 1 {
		t.Errorf("%d are parked still: %v", len(n), err)
	}
	b.want(b.post("replays/x/cancel"), http.StatusNotFound)
	testLostReplay(d, b, strings.TrimPrefix(begun.location(), Path))
	for _, want := range []string{"action=replayDelivery", "action=startReplay", "input.id=2", "by=admin"} {
		if !strings.Contains(d.log.String(), want) {
			t.Errorf("the log lacks %s", want)
		}
	}
}

// testLostReplay looks at the page of a replay after the server was restarted.
func testLostReplay(d *ledgerRig, b *browser, at string) {
	d.t.Helper()
	b.header.Del("Hx-Target")
	b.lacks(b.get(at), "replay-lost")
	d.restart(func(o *Options) {
		d.ledger = addLedger(d.t, o)
		o.Streams = newFakeStreams()
	})
	asked, err := url.ParseQuery(at[strings.Index(at, "?")+1:])
	if err != nil {
		d.t.Fatal(err)
	}
	page := b.get(at)
	b.want(page, http.StatusOK, "replay-lost", "does not know replay "+asked.Get("job"), "is not sent twice", `<option value="3-push_begin" selected>`, `value="2026-11-26T20:05"`,
		html.EscapeString("/console/deliveries?destination=3-push_begin&state=parked&until=2026-11-26T20%3A05"))
	b.lacks(page, "The replay has begun")
	twice := strings.ReplaceAll(at, "state=parked", "state=delivered")
	b.want(b.get(twice), http.StatusOK, "sends once more", `<option value="delivered" selected>`)
	for _, none := range []string{"replays", "replays?job=x", "replays?job=<b>"} {
		b.lacks(b.get(none), "replay-lost", "<b>")
	}
	b.header.Set("Hx-Request", "true")
	b.header.Set("Hx-Target", "replay-jobs")
	b.want(b.get(at), http.StatusOK, "replay-lost")
	viewer := d.asViewer()
	viewer.want(viewer.get(at), http.StatusOK, "replay-lost")
}

// The pages are whole in both languages, for both roles.
func TestDeliveryPagesInBothLanguages(t *testing.T) {
	d := newLedgerRig(t)
	d.owe(1, state.OutcomeParked, "x")
	for _, b := range []*browser{d.asAdmin(), d.asViewer()} {
		for tag, want := range map[string]string{"en": "Deliveries", "zh-CN": "投递记录"} {
			b.header.Set("Accept-Language", tag)
			for _, path := range []string{"deliveries", "deliveries?state=x", "deliveries/1", "destinations", "replays"} {
				a := b.get(path)
				b.want(a, a.status, want, `<html lang="`+tag+`"`, "</html>")
			}
		}
	}
}

// What is masked is masked in every spelling, and nothing else changes.
func TestMaskOfDeliveries(t *testing.T) {
	for given, want := range map[string]string{
		`{"b": "x" , "a":["txSecret=1&b=2", 7],"c":{"txSecret=9":"u?a=b&TXSECRET=z#f"}}`: `{"b": "x" , "a":["txSecret=•••\u0026b=2", 7],"c":{"txSecret=•••":"u?a=b\u0026TXSECRET=•••"}}`,
		`{"a":"<b> & \u00e9"}`: `{"a":"<b> & \u00e9"}`,
		`no JSON txSecret=1 x`: `no JSON txSecret=••• x`,
		`{"a":"txSecret="}`:    `{"a":"txSecret="}`,
		`{"a":"%74xSecret=1"}`: `{"a":"%74xSecret=•••"}`,
		`"a=b;txSecret=zé,x"`:  `"a=b;txSecret=•••,x"`,
	} {
		if got := (hush{on: true}).json(given); got != want {
			t.Errorf("%s\n got %s\nwant %s", given, got, want)
		}
		if got := (hush{}).json(given); got != given {
			t.Errorf("an admin is shown %s", got)
		}
	}
}

// No text makes masking fail, or leaves what is secret in it.
func FuzzMaskOfDeliveries(f *testing.F) {
	f.Add(`{"stream_param":"a=1&txSecret=f0e1d2c3b4a59687&txTime=1"}`)
	f.Add("\xff{\"a\":\"txSecret=f0e1d2c3b4a59687")
	f.Fuzz(func(t *testing.T, text string) {
		h := hush{on: true, known: []string{"f0e1d2c3b4a59687"}}
		for _, shown := range []string{h.text(text), h.json(text)} {
			if strings.Contains(shown, "f0e1d2c3b4a59687") {
				t.Errorf("%q is shown as %q", text, shown)
			}
			for _, r := range visible(shown) {
				if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
					t.Errorf("%q is visible as %q", shown, visible(shown))
				}
			}
		}
	})
}
