// Package strictyaml reads YAML into Go structs and refuses whatever it was not
// told about: unknown and double keys, values of another type, empty values,
// anchors, aliases, tags, a second document. It remembers where each setting
// stands, so that what is found wrong with it later can still be told with its
// line.
//
// A library parses; the binding is our own because every fault has to name its
// line, its setting and what is allowed, and texts have to stay as they were
// written (a stream named 0123 is not 83).
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/stillcast/stillcast"
)

const (
	// MaxSize is the largest document, in bytes.
	MaxSize = 1 << 20
	// maxOpen bounds the brackets that are open at once: the parser's memory
	// grows with their square.
	maxOpen = 500
)

// Defaulter is implemented by elements of lists that do not begin as zero values.
type Defaulter interface {
	SetDefaults()
}

// Document knows where the settings of a YAML document stand.
type Document struct {
	name  string
	lines map[string]int // by path: "listen.rtmp", "resources.domains[0].name"
}

// Decode reads data into dst, a pointer to a struct that holds the defaults.
// The fields with a tag yaml:"name" are settings. Name is that of the file, for
// messages. The error joins all faults that were found, each with line and
// column; dst is then of no use.
func Decode(name string, data []byte, dst any) (*Document, error) {
	doc := &Document{name: name, lines: make(map[string]int)}
	root, err := doc.parse(bytes.TrimPrefix(data, []byte("\ufeff")))
	if err != nil {
		return nil, err
	}
	if root == nil {
		return doc, nil
	}
	b := binder{doc: doc}
	b.bind(root, reflect.ValueOf(dst).Elem(), "")
	return doc, errors.Join(b.faults...)
}

// parse returns the content of the only document, nil when it is empty.
func (d *Document) parse(data []byte) (ast.Node, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%s: is %d bytes long; at most %d are allowed", d.name, len(data), MaxSize)
	}
	if line := tooManyOpen(data); line > 0 {
		return nil, fmt.Errorf("%s:%d: more than %d brackets are open", d.name, line, maxOpen)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, d.syntaxError(err)
	}
	var root ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		if root != nil {
			return nil, d.fault(doc.Body.GetToken(), "", "a second document begins here; only one is allowed")
		}
		root = doc.Body
	}
	return root, nil
}

// tooManyOpen returns the line where more than maxOpen brackets are open, 0 when
// there is none. It does not know texts and comments, which can only matter to
// files that hold hundreds of lone brackets.
func tooManyOpen(data []byte) int {
	depth, line := 0, 1
	for _, c := range data {
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(depth-1, 0)
		case '\n':
			line++
		}
		if depth > maxOpen {
			return line
		}
	}
	return 0
}

// syntaxError keeps of the parser's error what fits on a line.
func (d *Document) syntaxError(err error) error {
	var e yaml.Error
	if !errors.As(err, &e) || e.GetToken() == nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return fmt.Errorf("%s: is not valid YAML: %s", d.name, first)
	}
	return d.fault(e.GetToken(), "", "is not valid YAML: %s", e.GetMessage())
}

// fault makes an error that begins with file, line and column.
func (d *Document) fault(at *token.Token, path, format string, args ...any) error {
	e := stillcast.Errorf(stillcast.CodeInvalid, path, format, args...)
	if at == nil || at.Position == nil {
		return fmt.Errorf("%s: %w", d.name, e)
	}
	return fmt.Errorf("%s:%d:%d: %w", d.name, at.Position.Line, at.Position.Column, e)
}

// Locate puts the name of the file before err and, when err is a
// [stillcast.Error], the line of its field, or of the nearest one around it that
// the file has. It returns nil for nil.
func (d *Document) Locate(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*stillcast.Error](err); ok {
		for path := e.Field; path != ""; path = parent(path) {
			if line, ok := d.lines[path]; ok {
				return fmt.Errorf("%s:%d: %w", d.name, line, err)
			}
		}
	}
	return fmt.Errorf("%s: %w", d.name, err)
}

// parent cuts the last part of a path.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}
