package api

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
)

const groupSnapshot = "Snapshot templates and rules"

// Limits of names.
const (
	maxName        = 255  // bytes
	maxDescription = 1024 // bytes
	maxRows        = 100000
)

func templateID() Param {
	return Param{Name: "TemplateId", Kind: Integer, Required: true, Note: "from Create… or Describe…", Fields: []string{"template", "id"}}
}

func domainName() Param {
	return Param{Name: "DomainName", Required: true, MaxBytes: maxName, Note: "push domain", Fields: []string{"domain", "name", "push domain"}}
}

func appName(required bool) Param {
	return Param{Name: "AppName", Required: required, MaxBytes: maxName, Note: "path of the push URL; empty stands for all", Fields: []string{"app"}}
}

func streamName(required bool) Param {
	return Param{Name: "StreamName", Required: required, MaxBytes: maxName, Note: "empty stands for all", Fields: []string{"stream", "stream name"}}
}

func snapshotTemplateParams(create bool) []Param {
	const (
		badName     = "InvalidParameter.COSCustomFileNameError"
		emptyBucket = "may be empty where pictures are kept in a folder"
	)
	params := []Param{
		templateName(create),
		{Name: "CosAppId", Kind: Integer, Required: true, Note: "the bucket of the pictures is CosBucket-CosAppId", Fields: []string{"app_id"}},
		{Name: "CosBucket", Required: true, MayBeEmpty: true, MaxBytes: stillcast.MaxBucket, Note: emptyBucket, Fields: []string{"bucket"}},
		{Name: "CosRegion", Required: true, MayBeEmpty: true, MaxBytes: stillcast.MaxBucket, Note: emptyBucket, Fields: []string{"region"}},
		description(),
		interval(create),
		{Name: "Width", Kind: Integer, Max: stillcast.MaxWidth, Note: "0 follows the source", Fields: []string{"width"}},
		{Name: "Height", Kind: Integer, Max: stillcast.MaxHeight, Note: "0 follows the source", Fields: []string{"height"}},
		{Name: "PornFlag", Kind: Integer, Max: 1, Note: "kept, without effect: pictures are not moderated"},
		{Name: "CosPrefix", MaxBytes: maxDescription, Code: badName, Note: "folder, with placeholders", Fields: []string{"prefix"}},
		{Name: "CosFileName", MaxBytes: maxDescription, Code: badName, Note: "file name, with placeholders", Fields: []string{"file_name"}},
	}
	params = append(params, ownSnapshotParams()...)
	if !create {
		params = append([]Param{templateID()}, params...)
	}
	return params
}

func templateName(required bool) Param {
	return Param{Name: "TemplateName", Required: required, MaxBytes: maxName, Chars: NameChars, Note: "unique", Fields: []string{"name"}}
}

func description() Param {
	return Param{Name: "Description", MaxBytes: maxDescription, Fields: []string{"description"}}
}

func interval(create bool) Param {
	p := Param{
		Name: "SnapshotInterval", Kind: Integer, Min: seconds(stillcast.MinInterval), Max: seconds(stillcast.MaxInterval),
		Note: "seconds; 10 where it is not given", Fields: []string{"interval"},
	}
	if !create {
		p.Zero = true // the published sample of Modify sends it
		p.Note = "seconds; 0 is 10"
	}
	return p
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func snapshotActions() []Action {
	notFound := map[stillcast.Code]string{stillcast.CodeNotFound: "FailedOperation.NotFound"}
	return []Action{
		{
			Name: "CreateLiveSnapshotTemplate", Params: snapshotTemplateParams(true), Writes: true, Reply: templateIDReply{}, Values: codeInvalidValue,
			Faults: map[stillcast.Code]string{stillcast.CodeLimit: "InternalError.ConfOutLimit", stillcast.CodeConflict: codeInvalidValue},
			run:    createSnapshotTemplate,
		},
		{
			Name: "ModifyLiveSnapshotTemplate", Params: snapshotTemplateParams(false), Writes: true, Reply: empty{}, Values: codeInvalidValue,
			Faults: map[stillcast.Code]string{stillcast.CodeNotFound: "FailedOperation.NotFound", stillcast.CodeConflict: codeInvalidValue},
			Note:   "what is not given stays as it is; intervals from 2 s, as in Create",
			run:    modifySnapshotTemplate,
		},
		{
			Name: "DeleteLiveSnapshotTemplate", Params: []Param{templateID()}, Writes: true, Reply: empty{}, Values: codeInvalidValue,
			Faults: map[stillcast.Code]string{stillcast.CodeNotFound: "InternalError.NotFound", stillcast.CodeConflict: "FailedOperation.ConfInUsed"},
			run:    deleteSnapshotTemplate,
		},
		{
			Name: "DescribeLiveSnapshotTemplate", Params: []Param{templateID()}, Reply: snapshotTemplateReply{}, Values: codeInvalidValue,
			Faults: notFound, run: describeSnapshotTemplate,
		},
		{
			Name: "DescribeLiveSnapshotTemplates", Reply: snapshotTemplatesReply{}, Values: codeInvalidValue,
			run: describeSnapshotTemplates,
		},
		{
			Name: "CreateLiveSnapshotRule", Params: []Param{domainName(), templateID(), appName(false), streamName(false)}, Writes: true, Reply: empty{}, Values: codeInvalidValue,
			Faults: map[stillcast.Code]string{stillcast.CodeConflict: "FailedOperation.RuleAlreadyExist", stillcast.CodeNotFound: "InvalidParameter.ConfNotFound"},
			Note:   "acts on live streams at once; the most specific rule wins",
			run:    createSnapshotRule,
		},
		{
			Name: "DeleteLiveSnapshotRule", Params: []Param{domainName(), appName(false), streamName(false)}, Writes: true, Reply: empty{}, Values: codeInvalidValue,
			Faults: notFound, run: deleteSnapshotRule,
		},
		{Name: "DescribeLiveSnapshotRules", Reply: snapshotRulesReply{}, Values: codeInvalidValue, run: describeSnapshotRules},
	}
}

// setSnapshotTemplate changes what was given.
func (c *call) setSnapshotTemplate(t *stillcast.SnapshotTemplate) error {
	c.setText(&t.Name, "TemplateName")
	c.setText(&t.Description, "Description")
	c.setText(&t.Bucket, "CosBucket")
	c.setText(&t.Region, "CosRegion")
	c.setText(&t.Prefix, "CosPrefix")
	c.setText(&t.FileName, "CosFileName")
	c.setInt(&t.Width, "Width")
	c.setInt(&t.Height, "Height")
	if c.has("CosAppId") {
		t.AppID = c.integer("CosAppId")
	}
	c.setFlag(&t.PornFlag, "PornFlag")
	if c.has("SnapshotInterval") {
		t.Interval = time.Duration(c.integer("SnapshotInterval")) * time.Second
	}
	return c.setOwn(t)
}

func createSnapshotTemplate(ctx context.Context, c *call) (any, error) {
	_, after, err := c.control.EditSnapshotTemplate(ctx, 0, c.setSnapshotTemplate)
	if err != nil {
		return nil, err
	}
	c.audit(nil, after)
	return templateIDReply{after.ID}, nil
}

func modifySnapshotTemplate(ctx context.Context, c *call) (any, error) {
	before, after, err := c.control.EditSnapshotTemplate(ctx, c.integer("TemplateId"), c.setSnapshotTemplate)
	if err != nil {
		return nil, err
	}
	c.audit(before, after)
	return empty{}, nil
}

func deleteSnapshotTemplate(ctx context.Context, c *call) (any, error) {
	before, err := c.control.DeleteSnapshotTemplate(ctx, c.integer("TemplateId"))
	if err != nil {
		return nil, err
	}
	c.audit(before, nil)
	return empty{}, nil
}

func describeSnapshotTemplate(_ context.Context, c *call) (any, error) {
	id := c.integer("TemplateId")
	t, ok := c.control.Resources().SnapshotTemplateByID(id)
	if !ok {
		return nil, stillcast.Errorf(stillcast.CodeNotFound, "TemplateId", "there is no snapshot template %d", id)
	}
	return snapshotTemplateReply{snapshotTemplateInfo(t)}, nil
}

func describeSnapshotTemplates(_ context.Context, c *call) (any, error) {
	reply := snapshotTemplatesReply{Templates: []SnapshotTemplateInfo{}}
	for _, t := range c.control.Resources().SnapshotTemplates() {
		reply.Templates = append(reply.Templates, snapshotTemplateInfo(t))
	}
	return reply, nil
}

func createSnapshotRule(ctx context.Context, c *call) (any, error) {
	rule, err := c.control.AddSnapshotRule(ctx, stillcast.SnapshotRule{
		Domain: c.domainName(), App: c.text("AppName"), Stream: c.text("StreamName"), TemplateID: c.integer("TemplateId"),
	})
	if err != nil {
		return nil, err
	}
	c.audit(nil, rule)
	return empty{}, nil
}

func deleteSnapshotRule(ctx context.Context, c *call) (any, error) {
	rule, err := c.control.DeleteSnapshotRule(ctx, c.domainName(), c.text("AppName"), c.text("StreamName"))
	if err != nil {
		return nil, err
	}
	c.audit(rule, nil)
	return empty{}, nil
}

func describeSnapshotRules(_ context.Context, c *call) (any, error) {
	reply := snapshotRulesReply{Rules: []RuleInfo{}}
	for _, r := range c.control.Resources().SnapshotRules() {
		reply.Rules = append(reply.Rules, RuleInfo{
			CreateTime: c.localTime(r.Created), UpdateTime: c.localTime(r.Updated),
			TemplateID: r.TemplateID, DomainName: r.Domain, AppName: r.App, StreamName: r.Stream,
		})
	}
	return reply, nil
}

// Replies.
type (
	templateIDReply struct {
		TemplateID int64 `json:"TemplateId"`
	}
	snapshotTemplateReply struct {
		Template SnapshotTemplateInfo
	}
	snapshotTemplatesReply struct {
		Templates []SnapshotTemplateInfo
	}
	snapshotRulesReply struct {
		Rules []RuleInfo
	}
)

// SnapshotTemplateInfo is a snapshot template in a reply. What was never given
// is 0 or "": Terraform takes a default that is shown for a change of the user's.
type SnapshotTemplateInfo struct {
	TemplateID       int64 `json:"TemplateId"`
	TemplateName     string
	SnapshotInterval int64
	Width, Height    int
	PornFlag         int
	CosAppID         int64 `json:"CosAppId"`
	CosBucket        string
	CosRegion        string
	Description      string
	CosPrefix        string
	CosFileName      string

	Own
}

func snapshotTemplateInfo(t stillcast.SnapshotTemplate) SnapshotTemplateInfo {
	return SnapshotTemplateInfo{
		TemplateID: t.ID, TemplateName: t.Name, SnapshotInterval: seconds(t.Interval), Width: t.Width, Height: t.Height,
		PornFlag: number(t.PornFlag), CosAppID: t.AppID, CosBucket: t.Bucket, CosRegion: t.Region,
		Description: t.Description, CosPrefix: t.Prefix, CosFileName: t.FileName,
		Own: ownOf(t),
	}
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// RuleInfo is a rule in a reply.
type RuleInfo struct {
	CreateTime, UpdateTime string
	TemplateID             int64 `json:"TemplateId"`
	DomainName             string
	AppName                string
	StreamName             string
}
