package strictyaml

import (
	"encoding"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// isScalar tells whether a setting has one value, not settings or elements of
// its own.
func isScalar(v reflect.Value) bool {
	if _, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		return true
	}
	return v.Kind() != reflect.Struct && v.Kind() != reflect.Slice
}

func (b *binder) bindScalar(node ast.Node, dst reflect.Value, path string) {
	text, ok := textOf(node)
	if !ok {
		b.fault(node.GetToken(), path, "is %s; expected %s", describe(node), expected(dst))
		return
	}
	if err := setScalar(dst, node, text); err != nil {
		b.fault(node.GetToken(), path, "%s", err)
	}
}

// setScalar sets dst to what the file says. Its error does not quote what may be
// a secret: only texts are.
func setScalar(dst reflect.Value, node ast.Node, text string) error {
	switch v := dst.Addr().Interface().(type) {
	case *netip.Prefix:
		network, err := netip.ParsePrefix(text)
		*v = network
		return mismatch(err == nil, text, dst)
	case encoding.TextUnmarshaler:
		return v.UnmarshalText([]byte(text))
	case *time.Duration:
		d, err := time.ParseDuration(text)
		*v = d
		return mismatch(err == nil, text, dst)
	}
	switch dst.Kind() {
	case reflect.String:
		dst.SetString(text)
		return nil
	case reflect.Bool:
		dst.SetBool(text == "true")
		return mismatch(node.Type() == ast.BoolType, text, dst)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(digits(text), 10, dst.Type().Bits())
		dst.SetInt(n)
		return mismatch(err == nil && node.Type() == ast.IntegerType, text, dst)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(digits(text), 10, dst.Type().Bits())
		dst.SetUint(n)
		return mismatch(err == nil && node.Type() == ast.IntegerType, text, dst)
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		dst.SetFloat(f)
		return mismatch(err == nil && (node.Type() == ast.FloatType || node.Type() == ast.IntegerType), text, dst)
	}
	return fmt.Errorf("has a type that settings cannot have: %s", dst.Type())
}

// digits returns text for strconv: without the underscores that YAML allows, or
// "" for a number with leading zeros, which some read as octal and some do not.
func digits(text string) string {
	text = strings.ReplaceAll(text, "_", "")
	unsigned := strings.TrimLeft(text, "+-")
	if len(unsigned) > 1 && unsigned[0] == '0' {
		return ""
	}
	return text
}

func mismatch(ok bool, text string, dst reflect.Value) error {
	if ok {
		return nil
	}
	return fmt.Errorf("is %.100q; expected %s", text, expected(dst))
}

// expected describes the values that a setting can have.
func expected(dst reflect.Value) string {
	if _, ok := reflect.TypeAssert[time.Duration](dst); ok {
		return "a duration with its unit, such as 10s, 2m or 1h30m"
	}
	if _, ok := reflect.TypeAssert[netip.Prefix](dst); ok {
		return "a network with the length of its prefix, such as 127.0.0.0/8 or fd00::/8"
	}
	switch dst.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number, in decimal without leading zeros"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number that is not negative, in decimal without leading zeros"
	case reflect.Float64:
		return "a number"
	}
	return "a text"
}

// textOf returns a scalar as it was written, without its quotes.
func textOf(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, true
	}
	return "", false
}

// describe says what a node is, without its value.
func describe(node ast.Node) string {
	switch node.(type) {
	case *ast.NullNode:
		return "empty"
	case ast.MapNode:
		return "a list of settings"
	case ast.ArrayNode:
		return "a list"
	}
	return "a single value"
}
