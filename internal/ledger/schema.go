package ledger

import (
	"fmt"
	"reflect"
	"strings"
)

// schema is a JSON Schema (2020-12), as OpenAPI 3.1 has it.
type schema map[string]any

// schemer is a type that says by itself what it looks like in JSON.
type schemer interface{ schema() schema }

// schemas are the named types of a document.
type schemas map[string]any

// schemaOf describes a type of replies. Structs are put into named, where it is
// given, and referred to. The tags doc, enum, min and max of a field add to its
// description.
func schemaOf(t reflect.Type, named schemas) schema {
	if t.Implements(reflect.TypeFor[schemer]()) {
		return reflect.Zero(t).Interface().(schemer).schema() //nolint:forcetypeassert // it was asked for the line before
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), named)
	case reflect.Slice:
		return schema{"type": "array", "items": schemaOf(t.Elem(), named)}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": schemaOf(t.Elem(), named)}
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return schema{"type": "integer"}
	case reflect.Float64:
		return schema{"type": "number"}
	case reflect.Struct:
		if _, ok := named[t.Name()]; !ok {
			named[t.Name()] = schema{} // for a type that holds itself
			named[t.Name()] = structSchema(t, named)
		}
		return schema{"$ref": "#/components/schemas/" + t.Name()}
	default:
		return schema{"description": fmt.Sprintf("%s, which no reply may hold", t)} // refused by a test
	}
}

func structSchema(t reflect.Type, named schemas) schema {
	properties, required := schema{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		name, options, ok := jsonName(f)
		if !ok {
			continue
		}
		properties[name] = fieldSchema(f, named)
		if !strings.Contains(options, "omit") {
			required = append(required, name)
		}
	}
	s := schema{"type": "object", "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// jsonName is the name of a field in JSON; embedded structs are no fields.
func jsonName(f reflect.StructField) (name, options string, ok bool) {
	tag, ok := f.Tag.Lookup("json")
	name, options, _ = strings.Cut(tag, ",")
	return name, options, ok && name != "-" && f.IsExported()
}

func fieldSchema(f reflect.StructField, named schemas) schema {
	s := schemaOf(f.Type, named)
	if doc := f.Tag.Get("doc"); doc != "" {
		s["description"] = doc
	}
	if words := f.Tag.Get("enum"); words != "" {
		s["enum"] = strings.Split(words, ",")
	}
	return s
}
