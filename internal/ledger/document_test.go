package ledger

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/state"
)

var update = flag.Bool("update", false, "write docs/openapi.json")

const documentFile = "../../docs/openapi.json"

func TestDocumentIsFresh(t *testing.T) {
	want, err := NewDocument()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(documentFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(documentFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/openapi.json is not what the operations say; write it with: go test ./internal/ledger -run TestDocumentIsFresh -update")
	}
	served := newRig(t).send(http.MethodGet, Path+"openapi.json", "")
	var compact bytes.Buffer
	if err := json.Compact(&compact, want); err != nil || !bytes.Equal(bytes.TrimSpace(served.body), compact.Bytes()) {
		t.Errorf("another document is served: %v", err)
	}
}

// document is what a reader of the document sees.
type document struct {
	t     *testing.T
	whole map[string]any
}

func readDocument(t *testing.T) document {
	t.Helper()
	text, err := NewDocument()
	if err != nil {
		t.Fatal(err)
	}
	d := document{t: t}
	if err := json.Unmarshal(text, &d.whole); err != nil {
		t.Fatal(err)
	}
	return d
}

// at follows names into the document.
func (d document) at(names ...string) map[string]any {
	d.t.Helper()
	v := d.whole
	for _, name := range names {
		next, ok := v[name].(map[string]any)
		if !ok {
			d.t.Fatalf("the document has no %v", names)
		}
		v = next
	}
	return v
}

// TestRepliesAreAsDocumented sends a request for every operation and compares
// what comes with its schema.
func TestRepliesAreAsDocumented(t *testing.T) {
	d := readDocument(t)
	r := newRig(t)
	r.fill(3)
	r.book.attempts[1] = []state.Result{{DeliveryID: 1, Attempt: 1, Outcome: state.OutcomeRetry, RetryAt: at, Started: at}}
	r.book.paused[shotsTo] = "repairs"
	job := post[ReplayJob](r, Path+"replays", "", http.StatusAccepted)
	r.ended(job.ID)
	r.book.deliveries[2].State = state.StateParked
	for _, o := range operations() {
		id := "3"
		switch {
		case o.id == "getDelivery":
			id = "1"
		case strings.Contains(o.path, "replays"):
			id = job.ID
		}
		path := strings.NewReplacer("{id}", id, "{destination}", "3-shot").Replace(o.path)
		if o.id == "listShots" || o.id == "listDeliveries" {
			path += "?limit=1"
		}
		a := r.send(o.method, path, "")
		if a.status != o.status {
			t.Errorf("%s: status %d, want %d: %s", o.id, a.status, o.status, a.body)
			continue
		}
		d.compare(o, strconv.Itoa(a.status), a.body)
		if o.open {
			continue
		}
		denied := r.send(o.method, path, "", func(q *http.Request) { q.Header.Del("Authorization") })
		d.compare(o, "default", denied.body)
	}
}

func (d document) compare(o operation, status string, body []byte) {
	d.t.Helper()
	schema := d.at("paths", o.path, strings.ToLower(o.method), "responses", status, "content", "application/json", "schema")
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		d.t.Fatal(err)
	}
	for _, fault := range d.faults(schema, v, o.id) {
		d.t.Errorf("%s: %s", status, fault)
	}
}

// faults lists where a value differs from a schema, for the words of JSON Schema
// that the document uses. Members that the schema does not know are faults too.
func (d document) faults(schema map[string]any, v any, at string) (all []string) {
	if ref, ok := schema["$ref"].(string); ok {
		return d.faults(d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...), v, at)
	}
	fault := func(format string, args ...any) { all = append(all, at+": "+fmt.Sprintf(format, args...)) }
	switch want := schema["type"]; x := v.(type) {
	case map[string]any:
		if want != "object" {
			fault("is an object, want %v", want)
		}
		for name, member := range x {
			switch property, ok := member2(schema, name); {
			case ok:
				all = append(all, d.faults(property, member, at+"."+name)...)
			case schema["properties"] != nil:
				fault("has the member %s, which is not documented", name)
			}
		}
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, ok := x[name.(string)]; !ok {
				fault("lacks the member %s", name)
			}
		}
	case []any:
		items, ok := schema["items"].(map[string]any)
		if want != "array" || !ok {
			fault("is an array, want %v", want)
			break
		}
		for i, item := range x {
			all = append(all, d.faults(items, item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case string:
		if want != "string" {
			fault("is a string, want %v", want)
		}
		if words, ok := schema["enum"].([]any); ok && !slices.Contains(words, any(x)) {
			fault("is %q, want one of %v", x, words)
		}
		if p, ok := schema["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(x) {
			fault("is %q, want %s", x, p)
		}
		if schema["format"] == "date-time" {
			if _, err := time.Parse(time.RFC3339, x); err != nil {
				fault("%v", err)
			}
		}
	case float64:
		if want != "number" && (want != "integer" || x != float64(int64(x))) {
			fault("is the number %v, want %v", x, want)
		}
	case bool:
		if want != "boolean" {
			fault("is a truth value, want %v", want)
		}
	default:
		fault("is %v", v)
	}
	return all
}

func member2(schema map[string]any, name string) (map[string]any, bool) {
	properties, _ := schema["properties"].(map[string]any)
	property, ok := properties[name].(map[string]any)
	return property, ok
}

// TestDocumentIsComplete looks for what a type could not say, and what nobody wrote.
func TestDocumentIsComplete(t *testing.T) {
	d := readDocument(t)
	ids := map[string]bool{}
	for _, o := range operations() {
		if ids[o.id] {
			t.Errorf("two operations are called %s", o.id)
		}
		ids[o.id] = true
		for _, p := range o.params {
			if p.doc == "" || p.numeric() && p.max == 0 {
				t.Errorf("%s: the parameter %s says not what it is", o.id, p.name)
			}
			v := reflect.New(o.input).Elem()
			if p.def != "" && p.set(v, p.def) != nil {
				t.Errorf("%s: the default of %s is not allowed", o.id, p.name)
			}
		}
	}
	var walk func(v any)
	walk = func(v any) {
		switch x := v.(type) {
		case map[string]any:
			if ref, ok := x["$ref"].(string); ok {
				d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
			}
			if text, ok := x["description"].(string); ok && strings.Contains(text, "which no reply may hold") {
				t.Error(text)
			}
			for _, child := range x {
				walk(child)
			}
		case []any:
			for _, child := range x {
				walk(child)
			}
		}
	}
	walk(d.whole)
}
