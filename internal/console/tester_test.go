package console

import (
	"html"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
)

func TestTesterSaysWhatThePublisherIsTold(t *testing.T) {
	r, _ := ruleRig(t)
	b := r.as("admin", r.admin)
	now := time.Now()
	url := func(key stillcast.Secret, valid time.Duration) string {
		return "rtmp://push.example.com/live/x?" + stillcast.PushParam(key, "x", now.Add(valid))
	}
	const accepted = "The push is accepted."
	for name, test := range map[string]struct {
		url  string
		says []string
	}{
		"master key":     {url("master-key", time.Hour), []string{accepted, `id="signed">the key<`}},
		"backup key":     {url("backup-key", time.Hour), []string{accepted, `id="signed">the backup key<`}},
		"rtmps":          {strings.Replace(url("master-key", time.Hour), "rtmp:", "rtmps:", 1), []string{accepted}},
		"grace":          {url("master-key", -30*time.Second), []string{accepted}},
		"expired":        {url("master-key", -time.Hour), []string{"txTime: expired at ", `id="signed">the key<`, "18/501"}},
		"wrong":          {url("other", time.Hour), []string{"txSecret: is wrong for this stream", "no key of the domain", "18/503"}},
		"unsigned":       {"rtmp://push.example.com/live/x", []string{"txTime: is missing from the push URL", "18/500"}},
		"another domain": {"rtmp://elsewhere.example.com/live/x", []string{accepted, "nothing: anybody may push", `<dd class="mono">*</dd>`}},
	} {
		a := b.post("rules/tester", "url", test.url, "size", "1280x720")
		b.want(a, http.StatusOK)
		for _, said := range test.says {
			if !strings.Contains(html.UnescapeString(a.body), said) {
				t.Errorf("%s: the tester does not say %q\n%s", name, said, a.body)
			}
		}
		if refused := !strings.Contains(strings.Join(test.says, ""), accepted); refused == strings.Contains(a.body, accepted) {
			t.Errorf("%s: accepted and refused are confused", name)
		}
	}
	b.want(b.post("rules/tester", "server", "rtmp://push.example.com/live/", "key", "x?"+stillcast.PushParam("master-key", "x", now.Add(time.Hour)), "size", "1x1"),
		http.StatusOK, accepted, "push.example.com/live/x")
	b.want(b.post("rules/tester", "url", "http://example.com/x", "size", "1x1"), http.StatusUnprocessableEntity,
		`aria-invalid="true" aria-describedby="url-fault"`, "is not rtmp://DOMAIN/APP/STREAM", `value="http://example.com/x"`)
	b.want(b.post("rules/tester", "url", "rtmp://push.example.com/live/x", "size", "0x1"), http.StatusUnprocessableEntity, `aria-describedby="size-fault"`)
}

func TestTesterShowsRulesInTheirOrder(t *testing.T) {
	r, d := ruleRig(t)
	for _, rule := range []stillcast.SnapshotRule{{Domain: "push.example.com", App: "live", TemplateID: 1}, {Domain: "push.example.com", Stream: "a", TemplateID: 1}} {
		if _, err := d.AddSnapshotRule(t.Context(), rule); err != nil {
			t.Fatal(err)
		}
	}
	b := r.as("admin", r.admin)
	page := b.post("rules/tester", "url", "rtmp://push.example.com/live/a?x", "size", "1280x720").body
	_, page, _ = strings.Cut(page, `id="t-snapshot"`)
	last := 0
	for _, row := range []string{
		"push.example.com/live/a</a> <span class=\"mark good\">in force", "Names domain, app and stream: the most specific",
		"push.example.com/*/a</a>", "Names domain and stream: the one above is more specific.",
		"push.example.com/live/*</a>", "push.example.com/*/*</a>", "Names the domain alone",
		`id="t-callback"`, "push.example.com/*</a> <span class=\"mark good\">",
		"2026-11-26/a.jpg", "pictures-1", "http://example.com/a.jpg?sign=x",
		`id="event-200"`, "POST http://example.com/hook?token=hush", "Webhook-Signature: v1,secret", `id="event-1"`, `id="event-0"`,
	} {
		at := strings.Index(page[last:], row)
		if at < 0 {
			t.Fatalf("%q is missing, or not in its order", row)
		}
		last += at
	}
}

func TestTesterHidesFromViewersWhatCouldBeUsed(t *testing.T) {
	r, d := ruleRig(t)
	d.live[0].Param = "txSecret=credential&txTime=7F"
	b := r.as("viewer", r.viewer)
	a := b.post("rules/tester", "url", "rtmp://push.example.com/live/a", "size", "1280x720")
	b.want(a, http.StatusOK, "txSecret=••••&amp;txTime=7F", "Webhook-Signature: ••••", "hook?…", "&#34;sign&#34;:&#34;••••&#34;")
	for _, hidden := range []string{"credential", "5ec7e7", "v1,secret", "hush"} {
		if strings.Contains(a.body, hidden) {
			t.Errorf("a viewer is shown %s", hidden)
		}
	}
	admin := r.as("admin", r.admin)
	admin.want(admin.post("rules/tester", "url", "rtmp://push.example.com/live/a", "size", "1280x720"), http.StatusOK, "txSecret=credential", "5ec7e7")
}
