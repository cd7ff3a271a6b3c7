package app

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/testkit"
)

// submit sends a form of the console and returns the page that answers it.
func (o *onlooker) submit(path string, fields map[string]string) string {
	o.t.Helper()
	page := string(o.get(path, http.StatusOK))
	_, token, _ := strings.Cut(page, `name="csrf" value="`)
	token, _, _ = strings.Cut(token, `"`)
	form := url.Values{"csrf": {token}}
	for name, value := range fields {
		form.Set(name, value)
	}
	reply, err := o.client.PostForm(o.base+path, form)
	if err != nil {
		o.t.Fatal(err)
	}
	defer reply.Body.Close()
	answer, err := io.ReadAll(reply.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return string(answer)
}

// textOf is the text of an element of a page.
func textOf(t *testing.T, page, id string) string {
	t.Helper()
	_, text, ok := strings.Cut(page, ` id="`+id+`">`)
	if !ok {
		t.Fatalf("the page has no %s:\n%s", id, page)
	}
	text, _, _ = strings.Cut(text, "</")
	return html.UnescapeString(text)
}

// TestCommandsPushWhatTheyAreMadeFor runs the commands that the console makes for
// streams with odd names, in a shell, and looks which stream the server is pushed.
func TestCommandsPushWhatTheyAreMadeFor(t *testing.T) {
	a := startApp(t, testConfig(t.TempDir(), ""))
	o := lookOn(t, a)
	long := strings.Repeat("直", stillcast.MaxNamePart/3)
	for _, names := range [][2]string{
		{"live", "plain"},
		{"live", "two words"},
		{"直播 一", "房间"},
		{"live", "it's"},
		{"it's", `say "hi"`},
		{"live", "%2F%20+"},
		{"%41", "100%"},
		{"live", "."},
		{"live", ".."},
		{"..", "x"},
		{"live", `back\slash\`},
		{"live", "a:b"},
		{"a:b", "c"},
		{"a/b", "c"},
		{"a/b", "c:d"},
		{"live", "a&b=c"},
		{"live", "a#b"},
		{"a#b", "c"},
		{"live", "$HOME `id` !x"},
		{"live", "-x"},
		{"live", "x.flv"},
		{"live", "mp4:x.mp4"},
		{"live", "a=b"},
		{"live", "a!b ! c"},
		{"live", "[x](y){z};|<>*~"},
		{"live", `say "hi there"`},
		{"live", `\"`},
		{long, long},
		{"live", strings.Repeat("x", stillcast.MaxNamePart-2) + " y"},
	} {
		page := o.submit("rules/push-url", map[string]string{
			"domain": "*", "host": "127.0.0.1", "app": names[0], "stream": names[1], "count": "1", "unit": "hours",
		})
		if !strings.Contains(page, `id="made-url"`) {
			t.Errorf("%q: no URL was made", names)
			continue
		}
		for _, id := range []string{"made-test", "made-gstreamer"} {
			command := textOf(t, page, id)
			if got := pushedBy(t, a, command); got != (stillcast.Stream{Domain: "127.0.0.1", App: names[0], Name: names[1]}) {
				t.Errorf("%q: pushed was %q by\n%s", names, got, command)
			}
		}
	}
}

// pushedBy returns the stream that a command pushes.
func pushedBy(t *testing.T, a *App, command string) (pushed stillcast.Stream) {
	t.Helper()
	publisher := testkit.Start(t, "sh", "-c", "exec "+command)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	until := func(there func([]stillcast.Push) bool) {
		for !there(a.gate.Live()) {
			select {
			case <-publisher.Done():
			case <-again.C:
				continue
			}
			break
		}
	}
	until(func(live []stillcast.Push) bool {
		if len(live) > 0 {
			pushed = live[0].Stream
		}
		return len(live) > 0
	})
	publisher.Kill()
	if pushed == (stillcast.Stream{}) {
		t.Logf("it said: %.2000s", publisher.Said())
	}
	for len(a.gate.Live()) > 0 { // until the server has seen the end
		<-again.C
	}
	return pushed
}
