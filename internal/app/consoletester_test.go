package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/testkit"
)

// unknown are the values of bodies that nobody can know before a push: ids, times and
// what is made of them, and what the encoder and the network decide.
const unknown = `t|sign|sequence|event_time|event_time_ms|create_time|create_time_ms|file_size|pic_url|pic_full_url|push_duration|` +
	`event_id|push_id|sent_at_ms|captured_at_ms|event_at_ms|due_at_ms|luma|hash|distance`

// foreseen is what of a request can be known before the push, in its order. The other
// values are named.
func foreseen(event stillcast.EventType, body string) string {
	unknown := unknown
	if event == stillcast.EventPushEnd {
		unknown += "|height|width" // of the video
	}
	return regexp.MustCompile(`"(`+unknown+`)":("(?:[^"\\]|\\.)*"|-?[0-9.]+)`).ReplaceAllString(body, `"$1":*`)
}

// nameOf is the name of a picture without the time in it.
func nameOf(key string) string {
	return regexp.MustCompile(`\d{4}-\d\d-\d\d|\d\d-\d\d-\d\d`).ReplaceAllString(key, "TIME")
}

// TestTesterForeseesAPush pastes a push URL with odd names into the console's tester,
// as admin, and then pushes to that very URL. What the page said is what comes: whether
// the push is let in, the name of the picture, and of each event the URL, the header
// and the body, whose signatures hold.
func TestTesterForeseesAPush(t *testing.T) {
	requests := make(chan *http.Request, 64)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		requests <- &http.Request{Host: r.Host, URL: r.URL, Header: r.Header.Clone(), Body: io.NopCloser(bytes.NewReader(b))}
	}))
	t.Cleanup(receiver.Close)
	const secret = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
	cfg := testConfig(t.TempDir(), receiver.URL)
	hooks := &cfg.Resources.CallbackTemplates[0]
	hooks.Extras, hooks.SigningSecret, hooks.SnapshotURL = true, secret, receiver.URL+"/shot?a=b&c=%2F"
	shots := &cfg.Resources.SnapshotTemplates[0]
	shots.FileName = "{AppName}_{StreamID}_{Hour}-{Minute}-{Second}-{Width}x{Height}{Ext}"
	shots.Width, shots.Renditions = 320, []config.Size{{Width: 160}}
	// Rules that lose, and one that is for another stream.
	cfg.Resources.SnapshotTemplates = append(cfg.Resources.SnapshotTemplates, config.SnapshotTemplate{Name: "loses", Interval: time.Minute})
	cfg.Resources.SnapshotRules = append(cfg.Resources.SnapshotRules,
		config.SnapshotRule{Domain: stillcast.AnyDomain, App: "直播", Stream: "it's 1", Template: "t"}, config.SnapshotRule{Domain: stillcast.AnyDomain, App: "直播", Template: "loses"},
		config.SnapshotRule{Domain: stillcast.AnyDomain, Stream: "other", Template: "loses"})
	a := startApp(t, cfg)
	o := lookOn(t, a)
	const app, name = "直播", "it's 1"
	key := name + "?" + stillcast.PushParam(pushKey, name, time.Now().Add(time.Hour)) + "&x=1%2F2"
	page := o.submit("rules/tester", map[string]string{"url": "rtmp://" + a.RTMPAddr().String() + "/" + app + "/" + key, "size": "640x360"})
	if said := textOf(t, strings.Replace(page, ` role="status" id="verdict"`, ` id="verdict"`, 1), "verdict"); said != "The push is accepted." {
		t.Fatalf("the tester says %q", said)
	}
	var rules []string
	_, section, _ := strings.Cut(page, `id="t-snapshot"`)
	section, _, _ = strings.Cut(section, "</section>")
	for _, row := range strings.Split(section, `<td><a class="mono"`)[1:] {
		_, row, _ = strings.Cut(row, ">")
		row, _, _ = strings.Cut(row, "</a>")
		rules = append(rules, strings.ReplaceAll(row, "&#39;", "'"))
	}
	if diff := cmp.Diff([]string{"*/直播/it's 1", "*/直播/*", "*/*/*"}, rules); diff != "" {
		t.Errorf("matching rules (-want +got):\n%s", diff)
	}

	publisher := testkit.Start(t, "ffmpeg", "-nostdin", "-loglevel", "error", "-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-t", "60",
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-f", "flv",
		"-rtmp_app", app, "-rtmp_playpath", key, "rtmp://"+a.RTMPAddr().String()+"/")
	for _, event := range []stillcast.EventType{stillcast.EventPushBegin, stillcast.EventShot, stillcast.EventPushEnd} {
		if event == stillcast.EventPushEnd {
			publisher.Interrupt()
		}
		compareRequests(t, page, event, nextRequest(t, requests, event), secret)
	}
}

// nextRequest waits for the first request of an event.
func nextRequest(t *testing.T, requests <-chan *http.Request, event stillcast.EventType) *http.Request {
	t.Helper()
	for {
		select {
		case r := <-requests:
			b, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(b))
			if bytes.Contains(b, fmt.Appendf(nil, `"event_type":%d,`, event)) {
				return r
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("no event %s for 30 s", event)
		}
	}
}

// compareRequests compares what the tester's page says of an event with what came.
func compareRequests(t *testing.T, page string, event stillcast.EventType, got *http.Request, secret string) {
	t.Helper()
	number := strconv.Itoa(int(event))
	b, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	body := textOf(t, page, "body-"+number)
	if diff := cmp.Diff(foreseen(event, body), foreseen(event, string(b))); diff != "" {
		t.Errorf("event %s: body, foreseen - and sent +\n%s", event, diff)
	}
	_, section, _ := strings.Cut(page, ` id="event-`+number+`"`)
	_, section, _ = strings.Cut(section, `<p class="mono">POST `)
	said, _, _ := strings.Cut(section, "<")
	if url := "http://" + got.Host + got.URL.RequestURI(); strings.ReplaceAll(said, "&amp;", "&") != url {
		t.Errorf("event %s: foreseen was %s, sent it was to %s", event, said, url)
	}
	header := http.Header{}
	for line := range strings.Lines(textOf(t, page, "header-"+number)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			header.Add(name, value)
		}
	}
	for name := range header {
		want, sent := header.Get(name), got.Header.Get(name)
		switch {
		case sent == "":
			t.Errorf("event %s: the header %s was not sent", event, name)
		case want != sent && name != callback.HeaderEventID && name != callback.HeaderWebhookID &&
			name != callback.HeaderWebhookTimestamp && name != callback.HeaderWebhookSignature && name != callback.HeaderEventTime:
			t.Errorf("event %s: the header %s is %q, foreseen was %q", event, name, sent, want)
		}
	}
	for name := range got.Header {
		if header.Get(name) == "" && name != "Accept-Encoding" && name != "User-Agent" && name != "Content-Length" {
			t.Errorf("event %s: the header %s was not foreseen", event, name)
		}
	}
	for what, one := range map[string]struct {
		body   string
		header http.Header
	}{"foreseen": {body, header}, "sent": {string(b), got.Header}} {
		var signed struct {
			PicURL  string `json:"pic_url"`
			Picture string `json:"pic_full_url"`
		}
		if err := json.Unmarshal([]byte(one.body), &signed); err != nil {
			t.Fatal(err)
		}
		if err := callback.Verify([]byte(one.body), hookKey.Reveal(), time.Now()); err != nil {
			t.Errorf("event %s: the sign that was %s: %v", event, what, err)
		}
		if err := (callback.Verifier{Secrets: []string{secret}}).VerifyRequest(one.header, []byte(one.body), time.Now()); err != nil {
			t.Errorf("event %s: the signature that was %s: %v", event, what, err)
		}
		if event != stillcast.EventShot {
			continue
		}
		if name := nameOf(textOf(t, page, "picture-name")); nameOf(signed.PicURL) != "/"+name || !strings.Contains(signed.Picture, "320x180.jpg?") {
			t.Errorf("the picture that was %s is %s at %s, the page names it %s", what, signed.PicURL, signed.Picture, name)
		}
	}
}
