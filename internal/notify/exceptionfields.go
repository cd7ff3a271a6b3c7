package notify

import (
	"encoding/json"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
)

// generalCallback is the interface of event 321.
const generalCallback = "general_callback"

// PushExceptionFields returns the fields of the event 321 of a push, all but t
// and sign: what was wrong within the interval before at. The descriptions of
// events are filled in by their types.
func PushExceptionFields(push stillcast.Push, at time.Time, interval time.Duration, events []callback.AbnormalEvent, appID int64) (json.RawMessage, error) {
	described := make([]callback.AbnormalEvent, len(events))
	for i, e := range events {
		e.TypeDescEN, e.TypeDescCN = describeAbnormal(e.Type)
		e.CustomerVisible = "true"
		described[i] = e
	}
	return marshal(callback.PushException{
		AbnormalEvent:  described,
		AppID:          appID,
		DataTime:       at.UnixMilli(),
		Domain:         push.Stream.Domain,
		EventType:      callback.TypePushException,
		Interface:      generalCallback,
		Path:           push.Stream.App,
		ReportInterval: interval.Milliseconds(),
		Sequence:       push.ID,
		StreamID:       push.Stream.Name,
		StreamParam:    push.Param,
		UserIP:         userIP(push),
	})
}

// describeAbnormal names a type of abnormal event for people.
func describeAbnormal(typ int) (english, chinese string) {
	switch typ {
	case callback.AbnormalVideoBackwards:
		return "video timestamp went back", "视频时间戳回退"
	case callback.AbnormalVideoLeap:
		return "video timestamp went ahead by more than 1000(ms)", "视频时间戳突然变大，超过 1000 毫秒"
	case callback.AbnormalVideoStall:
		return "no video frame arrived for more than 3000(ms)", "超过 3000 毫秒没有视频帧到达"
	case callback.AbnormalVideoCodecChanged:
		return "video codec changed", "视频编码类型发生变化"
	case callback.AbnormalVideoKeyFrame:
		return "no video key frame for more than 10(s)", "超过 10 秒没有视频关键帧"
	}
	return "", ""
}
