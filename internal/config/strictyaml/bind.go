package strictyaml

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// binder fills Go values from nodes and collects what is wrong.
type binder struct {
	doc    *Document
	faults []error
}

func (b *binder) fault(at *token.Token, path, format string, args ...any) {
	b.faults = append(b.faults, b.doc.fault(at, path, format, args...))
}

func (b *binder) bind(node ast.Node, dst reflect.Value, path string) {
	switch node.Type() {
	case ast.AnchorType, ast.AliasType:
		b.fault(node.GetToken(), path, "anchors and aliases (& and *) are not supported; put texts that begin so in quotes")
		return
	case ast.TagType:
		b.fault(node.GetToken(), path, "tags (!) are not supported; put texts that begin so in quotes")
		return
	}
	switch {
	case isScalar(dst):
		b.bindScalar(node, dst, path)
	case dst.Kind() == reflect.Struct:
		b.bindStruct(node, dst, path)
	case dst.Kind() == reflect.Slice:
		b.bindList(node, dst, path)
	default:
		b.fault(node.GetToken(), path, "has a type that settings cannot have: %s", dst.Type())
	}
}

func (b *binder) bindStruct(node ast.Node, dst reflect.Value, path string) {
	if node.Type() == ast.NullType {
		return // all that was in it is commented out
	}
	mapping, ok := node.(ast.MapNode)
	if !ok {
		b.fault(node.GetToken(), path, "is %s; expected settings as key: value", describe(node))
		return
	}
	settings := settingsOf(dst)
	seen := make(map[string]bool)
	for iter := mapping.MapRange(); iter.Next(); {
		key, at := keyOf(iter.Key()), iter.Key().GetToken()
		child := join(path, key)
		value, known := find(settings, key)
		switch {
		case key == "":
			b.fault(at, path, "has a key that is no plain word")
		case !known:
			b.fault(at, child, "is an unknown key; allowed here are %s", names(settings))
		case seen[key]:
			b.fault(at, child, "is given twice")
		default:
			b.doc.lines[child] = at.Position.Line
			b.bind(iter.Value(), value, child)
		}
		seen[key] = true
	}
}

func (b *binder) bindList(node ast.Node, dst reflect.Value, path string) {
	if node.Type() == ast.NullType {
		dst.SetZero()
		return
	}
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		b.fault(node.GetToken(), path, "is %s; expected a list, [a, b] or lines that begin with -", describe(node))
		return
	}
	list := reflect.MakeSlice(dst.Type(), len(sequence.Values), len(sequence.Values))
	for i, value := range sequence.Values {
		child := fmt.Sprintf("%s[%d]", path, i)
		element := list.Index(i)
		if d, ok := reflect.TypeAssert[Defaulter](element.Addr()); ok {
			d.SetDefaults()
		}
		b.doc.lines[child] = lineOf(value)
		if value.Type() == ast.NullType {
			b.fault(value.GetToken(), child, "is empty")
			continue
		}
		b.bind(value, element, child)
	}
	dst.Set(list)
}

// lineOf returns the first line of a node. The token of a mapping is its first
// colon, which may stand on a later line than its first key.
func lineOf(node ast.Node) int {
	if mapping, ok := node.(ast.MapNode); ok {
		if iter := mapping.MapRange(); iter.Next() {
			return iter.Key().GetToken().Position.Line
		}
	}
	return node.GetToken().Position.Line
}

func keyOf(node ast.MapKeyNode) string {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return node.GetToken().Value
	}
	return ""
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// setting is a field of a struct that the file can set.
type setting struct {
	name  string
	value reflect.Value
}

// settingsOf lists the settings of a struct in the order of its fields. Those of
// a field with the tag ",inline" count as the struct's own.
func settingsOf(v reflect.Value) []setting {
	var all []setting
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			all = append(all, settingsOf(v.Field(i))...)
		case name != "" && name != "-":
			all = append(all, setting{name, v.Field(i)})
		}
	}
	return all
}

func find(settings []setting, name string) (reflect.Value, bool) {
	for _, s := range settings {
		if s.name == name {
			return s.value, true
		}
	}
	return reflect.Value{}, false
}

func names(settings []setting) string {
	var b strings.Builder
	for i, s := range settings {
		switch {
		case i > 0 && i == len(settings)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(s.name)
	}
	return b.String()
}
