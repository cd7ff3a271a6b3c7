package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// wants calls an action that must be refused with a code.
func (r *rig) wants(code, action string, params any) {
	r.t.Helper()
	if a := r.call(action, params); a.Code != code {
		r.t.Errorf("%s %v: %q %s; want %s", action, params, a.Code, a.Message, code)
	}
}

func TestSnapshotTemplates(t *testing.T) {
	r := newRig(t)
	r.must("CreateLiveSnapshotTemplate", with(template, "SnapshotInterval", 10, "Description", "a sentence, with signs.",
		"StillcastRenditions", []string{"640x360", "320x0"}, "StillcastAccuracy", "exact", "StillcastHeartbeat", 60, "StillcastFacts", 1, "StillcastMirror", "second"))
	r.wants(codeInvalidValue, "CreateLiveSnapshotTemplate", template) // the name is taken
	r.must("ModifyLiveSnapshotTemplate", with(template, "TemplateId", 1, "SnapshotInterval", 2, "Width", 640))
	var reply snapshotTemplateReply
	r.must("DescribeLiveSnapshotTemplate", map[string]any{"TemplateId": 1}).into(t, &reply)
	want := SnapshotTemplateInfo{
		TemplateID: 1, TemplateName: "t", SnapshotInterval: 2, Width: 640, CosAppID: 1250000000, CosBucket: "shots", CosRegion: "ap-guangzhou",
		Description: "a sentence, with signs.",
		Own: Own{
			StillcastAccuracy: "exact", StillcastRenditions: []string{"640x360", "320x0"}, StillcastHeartbeat: 60, StillcastFacts: 1, StillcastMirror: "second",
		},
	}
	if diff := cmp.Diff(want, reply.Template); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
	r.must("ModifyLiveSnapshotTemplate", with(template, "TemplateId", 1, "StillcastRenditions", []string{}, "StillcastAccuracy", "", "StillcastMirror", ""))
	if got := r.control.set.SnapshotTemplates[0]; got.Renditions != (stillcast.Renditions{}) || got.Accuracy != "" || got.Mirror != "" || got.Width != 640 {
		t.Errorf("template %+v, want what was emptied empty and the rest as it was", got)
	}
	r.wants("FailedOperation.NotFound", "ModifyLiveSnapshotTemplate", with(template, "TemplateId", 9))
	r.wants("FailedOperation.NotFound", "DescribeLiveSnapshotTemplate", map[string]any{"TemplateId": 9})
	r.wants("InternalError.NotFound", "DeleteLiveSnapshotTemplate", map[string]any{"TemplateId": 9})
	r.must("DeleteLiveSnapshotTemplate", map[string]any{"TemplateId": 1})
	if n := len(r.control.set.SnapshotTemplates); n != 0 {
		t.Errorf("%d templates after the deletion", n)
	}
}

// Stillcast's own errors name the parameter, not the field of the configuration file.
func TestMessagesNameTheParameter(t *testing.T) {
	r := newRig(t)
	for _, test := range []struct {
		more []any
		code string
		says string
	}{
		{[]any{"CosPrefix", "/{Nothing}"}, "InvalidParameter.COSCustomFileNameError", "CosPrefix: "},
		{[]any{"CosFileName", "a b"}, "InvalidParameter.COSCustomFileNameError", "CosFileName: "},
		{[]any{"CosBucket", "UPPER"}, codeInvalidValue, "CosBucket: "},
		{[]any{"StillcastRenditions", []string{"4000x0"}}, codeInvalidValue, "StillcastRenditions[0].width: is 4000"},
		{[]any{"StillcastRenditions", []string{"wide"}}, codeInvalidValue, `StillcastRenditions holds "wide"`},
		{[]any{"StillcastProgressive", 1, "StillcastFormat", "webp"}, codeInvalidValue, "StillcastProgressive: "},
		{[]any{"StillcastHeartbeat", 1}, codeInvalidValue, "StillcastHeartbeat: is 1s"},
	} {
		a := r.call("CreateLiveSnapshotTemplate", with(template, test.more...))
		if a.Code != test.code || !strings.HasPrefix(a.Message, test.says) {
			t.Errorf("%v: %s: %s; want %s and %q", test.more, a.Code, a.Message, test.code, test.says)
		}
	}
	r.must("AddLiveDomain", map[string]any{"DomainName": "d.example.com", "DomainType": 0})
	if a := r.call("ModifyLivePushAuthKey", map[string]any{"DomainName": "d.example.com", "MasterAuthKey": ""}); a.Code != codeInvalidValue || !strings.HasPrefix(a.Message, "MasterAuthKey: ") {
		t.Errorf("an empty key: %s: %s", a.Code, a.Message)
	}
	if a := r.call("CreateLiveCallbackTemplate", map[string]any{"TemplateName": "c", "SnapshotNotifyUrl": "ftp://a/"}); a.Code != "InvalidParameter.UrlNotSafe" || !strings.HasPrefix(a.Message, "SnapshotNotifyUrl: ") {
		t.Errorf("another scheme: %s: %s", a.Code, a.Message)
	}
	if a := r.call("AddLiveDomain", map[string]any{"DomainName": "d_ä", "DomainType": 0}); a.Code != "InvalidParameter.DomainFormatError" || !strings.HasPrefix(a.Message, "DomainName: ") {
		t.Errorf("a wrong domain: %s: %s", a.Code, a.Message)
	}
}

func TestFiftyTemplatesAndAHundredDomains(t *testing.T) {
	r := newRig(t)
	for i := range MaxTemplates {
		r.must("CreateLiveSnapshotTemplate", with(template, "TemplateName", fmt.Sprint("t", i)))
		r.must("CreateLiveCallbackTemplate", map[string]any{"TemplateName": fmt.Sprint("c", i), "SnapshotNotifyUrl": "http://a.example.com/"})
	}
	for i := range MaxDomains {
		r.must("AddLiveDomain", map[string]any{"DomainName": fmt.Sprintf("d%d.example.com", i), "DomainType": 0})
	}
	r.wants("InternalError.ConfOutLimit", "CreateLiveSnapshotTemplate", template)
	r.wants("InternalError.ConfOutLimit", "CreateLiveCallbackTemplate", map[string]any{"TemplateName": "c", "SnapshotNotifyUrl": "http://a.example.com/"})
	r.wants("FailedOperation.HostOutLimit", "AddLiveDomain", map[string]any{"DomainName": "d.example.com", "DomainType": 0})
	var reply domainsReply
	r.must("DescribeLiveDomains", map[string]any{"PageSize": 30, "PageNum": 4, "DomainStatus": 1}).into(t, &reply)
	if reply.AllCount != MaxDomains || len(reply.DomainList) != 10 || reply.CreateLimitCount != 0 {
		t.Errorf("page 4 of 30: %d of %d, %d more allowed; want 10 of 100, 0", len(reply.DomainList), reply.AllCount, reply.CreateLimitCount)
	}
}

func TestSnapshotRules(t *testing.T) {
	r := newRig(t)
	r.must("CreateLiveSnapshotTemplate", template)
	rule := map[string]any{"DomainName": "D.example.com", "TemplateId": 1, "AppName": "live"}
	r.wants("InvalidParameter.ConfNotFound", "CreateLiveSnapshotRule", rule)
	r.must("AddLiveDomain", map[string]any{"DomainName": "d.example.com", "DomainType": 0})
	r.wants("InvalidParameter.ConfNotFound", "CreateLiveSnapshotRule", with(rule, "TemplateId", 2))
	r.must("CreateLiveSnapshotRule", rule)
	r.wants("FailedOperation.RuleAlreadyExist", "CreateLiveSnapshotRule", rule)
	r.wants("FailedOperation.ConfInUsed", "DeleteLiveSnapshotTemplate", map[string]any{"TemplateId": 1})
	r.wants("FailedOperation", "DeleteLiveDomain", map[string]any{"DomainName": "d.example.com", "DomainType": 0})
	r.wants("FailedOperation.NotFound", "DeleteLiveSnapshotRule", map[string]any{"DomainName": "d.example.com"})
	r.must("DeleteLiveSnapshotRule", map[string]any{"DomainName": "d.example.com", "AppName": "live", "StreamName": ""})
	r.must("DeleteLiveSnapshotTemplate", map[string]any{"TemplateId": 1})
}

// TestModifyRules: a rule is changed in one step, once in the audit log, or not at all.
func TestModifyRules(t *testing.T) {
	const modify = "StillcastModifySnapshotRule"
	r := newRig(t)
	r.must("CreateLiveSnapshotTemplate", template)
	r.must("CreateLiveSnapshotTemplate", with(template, "TemplateName", "second"))
	for _, name := range []string{"d.example.com", "e.example.com"} {
		r.must("AddLiveDomain", map[string]any{"DomainName": name, "DomainType": 0})
	}
	rule := map[string]any{"DomainName": "D.example.com", "AppName": "live"}
	r.wants("InvalidParameter.ConfNotFound", modify, rule)
	r.must("CreateLiveSnapshotRule", with(rule, "TemplateId", 1))
	r.must("CreateLiveSnapshotRule", map[string]any{"DomainName": "d.example.com", "TemplateId": 1})
	before := slices.Clone(r.control.set.SnapshotRules)
	for code, refused := range map[string]map[string]any{
		"InvalidParameter.ConfNotFound":    with(rule, "TemplateId", 3),
		"FailedOperation.RuleAlreadyExist": with(rule, newAppName, "", "TemplateId", 2),
		"InvalidParameterValue":            with(rule, newAppName, strings.Repeat("x", maxName+1)),
		"UnknownParameter":                 with(rule, "Other", 1),
		"MissingParameter":                 {"AppName": "live"},
		"InvalidParameter":                 with(rule, "TemplateId", "two"),
	} {
		r.wants(code, modify, refused)
	}
	if diff := cmp.Diff(before, r.control.set.SnapshotRules); diff != "" {
		t.Errorf("a change that was refused changed (-was +is):\n%s", diff)
	}
	logged := len(r.logged())
	r.must(modify, with(rule, "TemplateId", 2, newDomainName, "E.example.com", newAppName, "other", newStreamName, "cam"))
	want := before[0]
	want.Domain, want.App, want.Stream, want.TemplateID = "e.example.com", "other", "cam", 2
	if diff := cmp.Diff([]stillcast.SnapshotRule{want, before[1]}, r.control.set.SnapshotRules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if log := r.logged()[logged:]; strings.Count(log, "audit=true") != 1 && strings.Count(log, `"audit":true`) != 1 {
		t.Errorf("a change is in the audit log as %s, want one line", log)
	}

	r.must("CreateLiveCallbackTemplate", map[string]any{"TemplateName": "a", "SnapshotNotifyUrl": "http://a.example.com/"})
	hooks := map[string]any{"DomainName": "d.example.com", "AppName": "live"}
	r.wants("InvalidParameter.ConfNotFound", "StillcastModifyCallbackRule", hooks)
	r.must("CreateLiveCallbackRule", with(hooks, "TemplateId", r.control.set.CallbackTemplates[0].ID))
	r.wants("UnknownParameter", "StillcastModifyCallbackRule", with(hooks, newStreamName, "x"))
	r.must("StillcastModifyCallbackRule", with(hooks, newAppName, ""))
	if got := r.control.set.CallbackRules; len(got) != 1 || got[0].App != "" {
		t.Errorf("callback rules %+v, want one for all apps", got)
	}
}

func TestOwnFieldsOfCallbackTemplates(t *testing.T) {
	const secret, other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
	r := newRig(t)
	own := map[string]any{
		"StillcastProfile": "standard", "StillcastSigningSecret": secret, "StillcastPreviousSecret": other,
		"StillcastExtras": 1, "StillcastRedactParam": 1, "StillcastRateLimit": 50,
	}
	plain := map[string]any{"TemplateName": "c", "SnapshotNotifyUrl": "http://a.example.com/"}
	all := maps.Clone(own)
	maps.Copy(all, plain)
	r.must("CreateLiveCallbackTemplate", all)
	var reply callbackTemplateReply
	r.must("DescribeLiveCallbackTemplate", map[string]any{"TemplateId": 1}).into(t, &reply)
	want := OwnCallback{
		StillcastProfile: "standard", StillcastSigningSecret: secret, StillcastPreviousSecret: other,
		StillcastExtras: 1, StillcastRedactParam: 1, StillcastRateLimit: 50,
	}
	if diff := cmp.Diff(want, reply.Template.OwnCallback); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
	r.must("ModifyLiveCallbackTemplate", map[string]any{"TemplateId": 1, "StillcastPreviousSecret": "", "StillcastExtras": 0})
	if got := r.control.set.CallbackTemplates[0]; got.PreviousSecret != "" || got.Extras || got.SigningSecret != secret || got.RateLimit != 50 {
		t.Errorf("template %+v after the change", got)
	}
	for name, value := range map[string]any{
		"StillcastProfile": "svix", "StillcastSigningSecret": "whsec_hush", "StillcastExtras": 2, "StillcastRateLimit": -1,
	} {
		r.wants(codeInvalidValue, "CreateLiveCallbackTemplate", with(plain, name, value))
	}
	r.wants(codeInvalidValue, "CreateLiveCallbackTemplate", with(plain, "StillcastPreviousSecret", other))
}

func TestCallbackTemplatesAndRules(t *testing.T) {
	r := newRig(t)
	all := map[string]any{"TemplateName": "c", "Description": "d", "CallbackKey": "k", "RecordExceptionLevels": []string{"error"}}
	for _, p := range callbackTemplateParams(true) {
		if strings.HasSuffix(p.Name, "Url") {
			all[p.Name] = "http://a.example.com/" + p.Name
		}
	}
	r.must("CreateLiveCallbackTemplate", all)
	var reply struct{ Template map[string]any }
	r.must("DescribeLiveCallbackTemplate", map[string]any{"TemplateId": 1}).into(t, &reply)
	want := with(all, "TemplateId", 1.0, "RecordExceptionLevels", []any{"error"})
	delete(want, "RecordStatusNotifyUrl") // the cloud does not show it
	if diff := cmp.Diff(want, reply.Template); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
	r.must("ModifyLiveCallbackTemplate", map[string]any{"TemplateId": 1, "CallbackKey": "", "SnapshotNotifyUrl": "http://b.example.com/"})
	if got := r.control.set.CallbackTemplates[0]; got.Key != "" || got.SnapshotURL != "http://b.example.com/" || got.StreamEndURL == "" {
		t.Errorf("template %+v after the change", got)
	}
	r.wants(codeInvalidValue, "CreateLiveCallbackTemplate", with(all, "RecordExceptionLevels", []string{"fatal"}))
	r.wants(codeMissing, "CreateLiveCallbackTemplate", map[string]any{"TemplateName": "d", "CallbackKey": "k"})
	r.must("CreateLiveCallbackTemplate", map[string]any{"TemplateName": "recorder", "RecordNotifyUrl": "http://a.example.com/"})
	r.wants("FailedOperation.NotFound", "DescribeLiveCallbackTemplate", map[string]any{"TemplateId": 9})
	r.wants("FailedOperation.NotFound", "ModifyLiveCallbackTemplate", map[string]any{"TemplateId": 9})
	rule := map[string]any{"DomainName": "d.example.com", "AppName": "", "TemplateId": 1}
	r.wants("InvalidParameter.ConfNotFound", "CreateLiveCallbackRule", rule)
	r.must("AddLiveDomain", map[string]any{"DomainName": "d.example.com", "DomainType": 0})
	r.must("CreateLiveCallbackRule", rule)
	r.wants(codeInvalidValue, "CreateLiveCallbackRule", rule)
	var rules callbackRulesReply
	r.must("DescribeLiveCallbackRules", nil).into(t, &rules)
	wantRules := []CallBackRuleInfo{{CreateTime: "2021-06-02 10:12:05", UpdateTime: "2021-06-02 10:12:05", TemplateID: 1, DomainName: "d.example.com"}}
	if diff := cmp.Diff(wantRules, rules.Rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	r.wants("FailedOperation.ConfInUsed", "DeleteLiveCallbackTemplate", map[string]any{"TemplateId": 1})
	r.wants("FailedOperation.NotFound", "DeleteLiveCallbackRule", map[string]any{"DomainName": "d.example.com", "AppName": "live"})
	r.must("DeleteLiveCallbackRule", map[string]any{"DomainName": "d.example.com", "AppName": ""})
	r.must("DeleteLiveCallbackTemplate", map[string]any{"TemplateId": 1})
}

func TestDomains(t *testing.T) {
	r := newRig(t)
	name := map[string]any{"DomainName": "d.example.com"}
	typed := with(name, "DomainType", 0)
	r.wants("InternalError.DomainNotExist", "DescribeLiveDomain", name)
	r.wants("InternalError.PushDomainNoRecord", "DescribeLivePushAuthKey", name)
	r.wants("ResourceNotFound", "EnableLiveDomain", name)
	r.wants("ResourceNotFound", "ForbidLiveDomain", name)
	r.wants("FailedOperation.NotFound", "DeleteLiveDomain", typed)
	r.wants(codeUnsupported, "AddLiveDomain", with(name, "DomainType", 1))
	r.must("AddLiveDomain", with(typed, "PlayType", 2, "IsDelayLive", 1, "IsMiniProgramLive", 1))
	r.wants("FailedOperation.DomainAdded", "AddLiveDomain", typed)
	var domain domainReply
	r.must("DescribeLiveDomain", name).into(t, &domain)
	want := DomainInfo{
		Name: "d.example.com", Status: 1, CreateTime: "2021-06-02 10:12:05", BCName: 1, TargetDomain: "d.example.com", PlayType: 2,
		IsDelayLive: 1, CurrentCName: "d.example.com", IsMiniProgramLive: 1,
	}
	if diff := cmp.Diff(want, domain.DomainInfo); diff != "" {
		t.Errorf("domain (-want +got):\n%s", diff)
	}
	var key pushKeyReply
	r.must("DescribeLivePushAuthKey", name).into(t, &key)
	if key.PushAuthKeyInfo.Enable != 1 || len(key.PushAuthKeyInfo.MasterAuthKey) != 32 {
		t.Errorf("key %+v of a new domain, want 32 letters and digits, in force", key)
	}
	r.must("ModifyLivePushAuthKey", with(name, "MasterAuthKey", "master", "BackupAuthKey", "backup", "AuthDelta", 60))
	r.must("ModifyLivePushAuthKey", with(name, "Enable", 0))
	r.must("DescribeLivePushAuthKey", name).into(t, &key)
	if want := (PushAuthKeyInfo{DomainName: "d.example.com", MasterAuthKey: "master", BackupAuthKey: "backup", AuthDelta: 60}); key.PushAuthKeyInfo != want {
		t.Errorf("key %+v, want %+v", key.PushAuthKeyInfo, want)
	}
	var owner ownerReply
	r.must("AuthenticateDomainOwner", with(name, "VerifyType", "dnsCheck")).into(t, &owner)
	if owner != (ownerReply{MainDomain: "d.example.com"}) {
		t.Errorf("owner %+v", owner)
	}
	other := aPush("e.example.com", "live", "s")
	r.control.live = []stillcast.Push{aPush("d.example.com", "live", "a"), aPush("d.example.com", "live", "b"), other}
	r.must("ForbidLiveDomain", name)
	if !r.control.set.Domains[0].Disabled || !slices.Equal(r.control.live, []stillcast.Push{other}) {
		t.Errorf("domain %+v, live %v after ForbidLiveDomain", r.control.set.Domains[0], r.control.live)
	}
	r.must("EnableLiveDomain", name)
	if r.control.set.Domains[0].Disabled {
		t.Error("the domain is disabled after EnableLiveDomain")
	}
	r.control.live = []stillcast.Push{aPush("d.example.com", "live", "a"), other}
	r.must("DeleteLiveDomain", typed)
	if len(r.control.set.Domains) != 0 || len(r.control.live) != 1 {
		t.Errorf("domains %v, live %v after DeleteLiveDomain", r.control.set.Domains, r.control.live)
	}
}

func TestStreams(t *testing.T) {
	r := newRig(t)
	for _, name := range []string{"c", "a", "b"} {
		r.control.live = append(r.control.live, aPush("D.example.com", "live", name))
	}
	var online onlineReply
	r.must("DescribeLiveStreamOnlineList", map[string]any{"DomainName": "d.example.com"}).into(t, &online)
	if online.TotalNum != 3 || len(online.OnlineInfo) != 3 || online.OnlineInfo[0].StreamName != "a" ||
		online.OnlineInfo[0].PublishTimeList[0].PublishTime != "2023-11-14T22:13:20Z" {
		t.Errorf("live streams %+v", online)
	}
	r.must("DescribeLiveStreamOnlineList", map[string]any{"StreamName": "b"}).into(t, &online)
	if online.TotalNum != 1 {
		t.Errorf("%d streams are named b, want 1", online.TotalNum)
	}
	a := map[string]any{"DomainName": "d.example.com", "AppName": "live", "StreamName": "a"}
	state := func(want string) {
		t.Helper()
		if got := r.must("DescribeLiveStreamState", a).Fields["StreamState"]; string(got) != `"`+want+`"` {
			t.Errorf("state %s, want %s", got, want)
		}
	}
	state("active")
	r.must("DropLiveStream", a)
	r.must("DropLiveStream", a) // one that is not live
	state("inactive")
	if len(r.control.ends) != 1 || r.control.ends[0].Code != stillcast.EndControl {
		t.Errorf("ends %+v, want one by the API", r.control.ends)
	}
	r.must("ForbidLiveStream", with(a, "Reason", "because"))
	state("forbid")
	ban := r.control.bans[0]
	if off := time.Until(ban.Until) - defaultBan; off.Abs() > time.Minute || ban.Reason != "because" {
		t.Errorf("ban %+v, want 7 days", ban)
	}
	r.must("ResumeLiveStream", a)
	state("inactive")
	until := time.Now().Add(24 * time.Hour).Truncate(time.Second)
	r.must("ForbidLiveStream", with(a, "ResumeTime", until.UTC().Format(utcNotation)))
	if got := r.control.bans[0].Until; !got.Equal(until) {
		t.Errorf("banned until %s, want %s", got, until)
	}
	for _, when := range []time.Time{time.Now().Add(-time.Hour), time.Now().Add(91 * 24 * time.Hour)} {
		r.wants(codeInvalidValue, "ForbidLiveStream", with(a, "ResumeTime", when.UTC().Format(utcNotation)))
	}
	r.wants(codeInvalidValue, "ForbidLiveStream", with(a, "ResumeTime", "tomorrow"))
}

func TestListsOfPushes(t *testing.T) {
	r := newRig(t)
	ended := state.PushRecord{Push: aPush("d.example.com", "live", "s")}
	ended.End = stillcast.PushEnd{At: ended.Started.Add(time.Minute), Code: stillcast.EndClient, Message: "client", Width: 640, Height: 360}
	r.control.pushes = []state.PushRecord{ended}
	start, end := time.Now().Add(-24*time.Hour), time.Now()
	window := map[string]any{"StartTime": start.UTC().Format(utcNotation), "EndTime": end.UTC().Format(utcNotation), "DomainName": "d.example.com"}
	want := []StreamName{{
		StreamName: "s", AppName: "live", DomainName: "d.example.com", StreamStartTime: "2023-11-14T22:13:20Z", StreamEndTime: "2023-11-14T22:14:20Z",
		StopReason: "client", Duration: 60, ClientIP: "192.0.2.7", Resolution: "640*360",
	}}
	var published publishedReply
	r.must("DescribeLiveStreamPublishedList", with(window, "PageNum", 3, "PageSize", 20)).into(t, &published)
	if diff := cmp.Diff(want, published.PublishInfo); diff != "" {
		t.Errorf("pushes (-want +got):\n%s", diff)
	}
	var events eventListReply
	r.must("DescribeLiveStreamEventList", with(window, "IsFilter", 1, "IsStrict", 1, "IsAsc", 1, "StreamName", "s")).into(t, &events)
	if diff := cmp.Diff(want, events.EventList); diff != "" {
		t.Errorf("pushes (-want +got):\n%s", diff)
	}
	from, to := start.Truncate(time.Second).UTC(), end.Truncate(time.Second).UTC()
	filters := []any{
		state.PushFilter{Domain: "d.example.com", Start: from, End: to, Failed: true, Offset: 40, Limit: 20},
		state.PushFilter{Domain: "d.example.com", Name: "s", Strict: true, Start: from, End: to, Ascending: true, Limit: 10},
	}
	if diff := cmp.Diff(filters, r.control.asked); diff != "" {
		t.Errorf("filters (-want +got):\n%s", diff)
	}
	r.wants(codeInvalidValue, "DescribeLiveStreamEventList", with(window, "StartTime", end.Add(-32*24*time.Hour).UTC().Format(utcNotation)))
	r.wants(codeInvalidValue, "DescribeLiveStreamEventList", with(window, "StartTime", window["EndTime"]))
}

func TestTasks(t *testing.T) {
	r := newRig(t)
	now := time.Now().Unix()
	task := map[string]any{"DomainName": "d.example.com", "AppName": "live", "StreamName": "s", "TemplateId": 77, "EndTime": now + 600}
	a := r.must("CreateScreenshotTask", task)
	r.must("CreateScreenshotTask", with(task, "StartTime", now+10))
	r.must("CreateScreenshotTask", task)
	r.wants("LimitExceeded.MaximumRunningTask", "CreateScreenshotTask", task)
	for _, times := range [][2]int64{{0, now - 1}, {now + 100, now + 50}, {now, now + 8*24*3600}, {now + 10, now + 24*3600 + 60}} {
		r.wants(codeInvalid, "CreateScreenshotTask", with(task, "StartTime", times[0], "EndTime", times[1]))
	}
	var id string
	if err := json.Unmarshal(a.Fields["TaskId"], &id); err != nil {
		t.Fatal(err)
	}
	r.must("StopScreenshotTask", map[string]any{"TaskId": id})
	var reply taskListReply
	r.must("DescribeScreenshotTask", map[string]any{"StartTime": now - 3600, "EndTime": now + 3600}).into(t, &reply)
	first := reply.TaskList[0]
	if len(reply.TaskList) != 3 || reply.ScrollToken != "" || first.TaskID != id || first.EndTime != now+600 || first.Stopped < now || first.TemplateID != 77 {
		t.Errorf("tasks %+v", reply)
	}
	r.must("DeleteScreenshotTask", map[string]any{"TaskId": id})
	r.wants(codeInvalid, "DeleteScreenshotTask", map[string]any{"TaskId": id})
	r.wants(codeInvalid, "StopScreenshotTask", map[string]any{"TaskId": id})
	r.wants(codeInvalid, "DescribeScreenshotTask", map[string]any{"StartTime": now - 8*24*3600, "EndTime": now})
}

func TestNumbersOfShots(t *testing.T) {
	r := newRig(t)
	var reply sheetNumReply
	now := time.Now().In(r.control.Location())
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	r.must("DescribeScreenShotSheetNumList", map[string]any{
		"StartTime": day.Add(-45 * time.Hour).Format(localNotation), "EndTime": day.Format(localNotation),
	}).into(t, &reply)
	if len(reply.DataInfoList) != 2 || reply.DataInfoList[0].Time != utcTime(day.Add(-48*time.Hour)) {
		t.Errorf("%+v, want two days from the midnight of the first", reply)
	}
	r.must("DescribeScreenShotSheetNumList", map[string]any{
		"StartTime": day.Add(-time.Hour).Format(localNotation), "EndTime": day.Format(localNotation), "Granularity": "Minute",
	}).into(t, &reply)
	if len(reply.DataInfoList) != 12 {
		t.Errorf("%d rows of an hour, want 12", len(reply.DataInfoList))
	}
}

func TestEachChangeIsAudited(t *testing.T) {
	r := newRig(t)
	r.must("AddLiveDomain", map[string]any{"DomainName": "d.example.com", "DomainType": 0})
	r.must("ModifyLivePushAuthKey", map[string]any{"DomainName": "d.example.com", "MasterAuthKey": "hushhush"})
	r.must("CreateLiveCallbackTemplate", map[string]any{"TemplateName": "c", "SnapshotNotifyUrl": "http://a.example.com/", "CallbackKey": "hushhush"})
	r.must("DescribeLiveDomains", nil)
	var lines []map[string]any
	for line := range strings.Lines(r.logged()) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if audit, _ := l["audit"].(bool); audit {
			lines = append(lines, l)
		}
	}
	if len(lines) != 3 || strings.Contains(r.logged(), "hushhush") {
		t.Fatalf("log %s; want three lines without keys", r.logged())
	}
	l := lines[1]
	before, _ := l["before"].(map[string]any)
	if l["secret_id"] != testID || l["action"] != "ModifyLivePushAuthKey" || before["Name"] != "d.example.com" || l["after"] == nil {
		t.Errorf("line %v", l)
	}
}
