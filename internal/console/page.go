package console

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

//go:embed templates
var templateFiles embed.FS

// pages are the templates of all pages in each language.
type pages struct {
	languages []*words
	sets      map[string]map[string]*template.Template // by language, then by page
}

// newPages parses all templates: templates/base.html, which every page is shown
// in, templates/part-*.html, which every page may use, and one file for each page.
func newPages(s *static, zone *time.Location) (*pages, error) {
	languages, err := readWords()
	if err != nil {
		return nil, err
	}
	p := &pages{languages: languages, sets: make(map[string]map[string]*template.Template)}
	for _, w := range languages {
		if p.sets[w.tag], err = parsePages(functions(w, s, zone)); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// functions are what templates can call.
func functions(w *words, s *static, zone *time.Location) template.FuncMap {
	c := clock{words: w, zone: zone}
	return template.FuncMap{"t": w.text, "static": s.url, "ago": c.ago, "when": c.when, "json": asJSON, "dict": dict}
}

// asJSON is for what scripts read out of an attribute.
func asJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func parsePages(funcs template.FuncMap) (map[string]*template.Template, error) {
	common, err := template.New("base.html").Funcs(funcs).ParseFS(templateFiles, "templates/base.html", "templates/part-*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the console's templates: %w", err)
	}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	set := make(map[string]*template.Template)
	for _, name := range names {
		short := strings.TrimSuffix(path.Base(name), ".html")
		if short == "base" || strings.HasPrefix(short, "part-") {
			continue
		}
		page, err := common.Clone()
		if err == nil {
			page, err = page.ParseFS(templateFiles, name)
		}
		if err != nil {
			return nil, fmt.Errorf("parse the console's page %s: %w", short, err)
		}
		set[short] = page
	}
	return set, nil
}

// view is one request of a viewer.
type view struct {
	*Console

	w       http.ResponseWriter
	r       *http.Request
	from    client
	session *session // nil for who has not logged in
	token   string   // of the session
	words   *words
}

// shown is what base.html gets.
type shown struct {
	Page      string // name of the page, for the menu
	Lang      string // BCP 47
	Theme     string // "system", "light" or "dark"
	Keys      string // "on" or "off"
	Session   *session
	Token     string // for forms, see the template "csrf"
	Back      string // this page, to come back to
	Done      string // what was done before the page was shown, in words; "" for nothing
	Version   string
	Now       int64             // Unix milliseconds
	Words     map[string]string // for scripts
	Languages []*words          // that there are
	Data      any               // of the page's own template
}

// Admin says whether the viewer may change things.
func (s shown) Admin() bool { return s.Session != nil && s.Session.Role == RoleAdmin }

func (v *view) shown(page string, data any) shown {
	s := shown{
		Page: page, Lang: v.words.tag, Theme: v.preferred("theme"), Keys: v.preferred("keys"), Session: v.session, Token: v.token,
		Back: Path, Version: v.opts.Version, Now: time.Now().UnixMilli(), Words: v.words.scripts, Languages: v.pages.languages, Data: data,
	}
	if v.r.Method == http.MethodGet {
		s.Back = v.r.URL.RequestURI()
	}
	if key := v.r.URL.Query().Get("done"); strings.HasPrefix(key, "done.") {
		s.Done = v.words.texts[key]
	}
	return s
}

// page shows a page. Where htmx asked for a part of it (the header HX-Target has
// the id of an element for which the page defines a template "part:ID"), only that is sent.
func (v *view) page(name string, data any) error { return v.pageWith(http.StatusOK, name, data) }

func (v *view) pageWith(status int, name string, data any) error {
	t, ok := v.pages.sets[v.words.tag][name]
	if !ok {
		return fmt.Errorf("the console has no page %q", name)
	}
	what := "base.html"
	if target := v.r.Header.Get("Hx-Target"); v.byHtmx() && t.Lookup("part:"+target) != nil {
		what = "part:" + target
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, what, v.shown(name, data)); err != nil {
		return fmt.Errorf("render the console's page %s: %w", name, err)
	}
	v.send(status, b.Bytes())
	return nil
}

func (v *view) send(status int, html []byte) {
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.Header().Add("Vary", "Hx-Request, Hx-Target, Accept-Language, Cookie")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(html) // a browser that went away needs no answer
}

// byHtmx tells whether htmx asks, which shows the answer within the page.
func (v *view) byHtmx() bool { return v.r.Header.Get("Hx-Request") != "" }

// notice answers htmx with a message at the head of the page, whatever it asked
// for. Kind is "good", "warn" or "bad".
func (v *view) notice(status int, kind, text string) error {
	var b bytes.Buffer
	err := v.pages.sets[v.words.tag]["error"].ExecuteTemplate(&b, "part:notice", map[string]string{"Kind": kind, "Text": text})
	if err != nil {
		return fmt.Errorf("render a notice: %w", err)
	}
	v.w.Header().Set("Hx-Retarget", "#notice")
	v.w.Header().Set("Hx-Reswap", "innerHTML show:window:top")
	v.send(status, b.Bytes())
	return nil
}

// redirect sends the browser to another page of the console, by htmx or without.
func (v *view) redirect(location string) error {
	if v.byHtmx() {
		v.w.Header().Set("Hx-Redirect", location)
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(v.w, v.r, location, http.StatusSeeOther)
	return nil
}

// redirectDone is redirect after something was done, which the page then says by
// the words of a key "done.…".
func (v *view) redirectDone(location, key string) error {
	return v.redirect(location + "?" + url.Values{"done": {key}}.Encode())
}
