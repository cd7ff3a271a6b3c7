package callback_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/callback"
)

// sample is the sample of Tencent's page "Screencapturing Event Notification",
// as it stands there. Its sign is made up: it is the same string as the
// txSecret in its stream_param, which is the hash of something else.
const sample = `{
"app":"test.app",

"appname":"live",

"channel_id":"your_channelid",

"create_time":1622599925,

"event_type":200,

"file_size":30670,

"height":720,

"pic_full_url":"http://your.cos.region.myqcloud.com/channelid/channelid-screenshot-10-12-05-1280x720.jpg",

"pic_url":"/channelid/channelid-screenshot-10-12-05-1280x720.jpg",

"sign":"ca3e25e5dc17a6f9909a9ae7281e300d",

"stream_id":"your_streamid",

"stream_param":"txSecret=ca3e25e5dc17a6f9909a9ae7281e300d&txTime=60B83800",

"t":1622600525,

"width":1280
}`

// sampleFacts is an event with everything that Stillcast adds when it is asked to.
const sampleFacts = `{"app":"a","appname":"b","channel_id":"s","create_time":1622599925,"event_type":200,"file_size":30670,"height":720,` +
	`"pic_full_url":"http://h/1.webp?x=1","pic_url":"/1.webp","sign":"ca3e25e5dc17a6f9909a9ae7281e300d","stillcast":{"accuracy":"exact",` +
	`"age_ms":-12,"black":false,"decode_ms":12.345,"distance":0,"duplicate":true,"encode_ms":4,"hash":"00000000000000ff","luma":117.25,` +
	`"renditions":[{"file_size":1000,"height":180,"pic_full_url":"http://h/2.webp?x=1","pic_url":"/2.webp","width":320},` +
	`{"file_size":0,"height":0,"pic_url":"","width":0}],"scale_ms":0.5,"solid":false,"timestamp_ms":90000,"variance":2000.5},` +
	`"stream_id":"s","stream_param":"","t":1622600525,"width":1280}`

const sampleBegin = `{"app":"push.example.com","appid":1250000000,"appname":"live","channel_id":"s","errcode":0,"errmsg":"ok",` +
	`"event_time":1622599925,"event_type":1,"height":0,"node":"203.0.113.7","sequence":"6674468118806626493","set_id":1,` +
	`"sign":"ca3e25e5dc17a6f9909a9ae7281e300d","stream_id":"s","stream_param":"a=1&b=<2>","t":1622600525,"user_ip":"198.51.100.4","width":0}`

const sampleEnd = `{"app":"push.example.com","appid":1250000000,"appname":"live","channel_id":"s","errcode":1,"errmsg":"stopped",` +
	`"event_time":1622599999,"event_type":0,"height":720,"node":"203.0.113.7","push_duration":"74000","sequence":"6674468118806626493","set_id":1,` +
	`"sign":"ca3e25e5dc17a6f9909a9ae7281e300d","stream_id":"s","stream_param":"a=1","t":1622600599,"user_ip":"198.51.100.4","width":1280}`

// plain encodes without escaping & < >, as the events are.
func plain(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func compact(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(s)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Every event comes out of its Go type as it went in, byte for byte.
func TestParseRoundTrip(t *testing.T) {
	for name, body := range map[string]string{"screenshot": sample, "facts": sampleFacts, "begin": sampleBegin, "end": sampleEnd} {
		t.Run(name, func(t *testing.T) {
			event, err := callback.Parse([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(compact(t, body), plain(t, event)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseSample(t *testing.T) {
	got, err := callback.Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := callback.Screenshot{
		App: "test.app", AppName: "live", ChannelID: "your_channelid", CreateTime: 1622599925,
		EventType: 200, FileSize: 30670, Height: 720,
		PicFullURL: "http://your.cos.region.myqcloud.com/channelid/channelid-screenshot-10-12-05-1280x720.jpg",
		PicURL:     "/channelid/channelid-screenshot-10-12-05-1280x720.jpg",
		Sign:       "ca3e25e5dc17a6f9909a9ae7281e300d",
		StreamID:   "your_streamid", StreamParam: "txSecret=ca3e25e5dc17a6f9909a9ae7281e300d&txTime=60B83800",
		T: 1622600525, Width: 1280,
	}
	if diff := cmp.Diff(callback.Event(want), got); diff != "" {
		t.Error(diff)
	}
	if want.T-want.CreateTime != 600 {
		t.Error("the sample expires ten minutes after its picture was taken")
	}
}

func TestParseFacts(t *testing.T) {
	got, err := callback.Parse([]byte(sampleFacts))
	if err != nil {
		t.Fatal(err)
	}
	distance := 0
	want := &callback.Facts{
		Accuracy: "exact", AgeMS: -12, DecodeMS: 12.345, Distance: &distance, Duplicate: true, EncodeMS: 4, Hash: "00000000000000ff",
		Luma: 117.25, ScaleMS: 0.5, TimestampMS: 90000, Variance: 2000.5,
		Renditions: []callback.Rendition{
			{FileSize: 1000, Height: 180, PicFullURL: "http://h/2.webp?x=1", PicURL: "/2.webp", Width: 320}, {},
		},
	}
	if shot, _ := got.(callback.Screenshot); cmp.Diff(want, shot.Stillcast) != "" {
		t.Errorf("facts (-want +got):\n%s", cmp.Diff(want, shot.Stillcast))
	}
}

func TestParseTolerates(t *testing.T) {
	tests := map[string]struct {
		body string
		want callback.Event
	}{
		"t and event_type as strings": {
			`{"event_type":"200","t":"1622600525","width":1}`,
			callback.Screenshot{EventType: 200, T: 1622600525, Width: 1},
		},
		"unsigned": {`{"event_type":0}`, callback.StreamEnd{}},
		"members it does not know": {
			`{"event_type":1,"idc_id":37,"extra":{"a":[1]}}`,
			callback.StreamBegin{EventType: 1},
		},
		"nulls": {`{"event_type":200,"t":null,"sign":null,"app":null}`, callback.Screenshot{EventType: 200}},
		"case counts for t, sign and event_type": {
			`{"T":5,"Sign":"x","Event_Type":0,"event_type":200,"t":1,"sign":"y"}`,
			callback.Screenshot{EventType: 200, T: 1, Sign: "y"},
		},
		"few facts": {
			`{"event_type":200,"stillcast":{"black":true,"verdict":[1],"renditions":[]}}`,
			callback.Screenshot{EventType: 200, Stillcast: &callback.Facts{Black: true, Renditions: []callback.Rendition{}}},
		},
		"no facts": {`{"event_type":200,"stillcast":null}`, callback.Screenshot{EventType: 200}},
		"another event": {
			`{"event_type":314,"t":1,"task_id":"x"}`,
			callback.Unknown{EventType: 314, Body: json.RawMessage(`{"event_type":314,"t":1,"task_id":"x"}`)},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := callback.Parse([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if got.Type() != tt.want.Type() {
				t.Errorf("type %d, want %d", got.Type(), tt.want.Type())
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := map[string]struct{ body, says string }{
		"nothing":                {``, "unexpected end"},
		"no JSON":                {`hello`, "invalid character"},
		"an array":               {`[1]`, "array"},
		"null":                   {`null`, "null instead of an object"},
		"two objects":            {`{"event_type":1}{}`, "after top-level value"},
		"no type":                {`{"t":1}`, "event_type is missing"},
		"null type":              {`{"event_type":null}`, "event_type is missing"},
		"type is a word":         {`{"event_type":"shot"}`, `event_type is "shot"; it must be an integer`},
		"type is a fraction":     {`{"event_type":200.5}`, "event_type is 200.5"},
		"type is huge":           {`{"event_type":4294967496}`, "event_type 4294967496 is out of range"},
		"t is an object":         {`{"event_type":200,"t":{}}`, "t is {}; it must be an integer"},
		"t is huge":              {`{"event_type":200,"t":99999999999999999999}`, "t is 99999999999999999999"},
		"sign is a number":       {`{"event_type":200,"sign":5}`, "sign is 5; it must be a string"},
		"width is a string":      {`{"event_type":200,"width":"1280"}`, "width"},
		"facts are a list":       {`{"event_type":200,"stillcast":[]}`, "stillcast"},
		"hash is a number":       {`{"event_type":200,"stillcast":{"hash":5}}`, "stillcast.hash"},
		"distance is no integer": {`{"event_type":200,"stillcast":{"distance":1.5}}`, "stillcast.distance"},
		"duration is a number":   {`{"event_type":0,"push_duration":5}`, "push_duration"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			event, err := callback.Parse([]byte(tt.body))
			if !errors.Is(err, callback.ErrMalformed) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v; want ErrMalformed that says %q", err, tt.says)
			}
			if event != nil {
				t.Errorf("an event beside an error: %v", event)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{sample, sampleFacts, sampleBegin, sampleEnd, `{"event_type":"314","t":"5","sign":null}`, `[]`, `null`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		event, err := callback.Parse(body)
		if (err == nil) != (event != nil) {
			t.Fatalf("event %v with error %v", event, err)
		}
		if err != nil {
			if !errors.Is(err, callback.ErrMalformed) {
				t.Fatalf("error %v is not ErrMalformed", err)
			}
			return
		}
		if _, unknown := event.(callback.Unknown); unknown {
			return
		}
		// What was understood is understood the same way when it is written out.
		again, err := callback.Parse([]byte(plain(t, event)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(event, again); diff != "" {
			t.Fatal(diff)
		}
	})
}
