package notify

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
)

var (
	push = stillcast.Push{
		ID:      "0197-push",
		Stream:  stillcast.Stream{Domain: "test.app", App: "live", Name: "your_streamid"},
		Domain:  "*",
		Param:   "txSecret=ca3e25e5dc17a6f9909a9ae7281e300d&txTime=60B83800",
		Remote:  netip.MustParseAddrPort("[::ffff:198.51.100.4]:50000"),
		Node:    "203.0.113.7",
		Started: time.Unix(1622599900, 0),
	}
	shot = stillcast.Shot{
		Stream:   push.Stream,
		Key:      "channelid/channelid-screenshot-10-12-05-1280x720.jpg",
		Captured: time.Unix(1622599925, 999_000_000),
		Width:    1280,
		Height:   720,
		Size:     30670,
	}
)

const (
	sentMS  = 1622599925_000
	expires = 1622600525
)

func messageOf(fields json.RawMessage) message {
	return message{event: stillcast.Event{ID: "e1", Type: stillcast.EventShot, PushID: push.ID, At: shot.Captured, Fields: fields}, shot: shot, sequence: 7}
}

// The event of a shot is the sample of Tencent's page, byte for byte, but for
// the channel, which is the stream's name, and the signature, whose key is not known.
func TestShotEvent(t *testing.T) {
	fields, err := ShotFields(shot, push, false, "")
	if err != nil {
		t.Fatal(err)
	}
	body, err := render(messageOf(fields), 1, request{
		SentMS: sentMS, Sign: callback.Sign("s3cret", expires),
		PicFullURL: "http://your.cos.region.myqcloud.com/channelid/channelid-screenshot-10-12-05-1280x720.jpg",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		`{"app":"test.app"`,
		`"appname":"live"`,
		`"channel_id":"your_streamid"`,
		`"create_time":1622599925`,
		`"event_type":200`,
		`"file_size":30670`,
		`"height":720`,
		`"pic_full_url":"http://your.cos.region.myqcloud.com/channelid/channelid-screenshot-10-12-05-1280x720.jpg"`,
		`"pic_url":"/channelid/channelid-screenshot-10-12-05-1280x720.jpg"`,
		`"sign":"9153bc00eab7434d9a5ee31b48b2f889"`,
		`"stream_id":"your_streamid"`,
		`"stream_param":"txSecret=ca3e25e5dc17a6f9909a9ae7281e300d&txTime=60B83800"`,
		`"t":1622600525`,
		`"width":1280}`,
	}, ",")
	if diff := cmp.Diff(want, string(body)); diff != "" {
		t.Error(diff)
	}
}

// Facts add one member, and change nothing else.
func TestShotEventWithFacts(t *testing.T) {
	s := shot
	s.Facts = stillcast.Facts{
		Accuracy: stillcast.AccuracyExact, Timestamp: 90 * time.Second, Age: -12 * time.Millisecond, Decode: 12_345_678, Scale: 500_000,
		Encode: 4 * time.Millisecond, Luma: 117.254999, Variance: 1999.996, Solid: true, Hash: 0xff, Distance: -1,
	}
	facts := `"stillcast":{"accuracy":"exact","age_ms":-12,"black":false,"decode_ms":12.345,"duplicate":false,"encode_ms":4,` +
		`"hash":"00000000000000ff","luma":117.25,"scale_ms":0.5,"solid":true,"timestamp_ms":90000,"variance":2000}`
	later := s
	later.Facts.Distance, later.Facts.Duplicate, later.Facts.Black, later.Facts.Hash = 0, true, true, 1<<63
	later.Renditions = []stillcast.Rendition{{Key: "a&b.jpg", Width: 320, Height: 180, Size: 1000}, {Key: "c.jpg", Width: 1, Height: 2, Size: 3}}
	full := `"stillcast":{"accuracy":"exact","age_ms":-12,"black":true,"decode_ms":12.345,"distance":0,"duplicate":true,"encode_ms":4,` +
		`"hash":"8000000000000000","luma":117.25,` +
		`"renditions":[{"file_size":1000,"height":180,"pic_full_url":"http://h/a?x=1&y=2","pic_url":"/a&b.jpg","width":320},` +
		`{"file_size":3,"height":2,"pic_full_url":"http://h/c","pic_url":"/c.jpg","width":1}],` +
		`"scale_ms":0.5,"solid":true,"timestamp_ms":90000,"variance":2000}`
	made := request{SentMS: sentMS, Sign: callback.Sign("s3cret", expires), PicFullURL: "http://h/p"}
	for _, tt := range []struct {
		shot  stillcast.Shot
		urls  []string
		facts string
	}{{s, nil, facts}, {later, []string{"http://h/a?x=1&y=2", "http://h/c"}, full}} {
		made.Renditions = tt.urls
		bodies := map[bool]string{}
		for _, with := range []bool{false, true} {
			fields, err := ShotFields(tt.shot, push, with, "")
			if err != nil {
				t.Fatal(err)
			}
			body, err := render(messageOf(fields), 1, made)
			if err != nil {
				t.Fatal(err)
			}
			bodies[with] = string(body)
		}
		want := strings.Replace(bodies[false], `"stream_id"`, tt.facts+`,"stream_id"`, 1)
		if diff := cmp.Diff(want, bodies[true]); diff != "" {
			t.Error(diff)
		}
	}
	fields, err := ShotFields(later, push, true, "")
	if err != nil {
		t.Fatal(err)
	}
	if body, err := render(messageOf(fields), 1, made); err != nil || !strings.Contains(string(body), full) {
		t.Fatalf("%s, %v", body, err)
	}
	made.Renditions = made.Renditions[:1]
	if body, err := render(messageOf(fields), 1, made); err == nil {
		t.Errorf("a rendition without its URL was sent: %s", body)
	}
}

func TestPushEvents(t *testing.T) {
	end := stillcast.PushEnd{At: time.Unix(1622599999, 500_000_000), Code: stillcast.EndClient, Message: "the publisher <stopped>", Width: 1280, Height: 720}
	tests := map[string]struct {
		fields func() (json.RawMessage, error)
		want   string
	}{
		"begin": {
			func() (json.RawMessage, error) { return PushBeginFields(push, 1250000000) },
			`{"app":"test.app","appid":1250000000,"appname":"live","channel_id":"your_streamid","errcode":0,"errmsg":"ok","event_time":1622599900,` +
				`"event_type":1,"height":0,"node":"203.0.113.7","sequence":"0197-push","set_id":1,"sign":"9153bc00eab7434d9a5ee31b48b2f889",` +
				`"stream_id":"your_streamid","stream_param":"txSecret=ca3e25e5dc17a6f9909a9ae7281e300d&txTime=60B83800","t":1622600525,"user_ip":"198.51.100.4","width":0}`,
		},
		"end": {
			func() (json.RawMessage, error) { return PushEndFields(push, end, 1250000000) },
			`{"app":"test.app","appid":1250000000,"appname":"live","channel_id":"your_streamid","errcode":1,"errmsg":"the publisher <stopped>","event_time":1622599999,` +
				`"event_type":0,"height":720,"node":"203.0.113.7","push_duration":"99500","sequence":"0197-push","set_id":1,"sign":"9153bc00eab7434d9a5ee31b48b2f889",` +
				`"stream_id":"your_streamid","stream_param":"txSecret=ca3e25e5dc17a6f9909a9ae7281e300d&txTime=60B83800","t":1622600525,"user_ip":"198.51.100.4","width":1280}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			fields, err := tt.fields()
			if err != nil {
				t.Fatal(err)
			}
			body, err := render(messageOf(fields), 1, request{SentMS: sentMS, Sign: callback.Sign("s3cret", expires)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPushEndOfABackwardClock(t *testing.T) {
	fields, err := PushEndFields(stillcast.Push{Started: time.Unix(100, 0)}, stillcast.PushEnd{At: time.Unix(50, 0)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	event, err := callback.Parse(fields)
	if err != nil {
		t.Fatal(err)
	}
	if end, _ := event.(callback.StreamEnd); end.PushDuration != "0" || end.UserIP != "" {
		t.Errorf("duration %q, user_ip %q", end.PushDuration, end.UserIP)
	}
}

func TestRenderKeepsWhatItDoesNotKnow(t *testing.T) {
	body, err := render(messageOf([]byte(`{"b":9007199254740993, "a":{"x":[1,null,"<&>"]},"c":"\u0026","b":2}`)), 1, request{})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"a":{"x":[1,null,"<&>"]},"b":2,"c":"\u0026","t":600}`; string(body) != want {
		t.Errorf("%s, want %s", body, want)
	}
	for _, fields := range []string{``, `null`, `[]`, `{`} {
		if body, err := render(messageOf([]byte(fields)), 1, request{}); err == nil {
			t.Errorf("%q became %s", fields, body)
		}
	}
}

// Whatever a stream is called, the event parses, verifies and says the same.
func FuzzRender(f *testing.F) {
	f.Add("push.example.com", "live", "s", "a=1&b=<2>")
	f.Add("*", "\u2028", "\"\\", "\xff\x00")
	f.Fuzz(func(t *testing.T, domain, app, name, param string) {
		p := stillcast.Push{Stream: stillcast.Stream{Domain: domain, App: app, Name: name}, Param: param}
		s := stillcast.Shot{Stream: p.Stream, Key: name, Renditions: []stillcast.Rendition{{Key: app}}}
		fields, err := ShotFields(s, p, true, "")
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(1622599925, 0)
		body, err := render(messageOf(fields), 1, request{
			SentMS: sentMS, Sign: callback.Sign("k", expires), PicFullURL: "http://h/" + param, Renditions: []string{domain}, Extras: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := callback.Verify(body, "k", now); err != nil {
			t.Fatal(err)
		}
		event, err := callback.Parse(body)
		if err != nil {
			t.Fatal(err)
		}
		valid := func(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
		got, _ := event.(callback.Screenshot)
		if valid(got.App) != got.App || len([]rune(got.App)) != len([]rune(domain)) ||
			len([]rune(got.StreamParam)) != len([]rune(param)) || !strings.HasPrefix(got.PicURL, "/") {
			t.Fatalf("%+v", got)
		}
		if r := got.Stillcast.Renditions; len(r) != 1 || len([]rune(r[0].PicFullURL)) != len([]rune(domain)) || len([]rune(r[0].PicURL)) != 1+len([]rune(app)) {
			t.Fatalf("%+v", r)
		}
	})
}
