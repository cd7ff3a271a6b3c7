package publish

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
)

func TestParseTarget(t *testing.T) {
	tests := []struct {
		url  string
		want target
	}{
		{
			"rtmp://push.example.com/live/stream1",
			target{"push.example.com:1935", "rtmp://push.example.com/live", "live", "stream1"},
		},
		{
			"RTMP://127.0.0.1:19350/live/s?txSecret=ab/cd&txTime=1?2",
			target{"127.0.0.1:19350", "rtmp://127.0.0.1:19350/live", "live", "s?txSecret=ab/cd&txTime=1?2"},
		},
		{"rtmp://[::1]/a/b/c/s", target{"[::1]:1935", "rtmp://[::1]/a/b/c", "a/b/c", "s"}},
		{"rtmp://[::1]:99/a/s", target{"[::1]:99", "rtmp://[::1]:99/a", "a", "s"}},
		{"rtmp://h/app/100%25 #é?", target{"h:1935", "rtmp://h/app", "app", "100%25 #é?"}},
	}
	for _, tt := range tests {
		got, err := parseTarget(tt.url)
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(target{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.url, diff)
		}
	}
}

func TestParseTargetErrors(t *testing.T) {
	tests := []struct{ url, text string }{
		{"", "must start with rtmp://"},
		{"rtmps://host/app/stream", "must start with rtmp://"},
		{"rtmp://host", "has no stream"},
		{"rtmp://host/app", "has no stream"},
		{"rtmp://host/app?x=/a", "has no stream"},
		{"rtmp://host/app/", "stream name: is empty"},
		{"rtmp://host//stream", "app: is empty"},
		{"rtmp:///app/stream", "has no host"},
		{"rtmp://:1935/app/stream", "has no host"},
		{"rtmp://host:0/app/stream", `port "0"; allowed are 1 to 65535`},
		{"rtmp://host:65536/app/stream", `port "65536"`},
		{"rtmp://host:x/app/stream", `port "x"`},
		{"rtmp://host:/app/stream", `port ""`},
		{"rtmp://user:pw@host/app/stream", "holds a user"},
		{"rtmp://host/app/a\x00b", "stream name: holds the control character U+0000"},
		{"rtmp://host/app/" + strings.Repeat("s", 256), "stream name: is 256 bytes long"},
	}
	for _, tt := range tests {
		_, err := parseTarget(tt.url)
		if stillcast.CodeOf(err) != stillcast.CodeInvalid || !strings.HasPrefix(err.Error(), "push URL") {
			t.Errorf("%q: error %v, want an invalid push URL", tt.url, err)
			continue
		}
		if !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%q: error %q does not hold %q", tt.url, err, tt.text)
		}
	}
}

func TestErrorsKeepTheKey(t *testing.T) {
	for _, url := range []string{"http://h/live/s?txSecret=verysecret", "rtmp://h:x/live/s?txSecret=verysecret"} {
		if _, err := parseTarget(url); err == nil || strings.Contains(err.Error(), "verysecret") {
			t.Errorf("%s: error %v, want one without the secret", url, err)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, size := range []int{-1, 1, MinChunkSize - 1, MaxChunkSize + 1} {
		_, err := Options{ChunkSize: size}.complete()
		if stillcast.CodeOf(err) != stillcast.CodeInvalid || !strings.Contains(err.Error(), "128 to 65536") {
			t.Errorf("chunk size %d: error %v, want one that names what is allowed", size, err)
		}
	}
	if _, err := (Options{Timeout: -1}).complete(); stillcast.CodeOf(err) != stillcast.CodeInvalid {
		t.Errorf("negative timeout: error %v, want an invalid option", err)
	}
	got, err := Options{}.complete()
	if err != nil || got.ChunkSize != DefaultChunkSize || got.Timeout != DefaultTimeout || got.Dial == nil {
		t.Errorf("zero options became %+v, error %v", got, err)
	}
}
