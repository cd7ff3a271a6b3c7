package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stillcast/stillcast"
)

// Call is a call of an action by a part of the server itself, for a person whom
// it let in by other means than a signature.
type Call struct {
	Action string
	Params map[string]any // as JSON has them
}

// Auditor is told of what a call changed: its action, and what was there before
// and is after, nil for nothing. Secrets in it do not show themselves.
type Auditor func(action string, before, after any)

// Run does what the action does for a signed request, with the same limits. Where
// the caller is at fault the error is of type [*stillcast.Error]: Message is that
// of the API's answer, and Field the parameter at fault with what of it, such as
// "StillcastRenditions[2].width", "" where it is none of them. Other errors are
// those of control.
func (c Call) Run(ctx context.Context, control Control, audit Auditor) error {
	action, err := find(c.Action)
	if err != nil {
		return err
	}
	raw := rawParams{json: make(map[string]json.RawMessage, len(c.Params))}
	for name, v := range c.Params {
		if raw.json[name], err = json.Marshal(v); err != nil {
			return fmt.Errorf("write the parameter %s of %s: %w", name, c.Action, err)
		}
	}
	checked, err := action.newCall(raw, control)
	if err != nil {
		return action.refused(err)
	}
	checked.audit = func(before, after any) { audit(c.Action, before, after) }
	if _, err = action.run(ctx, checked); err != nil {
		return action.refused(err)
	}
	return nil
}

// refused gives an error the words of the API's answer.
func (a *Action) refused(err error) error {
	f, told := a.faultOf(err)
	if !told {
		return err
	}
	code := stillcast.CodeOf(err)
	if code == "" {
		code = stillcast.CodeInvalid
	}
	return &stillcast.Error{Code: code, Field: f.Param, Message: f.Message}
}

func find(name string) (*Action, error) {
	all := slices.Concat(Actions(), OwnActions())
	i := slices.IndexFunc(all, func(a Action) bool { return a.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no action %s", name)
	}
	return &all[i], nil
}
