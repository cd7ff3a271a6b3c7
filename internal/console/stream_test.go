package console

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// pageOf is the page of a stream named so, below [Path]; with action, what is done to it.
func pageOf(name, action string, more ...string) string {
	return strings.TrimPrefix(streamURL(streamNamed(name), action, more...), Path)
}

// addShots makes shots 1 to n, a minute apart.
func (f *fakeStreams) addShots(n int) {
	for id := range n {
		at := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC).Add(time.Duration(id) * time.Minute)
		f.shots = append(f.shots, state.ShotStatus{State: state.ShotStored, Stored: at.Add(61 * time.Millisecond), Shot: stillcast.Shot{
			ID: int64(1 + id), Stream: streamNamed("a"), PushID: "push-a", Key: fmt.Sprintf("key-%d.jpg", 1+id), Width: 1280, Height: 720, Size: 1000 + id,
			Captured: at, Due: at.Add(-40 * time.Millisecond), Format: stillcast.FormatJPEG,
			Facts: stillcast.Facts{Accuracy: stillcast.AccuracyExact, Decode: 12 * time.Millisecond, Scale: 1500 * time.Microsecond, Luma: 99.5, Hash: 0xabc, Distance: 17},
		}})
	}
}

func (f *fakeStreams) rules() {
	f.resources = stillcast.NewResources(stillcast.ResourceSet{
		Domains:           []stillcast.Domain{{Name: stillcast.AnyDomain}},
		SnapshotTemplates: []stillcast.SnapshotTemplate{{ID: 1, Name: "wide"}, {ID: 2, Name: "close"}},
		SnapshotRules: []stillcast.SnapshotRule{
			{Domain: "*", TemplateID: 1}, {Domain: "*", App: "live", Stream: "a", TemplateID: 2}, {Domain: "*", App: "live", TemplateID: 9}, {Domain: "*", App: "other", TemplateID: 1},
		},
		CallbackTemplates: []stillcast.CallbackTemplate{{ID: 7, Name: "hooks", Key: "callback-key", SnapshotURL: "https://hooks.example.com/shot"}},
		CallbackRules:     []stillcast.CallbackRule{{Domain: "*", TemplateID: 7}},
	})
}

func TestStreamPage(t *testing.T) {
	r, w, f := newWallRig(t)
	f.rules()
	f.addShots(3)
	w.Began(pushOf("a"), func() Video {
		return Video{Codec: "H.264", Width: 1280, Height: 720, Frames: 500, Keys: 10, FrameRate: 25, Bitrate: 2.5e6, KeyEvery: 2 * time.Second, KeyShortest: time.Second, KeyLongest: 3 * time.Second}
	})
	viewer, admin := r.as("viewer", r.viewer), r.as("admin", r.admin)
	a := viewer.get(pageOf("a", ""))
	viewer.want(a, http.StatusOK, "H.264", "1280×720", "25.0 fps", "2.50 Mbit/s", "every 2.00 s (1.00 s to 3.00 s)",
		"names the app and the stream", "is for the whole domain", "template 9, which is gone", "https://hooks.example.com/shot",
		"Shot 3", "40 ms", "12 ms", "1.5 ms", "61 ms", "99.5", "17 of 64 bits", "0000000000000abc", "key-3.jpg",
		`href="/console/deliveries/1003"`, "parked", "refused", "txSecret=•••&amp;txTime=7FFFFFFF")
	for _, hidden := range []string{"0123456789abcdef", "/drop", "/forbid", "callback-key"} {
		if strings.Contains(a.body, hidden) {
			t.Errorf("a viewer sees %q", hidden)
		}
	}
	admin.want(admin.get(pageOf("a", "")), http.StatusOK, "0123456789abcdef", `action="/console/stream/drop?domain=push.example.com&amp;app=live&amp;stream=a"`, "/forbid")
	viewer.header.Set("Accept-Language", "zh-CN")
	viewer.want(viewer.get(pageOf("a", "")), http.StatusOK, "指定了应用和流名", "平均 2.00 s（1.00 s 至 3.00 s）")
	viewer.header.Del("Accept-Language")
	viewer.want(viewer.get(pageOf("never", "")), http.StatusOK, "This stream was never pushed.")
	viewer.want(viewer.get(pageOf("a", "", "shot", "99")), http.StatusNotFound, "no such shot")

	// A part alone.
	viewer.header.Set("Hx-Request", "true")
	viewer.header.Set("Hx-Target", "shot")
	a = viewer.get(pageOf("a", "", "shot", "2"))
	viewer.want(a, http.StatusOK, "Shot 2")
	if !strings.HasPrefix(a.body, `<div id="shot">`) {
		t.Errorf("the part is\n%s", a.body)
	}
}

func TestMatchingRules(t *testing.T) {
	f := newFakeStreams()
	f.rules()
	got := matchingSnapshots(f.resources, "*", streamNamed("a"))
	want := []matchRow{
		{Domain: "*", App: "live", Stream: "a", TemplateID: 2, Template: "close", Wins: true, Why: "stream.why_exact"},
		{Domain: "*", App: "live", TemplateID: 9, Why: "stream.why_app"},
		{Domain: "*", TemplateID: 1, Template: "wide", Why: "stream.why_domain"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestFilmStrip(t *testing.T) {
	r, _, f := newWallRig(t)
	f.addShots(120)
	b := r.as("viewer", r.viewer)
	tests := []struct {
		query, older, newer string
		first, last         int
	}{
		{"", "?before=73", "", 73, 120},
		{"?before=73", "?before=25", "?after=72", 25, 72},
		{"?before=25", "", "?after=24", 1, 24},
		{"?after=24", "?before=25", "?after=72", 25, 72},
		{"?after=72", "?before=73", "", 73, 120},
		{"?shot=60", "?before=13", "?after=60", 13, 60},
		{"?shot=100", "?before=73", "", 73, 120},
		{"?until=2026-11-26T08:30", "", "?after=31", 1, 31}, // of the zone +08:00
	}
	for _, tt := range tests {
		a := b.get(pageOf("a", "") + strings.ReplaceAll(tt.query, "?", "&"))
		for _, link := range []struct{ rel, want string }{{"prev", tt.older}, {"next", tt.newer}} {
			_, rest, _ := strings.Cut(a.body, `rel="`+link.rel+`" href="`)
			got, _, _ := strings.Cut(rest, `"`)
			if want := strings.ReplaceAll(link.want, "?", html.EscapeString(Path+pageOf("a", "")+"&")); got != want {
				t.Errorf("%q: %s is %q, want %q", tt.query, link.rel, got, want)
			}
		}
		ids := strings.Split(a.body, `data-shot="`)[1:]
		ids = slices.DeleteFunc(ids, func(s string) bool { return strings.HasPrefix(s, `"`) })
		if len(ids) != tt.last-tt.first+1 || !strings.HasPrefix(ids[0], fmt.Sprintf(`%d"`, tt.first)) || !strings.HasPrefix(ids[len(ids)-1], fmt.Sprintf(`%d"`, tt.last)) {
			t.Errorf("%q: %d shots", tt.query, len(ids))
		}
	}
}

func TestDropAndForbid(t *testing.T) {
	r, w, f := newWallRig(t)
	w.began("a")
	f.live[streamNamed("a")] = true
	viewer, admin := r.as("viewer", r.viewer), r.as("admin", r.admin)
	for _, action := range []string{"drop", "forbid", "resume"} {
		viewer.want(viewer.post(pageOf("a", action), "days", "7"), http.StatusForbidden)
		token := admin.token
		admin.token = "wrong"
		admin.want(admin.post(pageOf("a", action), "days", "7"), http.StatusForbidden)
		admin.token = token
	}
	if len(f.said) > 0 {
		t.Fatalf("who may not has done %q", f.said)
	}
	admin.wantTo(admin.post(pageOf("a", "drop")), Path+pageOf("a", "", "done", "done.dropped"))
	admin.want(admin.post(pageOf("other", "drop")), http.StatusConflict, "not live any more")
	for _, days := range []string{"", "0", "91", "x"} {
		admin.want(admin.post(pageOf("a", "forbid"), "days", days), http.StatusUnprocessableEntity, "allowed are 1 to 90")
	}
	upper := stillcast.Stream{Domain: "PUSH.example.com", App: "live", Name: "a"}
	admin.wantTo(admin.post(strings.TrimPrefix(streamURL(upper, "forbid"), Path), "days", "7", "reason", " because "), streamURL(upper, "", "done", "done.forbidden"))
	admin.want(admin.get(pageOf("a", "")), http.StatusOK, "because", "/resume")
	admin.wantTo(admin.post(pageOf("a", "resume")), Path+pageOf("a", "", "done", "done.resumed"))
	want := []string{
		"drop push.example.com/live/a 21", "drop push.example.com/live/other 21", "forbid push.example.com/live/a for 168h0m0s: because", "resume push.example.com/live/a",
	}
	if diff := cmp.Diff(want, f.said); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
	for _, line := range []string{"action=\"drop stream\" stream=push.example.com/live/a", "action=\"forbid stream\"", "action=\"resume stream\""} {
		if !strings.Contains(r.log.String(), line) {
			t.Errorf("the log lacks %s", line)
		}
	}
}
