package api

import (
	"context"
	"strings"

	"github.com/stillcast/stillcast"
)

const groupOwn = "Of Stillcast"

// OwnActions are the actions that Tencent Cloud does not have. There a rule gets
// another template by being deleted and created, so that its live streams have none
// in between.
func OwnActions() []Action {
	faults := map[stillcast.Code]string{
		stillcast.CodeNotFound: "InvalidParameter.ConfNotFound", stillcast.CodeConflict: "FailedOperation.RuleAlreadyExist",
	}
	const note = "changes a rule in one step, which live streams see as one change; what is not given stays as it is"
	return []Action{
		{
			Name: "StillcastModifySnapshotRule", Group: groupOwn, Writes: true, Reply: empty{}, Values: codeInvalidValue, Faults: faults, Note: note,
			Params: ruleParams(true), run: modifySnapshotRule,
		},
		{
			Name: "StillcastModifyCallbackRule", Group: groupOwn, Writes: true, Reply: empty{}, Values: codeInvalidValue, Faults: faults, Note: note,
			Params: ruleParams(false), run: modifyCallbackRule,
		},
	}
}

// What a rule is to be for, in the parameters that change it.
const (
	newDomainName = "NewDomainName"
	newAppName    = "NewAppName"
	newStreamName = "NewStreamName"
)

func ruleParams(stream bool) []Param {
	which := func(p Param) Param {
		p.Fields = nil // what errors name is what it is to be
		return p
	}
	params := []Param{which(domainName()), which(appName(false))}
	if stream {
		params = append(params, which(streamName(false)))
	}
	template := templateID()
	template.Required = false
	params = append(params, template,
		Param{Name: newDomainName, MaxBytes: maxName, Note: "the rule is for this one from then on", Fields: []string{"domain"}},
		Param{Name: newAppName, MaxBytes: maxName, Note: "likewise; empty stands for all", Fields: []string{"app"}})
	if stream {
		params = append(params, Param{Name: newStreamName, MaxBytes: maxName, Note: "likewise", Fields: []string{"stream"}})
	}
	for i := range params {
		params[i].Own = true
	}
	return params
}

// setRule changes what was given of a rule.
func (c *call) setRule(domain, app *string, template *int64) {
	c.setText(domain, newDomainName)
	*domain = strings.ToLower(*domain)
	c.setText(app, newAppName)
	if c.has("TemplateId") {
		*template = c.integer("TemplateId")
	}
}

func modifySnapshotRule(ctx context.Context, c *call) (any, error) {
	before, after, err := c.control.EditSnapshotRule(ctx, c.domainName(), c.text("AppName"), c.text("StreamName"), func(r *stillcast.SnapshotRule) error {
		c.setRule(&r.Domain, &r.App, &r.TemplateID)
		c.setText(&r.Stream, newStreamName)
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.audit(before, after)
	return empty{}, nil
}

func modifyCallbackRule(ctx context.Context, c *call) (any, error) {
	before, after, err := c.control.EditCallbackRule(ctx, c.domainName(), c.text("AppName"), func(r *stillcast.CallbackRule) error {
		c.setRule(&r.Domain, &r.App, &r.TemplateID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.audit(before, after)
	return empty{}, nil
}
