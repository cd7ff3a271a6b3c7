package ingest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
)

func TestParsePushURL(t *testing.T) {
	const param = "txSecret=ca3e25e5dc17a6f9909a9ae7281e300d&txTime=60B83800"
	want := PushURL{Stream: stillcast.Stream{Domain: "push.example.com", App: "live", Name: "s1"}, Param: param}
	other := want
	other.Stream.Domain = "other.example.com"
	other.Param = param + "&vhost=Other.example.com"
	tests := []struct {
		name, tcURL, app, publish string
		want                      PushURL
	}{
		{"query in the name", "rtmp://push.example.com/live", "live", "s1?" + param, want},
		{"port and capitals", "rtmp://Push.Example.com:1935/live", "live", "s1?" + param, want},
		{"query in app and tcUrl", "rtmp://push.example.com/live?" + param, "live?" + param, "s1", want},
		{"query in tcUrl alone", "rtmp://push.example.com/live?" + param, "live", "s1", want},
		{"slashes around the app", "rtmp://push.example.com/live/", "live/", "/s1?" + param, want},
		{"vhost", "rtmp://10.0.0.1/live", "live", "s1?" + param + "&vhost=Other.example.com", other},
		{"two question marks", "rtmp://push.example.com/live", "live", "s1?" + param + "?x=1", PushURL{Stream: want.Stream, Param: param + "?x=1"}},
		{"rtmps, IPv6", "rtmps://[::1]:443/live", "live", "s1", PushURL{Stream: stillcast.Stream{Domain: "::1", App: "live", Name: "s1"}}},
		{"app of two parts", "rtmp://h/a/b", "a/b", "s", PushURL{Stream: stillcast.Stream{Domain: "h", App: "a/b", Name: "s"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParsePushURL(tt.tcURL, tt.app, tt.publish)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParsePushURLNamesThePartAtFault(t *testing.T) {
	tests := []struct{ name, tcURL, app, publish, want string }{
		{"no scheme", "push.example.com/live", "live", "s", "tcUrl: "},
		{"no stream", "rtmp://h/live", "live", "?a=b", "stream name: is empty"},
		{"no app", "rtmp://h", "", "s", "app: is empty"},
		{"long", "rtmp://h/live", "live", strings.Repeat("x", 256), "stream name: is 256 bytes long; at most 255"},
		{"control character", "rtmp://h/live", "live", "a\nb", "stream name: holds the control character U+000A"},
		{"not UTF-8", "rtmp://h/live", "live", "a\xff", "stream name: is not valid UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParsePushURL(tt.tcURL, tt.app, tt.publish)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %v, want it to begin with %q", err, tt.want)
			}
		})
	}
}

func FuzzParsePushURL(f *testing.F) {
	f.Add("rtmp://push.example.com/live", "live", "s?txSecret=1&txTime=2")
	f.Add("rtmp://[::1]:80/a?vhost=%zz", "a?vhost=b", "?")
	f.Fuzz(func(t *testing.T, tcURL, app, name string) {
		u, err := ParsePushURL(tcURL, app, name)
		if (err == nil) != (u.Stream.Validate() == nil) && err == nil {
			t.Errorf("accepted a stream that is not valid: %+v", u.Stream)
		}
	})
}
