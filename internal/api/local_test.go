package api

import (
	"errors"
	"testing"

	"github.com/stillcast/stillcast"
)

func TestCallSaysWhatTheAPISays(t *testing.T) {
	for _, test := range []struct {
		call           Call
		field, message string
		code           stillcast.Code
	}{
		{
			Call{"CreateLiveSnapshotTemplate", map[string]any{"TemplateName": "a", "CosAppId": 0, "CosBucket": "", "CosRegion": "", "SnapshotInterval": "1"}},
			"SnapshotInterval", "SnapshotInterval is 1; allowed are 2 to 300", stillcast.CodeInvalid,
		},
		{
			Call{"CreateLiveSnapshotTemplate", map[string]any{"CosAppId": 0, "CosBucket": "", "CosRegion": ""}},
			"TemplateName", "TemplateName is missing; it is required (string)", stillcast.CodeInvalid,
		},
		{
			Call{"DeleteLiveSnapshotRule", map[string]any{"DomainName": "a", "Other": 1}},
			"",
			"DeleteLiveSnapshotRule has no parameter Other; its parameters are AppName, DomainName, StreamName", stillcast.CodeInvalid,
		},
	} {
		err := test.call.Run(t.Context(), nil, nil)
		e, ok := errors.AsType[*stillcast.Error](err)
		if !ok || e.Field != test.field || e.Message != test.message || e.Code != test.code {
			t.Errorf("%s: %#v, want %q at %q", test.call.Action, err, test.message, test.field)
		}
	}
	if err := (Call{Action: "Nothing"}).Run(t.Context(), nil, nil); err == nil || stillcast.CodeOf(err) != "" {
		t.Errorf("an action that there is not: %v", err)
	}
}
