package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// object is a part of the document.
type object map[string]any

// Document is the OpenAPI 3.1 document of everything that is served.
type Document json.RawMessage

// MarshalJSON implements [json.Marshaler].
func (d Document) MarshalJSON() ([]byte, error) { return d, nil }

func (Document) schema() schema {
	return schema{"type": "object", "description": "OpenAPI 3.1."}
}

// NewDocument makes the document from the table of operations and their types.
func NewDocument() (Document, error) {
	named, paths := schemas{}, object{}
	for _, o := range operations() {
		path, ok := paths[o.path].(object)
		if !ok {
			path = object{}
			paths[o.path] = path
		}
		path[strings.ToLower(o.method)] = o.document(named)
	}
	schemaOf(reflect.TypeFor[Refusal](), named)
	text, err := json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Stillcast ledger", "version": "1",
			"description": "What became of every shot and event. Ids are strings, times RFC 3339, and fields may be added.",
			"license":     object{"name": "Apache 2.0", "identifier": "Apache-2.0"},
		},
		"paths":    paths,
		"security": []any{object{"basic": []string{}}, object{"bearer": []string{}}},
		"components": object{
			"schemas": named,
			"securitySchemes": object{
				"basic":  object{"type": "http", "scheme": "basic", "description": "A credential of the control API: its secret id as user, its secret key as password."},
				"bearer": object{"type": "http", "scheme": "bearer", "description": "The same as one text, SECRET_ID:SECRET_KEY."},
			},
		},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return append(text, '\n'), nil
}

// document is the operation's part of the document.
func (o *operation) document(named schemas) object {
	d := object{
		"operationId": o.id, "summary": o.summary,
		"responses": object{
			strconv.Itoa(o.status): object{"description": "Done as asked.", "content": jsonContent(schemaOf(o.reply, named))},
			"default":              object{"description": "Refused.", "content": jsonContent(schemaOf(reflect.TypeFor[Refusal](), named))},
		},
	}
	if o.open {
		d["security"] = []any{}
	}
	var params []object
	members, required := schema{}, []string{}
	for _, p := range o.params {
		switch {
		case p.inPath:
			params = append(params, object{"name": p.name, "in": "path", "required": true, "description": p.doc, "schema": p.schema()})
		case o.changes():
			members[p.name] = p.schema()
			members[p.name].(schema)["description"] = p.doc //nolint:forcetypeassert // made the line before
			if p.required {
				required = append(required, p.name)
			}
		default:
			params = append(params, object{"name": p.name, "in": "query", "required": p.required, "description": p.doc, "schema": p.schema()})
		}
	}
	if params != nil {
		d["parameters"] = params
	}
	if len(members) > 0 {
		d["requestBody"] = object{
			"required": len(required) > 0,
			"content":  jsonContent(schema{"type": "object", "properties": members, "required": required, "additionalProperties": false}),
		}
	}
	return d
}

func jsonContent(s schema) object { return object{"application/json": object{"schema": s}} }

// getDocument replies the document.
func (*call) getDocument(context.Context, struct{}) (Document, error) { return NewDocument() }
