// Package sdktest drives a server with the official clients of Tencent Cloud, as
// their users do: with nothing but the endpoint and the credentials changed.
package sdktest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	live "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/live/v20180801"
)

// Server is a server under test.
type Server struct {
	Host string // HOST:PORT
	ID   string
	Key  string
}

// Go drives a server with the client for Go: each resource is created, described,
// modified and deleted, in each way in which the client can sign.
func Go(t *testing.T, s Server) {
	t.Helper()
	for _, mode := range []struct {
		method, signature string
		unsigned          bool
	}{
		{"POST", "TC3-HMAC-SHA256", false},
		{"POST", "TC3-HMAC-SHA256", true},
		{"GET", "TC3-HMAC-SHA256", false},
		{"POST", "HmacSHA1", false},
		{"GET", "HmacSHA1", false},
		{"POST", "HmacSHA256", false},
		{"GET", "HmacSHA256", false},
	} {
		t.Run(fmt.Sprintf("%s %s unsigned=%t", mode.method, mode.signature, mode.unsigned), func(t *testing.T) {
			p := profile.NewClientProfile()
			p.HttpProfile.Endpoint, p.HttpProfile.Scheme, p.HttpProfile.ReqMethod = s.Host, "HTTP", mode.method
			p.SignMethod, p.UnsignedPayload = mode.signature, mode.unsigned
			client, err := live.NewClient(common.NewCredential(s.ID, s.Key), "", p)
			if err != nil {
				t.Fatal(err)
			}
			g := goClient{t, client}
			g.domains()
			g.snapshots()
			g.callbacks()
			g.tasks()
			g.streams()
			g.wrongInput()
			g.cleanUp()
		})
	}
}

// Names that the tests use; each run deletes what it made.
const (
	domainName = "sdk.example.com"
	bucket     = "shots"
	appID      = 1250000000
	region     = "ap-guangzhou"
)

type goClient struct {
	t *testing.T
	*live.Client
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// must returns the answer to a call that must succeed.
func must[T any](g goClient, reply T, err error) T {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
	return reply
}

// refused demands a typed error with a code.
func (g goClient) refused(code string, err error) {
	g.t.Helper()
	e, ok := errors.AsType[*sdkerrors.TencentCloudSDKError](err)
	if !ok || e.GetCode() != code || e.GetMessage() == "" || e.GetRequestId() == "" {
		g.t.Errorf("error %v, want the code %s with message and request id", err, code)
	}
}

func (g goClient) domains() {
	t := g.t
	add := live.NewAddLiveDomainRequest()
	add.DomainName, add.DomainType = new(domainName), new(uint64)
	_, err := g.AddLiveDomain(add)
	must(g, add, err)
	_, err = g.AddLiveDomain(add)
	g.refused(live.FAILEDOPERATION_DOMAINADDED, err)

	key := live.NewModifyLivePushAuthKeyRequest()
	delta := uint64(60)
	key.DomainName, key.Enable, key.MasterAuthKey, key.BackupAuthKey, key.AuthDelta = new(domainName), new(int64(1)), new("master"), new("backup"), &delta
	_, err = g.ModifyLivePushAuthKey(key)
	must(g, key, err)
	describeKey := live.NewDescribeLivePushAuthKeyRequest()
	describeKey.DomainName = new(domainName)
	gotKey, err := g.DescribeLivePushAuthKey(describeKey)
	info := must(g, gotKey, err).Response.PushAuthKeyInfo
	if deref(info.MasterAuthKey) != "master" || deref(info.BackupAuthKey) != "backup" || deref(info.AuthDelta) != 60 || deref(info.Enable) != 1 {
		t.Errorf("push key %+v", info)
	}

	forbid := live.NewForbidLiveDomainRequest()
	forbid.DomainName = new(domainName)
	_, err = g.ForbidLiveDomain(forbid)
	must(g, forbid, err)
	describe := live.NewDescribeLiveDomainRequest()
	describe.DomainName = new(domainName)
	got, err := g.DescribeLiveDomain(describe)
	if d := must(g, got, err).Response.DomainInfo; deref(d.Name) != domainName || deref(d.Status) != 0 || deref(d.CreateTime) == "" {
		t.Errorf("forbidden domain %+v", d)
	}
	enable := live.NewEnableLiveDomainRequest()
	enable.DomainName = new(domainName)
	_, err = g.EnableLiveDomain(enable)
	must(g, enable, err)
	list, err := g.DescribeLiveDomains(live.NewDescribeLiveDomainsRequest())
	found := false
	for _, d := range must(g, list, err).Response.DomainList {
		found = found || deref(d.Name) == domainName && deref(d.Status) == 1
	}
	if !found {
		t.Errorf("the domain is not in the list, enabled: %s", list.ToJsonString())
	}
	owner := live.NewAuthenticateDomainOwnerRequest()
	owner.DomainName, owner.VerifyType = new(domainName), new("dbCheck")
	owned, err := g.AuthenticateDomainOwner(owner)
	if must(g, owned, err); deref(owned.Response.Status) < 0 {
		t.Errorf("owner %s", owned.ToJsonString())
	}
}

func (g goClient) snapshots() {
	t := g.t
	create := live.NewCreateLiveSnapshotTemplateRequest()
	create.TemplateName, create.CosAppId, create.CosBucket, create.CosRegion = new("sdk"), new(int64(appID)), new(bucket), new(region)
	create.SnapshotInterval, create.Width, create.Description = new(int64(5)), new(int64(640)), new("测试")
	made, err := g.CreateLiveSnapshotTemplate(create)
	id := must(g, made, err).Response.TemplateId
	modify := live.NewModifyLiveSnapshotTemplateRequest()
	modify.TemplateId, modify.CosAppId, modify.CosBucket, modify.CosRegion = id, new(int64(appID)), new(bucket), new(region)
	modify.SnapshotInterval = new(int64(4))
	_, err = g.ModifyLiveSnapshotTemplate(modify)
	must(g, modify, err)
	describe := live.NewDescribeLiveSnapshotTemplateRequest()
	describe.TemplateId = id
	got, err := g.DescribeLiveSnapshotTemplate(describe)
	info := must(g, got, err).Response.Template
	if deref(info.SnapshotInterval) != 4 || deref(info.Width) != 640 || deref(info.Description) != "测试" || deref(info.CosPrefix) != "" || deref(info.TemplateId) != deref(id) {
		t.Errorf("template %s", got.ToJsonString())
	}
	all, err := g.DescribeLiveSnapshotTemplates(live.NewDescribeLiveSnapshotTemplatesRequest())
	if len(must(g, all, err).Response.Templates) == 0 {
		t.Error("no template is listed")
	}

	rule := live.NewCreateLiveSnapshotRuleRequest()
	rule.DomainName, rule.TemplateId, rule.AppName = new(domainName), id, new("live")
	_, err = g.CreateLiveSnapshotRule(rule)
	must(g, rule, err)
	_, err = g.CreateLiveSnapshotRule(rule)
	g.refused(live.FAILEDOPERATION_RULEALREADYEXIST, err)
	rules, err := g.DescribeLiveSnapshotRules(live.NewDescribeLiveSnapshotRulesRequest())
	found := false
	for _, r := range must(g, rules, err).Response.Rules {
		found = found || deref(r.DomainName) == domainName && deref(r.AppName) == "live" && deref(r.StreamName) == "" &&
			deref(r.TemplateId) == deref(id) && deref(r.CreateTime) != ""
	}
	if !found {
		t.Errorf("the rule is not in the list: %s", rules.ToJsonString())
	}
	remove := live.NewDeleteLiveSnapshotTemplateRequest()
	remove.TemplateId = id
	_, err = g.DeleteLiveSnapshotTemplate(remove)
	g.refused(live.FAILEDOPERATION_CONFINUSED, err)
	removeRule := live.NewDeleteLiveSnapshotRuleRequest()
	removeRule.DomainName, removeRule.AppName, removeRule.StreamName = new(domainName), new("live"), new("")
	_, err = g.DeleteLiveSnapshotRule(removeRule)
	must(g, removeRule, err)
	_, err = g.DeleteLiveSnapshotTemplate(remove)
	must(g, remove, err)
	_, err = g.DescribeLiveSnapshotTemplate(describe)
	g.refused(live.FAILEDOPERATION_NOTFOUND, err)
}

func (g goClient) callbacks() {
	t := g.t
	create := live.NewCreateLiveCallbackTemplateRequest()
	create.TemplateName, create.SnapshotNotifyUrl, create.CallbackKey = new("sdk"), new("https://a.example.com/?a=b&c=<d>"), new("key")
	create.RecordExceptionLevels = common.StringPtrs([]string{"error", "info"})
	made, err := g.CreateLiveCallbackTemplate(create)
	id := must(g, made, err).Response.TemplateId
	modify := live.NewModifyLiveCallbackTemplateRequest()
	modify.TemplateId, modify.StreamBeginNotifyUrl = id, new("https://b.example.com/")
	_, err = g.ModifyLiveCallbackTemplate(modify)
	must(g, modify, err)
	describe := live.NewDescribeLiveCallbackTemplateRequest()
	describe.TemplateId = id
	got, err := g.DescribeLiveCallbackTemplate(describe)
	info := must(g, got, err).Response.Template
	if deref(info.SnapshotNotifyUrl) != "https://a.example.com/?a=b&c=<d>" || deref(info.StreamBeginNotifyUrl) != "https://b.example.com/" ||
		deref(info.CallbackKey) != "key" || len(info.RecordExceptionLevels) != 2 {
		t.Errorf("template %s", got.ToJsonString())
	}
	all, err := g.DescribeLiveCallbackTemplates(live.NewDescribeLiveCallbackTemplatesRequest())
	if len(must(g, all, err).Response.Templates) == 0 {
		t.Error("no template is listed")
	}

	rule := live.NewCreateLiveCallbackRuleRequest()
	rule.DomainName, rule.AppName, rule.TemplateId = new(domainName), new(""), id
	_, err = g.CreateLiveCallbackRule(rule)
	must(g, rule, err)
	rules, err := g.DescribeLiveCallbackRules(live.NewDescribeLiveCallbackRulesRequest())
	found := false
	for _, r := range must(g, rules, err).Response.Rules {
		found = found || deref(r.DomainName) == domainName && deref(r.AppName) == "" && deref(r.TemplateId) == deref(id)
	}
	if !found {
		t.Errorf("the rule is not in the list: %s", rules.ToJsonString())
	}
	remove := live.NewDeleteLiveCallbackTemplateRequest()
	remove.TemplateId = id
	_, err = g.DeleteLiveCallbackTemplate(remove)
	g.refused(live.FAILEDOPERATION_CONFINUSED, err)
	removeRule := live.NewDeleteLiveCallbackRuleRequest()
	removeRule.DomainName, removeRule.AppName = new(domainName), new("")
	_, err = g.DeleteLiveCallbackRule(removeRule)
	must(g, removeRule, err)
	_, err = g.DeleteLiveCallbackTemplate(remove)
	must(g, remove, err)

	records := live.NewDescribeCallbackRecordsListRequest()
	now := time.Now().UTC()
	records.StartTime, records.EndTime = new(now.Add(-time.Hour).Format("2006-01-02T15:04:05Z")), new(now.Format("2006-01-02T15:04:05Z"))
	page, size := uint64(1), uint64(10)
	records.StreamName, records.PageNum, records.PageSize = new("sdk-none"), &page, &size
	listed, err := g.DescribeCallbackRecordsList(records)
	if must(g, listed, err); deref(listed.Response.PageNum) != 1 {
		t.Errorf("records %s", listed.ToJsonString())
	}
}

func (g goClient) tasks() {
	t := g.t
	now := time.Now()
	create := live.NewCreateScreenshotTaskRequest()
	end, template := uint64(now.Add(10*time.Minute).Unix()), uint64(1<<40)
	create.StreamName, create.DomainName, create.AppName, create.EndTime, create.TemplateId = new("sdk"), new(domainName), new("live"), &end, &template
	made, err := g.CreateScreenshotTask(create)
	id := must(g, made, err).Response.TaskId
	stop := live.NewStopScreenshotTaskRequest()
	stop.TaskId = id
	_, err = g.StopScreenshotTask(stop)
	must(g, stop, err)
	describe := live.NewDescribeScreenshotTaskRequest()
	from, to := uint64(now.Add(-time.Hour).Unix()), uint64(now.Add(time.Hour).Unix())
	describe.StartTime, describe.EndTime, describe.StreamName = &from, &to, new("sdk")
	got, err := g.DescribeScreenshotTask(describe)
	found := false
	for _, task := range must(g, got, err).Response.TaskList {
		found = found || deref(task.TaskId) == deref(id) && deref(task.EndTime) == end && deref(task.Stopped) > 0 && deref(task.TemplateId) == template
	}
	if !found {
		t.Errorf("the task is not in the list, stopped: %s", got.ToJsonString())
	}
	remove := live.NewDeleteScreenshotTaskRequest()
	remove.TaskId = id
	_, err = g.DeleteScreenshotTask(remove)
	must(g, remove, err)
	_, err = g.DeleteScreenshotTask(remove)
	g.refused(live.INVALIDPARAMETER, err)

	numbers := live.NewDescribeScreenShotSheetNumListRequest()
	numbers.StartTime, numbers.EndTime = new(now.UTC().Add(-48*time.Hour).Format("2006-01-02T15:04:05Z")), new(now.UTC().Format("2006-01-02T15:04:05Z"))
	numbers.PushDomains = common.StringPtrs([]string{domainName})
	counted, err := g.DescribeScreenShotSheetNumList(numbers)
	if n := len(must(g, counted, err).Response.DataInfoList); n < 2 || n > 3 {
		t.Errorf("%d days of 48 hours", n)
	}
}

func (g goClient) streams() {
	t := g.t
	state := live.NewDescribeLiveStreamStateRequest()
	state.DomainName, state.AppName, state.StreamName = new(domainName), new("live"), new("s&1 ä")
	is := func(want string) {
		t.Helper()
		got, err := g.DescribeLiveStreamState(state)
		if must(g, got, err); deref(got.Response.StreamState) != want {
			t.Errorf("state %s, want %s", got.ToJsonString(), want)
		}
	}
	is("inactive")
	drop := live.NewDropLiveStreamRequest()
	drop.DomainName, drop.AppName, drop.StreamName = state.DomainName, state.AppName, state.StreamName
	_, err := g.DropLiveStream(drop)
	must(g, drop, err)
	forbid := live.NewForbidLiveStreamRequest()
	forbid.DomainName, forbid.AppName, forbid.StreamName, forbid.Reason = state.DomainName, state.AppName, state.StreamName, new("because")
	_, err = g.ForbidLiveStream(forbid)
	must(g, forbid, err)
	is("forbid")
	resume := live.NewResumeLiveStreamRequest()
	resume.DomainName, resume.AppName, resume.StreamName = state.DomainName, state.AppName, state.StreamName
	_, err = g.ResumeLiveStream(resume)
	must(g, resume, err)
	is("inactive")
	online, err := g.DescribeLiveStreamOnlineList(live.NewDescribeLiveStreamOnlineListRequest())
	must(g, online, err)
	now := time.Now().UTC()
	from, to := new(now.Add(-time.Hour).Format("2006-01-02T15:04:05Z")), new(now.Format("2006-01-02T15:04:05Z"))
	published := live.NewDescribeLiveStreamPublishedListRequest()
	published.DomainName, published.StartTime, published.EndTime = new(domainName), from, to
	listed, err := g.DescribeLiveStreamPublishedList(published)
	must(g, listed, err)
	events := live.NewDescribeLiveStreamEventListRequest()
	events.StartTime, events.EndTime = from, to
	ended, err := g.DescribeLiveStreamEventList(events)
	must(g, ended, err)
}

func (g goClient) wrongInput() {
	create := live.NewCreateLiveSnapshotTemplateRequest()
	create.CosAppId, create.CosBucket, create.CosRegion = new(int64(appID)), new(bucket), new(region)
	_, err := g.CreateLiveSnapshotTemplate(create)
	g.refused(live.MISSINGPARAMETER, err)
	create.TemplateName, create.SnapshotInterval = new("wrong"), new(int64(301))
	_, err = g.CreateLiveSnapshotTemplate(create)
	g.refused(live.INVALIDPARAMETERVALUE, err)
	create.SnapshotInterval, create.CosFileName = new(int64(2)), new("a b")
	_, err = g.CreateLiveSnapshotTemplate(create)
	g.refused(live.INVALIDPARAMETER_COSCUSTOMFILENAMEERROR, err)
	pull := live.NewDescribeLivePullStreamTasksRequest()
	_, err = g.DescribeLivePullStreamTasks(pull)
	g.refused("UnsupportedOperation", err)
	_, err = g.DescribeLiveCerts(live.NewDescribeLiveCertsRequest())
	g.refused("InvalidAction", err)
}

func (g goClient) cleanUp() {
	remove := live.NewDeleteLiveDomainRequest()
	remove.DomainName, remove.DomainType = new(domainName), new(uint64)
	_, err := g.DeleteLiveDomain(remove)
	must(g, remove, err)
	describe := live.NewDescribeLiveDomainRequest()
	describe.DomainName = new(domainName)
	_, err = g.DescribeLiveDomain(describe)
	g.refused(live.INTERNALERROR_DOMAINNOTEXIST, err)
}
