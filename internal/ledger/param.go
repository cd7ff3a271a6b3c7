package ledger

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stillcast/stillcast"
)

// param is one parameter of an operation: a field of its input with the tag
// param, which gives its name. It stands in the path, in the query of a GET, or
// in the body of another method. Further tags:
//
//	doc       what it means
//	enum      the words that are allowed, joined by commas
//	default   the text that stands for a missing one
//	min, max  of a whole number
//	required  "true" where it must be given
type param struct {
	name     string
	doc      string
	enum     []string
	def      string
	min, max int64
	required bool
	inPath   bool
	index    []int
	kind     reflect.Type
}

// maxText is how long a text may be, in bytes: that of a name in a push URL.
const maxText = stillcast.MaxNamePart

// paramsOf lists the parameters of an input; path is that of its operation.
func paramsOf(input reflect.Type, path string) []param {
	var all []param
	for _, f := range reflect.VisibleFields(input) {
		name, ok := f.Tag.Lookup("param")
		if !ok {
			continue
		}
		p := param{
			name: name, doc: f.Tag.Get("doc"), def: f.Tag.Get("default"), index: f.Index, kind: f.Type,
			min: number(f, "min"), max: number(f, "max"),
			inPath: strings.Contains(path, "{"+name+"}"),
		}
		p.required = p.inPath || f.Tag.Get("required") == "true"
		if words := f.Tag.Get("enum"); words != "" {
			p.enum = strings.Split(words, ",")
		}
		all = append(all, p)
	}
	return all
}

// number reads a tag that holds a whole number; 0 without one.
func number(f reflect.StructField, tag string) int64 {
	n, err := strconv.ParseInt(f.Tag.Get(tag), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// numeric says whether the parameter is a number in JSON.
func (p param) numeric() bool { return p.kind.Kind() == reflect.Int }

// set reads text into the field of the input v. The error is a
// [stillcast.Error] with the parameter's name.
func (p param) set(v reflect.Value, text string) error {
	field := v.FieldByIndex(p.index)
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](field.Addr()); ok {
		return stillcast.Within(p.name, u.UnmarshalText([]byte(text)))
	}
	if p.numeric() {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < p.min || n > p.max {
			return stillcast.Errorf(stillcast.CodeInvalid, p.name, "is %q; allowed are whole numbers from %d to %d", clip(text), p.min, p.max)
		}
		field.SetInt(n)
		return nil
	}
	if err := p.checkText(text); err != nil {
		return err
	}
	field.SetString(text)
	return nil
}

func (p param) checkText(text string) error {
	switch {
	case p.enum != nil && !slices.Contains(p.enum, text):
		return stillcast.Errorf(stillcast.CodeInvalid, p.name, "is %q; allowed are %s", clip(text), list(p.enum))
	case text == "" && p.required:
		return stillcast.Errorf(stillcast.CodeInvalid, p.name, "is empty")
	case len(text) > maxText:
		return stillcast.Errorf(stillcast.CodeInvalid, p.name, "has %d bytes; at most %d are allowed", len(text), maxText)
	case !utf8.ValidString(text):
		return stillcast.Errorf(stillcast.CodeInvalid, p.name, "is not valid UTF-8")
	}
	for _, r := range text {
		if r < 0x20 || r == 0x7f {
			return stillcast.Errorf(stillcast.CodeInvalid, p.name, "holds the control character %U", r)
		}
	}
	return nil
}

// given is one parameter as it was sent.
type given struct{ name, text string }

// bind makes an input of what was given. Unknown and repeated parameters are
// refused, missing ones get their defaults.
func bind(input reflect.Type, params []param, sent []given) (reflect.Value, error) {
	v := reflect.New(input).Elem()
	seen := map[string]bool{}
	for _, g := range sent {
		i := slices.IndexFunc(params, func(p param) bool { return p.name == g.name })
		if i < 0 && g.name == "" {
			return v, stillcast.Errorf(stillcast.CodeInvalid, "parameter", "has no name; %s", known(params))
		}
		if i < 0 {
			return v, stillcast.Errorf(stillcast.CodeInvalid, clip(g.name), "is not known here; %s", known(params))
		}
		if seen[g.name] {
			return v, stillcast.Errorf(stillcast.CodeInvalid, g.name, "is given twice")
		}
		seen[g.name] = true
		if err := params[i].set(v, g.text); err != nil {
			return v, err
		}
	}
	for _, p := range params {
		switch {
		case seen[p.name]:
		case p.required:
			return v, stillcast.Errorf(stillcast.CodeInvalid, p.name, "is missing%s", p.hint())
		case p.def != "":
			if err := p.set(v, p.def); err != nil {
				return v, fmt.Errorf("default of a parameter: %w", err)
			}
		}
	}
	return v, nil
}

func (p param) hint() string {
	if p.enum == nil {
		return ""
	}
	return "; allowed are " + list(p.enum)
}

func known(params []param) string {
	var names []string
	for _, p := range params {
		if !p.inPath {
			names = append(names, p.name)
		}
	}
	if len(names) == 0 {
		return "no parameter is allowed"
	}
	return "allowed are " + list(names)
}

func (p param) schema() schema {
	var s schema
	switch {
	case p.numeric():
		s = schema{"type": "integer", "minimum": p.min, "maximum": p.max}
	case p.kind.Implements(reflect.TypeFor[schemer]()):
		s = schemaOf(p.kind, nil)
	case p.enum != nil:
		s = schema{"type": "string", "enum": p.enum}
	default:
		s = schema{"type": "string", "maxLength": maxText}
	}
	if p.def != "" {
		s["default"] = p.def
		if n, err := strconv.ParseInt(p.def, 10, 64); err == nil && p.numeric() {
			s["default"] = n
		}
	}
	return s
}
