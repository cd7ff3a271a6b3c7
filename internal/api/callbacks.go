package api

import (
	"context"
	"strings"

	"github.com/stillcast/stillcast"
)

const groupCallback = "Callback templates and rules"

const maxURL = 2048 // bytes

func callbackTemplateParams(create bool) []Param {
	url := func(name, note string, fields ...string) Param {
		return Param{Name: name, MaxBytes: maxURL, Code: "InvalidParameter.UrlNotSafe", Note: note, Fields: fields}
	}
	const kept = "kept and shown; Stillcast has no such events"
	params := []Param{
		templateName(create),
		description(),
		url("StreamBeginNotifyUrl", "event 1", "stream_begin_url"),
		url("StreamEndNotifyUrl", "event 0", "stream_end_url"),
		url("RecordNotifyUrl", kept, "record_url"),
		url("RecordStatusNotifyUrl", kept+", but in no reply: the cloud has no such field", "record_status_url"),
		url("SnapshotNotifyUrl", "event 200", "snapshot_url"),
		url("PornCensorshipNotifyUrl", kept, "censorship_url"),
		{Name: "CallbackKey", MaxBytes: maxDescription, Note: "signs the events", Fields: []string{"key"}},
		url("PushExceptionNotifyUrl", "event 321", "push_exception_url"),
		url("AudioAuditNotifyUrl", kept, "audio_audit_url"),
		url("RecordExceptionNotifyUrl", kept, "record_exception_url"),
		{
			Name: "RecordExceptionLevels", Kind: Texts, MaxItems: 3, Allowed: []string{"error", "warning", "info"}, Note: kept,
			Fields: []string{"record_exception_levels"},
		},
	}
	if create {
		params = append(params, url("StreamMixNotifyUrl", kept, "stream_mix_url"))
	} else {
		params = append([]Param{templateID()}, params...)
	}
	return append(params, ownCallbackParams()...)
}

func callbackApp() Param {
	p := appName(true)
	p.MayBeEmpty = true
	return p
}

func callbackActions() []Action {
	notFound := map[stillcast.Code]string{stillcast.CodeNotFound: "FailedOperation.NotFound"}
	return []Action{
		{
			Name: "CreateLiveCallbackTemplate", Params: callbackTemplateParams(true), Writes: true, Reply: templateIDReply{}, Values: codeInvalidValue,
			Faults: map[stillcast.Code]string{stillcast.CodeLimit: "InternalError.ConfOutLimit", stillcast.CodeConflict: codeInvalidValue},
			run:    createCallbackTemplate,
		},
		{
			Name: "ModifyLiveCallbackTemplate", Params: callbackTemplateParams(false), Writes: true, Reply: empty{}, Values: codeInvalidValue,
			Faults: map[stillcast.Code]string{stillcast.CodeNotFound: "FailedOperation.NotFound", stillcast.CodeConflict: codeInvalidValue},
			Note:   "what is not given stays as it is",
			run:    modifyCallbackTemplate,
		},
		{
			Name: "DeleteLiveCallbackTemplate", Params: []Param{templateID()}, Writes: true, Reply: empty{}, Values: codeInvalidValue,
			Faults: map[stillcast.Code]string{stillcast.CodeNotFound: "FailedOperation.NotFound", stillcast.CodeConflict: "FailedOperation.ConfInUsed"},
			run:    deleteCallbackTemplate,
		},
		{
			Name: "DescribeLiveCallbackTemplate", Params: []Param{templateID()}, Reply: callbackTemplateReply{}, Values: codeInvalidValue,
			Faults: notFound, run: describeCallbackTemplate,
		},
		{Name: "DescribeLiveCallbackTemplates", Reply: callbackTemplatesReply{}, Values: codeInvalidValue, run: describeCallbackTemplates},
		{
			Name: "CreateLiveCallbackRule", Params: []Param{domainName(), callbackApp(), templateID()}, Writes: true, Reply: empty{}, Values: codeInvalidValue,
			Faults: map[stillcast.Code]string{stillcast.CodeNotFound: "InvalidParameter.ConfNotFound", stillcast.CodeConflict: codeInvalidValue},
			run:    createCallbackRule,
		},
		{
			Name: "DeleteLiveCallbackRule", Params: []Param{domainName(), callbackApp()}, Writes: true, Reply: empty{}, Values: codeInvalidValue,
			Faults: notFound, run: deleteCallbackRule,
		},
		{Name: "DescribeLiveCallbackRules", Reply: callbackRulesReply{}, Values: codeInvalidValue, run: describeCallbackRules},
	}
}

func (c *call) setCallbackTemplate(t *stillcast.CallbackTemplate) error {
	c.setText(&t.Name, "TemplateName")
	c.setText(&t.Description, "Description")
	given := false
	for name, field := range map[string]*string{
		"StreamBeginNotifyUrl": &t.StreamBeginURL, "StreamEndNotifyUrl": &t.StreamEndURL, "SnapshotNotifyUrl": &t.SnapshotURL,
		"RecordNotifyUrl": &t.Kept.RecordURL, "RecordStatusNotifyUrl": &t.Kept.RecordStatusURL,
		"PornCensorshipNotifyUrl": &t.Kept.CensorshipURL, "PushExceptionNotifyUrl": &t.PushExceptionURL,
		"AudioAuditNotifyUrl": &t.Kept.AudioAuditURL, "RecordExceptionNotifyUrl": &t.Kept.RecordExceptionURL,
		"StreamMixNotifyUrl": &t.Kept.StreamMixURL,
	} {
		c.setText(field, name)
		given = given || *field != ""
	}
	if !given {
		return faultf(codeMissing, "the template has no URL; at least one of SnapshotNotifyUrl, StreamBeginNotifyUrl, StreamEndNotifyUrl and the others is required").
			at("SnapshotNotifyUrl")
	}
	c.setOwnCallback(t)
	if c.has("CallbackKey") {
		t.Key = stillcast.Secret(c.text("CallbackKey"))
	}
	if c.has("RecordExceptionLevels") {
		t.Kept.RecordExceptionLevels = strings.Join(c.texts("RecordExceptionLevels"), ",")
	}
	return nil
}

func createCallbackTemplate(ctx context.Context, c *call) (any, error) {
	_, after, err := c.control.EditCallbackTemplate(ctx, 0, c.setCallbackTemplate)
	if err != nil {
		return nil, err
	}
	c.audit(nil, after)
	return templateIDReply{after.ID}, nil
}

func modifyCallbackTemplate(ctx context.Context, c *call) (any, error) {
	before, after, err := c.control.EditCallbackTemplate(ctx, c.integer("TemplateId"), c.setCallbackTemplate)
	if err != nil {
		return nil, err
	}
	c.audit(before, after)
	return empty{}, nil
}

func deleteCallbackTemplate(ctx context.Context, c *call) (any, error) {
	before, err := c.control.DeleteCallbackTemplate(ctx, c.integer("TemplateId"))
	if err != nil {
		return nil, err
	}
	c.audit(before, nil)
	return empty{}, nil
}

func describeCallbackTemplate(_ context.Context, c *call) (any, error) {
	id := c.integer("TemplateId")
	t, ok := c.control.Resources().CallbackTemplateByID(id)
	if !ok {
		return nil, stillcast.Errorf(stillcast.CodeNotFound, "TemplateId", "there is no callback template %d", id)
	}
	return callbackTemplateReply{callbackTemplateInfo(t)}, nil
}

func describeCallbackTemplates(_ context.Context, c *call) (any, error) {
	reply := callbackTemplatesReply{Templates: []CallBackTemplateInfo{}}
	for _, t := range c.control.Resources().CallbackTemplates() {
		reply.Templates = append(reply.Templates, callbackTemplateInfo(t))
	}
	return reply, nil
}

func createCallbackRule(ctx context.Context, c *call) (any, error) {
	rule, err := c.control.AddCallbackRule(ctx, stillcast.CallbackRule{
		Domain: c.domainName(), App: c.text("AppName"), TemplateID: c.integer("TemplateId"),
	})
	if err != nil {
		return nil, err
	}
	c.audit(nil, rule)
	return empty{}, nil
}

func deleteCallbackRule(ctx context.Context, c *call) (any, error) {
	rule, err := c.control.DeleteCallbackRule(ctx, c.domainName(), c.text("AppName"))
	if err != nil {
		return nil, err
	}
	c.audit(rule, nil)
	return empty{}, nil
}

func describeCallbackRules(_ context.Context, c *call) (any, error) {
	reply := callbackRulesReply{Rules: []CallBackRuleInfo{}}
	for _, r := range c.control.Resources().CallbackRules() {
		reply.Rules = append(reply.Rules, CallBackRuleInfo{
			CreateTime: c.localTime(r.Created), UpdateTime: c.localTime(r.Updated),
			TemplateID: r.TemplateID, DomainName: r.Domain, AppName: r.App,
		})
	}
	return reply, nil
}

// Replies.
type (
	callbackTemplateReply struct {
		Template CallBackTemplateInfo
	}
	callbackTemplatesReply struct {
		Templates []CallBackTemplateInfo
	}
	callbackRulesReply struct {
		Rules []CallBackRuleInfo
	}
)

// CallBackTemplateInfo is a callback template in a reply.
type CallBackTemplateInfo struct {
	TemplateID               int64 `json:"TemplateId"`
	TemplateName             string
	Description              string
	StreamBeginNotifyURL     string `json:"StreamBeginNotifyUrl"`
	StreamMixNotifyURL       string `json:"StreamMixNotifyUrl"`
	StreamEndNotifyURL       string `json:"StreamEndNotifyUrl"`
	RecordNotifyURL          string `json:"RecordNotifyUrl"`
	SnapshotNotifyURL        string `json:"SnapshotNotifyUrl"`
	PornCensorshipNotifyURL  string `json:"PornCensorshipNotifyUrl"`
	CallbackKey              string
	PushExceptionNotifyURL   string   `json:"PushExceptionNotifyUrl"`
	AudioAuditNotifyURL      string   `json:"AudioAuditNotifyUrl"`
	RecordExceptionNotifyURL string   `json:"RecordExceptionNotifyUrl"`
	RecordExceptionLevels    []string `json:",omitempty"`

	OwnCallback
}

func callbackTemplateInfo(t stillcast.CallbackTemplate) CallBackTemplateInfo {
	info := CallBackTemplateInfo{
		TemplateID: t.ID, TemplateName: t.Name, Description: t.Description,
		StreamBeginNotifyURL: t.StreamBeginURL, StreamEndNotifyURL: t.StreamEndURL, SnapshotNotifyURL: t.SnapshotURL,
		StreamMixNotifyURL: t.Kept.StreamMixURL, RecordNotifyURL: t.Kept.RecordURL,
		PornCensorshipNotifyURL: t.Kept.CensorshipURL, CallbackKey: t.Key.Reveal(),
		PushExceptionNotifyURL: t.PushExceptionURL, AudioAuditNotifyURL: t.Kept.AudioAuditURL,
		RecordExceptionNotifyURL: t.Kept.RecordExceptionURL,
		OwnCallback:              ownCallbackOf(t),
	}
	if t.Kept.RecordExceptionLevels != "" {
		info.RecordExceptionLevels = strings.Split(t.Kept.RecordExceptionLevels, ",")
	}
	return info
}

// CallBackRuleInfo is a callback rule in a reply.
type CallBackRuleInfo struct {
	CreateTime, UpdateTime string
	TemplateID             int64 `json:"TemplateId"`
	DomainName             string
	AppName                string
}
