package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/stillcast/stillcast"
)

// Sizes of what is read of a request, in bytes. Nothing that an operation takes
// comes near.
const (
	maxQuery = 16 << 10
	maxBody  = 64 << 10
)

// sent reads the parameters of a request: those of the path, then those of the
// query, or for a method that changes something those of the body.
func sent(r *http.Request, params []param) ([]given, error) {
	var all []given
	for _, p := range params {
		if p.inPath {
			all = append(all, given{p.name, r.PathValue(p.name)})
		}
	}
	if len(r.URL.RawQuery) > maxQuery {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "query", "has %d bytes; at most %d are allowed", len(r.URL.RawQuery), maxQuery)
	}
	rest, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if len(rest) > 0 {
			return nil, stillcast.Errorf(stillcast.CodeInvalid, "query", "is not empty; parameters of a %s stand in its body, as JSON", r.Method)
		}
		if rest, err = readBody(r); err != nil {
			return nil, err
		}
	}
	for _, g := range rest {
		for _, p := range params {
			if p.inPath && p.name == g.name {
				return nil, stillcast.Errorf(stillcast.CodeInvalid, g.name, "stands in the path; it is not allowed elsewhere")
			}
		}
	}
	return append(all, rest...), nil
}

// parseQuery reads a query as it stands in a URL, in its order.
func parseQuery(query string) ([]given, error) {
	var all []given
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, text, _ := strings.Cut(part, "=")
		name, nameErr := url.QueryUnescape(name)
		text, textErr := url.QueryUnescape(text)
		if err := errors.Join(nameErr, textErr); err != nil {
			return nil, stillcast.Errorf(stillcast.CodeInvalid, "query", "cannot be read at %q: a '%%' is not followed by two hexadecimal digits", clip(part))
		}
		all = append(all, given{name, text})
	}
	return all, nil
}

func readBody(r *http.Request) ([]given, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &fault{
			status: http.StatusRequestEntityTooLarge, code: codeTooLarge, field: "body",
			message: fmt.Sprintf("has more than %d bytes, the most that is allowed", maxBody),
		}
	}
	if err != nil {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "body", "cannot be read: %v", err)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	// A page of another site can send a form, but no JSON without being asked first.
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, &fault{
			status: http.StatusUnsupportedMediaType, code: string(stillcast.CodeInvalid), field: "Content-Type",
			message: fmt.Sprintf("is %q; allowed is application/json", clip(r.Header.Get("Content-Type"))),
		}
	}
	return parseBody(body)
}

// parseBody reads one JSON object of texts and whole numbers. An operation takes
// nothing deeper, so nothing deeper is parsed.
func parseBody(body []byte) ([]given, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "body", "is no JSON object")
	}
	var all []given
	for d.More() {
		g, err := member(d)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "body", "goes on behind its JSON object")
	}
	return all, nil
}

func member(d *json.Decoder) (given, error) {
	key, err := d.Token()
	if err != nil {
		return given{}, notJSON(err)
	}
	name, ok := key.(string)
	if !ok || name == "" {
		return given{}, stillcast.Errorf(stillcast.CodeInvalid, "body", "has a member without a name")
	}
	value, err := d.Token()
	if err != nil {
		return given{}, notJSON(err)
	}
	switch v := value.(type) {
	case string:
		return given{name, v}, nil
	case json.Number:
		return given{name, v.String()}, nil
	case bool:
		return given{name, strconv.FormatBool(v)}, nil
	}
	return given{}, stillcast.Errorf(stillcast.CodeInvalid, clip(name), "is neither a text nor a number")
}

func notJSON(err error) error {
	return stillcast.Errorf(stillcast.CodeInvalid, "body", "is no JSON: %v", err)
}
