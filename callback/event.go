package callback

import "encoding/json"

// The event_type of the events that have a Go type here.
const (
	TypeStreamEnd   = 0
	TypeStreamBegin = 1
	TypeScreenshot  = 200
)

// Event is one of [Screenshot], [StreamBegin], [StreamEnd], [PushException] and
// [Unknown].
type Event interface {
	// Type returns the event_type.
	Type() int
}

// Screenshot is event 200: a picture was taken of a stream and can be downloaded.
// Its members are exactly those of Tencent Cloud CSS, "Screencapturing Event
// Notification", and Stillcast, which is there only where the snapshot template
// (facts: true) or the callback template (extras: true) says so.
type Screenshot struct {
	App         string `json:"app"`                    // push domain
	AppName     string `json:"appname"`                // app, the path of the push URL
	ChannelID   string `json:"channel_id"`             // same as StreamID
	CreateTime  int64  `json:"create_time"`            // when the frame arrived, Unix time in seconds
	EventType   int    `json:"event_type"`             // TypeScreenshot
	FileSize    int    `json:"file_size"`              // of the picture, in bytes
	Height      int    `json:"height"`                 // of the picture, in pixels
	PicFullURL  string `json:"pic_full_url,omitempty"` // where the picture can be downloaded; its query may differ between attempts
	PicURL      string `json:"pic_url"`                // path of the picture in its bucket: /path/name.jpg
	Sign        string `json:"sign,omitempty"`         // see [Sign]; "" when the template has no key
	Stillcast   *Facts `json:"stillcast,omitempty"`    // what is known of the picture and the event; nil when the sender does not say
	StreamID    string `json:"stream_id"`              // stream name
	StreamParam string `json:"stream_param"`           // query of the push URL, as the publisher sent it
	T           int64  `json:"t,omitempty"`            // when Sign expires, Unix time in seconds
	Width       int    `json:"width"`                  // of the picture, in pixels
}

// Extras are what is known of an event beside its contract. They are all zero
// unless the callback template says extras: true.
type Extras struct {
	Attempt         int    `json:"attempt,omitempty"`           // of the delivery, from 1
	CapturedAtMS    int64  `json:"captured_at_ms,omitempty"`    // of a picture: when its frame arrived, Unix time in milliseconds
	EventAtMS       int64  `json:"event_at_ms,omitempty"`       // of other events: when it happened, likewise
	EventID         string `json:"event_id,omitempty"`          // unique; the same for all attempts
	PreviousEventID string `json:"previous_event_id,omitempty"` // of the push's picture before; "" for the first one
	PushID          string `json:"push_id,omitempty"`           // of the push that the event is of
	SentAtMS        int64  `json:"sent_at_ms,omitempty"`        // when the attempt was made, Unix time in milliseconds
	Sequence        int64  `json:"sequence,omitempty"`          // of the stream's events of this type to this callback template, from 1 without gaps
}

// Facts are what is known of a picture beside what every [Screenshot] says. All
// but the Extras are zero unless the snapshot template says facts: true; Accuracy
// tells.
type Facts struct {
	Extras

	Accuracy    string      `json:"accuracy"`            // "keyframe": the key frame nearest to the due time; "exact": the frame at it
	AgeMS       int64       `json:"age_ms"`              // of the frame at its due time, in milliseconds; negative when it arrived later
	Black       bool        `json:"black"`               // (almost) nothing but black
	DecodeMS    float64     `json:"decode_ms"`           // time that decoding took, in milliseconds
	Distance    *int        `json:"distance,omitempty"`  // bits of Hash, of 64, that differ from the push's picture before; nil for the first one
	Duplicate   bool        `json:"duplicate"`           // looks like the push's picture before
	EncodeMS    float64     `json:"encode_ms"`           // as DecodeMS, of all renditions together
	Hash        string      `json:"hash"`                // perceptual, 16 hex digits: pictures that look alike differ in few bits
	Luma        float64     `json:"luma"`                // mean brightness, 0 (black) to 255 (white)
	Renditions  []Rendition `json:"renditions,omitzero"` // further sizes of the picture, in the template's order
	ScaleMS     float64     `json:"scale_ms"`            // as EncodeMS
	Solid       bool        `json:"solid"`               // (almost) one colour
	TimestampMS int64       `json:"timestamp_ms"`        // of the frame in its stream, in milliseconds
	Variance    float64     `json:"variance"`            // of the brightness; 0 when it is the same everywhere
}

// Rendition is a further size of a picture. It is there when its event is, and
// its members are those of the same names in [Screenshot].
type Rendition struct {
	FileSize   int    `json:"file_size"`
	Height     int    `json:"height"`
	PicFullURL string `json:"pic_full_url,omitempty"`
	PicURL     string `json:"pic_url"`
	Width      int    `json:"width"`
}

// Type returns [TypeScreenshot].
func (Screenshot) Type() int { return TypeScreenshot }

// StreamBegin is event 1: a push was accepted. Its members are those of Tencent
// Cloud CSS, "Stream Pushing Event Notification".
type StreamBegin struct {
	App         string  `json:"app"`                 // push domain
	AppID       int64   `json:"appid"`               // account number, as configured
	AppName     string  `json:"appname"`             // app, the path of the push URL
	ChannelID   string  `json:"channel_id"`          // same as StreamID
	ErrCode     int     `json:"errcode"`             // 0
	ErrMsg      string  `json:"errmsg"`              // "ok"
	EventTime   int64   `json:"event_time"`          // when the push began, Unix time in seconds
	EventType   int     `json:"event_type"`          // TypeStreamBegin
	Height      int     `json:"height"`              // of the video in pixels; 0: not known yet
	Node        string  `json:"node"`                // address that accepted the push
	Sequence    string  `json:"sequence"`            // names the push: the same in its StreamBegin and StreamEnd
	SetID       int     `json:"set_id"`              // region of the node
	Sign        string  `json:"sign,omitempty"`      // see [Sign]; "" when the template has no key
	Stillcast   *Extras `json:"stillcast,omitempty"` // nil unless the callback template says extras: true
	StreamID    string  `json:"stream_id"`           // stream name
	StreamParam string  `json:"stream_param"`        // query of the push URL, as the publisher sent it
	T           int64   `json:"t,omitempty"`         // when Sign expires, Unix time in seconds
	UserIP      string  `json:"user_ip"`             // address of the publisher
	Width       int     `json:"width"`               // of the video in pixels; 0: not known yet
}

// Type returns [TypeStreamBegin].
func (StreamBegin) Type() int { return TypeStreamBegin }

// StreamEnd is event 0: a push ended. Its members are those of Tencent Cloud
// CSS, "Stream Pushing Event Notification".
type StreamEnd struct {
	App          string  `json:"app"`                 // push domain
	AppID        int64   `json:"appid"`               // account number, as configured
	AppName      string  `json:"appname"`             // app, the path of the push URL
	ChannelID    string  `json:"channel_id"`          // same as StreamID
	ErrCode      int     `json:"errcode"`             // why it ended: 1 the publisher stopped, 8 no data, 12 network, …
	ErrMsg       string  `json:"errmsg"`              // the same for people
	EventTime    int64   `json:"event_time"`          // when the push ended, Unix time in seconds
	EventType    int     `json:"event_type"`          // TypeStreamEnd
	Height       int     `json:"height"`              // of the video in pixels; 0: no picture was seen
	Node         string  `json:"node"`                // address that accepted the push
	PushDuration string  `json:"push_duration"`       // length of the push: milliseconds in decimal
	Sequence     string  `json:"sequence"`            // names the push: the same in its StreamBegin and StreamEnd
	SetID        int     `json:"set_id"`              // region of the node
	Sign         string  `json:"sign,omitempty"`      // see [Sign]; "" when the template has no key
	Stillcast    *Extras `json:"stillcast,omitempty"` // nil unless the callback template says extras: true
	StreamID     string  `json:"stream_id"`           // stream name
	StreamParam  string  `json:"stream_param"`        // query of the push URL, as the publisher sent it
	T            int64   `json:"t,omitempty"`         // when Sign expires, Unix time in seconds
	UserIP       string  `json:"user_ip"`             // address of the publisher
	Width        int     `json:"width"`               // of the video in pixels; 0: no picture was seen
}

// Type returns [TypeStreamEnd].
func (StreamEnd) Type() int { return TypeStreamEnd }

// Unknown is an event that this version of the package has no type for. Answer
// it with 200 unless you want it again.
type Unknown struct {
	EventType int
	Body      json.RawMessage // the whole event
}

// Type returns the event_type that was received.
func (u Unknown) Type() int { return u.EventType }
