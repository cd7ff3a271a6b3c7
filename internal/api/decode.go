package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// value is a parameter as it was given.
type value struct {
	text   string
	number int64
	list   []string
}

// rawParams are parameters before the table says what they have to be: JSON of a
// body, or texts of a query.
type rawParams struct {
	json map[string]json.RawMessage
	form url.Values
}

// maxParams is how many parameters a request may have; no action has half as many.
const maxParams = 256

// jsonParams reads the body of a signed POST: one JSON object.
func jsonParams(body []byte) (rawParams, error) {
	if !utf8.Valid(body) {
		return rawParams{}, faultf(codeInvalid, "the body is not valid UTF-8")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return rawParams{}, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	var params map[string]json.RawMessage
	if err := decoder.Decode(&params); err != nil {
		return rawParams{}, faultf(codeInvalid, "the body is not a JSON object: %s", jsonReason(err))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return rawParams{}, faultf(codeInvalid, "the body goes on after its JSON object, at byte %d", decoder.InputOffset())
	}
	if len(params) > maxParams {
		return rawParams{}, faultf(codeInvalid, "the body has %d parameters; at most %d are allowed", len(params), maxParams)
	}
	return rawParams{json: params}, nil
}

func jsonReason(err error) string {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return e.Error() + ", at byte " + strconv.FormatInt(e.Offset, 10)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return "it is a JSON " + e.Value
	}
	return err.Error()
}

// formParams reads the parameters of a query or of a form.
func formParams(form url.Values) (rawParams, error) {
	if len(form) > maxParams {
		return rawParams{}, faultf(codeInvalid, "the request has %d parameters; at most %d are allowed", len(form), maxParams)
	}
	for name, values := range form {
		if len(values) > 1 {
			return rawParams{}, faultf(codeInvalid, "%s is given %d times", clip(name), len(values))
		}
		if !utf8.ValidString(name) || !utf8.ValidString(values[0]) {
			return rawParams{}, faultf(codeInvalid, "%s is not valid UTF-8", clip(strings.ToValidUTF8(name, "?")))
		}
	}
	return rawParams{form: form}, nil
}

// get returns a parameter; ok is false where it was not given.
func (r rawParams) get(p *Param) (v value, ok bool, err error) {
	if r.form != nil {
		v, ok, err = p.fromForm(r.form)
		// The client for Go leaves empty texts out of queries and forms.
		return v, ok || p.Required && p.MayBeEmpty, err
	}
	raw, ok := r.json[p.Name]
	if !ok || string(raw) == "null" {
		return value{}, false, nil
	}
	v, err = p.fromJSON(raw)
	return v, true, err
}

// unknown returns the name of a parameter that is not in the list, "" for none.
func (r rawParams) unknown(known []Param) string {
	isKnown := func(name string) bool {
		for i := range known {
			if known[i].Name == name {
				return true
			}
			if list, rest, ok := strings.Cut(name, "."); ok && r.form != nil && known[i].Kind == Texts && known[i].Name == list {
				_, err := strconv.ParseUint(rest, 10, 16)
				return err == nil
			}
		}
		return false
	}
	first := "" // in alphabetical order, so that the answer is the same each time
	consider := func(name string) {
		if !isKnown(name) && (first == "" || name < first) {
			first = name
		}
	}
	for name := range r.json {
		consider(name)
	}
	for name := range r.form {
		consider(name)
	}
	return first
}

func (p *Param) fromForm(form url.Values) (value, bool, error) {
	switch p.Kind {
	case Integer:
		if !form.Has(p.Name) || form.Get(p.Name) == "" {
			return value{}, false, nil
		}
		n, err := p.integer(form.Get(p.Name))
		return value{number: n}, true, err
	case Texts:
		var list []string
		for i := 0; form.Has(p.Name + "." + strconv.Itoa(i)); i++ {
			list = append(list, form.Get(p.Name+"."+strconv.Itoa(i)))
		}
		return value{list: list}, list != nil, nil
	}
	return value{text: form.Get(p.Name)}, form.Has(p.Name), nil
}

func (p *Param) fromJSON(raw json.RawMessage) (value, error) {
	switch p.Kind {
	case Integer:
		text := string(raw)
		if raw[0] == '"' {
			if err := json.Unmarshal(raw, &text); err != nil {
				return value{}, p.wrongType(raw)
			}
		}
		n, err := p.integer(text)
		return value{number: n}, err
	case Texts:
		var list []string
		if raw[0] != '[' || json.Unmarshal(raw, &list) != nil {
			return value{}, p.wrongType(raw)
		}
		return value{list: list}, nil
	}
	var text string
	if raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		return value{}, p.wrongType(raw)
	}
	return value{text: text}, nil
}

func (p *Param) integer(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, faultf(codeInvalid, "%s is %s; allowed is an integer", p.Name, clip(text))
	}
	return n, nil
}

func (p *Param) wrongType(raw json.RawMessage) error {
	return faultf(codeInvalid, "%s is %s; allowed is a %s", p.Name, clip(string(raw)), p.Kind)
}

// clip keeps what callers sent short in messages.
func clip(text string) string {
	const most = 64
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
