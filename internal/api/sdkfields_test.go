package api

import (
	"reflect"
	"strings"
	"testing"

	live "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/live/v20180801"
)

// sdkReplies are what the official client for Go reads each answer into.
func sdkReplies() map[string]any {
	return map[string]any{
		"CreateLiveSnapshotTemplate":      live.CreateLiveSnapshotTemplateResponseParams{},
		"ModifyLiveSnapshotTemplate":      live.ModifyLiveSnapshotTemplateResponseParams{},
		"DeleteLiveSnapshotTemplate":      live.DeleteLiveSnapshotTemplateResponseParams{},
		"DescribeLiveSnapshotTemplate":    live.DescribeLiveSnapshotTemplateResponseParams{},
		"DescribeLiveSnapshotTemplates":   live.DescribeLiveSnapshotTemplatesResponseParams{},
		"CreateLiveSnapshotRule":          live.CreateLiveSnapshotRuleResponseParams{},
		"DeleteLiveSnapshotRule":          live.DeleteLiveSnapshotRuleResponseParams{},
		"DescribeLiveSnapshotRules":       live.DescribeLiveSnapshotRulesResponseParams{},
		"CreateScreenshotTask":            live.CreateScreenshotTaskResponseParams{},
		"DescribeScreenshotTask":          live.DescribeScreenshotTaskResponseParams{},
		"StopScreenshotTask":              live.StopScreenshotTaskResponseParams{},
		"DeleteScreenshotTask":            live.DeleteScreenshotTaskResponseParams{},
		"CreateLiveCallbackTemplate":      live.CreateLiveCallbackTemplateResponseParams{},
		"ModifyLiveCallbackTemplate":      live.ModifyLiveCallbackTemplateResponseParams{},
		"DeleteLiveCallbackTemplate":      live.DeleteLiveCallbackTemplateResponseParams{},
		"DescribeLiveCallbackTemplate":    live.DescribeLiveCallbackTemplateResponseParams{},
		"DescribeLiveCallbackTemplates":   live.DescribeLiveCallbackTemplatesResponseParams{},
		"CreateLiveCallbackRule":          live.CreateLiveCallbackRuleResponseParams{},
		"DeleteLiveCallbackRule":          live.DeleteLiveCallbackRuleResponseParams{},
		"DescribeLiveCallbackRules":       live.DescribeLiveCallbackRulesResponseParams{},
		"DescribeCallbackRecordsList":     live.DescribeCallbackRecordsListResponseParams{},
		"DescribeScreenShotSheetNumList":  live.DescribeScreenShotSheetNumListResponseParams{},
		"AddLiveDomain":                   live.AddLiveDomainResponseParams{},
		"DeleteLiveDomain":                live.DeleteLiveDomainResponseParams{},
		"DescribeLiveDomain":              live.DescribeLiveDomainResponseParams{},
		"DescribeLiveDomains":             live.DescribeLiveDomainsResponseParams{},
		"EnableLiveDomain":                live.EnableLiveDomainResponseParams{},
		"ForbidLiveDomain":                live.ForbidLiveDomainResponseParams{},
		"AuthenticateDomainOwner":         live.AuthenticateDomainOwnerResponseParams{},
		"ModifyLivePushAuthKey":           live.ModifyLivePushAuthKeyResponseParams{},
		"DescribeLivePushAuthKey":         live.DescribeLivePushAuthKeyResponseParams{},
		"DescribeLiveStreamOnlineList":    live.DescribeLiveStreamOnlineListResponseParams{},
		"DescribeLiveStreamState":         live.DescribeLiveStreamStateResponseParams{},
		"DropLiveStream":                  live.DropLiveStreamResponseParams{},
		"ForbidLiveStream":                live.ForbidLiveStreamResponseParams{},
		"ResumeLiveStream":                live.ResumeLiveStreamResponseParams{},
		"DescribeLiveStreamPublishedList": live.DescribeLiveStreamPublishedListResponseParams{},
		"DescribeLiveStreamEventList":     live.DescribeLiveStreamEventListResponseParams{},
	}
}

func TestRepliesFitTheOfficialClientForGo(t *testing.T) {
	replies := sdkReplies()
	for _, a := range Actions() {
		if a.AnyParams {
			continue
		}
		sdk, ok := replies[a.Name]
		if !ok {
			t.Errorf("%s is not compared", a.Name)
			continue
		}
		compareTypes(t, a.Name, reflect.TypeOf(a.Reply), reflect.TypeOf(sdk))
	}
}

func compareTypes(t *testing.T, where string, ours, sdk reflect.Type) {
	t.Helper()
	if sdk.Kind() == reflect.Pointer {
		sdk = sdk.Elem()
	}
	switch sdk.Kind() {
	case reflect.Slice:
		if ours.Kind() != reflect.Slice {
			t.Errorf("%s is a %s, the client reads a list", where, ours)
			return
		}
		compareTypes(t, where, ours.Elem(), sdk.Elem())
	case reflect.Struct:
		if ours.Kind() != reflect.Struct {
			t.Errorf("%s is a %s, the client reads an object", where, ours)
			return
		}
		fields := jsonFields(ours)
		for name, typ := range jsonFields(sdk) {
			if name == "RequestId" {
				continue
			}
			if field, ok := fields[name]; ok {
				compareTypes(t, where+"."+name, field, typ)
			} else {
				t.Errorf("%s.%s is missing", where, name)
			}
			delete(fields, name)
		}
		for name := range fields {
			if !strings.HasPrefix(name, "Stillcast") {
				t.Errorf("%s.%s is not known to the client", where, name)
			}
		}
	default:
		if (ours.Kind() == reflect.String) != (sdk.Kind() == reflect.String) {
			t.Errorf("%s is a %s, the client reads a %s", where, ours, sdk)
		}
	}
}
