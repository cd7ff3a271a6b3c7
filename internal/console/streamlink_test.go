package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// hostileNames are legal, and mean something to those on the way.
func hostileNames() []string {
	return []string{
		".", "..", "...", "a/b", "/", "../../login", "%", "%2e%2e", "%2F", "?", "a?shot=1", "#", "a#b", "a b", " ", " a ", "+", "a+b", "&stream=other", "=", ";", "a;b",
		"\\", `"><script>alert(1)</script>`, "'", "{{.Token}}", "日本語", "直播间一", "\u202eevil", "\u3000", "\u00a0x", "é\u0301", strings.Repeat("é", 127) + "x", strings.Repeat("/", 255),
		"drop", "-", "*", "CON", "javascript:alert(1)",
	}
}

// links are the addresses in a page that lead somewhere, and the forms of streams.
func links(t *testing.T, page string) (all []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	c := checker{t: t}
	c.walk(root, func(n *html.Node) {
		switch {
		case n.Data == "a":
			all = append(all, attr(n, "href"))
		case n.Data == "form" && attr(n, "method") == "get" && attr(n, "action") == streamPath:
			form := url.Values{}
			c.walk(n, func(field *html.Node) {
				if attr(field, "type") == "hidden" {
					form.Set(attr(field, "name"), attr(field, "value"))
				}
			})
			all = append(all, streamPath+"?"+form.Encode())
		case n.Data == "form":
			all = append(all, attr(n, "action"))
		}
	})
	return all
}

// linksTo are the links of a page with a path, each to a page below [Path].
func linksTo(t *testing.T, page, path string) (all []string) {
	t.Helper()
	for _, link := range links(t, page) {
		if u, err := url.Parse(link); err == nil && u.Path == path {
			all = append(all, strings.TrimPrefix(link, Path))
		}
	}
	return all
}

// Each legal name can be opened from the wall, from its deliveries and from one of
// them; all that its page leads to is of the same stream.
func TestHostileNames(t *testing.T) {
	wall, streams := NewWall(), newFakeStreams()
	d := &ledgerRig{}
	d.rig = newRig(t, func(o *Options) {
		d.ledger = addLedger(t, o)
		o.Wall, o.Streams = wall, streams
	})
	admin := d.asAdmin()
	var all []stillcast.Stream
	for _, name := range hostileNames() {
		all = append(all, stillcast.Stream{Domain: name, App: name, Name: name})
	}
	for _, name := range hostileNames()[:6] {
		all = append(all, stillcast.Stream{Domain: "push.example.com", App: "live", Name: name}, stillcast.Stream{Domain: name, App: "live", Name: "room"})
	}
	for i, s := range all {
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		d.owed(i+1, s, state.OutcomeParked, "")
		p := stillcast.Push{ID: "push", Stream: s, Domain: stillcast.AnyDomain}
		wall.Began(p, func() Video { return Video{} })
		streams.addShots(50)
		for n := range streams.shots {
			streams.shots[n].Stream = s
		}
		tiles := linksTo(t, admin.get("").body, streamPath)
		if len(tiles) != 2 || tiles[0] != strings.TrimPrefix(streamURL(s, ""), Path) {
			t.Errorf("%q: the wall links to %q", s, tiles) // the second is the blueprint
			continue
		}
		page := admin.get(tiles[0])
		admin.want(page, http.StatusOK, `aria-current="true"`)
		if got := heading(t, page.body); got != legible(s.Name) {
			t.Errorf("%q: the page is headed %q", s, got)
		}
		inner := linksTo(t, page.body, streamPath)
		if len(inner) != 48+1+1 { // the film strip, older ones, up to a time
			t.Errorf("%q: the page links to %d pages of streams", s, len(inner))
		}
		inner = append(inner, linksTo(t, page.body, streamPath+"/drop")...)
		for _, link := range append(inner, linksTo(t, page.body, streamPath+"/forbid")...) {
			if got := streamIn(t, link); got != s {
				t.Errorf("%q: the page links to %q", s, got)
			}
		}
		admin.want(admin.get(inner[0]), http.StatusOK, `aria-current="true"`)

		// From the page to its deliveries, to the one, and back.
		lists := linksTo(t, page.body, Path+"deliveries")
		list := admin.get(lists[len(lists)-1])
		if back := linksTo(t, list.body, streamPath); len(back) != 1 || streamIn(t, back[0]) != s {
			t.Errorf("%q: the list of its deliveries links to %q", s, back)
		}
		one := linksTo(t, list.body, Path+"deliveries/"+jsonOf(t, i+1))
		if len(one) != 1 {
			t.Errorf("%q: the list of its deliveries links to %q\n%s", s, one, list.body)
			continue
		}
		delivery := admin.get(one[0])
		if back := linksTo(t, delivery.body, streamPath); len(back) != 1 || streamIn(t, back[0]) != s {
			t.Errorf("%q: its delivery links to %q", s, back)
		}
		streams.live[s] = true
		admin.wantTo(admin.post(linksTo(t, page.body, streamPath+"/drop")[0]), streamURL(s, "", "done", "done.dropped"))
		if want := "drop " + s.String() + " 21"; streams.said[len(streams.said)-1] != want {
			t.Errorf("%q was dropped as %q", s, streams.said)
		}
		checkHTML(t, "the page of "+s.String()+" as admin", page.body)
		wall.Ended(p)
		streams.shots = nil
	}
	for _, bad := range []string{"stream", "stream?domain=a&app=b", "stream?domain=a&app=b&stream=%00", "stream?domain=a&app=b&stream=" + strings.Repeat("x", 256), "stream?domain=a&app=b&stream=%ff"} {
		admin.want(admin.get(bad), http.StatusNotFound)
	}
}

// heading is the text of the first h1 of a page.
func heading(t *testing.T, page string) string {
	t.Helper()
	_, rest, _ := strings.Cut(page, "<h1><bdi>")
	text, _, _ := strings.Cut(rest, "</bdi></h1>")
	return html.UnescapeString(text)
}

func streamIn(t *testing.T, link string) stillcast.Stream {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	return stillcast.Stream{Domain: q.Get("domain"), App: q.Get("app"), Name: q.Get("stream")}
}

func TestLegible(t *testing.T) {
	for name, want := range map[string]string{
		"a b": "a b", " ": "␠", " a  ": "␠a␠␠", "\u3000x": "␠x", "\u202eevil": "⟨U+202E⟩evil", "": "", "..": "..",
	} {
		if got := legible(name); got != want {
			t.Errorf("%q is written %q, want %q", name, got, want)
		}
	}
}
