package ledger

import (
	"encoding"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/stillcast/stillcast"
)

// FuzzParameters gives every operation the same bytes as path, query and body.
// What is accepted must be what the schema allows, and be read again from what
// it is written as.
func FuzzParameters(f *testing.F) {
	for _, seed := range []string{
		"state=parked&destination=3-shot&limit=10&order=asc&cursor=a5",
		"from=2026-11-26T20:54:26.123%2B08:00&until=2026-11-27T00:00:00Z&domain=%e4%b8%ad&app=live&stream=a%20b",
		`{"state":"delivered","destination":"3-push_end","from":"2026-11-26T20:00:00Z"}`,
		`{"reason":"a\u0000b"}`, `{"limit":1e3}`, "17", "3-shot", "limit=+7", "a=%zz", "&&=&", `{"a":1}{}`, `{"":null}`, "from=0000-01-01T00:00:00%2B01:00",
	} {
		f.Add(seed)
	}
	all := operations()
	f.Fuzz(func(t *testing.T, text string) {
		for _, o := range all {
			for _, r := range requests(t, o.method, text) {
				for _, p := range o.params {
					if p.inPath {
						r.SetPathValue(p.name, text)
					}
				}
				tryInput(t, o, r)
			}
		}
	})
}

// requests are those that carry text.
func requests(t *testing.T, method, text string) []*http.Request {
	t.Helper()
	r := &http.Request{Method: method, URL: &url.URL{Path: Path, RawQuery: text}, Header: http.Header{}, Body: http.NoBody}
	if method == http.MethodGet {
		return []*http.Request{r}
	}
	r, err := http.NewRequestWithContext(t.Context(), method, Path, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return []*http.Request{r}
}

func tryInput(t *testing.T, o operation, r *http.Request) {
	t.Helper()
	all, err := sent(r, o.params)
	if err == nil {
		var in reflect.Value
		if in, err = bind(o.input, o.params, all); err == nil {
			for _, p := range o.params {
				again(t, o.id, p, in)
			}
			return
		}
	}
	f, known := faultOf(err)
	if !known || f.status < 400 || f.status > 499 || f.field == "" || f.message == "" || len(f.message) > 600 {
		t.Errorf("%s refuses with %+v (%v)", o.id, f, err)
	}
}

// again reads what an accepted parameter is written as.
func again(t *testing.T, operation string, p param, in reflect.Value) {
	t.Helper()
	v := in.FieldByIndex(p.index)
	if v.IsZero() {
		return
	}
	text := v.String()
	switch m, ok := reflect.TypeAssert[encoding.TextMarshaler](v); {
	case ok:
		raw, err := m.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		text = string(raw)
	case p.numeric():
		if n := v.Int(); n < p.min || n > p.max {
			t.Errorf("%s accepts %s %d", operation, p.name, n)
		}
		return
	}
	fresh := reflect.New(in.Type()).Elem()
	if err := p.set(fresh, text); err != nil {
		t.Errorf("%s accepts %s, and refuses what it is written as, %q: %v", operation, p.name, text, err)
	}
	if d, ok := reflect.TypeAssert[DestinationID](v); ok && d != fresh.FieldByIndex(p.index).Interface() || stillcast.Destination(d).TemplateID < 0 {
		t.Errorf("%s: %q became another", operation, text)
	}
}
