package app

import (
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

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/api"
	"github.com/stillcast/stillcast/internal/api/client"
	"github.com/stillcast/stillcast/internal/api/sdktest"
	"github.com/stillcast/stillcast/internal/testkit"
)

// caller calls the API of a server as its first start lets one.
type caller struct {
	t *testing.T
	*client.Client
	http http.Client
}

func newCaller(t *testing.T, a *App) *caller {
	t.Helper()
	own, _ := a.Credential()
	c := &caller{t: t}
	c.Client = &client.Client{Endpoint: "http://" + a.HTTPAddr().String(), SecretID: own.SecretID, SecretKey: own.SecretKey, HTTP: &c.http}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

func (c *caller) must(action string, params map[string]any) {
	c.t.Helper()
	if err := c.Call(c.t.Context(), action, params, nil); err != nil {
		c.t.Fatal(err)
	}
}

// templates returns the ids of the templates that [testConfig] declares.
func (c *caller) templates() (snapshot, callback int64) {
	c.t.Helper()
	var snapshots struct{ Templates []api.SnapshotTemplateInfo }
	var callbacks struct{ Templates []api.CallBackTemplateInfo }
	if err := c.Call(c.t.Context(), "DescribeLiveSnapshotTemplates", nil, &snapshots); err != nil {
		c.t.Fatal(err)
	}
	if err := c.Call(c.t.Context(), "DescribeLiveCallbackTemplates", nil, &callbacks); err != nil {
		c.t.Fatal(err)
	}
	return snapshots.Templates[0].TemplateID, callbacks.Templates[0].TemplateID
}

func TestOfficialClients(t *testing.T) {
	a := startApp(t, testConfig(t.TempDir(), ""))
	own, made := a.Credential()
	if !made {
		t.Error("the first start made no credential")
	}
	server := sdktest.Server{Host: a.HTTPAddr().String(), ID: own.SecretID, Key: own.SecretKey.Reveal()}
	t.Run("Go", func(t *testing.T) { sdktest.Go(t, server) })
	t.Run("Node.js", func(t *testing.T) { sdktest.Node(t, server) })
}

func TestCredentialsOfTheFileCount(t *testing.T) {
	dir := t.TempDir()
	cfg := testConfig(dir, "")
	cfg.API.Credentials = []api.Credential{
		{SecretID: "AKIDwriter", SecretKey: "0123456789abcdef"}, {SecretID: "AKIDreader", SecretKey: "fedcba9876543210", ReadOnly: true},
	}
	a := startApp(t, cfg)
	c := newCaller(t, a)
	c.SecretID, c.SecretKey = "AKIDreader", "fedcba9876543210"
	c.must("DescribeLiveDomains", nil)
	domain := map[string]any{"DomainName": "d.example.com", "DomainType": 0}
	if err := c.Call(t.Context(), "AddLiveDomain", domain, nil); err == nil || !strings.Contains(err.Error(), "UnauthorizedOperation") {
		t.Errorf("a read-only credential: %v", err)
	}
	c.SecretID, c.SecretKey = "AKIDwriter", "0123456789abcdef"
	c.must("AddLiveDomain", domain)
	if _, made := a.Credential(); made {
		t.Error("a credential was made beside those of the file")
	}
}

func TestWhatTheAPIMadeSurvivesARestart(t *testing.T) {
	cfg := testConfig(t.TempDir(), "")
	a := startApp(t, cfg)
	c := newCaller(t, a)
	c.must("AddLiveDomain", map[string]any{"DomainName": "d.example.com", "DomainType": 0})
	c.must("CreateLiveCallbackTemplate", map[string]any{"TemplateName": "c", "SnapshotNotifyUrl": "http://a.example.com/"})
	c.must("ForbidLiveStream", map[string]any{"DomainName": "127.0.0.1", "AppName": "live", "StreamName": "s"})
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg.Resources.SnapshotTemplates[0].Width = 640 // the file's own are applied again
	again := startApp(t, cfg)
	c2 := newCaller(t, again)
	if c2.SecretID != c.SecretID {
		t.Errorf("another credential after the restart")
	}
	set := again.Resources().Set()
	if len(set.Domains) != 2 || len(set.CallbackTemplates) != 1 || set.SnapshotTemplates[0].Width != 640 {
		t.Errorf("after the restart: %v", again.Resources())
	}
	var state struct{ StreamState string }
	if err := c2.Call(t.Context(), "DescribeLiveStreamState", map[string]any{"DomainName": "127.0.0.1", "AppName": "live", "StreamName": "s"}, &state); err != nil || state.StreamState != "forbid" {
		t.Errorf("state %q, %v after the restart, want forbid", state.StreamState, err)
	}
	publisher := pushS(t, again)
	if err := publisher.Wait(); err == nil || !strings.Contains(publisher.Said(), "forbidden") {
		t.Errorf("a forbidden stream was pushed after the restart: %v, %s", err, publisher.Said())
	}
}

func pushS(t *testing.T, a *App) *testkit.Process {
	t.Helper()
	return testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "s"), testkit.Source{Width: 320, Height: 180, Rate: 25},
		testkit.Encoding{KeyFrames: 500 * time.Millisecond, Duration: 120 * time.Second})
}

// tally notes what arrived at all receivers of one stream.
type tally struct {
	t    *testing.T
	last time.Time // create_time of the shot before
	next int64     // sequence
}

// shot checks that a shot follows the one before, without one lost or doubled.
func (l *tally) shot(h *hooks) arrived {
	l.t.Helper()
	_, e := h.shot()
	l.check(e)
	return e
}

func (l *tally) check(e arrived) {
	l.t.Helper()
	shot, ok := e.Event.(callback.Screenshot)
	if !ok {
		return
	}
	l.next++
	if e.Meta.Sequence != l.next {
		l.t.Errorf("shot %d has the sequence %d", l.next, e.Meta.Sequence)
	}
	created := time.Unix(shot.CreateTime, 0)
	if gap := created.Sub(l.last); gap < time.Second {
		l.t.Errorf("shots %d and %d are %s apart", l.next-1, l.next, gap)
	}
	l.last = created
}

// quiet demands that no shot arrives for a while but what was under way.
func (l *tally) quiet(h *hooks, since time.Time, d time.Duration) {
	l.t.Helper()
	over := time.After(d)
	for {
		select {
		case e := <-h.events:
			l.check(e)
			if _, ok := e.Event.(callback.Screenshot); ok && e.At.Sub(since) > time.Second {
				l.t.Errorf("a shot arrived %s after the change", e.At.Sub(since))
			}
		case <-over:
			return
		}
	}
}

func TestChangesThroughTheAPIActOnALiveStream(t *testing.T) {
	old, moved := newHooks(t), newHooks(t)
	cfg := testConfig(t.TempDir(), old.URL)
	cfg.Resources.SnapshotTemplates[0].Interval = 10 * time.Second
	a := startApp(t, cfg)
	c := newCaller(t, a)
	snapshot, hook := c.templates()
	pushS(t, a)
	l := tally{t: t}
	l.shot(old)

	changed := time.Now()
	c.must("ModifyLiveSnapshotTemplate", map[string]any{
		"TemplateId": snapshot, "CosAppId": 1250000000, "CosBucket": "shots", "CosRegion": "ap-guangzhou", "SnapshotInterval": 2,
	})
	if took := l.shot(old).At.Sub(changed); took > 4*time.Second {
		t.Errorf("the first shot of the shorter interval came after %s", took)
	}
	l.shot(old)

	c.must("ModifyLiveCallbackTemplate", map[string]any{"TemplateId": hook, "SnapshotNotifyUrl": moved.URL + "/shot", "CallbackKey": hookKey.Reveal()})
	changed = time.Now()
	l.shot(moved)
	l.shot(moved)
	l.quiet(old, changed, time.Millisecond)

	c.must("DeleteLiveSnapshotRule", map[string]any{"DomainName": "*"})
	changed = time.Now()
	l.quiet(moved, changed, 5*time.Second)

	changed = time.Now()
	c.must("CreateLiveSnapshotRule", map[string]any{"DomainName": "*", "TemplateId": snapshot})
	if took := l.shot(moved).At.Sub(changed); took > 4*time.Second {
		t.Errorf("the first shot of the new rule came after %s", took)
	}
	l.shot(moved)
	l.quiet(old, changed, time.Millisecond)
}

func TestStreamsAreEndedThroughTheAPI(t *testing.T) {
	h := newHooks(t)
	a := startApp(t, testConfig(t.TempDir(), h.URL))
	c := newCaller(t, a)
	stream := map[string]any{"DomainName": "127.0.0.1", "AppName": "live", "StreamName": "s"}
	ends := func(action string, params map[string]any, code stillcast.EndCode) {
		t.Helper()
		publisher := pushS(t, a)
		h.shot()
		var online struct {
			TotalNum   int
			OnlineInfo []api.StreamOnlineInfo
		}
		if err := c.Call(t.Context(), "DescribeLiveStreamOnlineList", nil, &online); err != nil || online.TotalNum != 1 || online.OnlineInfo[0].StreamName != "s" {
			t.Errorf("live streams %+v, %v", online, err)
		}
		c.must(action, params)
		if end := h.end(); end.ErrCode != int(code) || end.ErrMsg == "" {
			t.Errorf("%s: the push ended with %d (%s), want %d", action, end.ErrCode, end.ErrMsg, code)
		}
		if err := publisher.Wait(); err == nil {
			t.Errorf("%s: the publisher ended well", action)
		}
	}
	refused := func(action, why string) {
		t.Helper()
		publisher := pushS(t, a)
		if err := publisher.Wait(); err == nil || !strings.Contains(publisher.Said(), why) {
			t.Errorf("after %s a push: %v, %s; want it refused with %q", action, err, publisher.Said(), why)
		}
	}
	ends("DropLiveStream", stream, stillcast.EndControl)
	ends("ForbidLiveStream", stream, stillcast.EndControl) // it may be pushed again after a drop
	refused("ForbidLiveStream", "forbidden")
	c.must("ResumeLiveStream", stream)
	ends("ForbidLiveDomain", map[string]any{"DomainName": "*"}, stillcast.EndRefused)
	refused("ForbidLiveDomain", "disabled")
	c.must("EnableLiveDomain", map[string]any{"DomainName": "*"})
	pushS(t, a)
	h.shot()

	now := time.Now().UTC()
	var events struct {
		TotalNum  int
		EventList []api.StreamName
	}
	if err := c.Call(t.Context(), "DescribeLiveStreamEventList", map[string]any{
		"StartTime": now.Add(-time.Hour).Format(time.RFC3339), "EndTime": now.Add(time.Minute).Format(time.RFC3339), "IsAsc": 1,
	}, &events); err != nil || events.TotalNum != 4 {
		t.Fatalf("pushes %+v, %v; want four", events, err)
	}
	if first := events.EventList[0]; first.Resolution != "320*180" || !strings.Contains(first.StopReason, "dropped") || first.ClientIP != "127.0.0.1" {
		t.Errorf("the first push %+v", first)
	}
	var records struct {
		TotalNum     int
		DataInfoList []api.CallbackEventInfo
	}
	if err := c.Call(t.Context(), "DescribeCallbackRecordsList", map[string]any{
		"StartTime": now.Add(-time.Hour).Format(time.RFC3339), "EndTime": now.Add(time.Minute).Format(time.RFC3339),
		"StreamName": "s", "PageNum": 1, "PageSize": 100, "EventType": 0,
	}, &records); err != nil || records.TotalNum != 3 || records.DataInfoList[0].ResultCode != 0 || !strings.Contains(records.DataInfoList[0].Request, `"event_type":0`) {
		t.Errorf("records of the ends of pushes %+v, %v", records, err)
	}
	var numbers struct{ DataInfoList []api.TimeValue }
	if err := c.Call(t.Context(), "DescribeScreenShotSheetNumList", map[string]any{
		"StartTime": now.Add(-time.Hour).Format(time.RFC3339), "EndTime": now.Add(time.Minute).Format(time.RFC3339), "Granularity": "Minute",
	}, &numbers); err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, n := range numbers.DataInfoList {
		total += n.Num
	}
	if total < 4 {
		t.Errorf("%d shots were counted, want at least 4", total)
	}
}

func TestFrontOfTheHTTPListener(t *testing.T) {
	a := startApp(t, testConfig(t.TempDir(), ""))
	base := "http://" + a.HTTPAddr().String()
	page, err := download(t.Context(), base+"/")
	if err != nil || !strings.Contains(string(page), "Stillcast") {
		t.Errorf("GET / of a browser: %q, %v", page, err)
	}
	reply, err := http.Get(base + "/nothing")
	if err != nil {
		t.Fatal(err)
	}
	reply.Body.Close()
	if reply.StatusCode != http.StatusNotFound {
		t.Errorf("GET /nothing: %s, want 404", reply.Status)
	}
	// tccli's host is a URL, on every path of the listener.
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", a.HTTPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: http://%s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", a.HTTPAddr())
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 OK") || !strings.Contains(string(answer), `"Error"`) {
		t.Errorf("answer %q, %v; want one of the API", answer, err)
	}
}

func TestChangesAreAudited(t *testing.T) {
	log := &safeLog{}
	a, err := New(t.Context(), Options{
		Config: testConfig(t.TempDir(), ""), Worker: testWorker(), Version: "test", Logger: slog.New(slog.NewJSONHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	newCaller(t, a).must("ModifyLivePushAuthKey", map[string]any{"DomainName": "*", "MasterAuthKey": "hushhush"})
	if err := a.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if text := log.String(); !strings.Contains(text, `"audit":true`) || !strings.Contains(text, "ModifyLivePushAuthKey") || strings.Contains(text, "hushhush") {
		t.Errorf("log %s; want the change without its key", text)
	}
}

// safeLog keeps what is logged.
type safeLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *safeLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
