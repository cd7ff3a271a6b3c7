package console

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/state"
)

func streamNamed(name string) stillcast.Stream {
	return stillcast.Stream{Domain: "push.example.com", App: "live", Name: name}
}

func pushOf(name string) stillcast.Push {
	return stillcast.Push{
		ID: "push-" + name, Stream: streamNamed(name), Domain: stillcast.AnyDomain, Started: time.Now(),
		Param: "txSecret=0123456789abcdef&txTime=7FFFFFFF",
	}
}

// began puts pushes on a wall.
func (w *Wall) began(names ...string) {
	for _, name := range names {
		w.Began(pushOf(name), func() Video { return Video{} })
	}
}

// shot puts a shot on a wall.
func (w *Wall) shot(name string, id int64, preview []byte) {
	w.Shot(Newest{
		Shot: stillcast.Shot{
			ID: id, PushID: "push-" + name, Stream: streamNamed(name), Captured: time.Now(), Width: 1280, Height: 720,
		},
		Template: stillcast.SnapshotTemplate{}.WithDefaults(), Preview: preview,
	})
}

// shots are the ids that an update shows, by name of the stream.
func (u update) shots(t *testing.T) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	for _, raw := range u.tiles {
		var tile shownTile
		if err := json.Unmarshal(raw, &tile); err != nil {
			t.Fatal(err)
		}
		all[tile.Name] = tile.Shot
	}
	return all
}

func TestViewerGetsTheNewestOfEachStream(t *testing.T) {
	w := NewWall()
	w.began("a", "b")
	v, ok := w.join("s")
	if !ok {
		t.Fatal("the viewer was refused")
	}
	defer v.leave()
	u := v.take()
	if diff := cmp.Diff(map[string]int64{"a": 0, "b": 0}, u.shots(t)); diff != "" || !u.everything {
		t.Errorf("first update %v (-want +got):\n%s", u.everything, diff)
	}
	for id := range int64(1000) {
		w.shot("a", 1+id, nil)
	}
	w.shot("b", 2000, nil)
	w.Ended(pushOf("b"))
	w.began("c")
	u = v.take()
	if diff := cmp.Diff(map[string]int64{"a": 1000, "c": 0}, u.shots(t)); diff != "" || u.everything {
		t.Errorf("update %v (-want +got):\n%s", u.everything, diff)
	}
	if diff := cmp.Diff([]string{"push.example.com/live/b"}, u.gone); diff != "" {
		t.Errorf("gone (-want +got):\n%s", diff)
	}
	if u = v.take(); !u.empty() {
		t.Errorf("nothing changed, but there is an update of %d tiles", len(u.tiles))
	}
}

// TestQueueIsBounded has streams come and go that a viewer never hears of.
func TestQueueIsBounded(t *testing.T) {
	w := NewWall()
	w.began("stays")
	v, _ := w.join("s")
	defer v.leave()
	v.take()
	for i := range 10000 {
		name := strconv.Itoa(i)
		w.began(name)
		w.Ended(pushOf(name))
	}
	if len(v.changes) > 200 {
		t.Errorf("the queue has %d streams", len(v.changes))
	}
	u := v.take()
	if diff := cmp.Diff(map[string]int64{"stays": 0}, u.shots(t)); diff != "" || !u.everything || len(u.gone) > 0 {
		t.Errorf("update %v, %d gone (-want +got):\n%s", u.everything, len(u.gone), diff)
	}
}

func TestWallShowsLivePushesOnly(t *testing.T) {
	w := NewWall()
	w.shot("a", 1, nil)
	if len(w.all()) > 0 {
		t.Error("a shot of a push that is not live is shown")
	}
	w.began("a")
	w.shot("a", 2, []byte("new"))
	late := Newest{Shot: stillcast.Shot{ID: 1, PushID: "push-a", Stream: streamNamed("a"), Captured: time.Now().Add(-time.Minute)}}
	w.Shot(late)
	other := Newest{Shot: stillcast.Shot{ID: 3, PushID: "before", Stream: streamNamed("a"), Captured: time.Now()}}
	w.Shot(other)
	before := pushOf("a")
	before.ID = "before"
	w.Ended(before)
	all := w.all()
	if len(all) != 1 || all[0].Shot != 2 || string(w.preview(2)) != "new" {
		t.Errorf("shown are %+v", all)
	}
	w.Ended(pushOf("a"))
	if len(w.all()) > 0 || w.preview(2) != nil || w.bytes != 0 || len(w.previews) > 0 || w.ages.Len() > 0 {
		t.Error("something is left of a push that ended")
	}
}

func TestPreviewsAreBounded(t *testing.T) {
	w := NewWall()
	const size = 1 << 20
	for i := range 100 {
		name := strconv.Itoa(i)
		w.began(name)
		w.shot(name, int64(1+i), make([]byte, size))
	}
	if w.bytes > maxPreviewBytes || w.preview(1) != nil || w.preview(100) == nil {
		t.Errorf("%d bytes are kept, the first one %v, the last one %v", w.bytes, w.preview(1) != nil, w.preview(100) != nil)
	}
	for _, tile := range w.all() {
		kept := w.preview(tile.Shot) != nil
		if kept != strings.HasPrefix(tile.Picture, Path+"thumb/") {
			t.Errorf("the picture of shot %d is %s", tile.Shot, tile.Picture)
		}
	}
}

func TestWatchedForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWall()
		if w.Watched() {
			t.Error("nobody looked, and it is watched")
		}
		w.look()
		time.Sleep(59 * time.Minute)
		if !w.Watched() {
			t.Error("after 59 minutes it is not watched")
		}
		time.Sleep(2 * time.Minute)
		if w.Watched() {
			t.Error("after 61 minutes it is watched")
		}
	})
}

func TestSmallest(t *testing.T) {
	shot := stillcast.Shot{Width: 1920, Height: 1080, Renditions: []stillcast.Rendition{{Width: 640, Height: 360}, {Width: 320, Height: 180}, {Width: 64, Height: 36}}}
	if got := smallest(shot); got != 2 {
		t.Errorf("picture %d, want 2", got)
	}
	if got := smallest(stillcast.Shot{Width: 100, Height: 100}); got != 0 {
		t.Errorf("picture %d, want the shot's own", got)
	}
}

func TestWallQuery(t *testing.T) {
	at := func(name, app string, since, shot int64) shownTile {
		return shownTile{ID: app + name, Domain: "d", App: app, Name: name, Since: since, At: shot}
	}
	all := []shownTile{at("b", "live", 1, 30), at("a", "live", 2, 10), at("C", "show", 20, 0)}
	tests := []struct{ query, want string }{
		{"", "C a b"},
		{"sort=newest", "b C a"},
		{"sort=stalest", "a C b"},
		{"sort=other", "C a b"},
		{"q=c", "C"},
		{"q=LIVE", "a b"},
		{"q=live+b", "b"},
		{"q=d/live/a", "a"},
		{"q=none", ""},
		{"app=show", "C"},
		{"domain=d", "C a b"},
		{"domain=e", ""},
		{"app=live&q=b&domain=d", "b"},
	}
	for _, tt := range tests {
		values, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, tile := range readWallQuery(values).choose(all) {
			names = append(names, tile.Name)
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%q gives %q, want %q", tt.query, got, tt.want)
		}
	}
}

// fakeStreams is a server whose streams are made up.
type fakeStreams struct {
	mu        sync.Mutex
	shots     []state.ShotStatus // ascending
	resources *stillcast.Resources
	pictures  map[string]string // by "shot/index"
	fault     error             // of Picture
	live      map[stillcast.Stream]bool
	bans      []stillcast.Ban
	said      []string // what was done
	refusal   string   // why deliveries failed; "refused" without it
}

func newFakeStreams() *fakeStreams {
	return &fakeStreams{resources: stillcast.NewResources(stillcast.ResourceSet{}), pictures: map[string]string{}, live: map[stillcast.Stream]bool{}}
}

func (f *fakeStreams) do(format string, a ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.said = append(f.said, fmt.Sprintf(format, a...))
}

func (f *fakeStreams) Resources() *stillcast.Resources { return f.resources }

func (f *fakeStreams) Drop(s stillcast.Stream, end stillcast.PushEnd) bool {
	f.do("drop %s %d", s, end.Code)
	return f.live[s]
}

func (f *fakeStreams) Forbid(_ context.Context, ban stillcast.Ban) error {
	f.do("forbid %s for %s: %s", ban.Stream, time.Until(ban.Until).Round(time.Hour), ban.Reason)
	f.bans = append(f.bans, ban)
	return nil
}

func (f *fakeStreams) Resume(_ context.Context, s stillcast.Stream) (stillcast.Ban, error) {
	f.do("resume %s", s)
	f.bans = nil
	return stillcast.Ban{}, nil
}

func (f *fakeStreams) Bans(context.Context) ([]stillcast.Ban, error) { return f.bans, nil }

func (f *fakeStreams) PushPage(context.Context, state.PushFilter) ([]state.PushRecord, int64, error) {
	return nil, 0, nil
}

func (f *fakeStreams) Shots(_ context.Context, filter state.ShotFilter) ([]state.ShotStatus, error) {
	all := slices.DeleteFunc(slices.Clone(f.shots), func(s state.ShotStatus) bool {
		return s.Stream != *filter.Stream || s.ID <= filter.AfterID || filter.BeforeID > 0 && s.ID >= filter.BeforeID || !filter.Until.IsZero() && !s.Captured.Before(filter.Until)
	})
	if filter.Descending {
		slices.Reverse(all)
	}
	return all[:min(len(all), filter.Limit)], nil
}

func (f *fakeStreams) Shot(_ context.Context, id int64) (state.ShotStatus, error) {
	for _, s := range f.shots {
		if s.ID == id {
			return s, nil
		}
	}
	return state.ShotStatus{}, stillcast.Errorf(stillcast.CodeNotFound, "shot", "there is no shot %d", id)
}

func (f *fakeStreams) Deliveries(_ context.Context, filter state.DeliveryFilter) ([]state.DeliveryStatus, error) {
	refusal := f.refusal
	if refusal == "" {
		refusal = "refused"
	}
	return []state.DeliveryStatus{{
		Delivery: state.Delivery{ID: 1000 + filter.ShotID, Destination: stillcast.Destination{TemplateID: 7, Event: stillcast.EventShot}, Attempt: 3},
		State:    state.StateParked, LastError: refusal, Reason: f.refusal,
	}}, nil
}

func (f *fakeStreams) Running(context.Context, stillcast.Stream) ([]stillcast.Task, error) {
	return nil, nil
}

func (f *fakeStreams) Picture(_ context.Context, shot state.ShotStatus, index int) (io.ReadCloser, int64, error) {
	picture, ok := f.pictures[fmt.Sprintf("%d/%d", shot.ID, index)]
	switch {
	case f.fault != nil:
		return nil, 0, f.fault
	case !ok:
		return nil, 0, objstore.ErrNotFound
	}
	return io.NopCloser(strings.NewReader(picture)), int64(len(picture)), nil
}

// newWallRig is a console with a wall and made up streams.
func newWallRig(t *testing.T) (*rig, *Wall, *fakeStreams) {
	t.Helper()
	w, f := NewWall(), newFakeStreams()
	return newRig(t, func(o *Options) { o.Wall, o.Streams = w, f }), w, f
}

func TestWallPage(t *testing.T) {
	r, w, _ := newWallRig(t)
	w.began("alpha", `<b>"&amp;`, "日本/a?b#c")
	w.shot("alpha", 5, []byte("jpeg"))
	viewer := r.as("viewer", r.viewer)
	a := viewer.get("")
	viewer.want(a, http.StatusOK, "3 of 3 live", `href="/console/stream?domain=push.example.com&amp;app=live&amp;stream=alpha"`, "1280×720", `/console/thumb/5`,
		`stream=%E6%97%A5%E6%9C%AC%2Fa%3Fb%23c"`, "&lt;b&gt;")
	if strings.Contains(a.body, "<b>") || strings.Contains(a.body, "txSecret") {
		t.Error("the page holds what it must not")
	}
	if !w.Watched() {
		t.Error("somebody looked, but the wall is not watched")
	}
	viewer.want(viewer.get("?q=alpha"), http.StatusOK, "1 of 3 live")
	viewer.header.Set("Accept-Language", "zh-CN")
	viewer.want(viewer.get(""), http.StatusOK, "显示 3 / 共 3 路", "紧凑模式")
}

// TestWallIsPrivate asks for all that the wall consists of without a session.
func TestWallIsPrivate(t *testing.T) {
	r, w, f := newWallRig(t)
	w.began("a")
	w.shot("a", 5, []byte("jpeg"))
	f.shots = []state.ShotStatus{{Shot: stillcast.Shot{ID: 5, Stream: streamNamed("a"), Width: 640, Height: 360}, State: state.ShotStored}}
	f.pictures["5/0"] = "stored"
	b := r.browser()
	paths := []string{"", "wall/events", "wall/session", "thumb/5", "picture/5/0", "stream?domain=push.example.com&app=live&stream=a"}
	for _, path := range paths {
		if a := b.get(path); a.status != http.StatusSeeOther || !strings.HasPrefix(a.location(), Path+"login") || strings.Contains(a.body, "jpeg") {
			t.Errorf("%s without a session: %d %q", path, a.status, a.location())
		}
	}
	if w.Watched() {
		t.Error("somebody without a session counts as watching")
	}
	b = r.as("viewer", r.viewer)
	b.want(b.get("thumb/5"), http.StatusOK, "jpeg")
	b.want(b.get("picture/5/0"), http.StatusOK, "stored")
	b.post("logout")
	for _, path := range paths {
		if a := b.get(path); a.status != http.StatusSeeOther {
			t.Errorf("%s after the logout: %d", path, a.status)
		}
	}
}

func TestPictures(t *testing.T) {
	r, w, f := newWallRig(t)
	w.began("a")
	w.shot("a", 5, []byte("jpeg"))
	for id := int64(1); id <= 4; id++ {
		f.shots = append(f.shots, state.ShotStatus{
			Shot:  stillcast.Shot{ID: id, Stream: streamNamed("a"), Width: 640, Height: 360, Format: stillcast.FormatWebP, Renditions: []stillcast.Rendition{{Width: 320, Height: 180}}},
			State: []state.ShotState{state.ShotStored, state.ShotSpooled, state.ShotDropped, state.ShotRemoved}[id-1],
		})
	}
	f.pictures["1/0"], f.pictures["2/1"] = "large", "small"
	b := r.as("viewer", r.viewer)

	a := b.get("thumb/5")
	b.want(a, http.StatusOK, "jpeg")
	if a.header.Get("Content-Type") != "image/jpeg" || a.header.Get("Cache-Control") != "private, no-cache" || a.header.Get("Etag") == "" {
		t.Errorf("header %v", a.header)
	}
	b.header.Set("If-None-Match", a.header.Get("Etag"))
	b.want(b.get("thumb/5"), http.StatusNotModified)
	b.header.Del("If-None-Match")

	if moved := b.get("thumb/2"); moved.status != http.StatusTemporaryRedirect || moved.location() != "/console/picture/2/1" {
		t.Errorf("a picture that is kept no more: %d to %q", a.status, moved.location())
	}
	a = b.get("picture/1/0")
	b.want(a, http.StatusOK, "large")
	if a.header.Get("Content-Type") != "image/webp" || a.header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("header %v", a.header)
	}
	b.want(b.get("picture/2/1"), http.StatusOK, "small")

	reasons := []struct {
		path   string
		status int
		text   string
	}{
		{"thumb/99", 404, "no such picture"},
		{"thumb/x", 404, "no such picture"},
		{"picture/1/2", 404, "no such picture"},
		{"picture/1/-1", 404, "no such picture"},
		{"picture/3/0", 410, "given up before it was stored"},
		{"picture/4/0", 410, "removed for its age"},
		{"picture/1/1", 404, "The store does not have"},
	}
	for _, tt := range reasons {
		a := b.get(tt.path)
		b.want(a, tt.status, tt.text)
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") || a.header.Get("Cache-Control") != "no-store" || a.header.Get("Etag") != "" {
			t.Errorf("%s: header %v", tt.path, a.header)
		}
	}
	for fault, text := range map[error]string{
		objstore.ErrDenied: "refuses", objstore.ErrThrottled: "slow down", objstore.ErrUnavailable: "cannot be reached", errors.New("disk"): "cannot be reached",
	} {
		f.fault = fault
		if a := b.get("picture/1/0"); a.status < 500 || !strings.Contains(a.body, text) {
			t.Errorf("%v: %d %q", fault, a.status, a.body)
		}
	}
	f.fault = objstore.ErrUnavailable
	b.header.Set("Accept-Language", "zh")
	b.want(b.get("picture/1/0"), http.StatusServiceUnavailable, "暂时无法访问存储。")
}

// event is one server-sent event.
type event struct {
	Name  string
	Tiles []shownTile
	Gone  []string
}

// listener reads server-sent events.
type listener struct {
	t     *testing.T
	reply *http.Response
	lines *bufio.Scanner
}

func (b *browser) listen() *listener {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.server.URL+Path+"wall/events", http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	reply, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { reply.Body.Close() })
	if reply.StatusCode != http.StatusOK || reply.Header.Get("Content-Type") != "text/event-stream" || reply.Header.Get("Cache-Control") != "no-store" {
		b.t.Fatalf("status %d, header %v", reply.StatusCode, reply.Header)
	}
	lines := bufio.NewScanner(reply.Body)
	lines.Buffer(nil, 1<<20)
	return &listener{b.t, reply, lines}
}

// next returns the next event; its name is "" when there is none.
func (l *listener) next() (e event) {
	l.t.Helper()
	for l.lines.Scan() {
		line := l.lines.Text()
		if line == "" {
			return e
		}
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			e.Name = name
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				l.t.Fatalf("%v of %s", err, data)
			}
		}
	}
	return event{}
}

func TestEvents(t *testing.T) {
	r, w, _ := newWallRig(t)
	w.began("a")
	l := r.as("viewer", r.viewer).listen()
	if e := l.next(); e.Name != "snapshot" || len(e.Tiles) != 1 || e.Tiles[0].Name != "a" || e.Tiles[0].Picture != "" {
		t.Errorf("first event %+v", e)
	}
	w.shot("a", 5, []byte("jpeg"))
	if e := l.next(); e.Name != "tiles" || len(e.Tiles) != 1 || e.Tiles[0].Picture != "/console/thumb/5" || e.Tiles[0].Width != 1280 || e.Tiles[0].Stale != 32000 {
		t.Errorf("after a shot %+v", e)
	}
	w.Ended(pushOf("a"))
	if e := l.next(); e.Name != "tiles" || len(e.Tiles) != 0 || !slices.Equal(e.Gone, []string{"push.example.com/live/a"}) {
		t.Errorf("after the end %+v", e)
	}
	// The session ends: the page is told to go to the login page.
	if err := r.doors.sessions.revoke(t.Context(), r.doors.sessions.list("")[0].ID); err != nil {
		t.Fatal(err)
	}
	if e := l.next(); e.Name != "bye" {
		t.Errorf("after the session %+v", e)
	}
	if e := l.next(); e.Name != "" {
		t.Errorf("after all %+v", e)
	}
}

func TestEventsEndWithTheServer(t *testing.T) {
	r, _, _ := newWallRig(t)
	l := r.as("viewer", r.viewer).listen()
	if e := l.next(); e.Name != "snapshot" {
		t.Errorf("first event %+v", e)
	}
	r.Stop()
	if e := l.next(); e.Name != "" {
		t.Errorf("after the stop %+v", e)
	}
}

func TestConnectionsOfASession(t *testing.T) {
	r, w, _ := newWallRig(t)
	b := r.as("viewer", r.viewer)
	first := b.listen()
	first.next()
	for range maxOfSession {
		b.listen().next()
	}
	if e := first.next(); e.Name != "" {
		t.Errorf("the oldest of too many connections got %+v", e)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.viewers) != maxOfSession {
		t.Errorf("%d viewers, want %d", len(w.viewers), maxOfSession)
	}
}

// TestSlowBrowser has a browser that never reads, beside one that does.
func TestSlowBrowser(t *testing.T) {
	r, w, _ := newWallRig(t)
	const streams = 500
	for i := range streams {
		w.began(fmt.Sprintf("%s-%03d", strings.Repeat("long", 40), i))
	}
	b := r.as("viewer", r.viewer)
	b.listen() // and never read
	other := b.listen()
	if e := other.next(); len(e.Tiles) != streams {
		t.Fatalf("the first event has %d tiles", len(e.Tiles))
	}
	id := int64(0)
	for round := range 20 {
		for i := range streams {
			id++
			w.shot(fmt.Sprintf("%s-%03d", strings.Repeat("long", 40), i), id, nil)
		}
		seen := map[string]bool{}
		for len(seen) < streams {
			e := other.next()
			if e.Name == "" {
				t.Fatalf("round %d: the connection ended", round)
			}
			for _, tile := range e.Tiles {
				if tile.Shot > int64(round*streams) {
					seen[tile.ID] = true
				}
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for v := range w.viewers {
		if len(v.changes) > 2*streams+100 {
			t.Errorf("a queue has %d streams", len(v.changes))
		}
	}
}

func TestEventData(t *testing.T) {
	var b bytes.Buffer
	e := &eventWriter{w: discardResponse{&b}, control: http.NewResponseController(discardResponse{&b})}
	if err := e.update(update{tiles: []json.RawMessage{[]byte(`{"a":1}`), []byte(`{}`)}, gone: []string{"x\ny"}}); err != nil {
		t.Fatal(err)
	}
	if want := "event: tiles\ndata: {\"tiles\":[{\"a\":1},{}],\"gone\":[\"x\\ny\"]}\n\n"; b.String() != want {
		t.Errorf("wrote %q, want %q", b.String(), want)
	}
}

type discardResponse struct{ *bytes.Buffer }

func (discardResponse) Header() http.Header { return http.Header{} }
func (discardResponse) WriteHeader(int)     {}
func (discardResponse) Flush()              {}
