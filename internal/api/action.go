package api

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/stillcast/stillcast"
)

// Action is one action of the API, as data.
type Action struct {
	Name   string
	Group  string // for the documents
	Writes bool   // it changes something: read-only credentials may not call it
	Params []Param
	// Faults are the action's own codes for the kinds of Stillcast's errors.
	Faults map[stillcast.Code]string
	// Values is the code of a value that is not allowed; "": InvalidParameter.
	Values string
	// Reply is the zero value of what the action answers, for the documents.
	Reply any
	Note  string // for the documents: what differs from the cloud
	// AnyParams lets all parameters pass unseen.
	AnyParams bool

	run func(ctx context.Context, c *call) (any, error)
}

func (a *Action) valueCode() string {
	if a.Values != "" {
		return a.Values
	}
	return codeInvalid
}

// call is one request to an action, checked against the table.
type call struct {
	action  *Action
	control Control
	params  map[string]value
	audit   func(before, after any) // called once by what changed something
}

// newCall checks parameters against the table: all are known, all required ones are
// there, and each is of its type and within its limits.
func (a *Action) newCall(raw rawParams, control Control) (*call, error) {
	if name := raw.unknown(a.Params); name != "" && !a.AnyParams {
		return nil, faultf(codeUnknown, "%s has no parameter %s; its parameters are %s", a.Name, clip(name), a.paramNames())
	}
	c := &call{action: a, control: control, params: map[string]value{}}
	for i := range a.Params {
		p := &a.Params[i]
		v, ok, err := raw.get(p)
		if err == nil && ok {
			err = p.check(v, a.valueCode())
		}
		if err == nil && !ok && p.Required {
			err = faultf(codeMissing, "%s is missing; it is required (%s)", p.Name, p.Kind)
		}
		if err != nil {
			if f, is := errors.AsType[*fault](err); is {
				err = f.at(p.Name)
			}
			return nil, err
		}
		if ok {
			c.params[p.Name] = v
		}
	}
	return c, nil
}

func (a *Action) paramNames() string {
	if len(a.Params) == 0 {
		return "none"
	}
	var names []string
	for _, p := range a.Params {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func (c *call) has(name string) bool {
	_, ok := c.params[name]
	return ok
}

// domainName is the push domain that was given, as names of domains are kept.
func (c *call) domainName() string { return strings.ToLower(c.text("DomainName")) }

func (c *call) text(name string) string    { return c.params[name].text }
func (c *call) integer(name string) int64  { return c.params[name].number }
func (c *call) texts(name string) []string { return c.params[name].list }

// setText and setInt change a field to what was given, and leave it where nothing was.
func (c *call) setText(field *string, name string) {
	if v, ok := c.params[name]; ok {
		*field = v.text
	}
}

func (c *call) setInt(field *int, name string) {
	if v, ok := c.params[name]; ok {
		*field = int(v.number)
	}
}
