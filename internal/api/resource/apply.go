package resource

import (
	"context"
	"fmt"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api/client"
)

// Apply makes changes that [Plan] found, one after the other, and reports each
// that was made. It stops at the first that cannot be made.
func Apply(ctx context.Context, c *client.Client, now stillcast.ResourceSet, changes []Change, made func(Change)) error {
	ids := map[[2]string]int64{}
	for _, t := range now.SnapshotTemplates {
		ids[[2]string{kindSnapshotTemplate, t.Name}] = t.ID
	}
	for _, t := range now.CallbackTemplates {
		ids[[2]string{kindCallbackTemplate, t.Name}] = t.ID
	}
	for _, change := range changes {
		for _, one := range change.calls {
			if err := one.do(ctx, c, ids); err != nil {
				return fmt.Errorf("%s %s %s: %w", change.Verb, change.Kind, change.Name, err)
			}
		}
		made(change)
	}
	return nil
}

// do makes the call and notes the id of a template that it made.
func (o call) do(ctx context.Context, c *client.Client, ids map[[2]string]int64) error {
	name := [2]string{o.kind, o.template}
	switch id, known := ids[name]; {
	case o.id != 0:
		o.params["TemplateId"] = o.id
	case known:
		o.params["TemplateId"] = id
	}
	var reply struct {
		TemplateID int64 `json:"TemplateId"`
	}
	if err := c.Call(ctx, o.action, o.params, &reply); err != nil {
		return err
	}
	if reply.TemplateID != 0 {
		ids[name] = reply.TemplateID
	}
	return nil
}
