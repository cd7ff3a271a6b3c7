package console

import (
	"context"
	"html"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/ingest"
)

// made returns the text of an element of the page that makes push URLs.
func made(page, id string) string {
	_, rest, _ := strings.Cut(page, `id="`+id+`">`)
	text, _, _ := strings.Cut(rest, "<")
	return html.UnescapeString(text)
}

func TestPushURLIsAccepted(t *testing.T) {
	r, d := ruleRig(t)
	b := r.as("admin", r.admin)
	for name, test := range map[string]struct {
		fields []string
		server string
		stream string
	}{
		"domain":      {nil, "rtmp://push.example.com:1936/live", "push.example.com/live/room"},
		"address":     {[]string{"address", "127.0.0.1:1999"}, "rtmp://127.0.0.1:1999/live", "push.example.com/live/room"},
		"two apps":    {[]string{"app", "/a/b/"}, "rtmp://push.example.com:1936/a/b", "push.example.com/a/b/room"},
		"quote":       {[]string{"stream", "it's"}, "rtmp://push.example.com:1936/live", "push.example.com/live/it's"},
		"other host":  {[]string{"domain", "*", "host", "H.example.com"}, "rtmp://h.example.com:1936/live", "h.example.com/live/room"},
		"days":        {[]string{"count", "3650", "unit", "days"}, "rtmp://push.example.com:1936/live", "push.example.com/live/room"},
		"odd host":    {[]string{"domain", "*", "host", "a b&c", "address", "127.0.0.1"}, "rtmp://127.0.0.1/live", "a b&c/live/room"},
		"with spaces": {[]string{"app", " live ", "stream", " room "}, "rtmp://push.example.com:1936/live", "push.example.com/live/room"},
	} {
		fields := append([]string{"domain", "push.example.com", "app", "live", "stream", "room", "count", "2", "unit", "hours"}, test.fields...)
		a := b.post("rules/push-url", fields...)
		b.want(a, http.StatusOK)
		url := made(a.body, "made-url")
		_, u, err := ingest.SplitPushURL(url)
		if err != nil || u.Stream.String() != test.stream || made(a.body, "made-server") != test.server ||
			made(a.body, "made-server")+"/"+made(a.body, "made-key") != url {
			t.Errorf("%s: %s at %s, want the stream %s at %s; %v", name, url, made(a.body, "made-server"), test.stream, test.server, err)
		}
		if _, refusal := d.gate.Ask(u, time.Now()); refusal != nil {
			t.Errorf("%s: %s is refused: %v", name, url, refusal)
		}
		for id, want := range map[string]string{"made-ffmpeg": url, "made-test": url, "made-gstreamer": "location=" + gstQuote(url)} {
			if got := lastWord(t, made(a.body, id)); got != want {
				t.Errorf("%s: a shell takes the URL of %s for %s", name, id, got)
			}
		}
	}
	if !strings.Contains(r.log.String(), `action="make push URL"`) || strings.Contains(r.log.String(), "txSecret") {
		t.Error("the audit log lacks the URL that was made, or holds its secret")
	}
}

// lastWord is that of a command, as a shell reads it.
func lastWord(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), "sh", "-c", `for word in `+strings.ReplaceAll(command, "!", "x")+`; do :; done; printf %s "$word"`).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestPushURLSaysWhatIsWrong(t *testing.T) {
	r, _ := ruleRig(t)
	b := r.as("admin", r.admin)
	for _, test := range []struct{ field, value, says string }{
		{"domain", "none.example.com", `there is no domain "none.example.com"`},
		{"app", "", "is empty"},
		{"app", strings.Repeat("a", 256), "is 256 bytes long; at most 255 are allowed"},
		{"stream", "", "is empty"},
		{"stream", strings.Repeat("a", 256), "is 256 bytes long; at most 255 are allowed"},
		{"stream", "a?b", "a push URL cannot hold these names"},
		{"count", "0", `is "0"; allowed are 1 to 87600 hours`},
		{"count", "87601", `is "87601"; allowed are 1 to 87600 hours`},
		{"count", "x", `is "x"; allowed are 1 to 87600 hours`},
		{"unit", "years", `is "years"; allowed are minutes, hours and days`},
		{"address", "a/b", `"a/b" is not HOST or HOST:PORT`},
	} {
		fields := []string{"domain", "push.example.com", "app", "live", "stream", "room", "count", "2", "unit", "hours", test.field, test.value}
		a := b.post("rules/push-url", fields...)
		b.want(a, http.StatusUnprocessableEntity, `aria-invalid="true" aria-describedby="fault"`, html.EscapeString(test.says))
		if strings.Contains(a.body, `id="made-url"`) {
			t.Errorf("%s=%.20s: a URL was made", test.field, test.value)
		}
	}
	a := b.post("rules/push-url", "domain", "*", "host", "", "app", "live", "stream", "room", "count", "1", "unit", "days")
	b.want(a, http.StatusUnprocessableEntity, "is empty")
}
