package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// checkHTML checks what is true of every page: nothing in it that the
// Content-Security-Policy forbids, no other host, a token in each form that
// changes something, a label at each field, and no id twice.
func checkHTML(t *testing.T, name, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	c := checker{t: t, name: name, ids: map[string]bool{}, labels: map[string]bool{}}
	c.walk(root, c.note)
	c.walk(root, c.element)
}

type checker struct {
	t           *testing.T
	name        string
	ids, labels map[string]bool
}

func (c *checker) walk(n *html.Node, do func(*html.Node)) {
	if n.Type == html.ElementNode {
		do(n)
	}
	for child := range n.ChildNodes() {
		c.walk(child, do)
	}
}

func (c *checker) errorf(n *html.Node, format string, args ...any) {
	c.t.Helper()
	var b strings.Builder
	_ = html.Render(&b, &html.Node{Type: n.Type, Data: n.Data, Attr: n.Attr})
	c.t.Errorf("%s: %s: %s", c.name, b.String(), fmt.Sprintf(format, args...))
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func (c *checker) note(n *html.Node) {
	if id := attr(n, "id"); id != "" {
		if c.ids[id] {
			c.errorf(n, "the id is there twice")
		}
		c.ids[id] = true
	}
	if n.Data == "label" {
		c.labels[attr(n, "for")] = true
	}
}

func (c *checker) element(n *html.Node) {
	for _, a := range n.Attr {
		switch {
		case a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on"):
			c.errorf(n, "the policy forbids the attribute %s", a.Key)
		case slices.Contains([]string{"href", "src", "action", "srcset", "poster", "hx-get", "hx-post", "hx-put", "hx-delete"}, a.Key):
			if a.Val != "" && !strings.HasPrefix(a.Val, Path) && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "?") {
				c.errorf(n, "%s leads out of the console", a.Key)
			}
		}
		if slices.Contains([]string{"aria-describedby", "aria-labelledby", "for", "list"}, a.Key) {
			for id := range strings.FieldsSeq(a.Val) {
				if !c.ids[id] {
					c.errorf(n, "%s names %q, which is not there", a.Key, id)
				}
			}
		}
	}
	switch n.Data {
	case "style", "iframe", "object", "embed", "base":
		c.errorf(n, "the policy forbids this element")
	case "script":
		if attr(n, "src") == "" || n.FirstChild != nil {
			c.errorf(n, "the policy forbids scripts within a page")
		}
	case "form":
		c.form(n)
	case "input", "select", "textarea":
		c.field(n)
	case "img":
		if !slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "alt" }) {
			c.errorf(n, "a picture needs an alternative")
		}
	}
}

func (c *checker) form(n *html.Node) {
	if !strings.EqualFold(attr(n, "method"), http.MethodPost) || attr(n, "action") == Path+"login" {
		return
	}
	found := false
	c.walk(n, func(e *html.Node) { found = found || attr(e, "name") == "csrf" && attr(e, "value") != "" })
	if !found && strings.Contains(c.name, " as ") {
		c.errorf(n, "the form carries no token")
	}
}

func (c *checker) field(n *html.Node) {
	hidden := slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "hidden" })
	if attr(n, "type") == "hidden" || hidden || attr(n, "aria-label") != "" || attr(n, "aria-labelledby") != "" || c.labels[attr(n, "id")] {
		return
	}
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == "label" {
			return
		}
	}
	c.errorf(n, "the field has no label")
}

// TestPages shows every page without wildcards in its path, of every area, to
// nobody, a viewer and an admin, in both languages.
func TestPages(t *testing.T) {
	r := newRig(t, func(o *Options) {
		newDesk(t, o)
		addLedger(t, o)
		o.Wall, o.Streams, o.System = NewWall(), newFakeStreams(), newFakeSystem()
	})
	for _, language := range []string{"en", "zh-CN"} {
		for account, password := range map[string]string{"": "", "viewer": r.viewer, "admin": r.admin} {
			b := r.browser()
			b.header.Set("Accept-Language", language)
			name := language
			if account != "" {
				b.wantTo(b.login(account, password), Path)
				name += " as " + account
			}
			for _, area := range r.areas() {
				for _, one := range area {
					method, at := concrete(one.pattern)
					if method != http.MethodGet || strings.Contains(strings.ReplaceAll(one.pattern, "{$}", ""), "{") || at == "health" || strings.HasSuffix(at, "events") {
						continue
					}
					b.showsWell(name, at)
				}
			}
			b.showsWell(name, "no/such/page")
		}
	}
}

// showsWell checks a page and its headers. Where somebody is sent elsewhere there
// is nothing to check.
func (b *browser) showsWell(name, at string) {
	b.t.Helper()
	a := b.get(at)
	if a.status == http.StatusSeeOther {
		return
	}
	if a.status >= http.StatusInternalServerError {
		b.t.Errorf("%s: /%s: status %d\n%s", name, at, a.status, b.log)
	}
	for header, want := range map[string]string{
		"Content-Security-Policy":      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "same-origin",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := a.header.Get(header); got != want {
			b.t.Errorf("%s: /%s: %s is %q, want %q", name, at, header, got, want)
		}
	}
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		checkHTML(b.t, name+" at /"+at, a.body)
		if a.header.Get("Cache-Control") != "no-store" {
			b.t.Errorf("%s: /%s may be kept by the browser", name, at)
		}
	}
}

func TestCheckHTMLFindsFaults(t *testing.T) {
	for _, page := range []string{
		`<p style="color:red">`, `<p onclick="x()">`, `<script>x()</script>`, `<style></style>`, `<a href="https://evil.example/">`, `<img src="//evil.example/x">`,
		`<form method="post" action="/console/x">`, `<input name="x">`, `<p id="a"><p id="a">`, `<img src="/console/x">`, `<p aria-describedby="none">`,
		`<button hx-post="/api/v1/x">`, `<button hx-on:click="x()">`,
	} {
		inner := &testing.T{}
		checkHTML(inner, "en as admin", page)
		if !inner.Failed() {
			t.Errorf("%s passes", page)
		}
	}
}
