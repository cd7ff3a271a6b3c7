package callback

// TypePushException is the event_type of a [PushException].
const TypePushException = 321

// PushException is event 321: something was wrong with a live push, which goes
// on. Its members are those of Tencent Cloud CSS, "Push Error Event
// Notifications", of which Stillcast leaves out event_key and timeout.
type PushException struct {
	AbnormalEvent  []AbnormalEvent `json:"abnormal_event"`      // what was wrong, each type once
	AppID          int64           `json:"appid"`               // account number, as configured
	DataTime       int64           `json:"data_time"`           // when this was reported, Unix time in milliseconds
	Domain         string          `json:"domain"`              // push domain
	EventType      int             `json:"event_type"`          // TypePushException
	Interface      string          `json:"interface"`           // "general_callback"
	Path           string          `json:"path"`                // app, the path of the push URL
	ReportInterval int64           `json:"report_interval"`     // for which it was gathered, in milliseconds
	Sequence       string          `json:"sequence"`            // names the push: the same as in its StreamBegin and StreamEnd
	Sign           string          `json:"sign,omitempty"`      // see [Sign]; "" when the template has no key
	Stillcast      *Extras         `json:"stillcast,omitempty"` // nil unless the callback template says extras: true
	StreamID       string          `json:"stream_id"`           // stream name
	StreamParam    string          `json:"stream_param"`        // query of the push URL, as the publisher sent it
	T              int64           `json:"t,omitempty"`         // when Sign expires, Unix time in seconds
	UserIP         string          `json:"user_ip"`             // address of the publisher
}

// Type returns [TypePushException].
func (PushException) Type() int { return TypePushException }

// The types of an [AbnormalEvent] that Stillcast sends.
const (
	AbnormalVideoBackwards    = 1  // a video timestamp was below the one before
	AbnormalVideoLeap         = 3  // a video timestamp was more than 1000 ms above the one before
	AbnormalVideoStall        = 6  // no video frame arrived for more than 3000 ms
	AbnormalVideoCodecChanged = 8  // in mid-push
	AbnormalVideoKeyFrame     = 16 // no key frame for more than ten seconds of the stream
)

// AbnormalEvent is what was wrong of one type.
type AbnormalEvent struct {
	Count           int              `json:"count"`            // how often within the report
	CustomerVisible string           `json:"customer_visible"` // "true"
	Detail          []AbnormalDetail `json:"detail"`           // the first ten times
	Type            int              `json:"type"`             // AbnormalVideoStall, …
	TypeDescCN      string           `json:"type_desc_cn"`     // for people, in Chinese
	TypeDescEN      string           `json:"type_desc_en"`     // for people, in English
}

// AbnormalDetail is one time that something was wrong.
type AbnormalDetail struct {
	Desc      string `json:"desc"`       // for people
	OccurTime int64  `json:"occur_time"` // Unix time in milliseconds
}
