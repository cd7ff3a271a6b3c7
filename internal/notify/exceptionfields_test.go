package notify

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
)

func TestPushExceptionFields(t *testing.T) {
	failing := stillcast.Push{
		ID: "id", Stream: stillcast.Stream{Domain: "push.example.com", App: "live", Name: "room1"}, Param: "a=b&c=<d>",
		Remote: netip.MustParseAddrPort("[::ffff:192.0.2.1]:1000"),
	}
	events := []callback.AbnormalEvent{
		{Type: callback.AbnormalVideoStall, Count: 1, Detail: []callback.AbnormalDetail{{Desc: "no video frame for 3000 ms", OccurTime: 17}}},
		{Type: callback.AbnormalVideoBackwards, Count: 12},
	}
	got, err := PushExceptionFields(failing, time.UnixMilli(1795697666157), 5*time.Second, events, 1250000000)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"abnormal_event":[` +
		`{"count":1,"customer_visible":"true","detail":[{"desc":"no video frame for 3000 ms","occur_time":17}],"type":6,` +
		`"type_desc_cn":"超过 3000 毫秒没有视频帧到达","type_desc_en":"no video frame arrived for more than 3000(ms)"},` +
		`{"count":12,"customer_visible":"true","detail":null,"type":1,"type_desc_cn":"视频时间戳回退","type_desc_en":"video timestamp went back"}],` +
		`"appid":1250000000,"data_time":1795697666157,"domain":"push.example.com","event_type":321,"interface":"general_callback","path":"live",` +
		`"report_interval":5000,"sequence":"id","stream_id":"room1","stream_param":"a=b&c=<d>","user_ip":"192.0.2.1"}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if events[0].TypeDescEN != "" {
		t.Error("the caller's events were changed")
	}
	for _, typ := range []int{1, 3, 6, 8, 16} {
		if english, chinese := describeAbnormal(typ); english == "" || chinese == "" {
			t.Errorf("type %d has no description", typ)
		}
	}
}
