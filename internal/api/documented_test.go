package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// documented is the documentation of Tencent Cloud live 2018-08-01 as data.
type documented struct {
	Actions map[string]struct {
		Request    []documentedParam
		Response   []documentedField
		ErrorCodes []string `json:"error_codes"`
	}
	Objects          map[string][]documentedField
	CommonErrorCodes []string `json:"common_error_codes"`
}

type documentedParam struct {
	Name      string
	Type      string // "int", "string" or "list"
	Required  bool
	Min, Max  *int64
	MaxBytes  int `json:"max_bytes"`
	Charset   string
	Enum      []any
	ItemsEnum []string `json:"items_enum"`
}

type documentedField struct {
	Name     string
	WireType string `json:"wire_type"`
}

func readDocumented(t *testing.T) documented {
	t.Helper()
	b, err := os.ReadFile("testdata/tencent_api.json")
	if err != nil {
		t.Fatal(err)
	}
	var d documented
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// otherLimits are the documented limits that Stillcast does not keep, with the reason.
var otherLimits = map[string]string{
	"ModifyLiveSnapshotTemplate SnapshotInterval min": "documented from 5 here and from 2 in Create; Terraform's own test sets 4",
	"CreateLiveSnapshotTemplate Description charset":  "sentences are allowed, as in the configuration file",
	"CreateLiveCallbackTemplate Description charset":  "sentences are allowed, as in the configuration file",
}

func TestTheTableHasAllDocumentedLimits(t *testing.T) {
	d := readDocumented(t)
	used := map[string]bool{}
	for _, a := range Actions() {
		doc, ok := d.Actions[a.Name]
		if !ok {
			t.Errorf("%s is not documented", a.Name)
			continue
		}
		if a.AnyParams {
			continue
		}
		t.Run(a.Name, func(t *testing.T) {
			for _, p := range a.Params {
				if !p.Own && !slices.ContainsFunc(doc.Request, func(q documentedParam) bool { return q.Name == p.Name }) {
					t.Errorf("%s is not documented", p.Name)
				}
			}
			for _, p := range doc.Request {
				for _, try := range p.tries() {
					checkTry(t, &a, doc.Request, p, try, used)
				}
			}
		})
	}
	for name, reason := range otherLimits {
		if reason != "" && !used[name] {
			t.Errorf("the exception %q is none", name)
		}
	}
}

// try is a value of a parameter and whether the documentation allows it.
type try struct {
	what  string
	value any // nil: not given
	ok    bool
}

func (p documentedParam) tries() []try {
	all := []try{{"presence", nil, !p.Required}, {"null", json.RawMessage("null"), !p.Required}, {"object", map[string]any{}, false}}
	switch p.Type {
	case "int":
		all = append(all, p.integerTries()...)
	case "list":
		all = append(all, try{"text", "a", false}, try{"empty", []string{}, true}, try{"integers", []int{1}, false})
		if len(p.ItemsEnum) > 0 {
			all = append(all, try{"enum", p.ItemsEnum, true}, try{"enum", []string{"nothing"}, false})
		} else {
			all = append(all, try{"one", []string{"d.example.com"}, true})
		}
	case "string":
		all = append(all, try{"integer", 7, false}, try{"invalid UTF-8", json.RawMessage("\"\xff\""), false})
		for _, value := range p.Enum {
			all = append(all, try{"enum", value, true})
		}
		if len(p.Enum) > 0 {
			all = append(all, try{"enum", "nothing", false})
		}
		if p.MaxBytes > 0 {
			all = append(all, try{"max", strings.Repeat("x", p.MaxBytes), true}, try{"max", strings.Repeat("x", p.MaxBytes+1), false},
				try{"max in bytes", strings.Repeat("图", p.MaxBytes/3+1), false})
		}
		if p.Charset != "" {
			all = append(all, try{"charset", "测试_a-Z9", true}, try{"charset", "a b", false}, try{"charset", "é", false})
		}
	}
	return all
}

func (p documentedParam) integerTries() []try {
	all := []try{{"text", "ten", false}, {"fraction", 1.5, false}, {"beyond int64", json.RawMessage("9223372036854775808"), false}}
	if p.Min != nil {
		all = append(all, try{"min", *p.Min, true}, try{"min", strconv.FormatInt(*p.Min, 10), true}, try{"min", *p.Min - 1, false})
	}
	if p.Max != nil {
		all = append(all, try{"max", *p.Max, true}, try{"max", *p.Max + 1, false})
	}
	for _, value := range p.Enum {
		all = append(all, try{"enum", value, true})
	}
	if len(p.Enum) > 0 {
		all = append(all, try{"enum", 4711, false}, try{"enum", -1, false})
	}
	if p.Min == nil && p.Max == nil && p.Enum == nil {
		all = append(all, try{"sign", -1, false}, try{"one", 1, true})
	}
	return all
}

// valid returns a value that the documentation allows.
func (p documentedParam) valid() any {
	switch {
	case len(p.Enum) > 0:
		return p.Enum[0]
	case p.Type == "int" && p.Min != nil:
		return *p.Min
	case p.Type == "int":
		return 1
	case p.Type == "list":
		return []string{}
	}
	return "a"
}

func checkTry(t *testing.T, a *Action, request []documentedParam, p documentedParam, try try, used map[string]bool) {
	t.Helper()
	params := map[string]any{}
	for _, other := range request {
		if other.Required {
			params[other.Name] = other.valid()
		}
	}
	params[p.Name] = try.value
	if try.value == nil {
		delete(params, p.Name)
	}
	var body []byte
	for name, value := range params {
		b, raw := value.(json.RawMessage)
		if !raw {
			var err error
			if b, err = json.Marshal(value); err != nil {
				t.Fatal(err)
			}
		}
		body = fmt.Appendf(body, `,%q:%s`, name, b)
	}
	if len(body) > 0 {
		body[0] = '{'
	} else {
		body = []byte("{")
	}
	raw, err := jsonParams(append(body, '}'))
	if err == nil {
		_, err = a.newCall(raw, nil)
	}
	what := a.Name + " " + p.Name + " " + try.what
	if _, ok := otherLimits[what]; ok && (err == nil) != try.ok {
		used[what] = true
		return
	}
	if (err == nil) != try.ok {
		t.Errorf("%s = %.80v: %v; want allowed: %t", what, try.value, err, try.ok)
	}
	if f, ok := errors.AsType[*fault](err); ok && !strings.Contains(f.Message, p.Name) && !strings.Contains(f.Message, "UTF-8") {
		t.Errorf("%s: the message %q does not name the parameter", what, f.Message)
	}
}

// Every code that an action answers is one that the cloud's documentation has for it.
func TestCodesAreDocumented(t *testing.T) {
	d := readDocumented(t)
	// Terraform and the SDKs know these of every action.
	common := append(d.CommonErrorCodes, codeInternal, codeInvalid, codeInvalidValue, codeMissing, codeUnsupported)
	for _, a := range Actions() {
		codes := []string{a.valueCode()}
		for _, code := range a.Faults {
			codes = append(codes, code)
		}
		for _, p := range a.Params {
			if p.Code != "" {
				codes = append(codes, p.Code)
			}
		}
		for _, code := range codes {
			if !slices.Contains(d.Actions[a.Name].ErrorCodes, code) && !slices.Contains(common, code) {
				t.Errorf("%s answers %s, which is not documented for it: %q", a.Name, code, d.Actions[a.Name].ErrorCodes)
			}
		}
	}
}

// The replies have the documented fields in the documented types, and no others but Stillcast's own.
func TestRepliesHaveTheDocumentedFields(t *testing.T) {
	d := readDocumented(t)
	for _, a := range Actions() {
		if a.AnyParams {
			continue
		}
		want := slices.DeleteFunc(slices.Clone(d.Actions[a.Name].Response), func(f documentedField) bool { return f.Name == "RequestId" })
		compareFields(t, d, a.Name, reflect.TypeOf(a.Reply), want)
	}
}

func compareFields(t *testing.T, d documented, where string, got reflect.Type, want []documentedField) {
	t.Helper()
	fields := jsonFields(got)
	for name := range fields {
		if !slices.ContainsFunc(want, func(f documentedField) bool { return f.Name == name }) && !strings.HasPrefix(name, "Stillcast") {
			t.Errorf("%s has the field %s, which is not documented", where, name)
		}
	}
	for _, f := range want {
		typ, ok := fields[f.Name]
		if !ok {
			t.Errorf("%s has no field %s", where, f.Name)
			continue
		}
		kind, item := f.WireType, typ
		if rest, list := strings.CutPrefix(kind, "array of "); list {
			if typ.Kind() != reflect.Slice {
				t.Errorf("%s.%s is a %s, want a list", where, f.Name, typ)
				continue
			}
			kind, item = rest, typ.Elem()
		}
		if object, ok := d.Objects[kind]; ok {
			compareFields(t, d, where+"."+f.Name, item, object)
			continue
		}
		wantText := kind == "string"
		if isText := item.Kind() == reflect.String; isText != wantText || !isText && item.Kind() != reflect.Int && item.Kind() != reflect.Int64 {
			t.Errorf("%s.%s is a %s, want %s", where, f.Name, item, kind)
		}
	}
}

// jsonFields are the members that a struct is written with.
func jsonFields(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		fields[name] = f.Type
	}
	return fields
}

func TestSmallestAndLargestInteger(t *testing.T) {
	p := Param{Name: "N", Kind: Integer}
	for _, n := range []int64{0, math.MaxInt64} {
		if err := p.check(value{number: n}, codeInvalid); err != nil {
			t.Error(err)
		}
	}
	if err := p.check(value{number: -1}, codeInvalid); err == nil {
		t.Error("-1 is allowed")
	}
}
