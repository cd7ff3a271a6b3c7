package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest"
)

func TestSplitPushURL(t *testing.T) {
	stream := func(domain, app, name string) stillcast.Stream {
		return stillcast.Stream{Domain: domain, App: app, Name: name}
	}
	tests := []struct {
		raw, base string
		want      ingest.PushURL
	}{
		{"rtmp://a.example.com/live/s", "rtmp://a.example.com/live/s", ingest.PushURL{Stream: stream("a.example.com", "live", "s")}},
		{"rtmp://a.example.com:1936/live/s", "rtmp://a.example.com:1936/live/s", ingest.PushURL{Stream: stream("a.example.com", "live", "s")}},
		{"rtmp://[::1]:1936/live/s", "rtmp://[::1]:1936/live/s", ingest.PushURL{Stream: stream("::1", "live", "s")}},
		{"RTMP://A.example.com/live/S", "RTMP://A.example.com/live/S", ingest.PushURL{Stream: stream("a.example.com", "live", "S")}},
		{"rtmp://a.example.com/live/room/s", "rtmp://a.example.com/live/room/s", ingest.PushURL{Stream: stream("a.example.com", "live/room", "s")}},
		{"rtmp://a.example.com/live/s?", "rtmp://a.example.com/live/s", ingest.PushURL{Stream: stream("a.example.com", "live", "s")}},
		{
			"rtmp://a.example.com/live/s?x=1/2&y=?", "rtmp://a.example.com/live/s",
			ingest.PushURL{Stream: stream("a.example.com", "live", "s"), Param: "x=1/2&y=?"},
		},
		{
			"rtmp://10.0.0.1/live/s?vhost=B.example.com", "rtmp://10.0.0.1/live/s",
			ingest.PushURL{Stream: stream("b.example.com", "live", "s"), Param: "vhost=B.example.com"},
		},
	}
	for _, tt := range tests {
		base, got, err := splitPushURL(tt.raw)
		if err != nil || base != tt.base || !cmp.Equal(got, tt.want) {
			t.Errorf("%s gave %q, %+v, %v; want %q, %+v", tt.raw, base, got, err, tt.base, tt.want)
		}
	}
}

func TestSplitPushURLSaysWhatIsWrong(t *testing.T) {
	const form = "is not rtmp://DOMAIN/APP/STREAM"
	tests := map[string]string{
		"":                             `push URL: "" ` + form,
		"rtmp":                         `push URL: "rtmp" ` + form,
		"rtmp://":                      `push URL: "rtmp://" ` + form,
		"rtmp://a.example.com/live":    `push URL: "rtmp://a.example.com/live" ` + form,
		"http://a.example.com/live/s":  `push URL: "http://a.example.com/live/s" ` + form,
		"rtmps://a.example.com/live/s": `push URL: "rtmps://a.example.com/live/s" ` + form,
		"a.example.com/live/room/s":    `push URL: "a.example.com/live/room/s" ` + form,
		"rtmp://a.example.com?x=/live/s/txSecret=hush": `push URL: "rtmp://a.example.com" ` + form,
		"rtmp:///live/s":              "push domain: is empty",
		"rtmp://a.example.com//s":     "app: is empty",
		"rtmp://a.example.com/live/":  "stream name: is empty",
		"rtmp://a.example.com/live/?": "stream name: is empty",
	}
	for raw, want := range tests {
		base, _, err := splitPushURL(raw)
		if err == nil || !strings.HasPrefix(err.Error(), want) || base != "" {
			t.Errorf("%q gave %q and the error %v; want one that begins with %q", raw, base, err, want)
		}
		if stillcast.CodeOf(err) != stillcast.CodeInvalid {
			t.Errorf("%q gave the code %q, want %q", raw, stillcast.CodeOf(err), stillcast.CodeInvalid)
		}
	}
}

func TestWithoutQuery(t *testing.T) {
	tests := map[string]string{
		"rtmp://a.example.com/live/s":                       "rtmp://a.example.com/live/s",
		"rtmp://a.example.com/live/s?":                      "rtmp://a.example.com/live/s",
		"rtmp://a.example.com/live/s?txSecret=a&txTime=b":   "rtmp://a.example.com/live/s",
		"rtmp://a.example.com/live?txSecret=a/s?txSecret=b": "rtmp://a.example.com/live",
		"?txSecret=a": "",
	}
	for url, want := range tests {
		if got := withoutQuery(url); got != want {
			t.Errorf("%s gave %q, want %q", url, got, want)
		}
	}
}

// signedWith checks the signature of a URL as a server would, and returns the URL without it.
func signedWith(t *testing.T, key stillcast.Secret, url string) string {
	t.Helper()
	base, u, err := splitPushURL(url)
	if err != nil {
		t.Fatal(err)
	}
	if err := (stillcast.PushAuth{Key: key}).Check(u.Stream.Name, u.Param, time.Now()); err != nil {
		t.Errorf("%s: %v", url, err)
	}
	if strings.Count(url, "txSecret=") != 1 || strings.Count(url, "txTime=") != 1 {
		t.Errorf("%s does not have one signature", url)
	}
	pairs := strings.Split(u.Param, "&")
	if rest := strings.Join(pairs[2:], "&"); rest != "" {
		return base + "?" + rest
	}
	return base
}

func TestURLsOfCopies(t *testing.T) {
	const plain = "rtmp://a.example.com/live/s"
	tests := []struct {
		name      string
		command   pushCommand
		copyIndex int
		want      string // without the signature, if there is a key
	}{
		{"as it is", pushCommand{URL: plain, Copies: 1}, 0, plain},
		{"with its query", pushCommand{URL: plain + "?txSecret=a&txTime=b&c", Copies: 1}, 0, plain + "?txSecret=a&txTime=b&c"},
		{"first copy", pushCommand{URL: plain, Copies: 2}, 0, plain + "-1"},
		{"second copy with a query", pushCommand{URL: plain + "?a=b", Copies: 2}, 1, plain + "-2?a=b"},
		{"signed", pushCommand{URL: plain, Copies: 1, Key: "k"}, 0, plain},
		{"signed with a query", pushCommand{URL: plain + "?vhost=b.example.com", Copies: 1, Key: "k"}, 0, plain + "?vhost=b.example.com"},
		{"signed again", pushCommand{URL: plain + "?a=b&txSecret=a&txTime=b&&c", Copies: 1, Key: "k"}, 0, plain + "?a=b&c"},
		{"tenth copy signed", pushCommand{URL: plain, Copies: 10, Key: "k"}, 9, plain + "-10"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.command.url(tt.copyIndex)
			if err != nil {
				t.Fatal(err)
			}
			if tt.command.Key != "" {
				got = signedWith(t, stillcast.Secret(tt.command.Key), got)
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestURLOfCopyRefusesWhatIsNoPushURL(t *testing.T) {
	for _, c := range []pushCommand{{URL: "live/s", Copies: 1}, {URL: "live/s", Copies: 2}, {URL: "live/s", Copies: 1, Key: "k"}} {
		if url, err := c.url(0); stillcast.CodeOf(err) != stillcast.CodeInvalid {
			t.Errorf("%+v gave %q and the error %v, want one of the code %q", c, url, err, stillcast.CodeInvalid)
		}
	}
}

func TestSignedParamEndsWhenItShould(t *testing.T) {
	u := ingest.PushURL{Stream: stillcast.Stream{Domain: "a.example.com", App: "live", Name: "s"}}
	end := time.Now().Add(time.Hour).Truncate(time.Second)
	param := ingest.SignedParam("k", u, end)
	auth := stillcast.PushAuth{Key: "k"}
	if err := auth.Check("s", param, end.Add(-time.Second)); err != nil {
		t.Errorf("before its end: %v", err)
	}
	if err := auth.Check("s", param, end); stillcast.CodeOf(err) != stillcast.CodeDenied {
		t.Errorf("at its end: %v, want a refusal", err)
	}
}
