package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/state"
	"github.com/stillcast/stillcast/internal/testkit"
)

// taken is a request as a receiver got it.
type taken struct {
	header http.Header
	body   []byte
}

// own is what the receiver's header has of the sender's own.
func (t taken) own(like http.Header) http.Header {
	own := http.Header{}
	for name := range like {
		own[name] = t.header[name]
	}
	return own
}

// TestTesterMakesWhatIsSent pushes a stream and compares each request that came of
// it with the one that the console's tester makes for the same push.
func TestTesterMakesWhatIsSent(t *testing.T) {
	requests := make(chan taken, 64)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- taken{r.Header.Clone(), body}
	}))
	t.Cleanup(receiver.Close)
	cfg := testConfig(t.TempDir(), receiver.URL)
	cfg.Resources.CallbackTemplates[0].Extras = true
	cfg.Resources.CallbackTemplates[0].SigningSecret = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
	cfg.Resources.SnapshotTemplates[0].Facts = true
	cfg.Resources.SnapshotTemplates[0].Renditions = []config.Size{{Width: 320}}
	a := startApp(t, cfg)
	rules := consoleRules{control{a}}
	next := func(typ stillcast.EventType) taken {
		t.Helper()
		for {
			select {
			case r := <-requests:
				if bytes.Contains(r.body, fmt.Appendf(nil, `"event_type":%d,`, typ)) {
					return r
				}
			case <-time.After(30 * time.Second):
				t.Fatalf("no event %s for 30 s", typ)
			}
		}
	}
	url := pushURL(a.RTMPAddr(), "tried")
	publisher := testkit.PushFFmpeg(t, url, testkit.Source{Width: 640, Height: 360, Rate: 25}, testkit.Encoding{KeyFrames: time.Second, Duration: 30 * time.Second})
	begin, shot := next(stillcast.EventPushBegin), next(stillcast.EventShot)
	push := a.gate.Live()[0]
	publisher.Interrupt()
	end := next(stillcast.EventPushEnd)

	for typ, got := range map[stillcast.EventType]taken{stillcast.EventPushBegin: begin, stillcast.EventShot: shot, stillcast.EventPushEnd: end} {
		d := deliveryOf(t, a, got)
		checkFields(t, rules, push, typ, d)
		preview, err := a.notifier.Preview(d.Destination, d.Event, d.Shot, d.Sequence, sentAt(t, got))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(preview.Body, got.body) {
			t.Errorf("event %s: the tester makes\n%s\nbut this was sent:\n%s", typ, preview.Body, got.body)
		}
		if diff := cmp.Diff(preview.Header, got.own(preview.Header)); diff != "" || preview.Header.Get(callback.HeaderWebhookSignature) == "" {
			t.Errorf("event %s: header of the tester -, as sent +\n%s", typ, diff)
		}
	}
	checkSampleShot(t, rules, push, deliveryOf(t, a, shot).Shot)
}

// deliveryOf finds the delivery of a request.
func deliveryOf(t *testing.T, a *App, got taken) state.DeliveryStatus {
	t.Helper()
	all, err := a.state.Deliveries(t.Context(), state.DeliveryFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.Event.ID == got.header.Get(callback.HeaderEventID) {
			return d
		}
	}
	t.Fatalf("there is no delivery of the request %s", got.body)
	return state.DeliveryStatus{}
}

// sentAt is when a request with extras was made.
func sentAt(t *testing.T, got taken) time.Time {
	t.Helper()
	var event struct {
		Stillcast struct {
			SentAtMS int64 `json:"sent_at_ms"`
		} `json:"stillcast"`
	}
	if err := json.Unmarshal(got.body, &event); err != nil {
		t.Fatal(err)
	}
	return time.UnixMilli(event.Stillcast.SentAtMS)
}

// checkFields compares the fields of the tester's event with those that were kept.
func checkFields(t *testing.T, rules consoleRules, push stillcast.Push, typ stillcast.EventType, d state.DeliveryStatus) {
	t.Helper()
	fields, err := rules.sampleFields(push, typ, d.Shot, d.Event.At)
	if err != nil {
		t.Fatal(err)
	}
	want := string(d.Event.Fields)
	if typ == stillcast.EventPushEnd {
		// What only the whole push shows is 0.
		want = strings.NewReplacer(`"height":360`, `"height":0`, `"width":640`, `"width":0`).Replace(want)
	}
	if string(fields) != want {
		t.Errorf("event %s: fields of the tester\n%s\nof what was sent\n%s", typ, fields, want)
	}
}

// checkSampleShot compares what the tester says of a picture with one that was taken.
func checkSampleShot(t *testing.T, rules consoleRules, push stillcast.Push, want stillcast.Shot) {
	t.Helper()
	got, url, err := rules.SampleShot(push, want.Captured, stillcast.Size{Width: 640, Height: 360})
	if err != nil {
		t.Fatal(err)
	}
	if got.Key != want.Key || got.Bucket != want.Bucket || got.Region != want.Region || got.Width != want.Width || got.Height != want.Height ||
		len(got.Renditions) != 1 || got.Renditions[0].Key != want.Renditions[0].Key {
		t.Errorf("the tester says %+v, but the shot is %+v", got, want)
	}
	if sent, err := rules.app.pictures.URL(want, want.Captured); err != nil || url != sent {
		t.Errorf("pic_full_url of the tester %s, of the shot %s, %v", url, sent, err)
	}
	if _, err := download(t.Context(), url); err != nil {
		t.Errorf("the URL of the tester leads to no picture: %v", err)
	}
}

// TestTesterAsksTheGate compares what the tester says with what a publisher is told.
func TestTesterAsksTheGate(t *testing.T) {
	a := startApp(t, testConfig(t.TempDir(), ""))
	rules := consoleRules{control{a}}
	now := time.Now()
	for name, param := range map[string]string{
		"good": stillcast.PushParam(pushKey, "good", now.Add(time.Hour)), "late": stillcast.PushParam(pushKey, "late", now.Add(-time.Hour)),
		"other": stillcast.PushParam("wrong", "other", now.Add(time.Hour)), "none": "",
	} {
		_, u, err := ingest.SplitPushURL("rtmp://127.0.0.1/live/" + name + "?" + param)
		if err != nil {
			t.Fatal(err)
		}
		domain, said := rules.Ask(u, now)
		if domain.Name != stillcast.AnyDomain {
			t.Errorf("%s: taken by the domain %q", name, domain.Name)
		}
		if len(a.gate.Live()) > 0 {
			t.Error("asking began a push")
		}
		push, err := a.gate.Admit(t.Context(), ingest.Request{URL: u})
		if (said == nil) != (err == nil) || said != nil && said.Error() != err.Error() {
			t.Errorf("%s: the tester says %v, the publisher is told %v", name, said, err)
		}
		if push != nil {
			if _, said := rules.Ask(u, now); said == nil || said.Reason != ingest.ReasonLive {
				t.Errorf("%s is live, the tester says %v", name, said)
			}
			push.End(stillcast.PushEnd{At: now, Code: stillcast.EndClient})
		}
	}
}
