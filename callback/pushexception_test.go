package callback_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/callback"
)

// An event of the form that Tencent Cloud CSS documents, with members that are
// not known here.
func TestParsePushException(t *testing.T) {
	t.Parallel()
	body := `{"abnormal_event":[{"count":2,"customer_visible":"true","detail":[{"desc":"no frames","occur_time":1670588070569},
		{"desc":"again","occur_time":1670588073522}],"event_key":"x","type":6,"type_desc_cn":" ","type_desc_en":"no frames for long"}],
		"appid":7,"data_time":1670588074971,"domain":"push.example.com","event_type":321,"interface":"general_callback","path":"live",
		"report_interval":5000,"sequence":"12","sign":"ab","stream_id":"room1","stream_param":"a=b","t":"1670588670","timeout":5000,
		"user_ip":"192.0.2.1"}`
	got, err := callback.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := callback.PushException{
		AbnormalEvent: []callback.AbnormalEvent{{
			Count: 2, CustomerVisible: "true", Type: callback.AbnormalVideoStall, TypeDescCN: " ", TypeDescEN: "no frames for long",
			Detail: []callback.AbnormalDetail{{"no frames", 1670588070569}, {"again", 1670588073522}},
		}},
		AppID: 7, DataTime: 1670588074971, Domain: "push.example.com", EventType: callback.TypePushException, Interface: "general_callback",
		Path: "live", ReportInterval: 5000, Sequence: "12", Sign: "ab", StreamID: "room1", StreamParam: "a=b", T: 1670588670,
		UserIP: "192.0.2.1",
	}
	if diff := cmp.Diff(callback.Event(want), got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if got.Type() != 321 {
		t.Errorf("type %d", got.Type())
	}
	if _, err := callback.Parse([]byte(`{"event_type":321,"abnormal_event":{}}`)); err == nil {
		t.Error("an object was taken for a list")
	}
}
