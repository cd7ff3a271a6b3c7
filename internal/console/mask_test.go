package console

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stillcast/stillcast"
)

// What publishers log in with is masked however it is written, and nothing else is.
func TestMaskQuery(t *testing.T) {
	for query, want := range map[string]string{
		"":                                   "",
		"txSecret=a&txTime=5":                "txSecret=•••&txTime=5",
		"tx%53ecret=abcdef&txTime=5":         "tx%53ecret=•••&txTime=5",
		"tx%2553ecret=abcdef":                "tx%2553ecret=•••",
		"%74%78%53%65%63%72%65%74=abcdef":    "%74%78%53%65%63%72%65%74=•••",
		"%zztxSecret=abcdef":                 "%zztxSecret=•••",
		"TXSECRET=abcdef&txtime=5f%2F":       "TXSECRET=•••&txtime=5f%2F",
		"token=x&flag&vhost=":                "token=•••&flag&vhost=",
		"token=a=b,c;d'e f&txTime=5":         "token=•••&txTime=5",
		"a=1&&=&b":                           "a=•••&&=&b",
		"txTime=5?txSecret=abcdef":           "txTime=5?txSecret=•••",
		"vhost=push.example.com;token=abc,d": "vhost=push.example.com;token=•••",
		"a;vhost=abcdef":                     "a;vhost=•••",
		"vhost=x-abcdef-y&token=abcdef":      "vhost=x-•••-y&token=•••",
		"vhost=a/b c1234&token=a%2Fb+c1234":  "vhost=•••&token=•••",
		"\xff=\xfe&txTime=\x00\xfd":          "\xff=•••&txTime=\x00\xfd",
	} {
		if got := maskQuery(query, pushSecret); got != want {
			t.Errorf("%q\n got %q\nwant %q", query, got, want)
		}
	}
}

func TestMaskText(t *testing.T) {
	for text, want := range map[string]string{
		"nothing here; status=503 a=b":                           "nothing here; status=503 a=b",
		"at http://h/p?tx%53ecret=zé,x and more":                 "at http://h/p?tx%53ecret=•••,x and more",
		`{"p":"a=1\u0026txSecret=abcdef"} abcdef`:                `{"p":"a=1\u0026txSecret=•••"} •••`,
		"access_token=abcdef&X-Amz-Signature=0123456 sign=1 t=2": "access_token=•••&X-Amz-Signature=••• sign=••• t=2",
		"a=txSecret=abcdef":                                      "a=txSecret=•••",
		"a known-value, and known-value2":                        "a •••, and •••",
	} {
		if got := maskText(text, credential, []string{"known-value", "known-value2"}); got != want {
			t.Errorf("%q\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestURLSecrets(t *testing.T) {
	got := urlSecrets("https://user:pass%40word@h.example.com/x?token=abc&app=live&id=0123456789abcdef&s%69gn=a%2Fb")
	for _, want := range []string{"pass@word", "pass%40word", "dXNlcjpwYXNzQHdvcmQ=", "abc", "0123456789abcdef", "a%2Fb", "a/b"} {
		if !strings.Contains(strings.Join(got, " ")+" ", want+" ") {
			t.Errorf("%q lacks %s", got, want)
		}
	}
	if strings.Contains(strings.Join(got, " "), "live") {
		t.Errorf("%q holds what is no secret", got)
	}
	if got := bareURL("https://user:pass@h.example.com/a%2Fb?token=abc#f"); got != "https://h.example.com/a%2Fb?"+mask {
		t.Errorf("without secrets it is %s", got)
	}
}

// Members that are called like secrets are masked whole; others lose what they hold.
func TestMaskJSON(t *testing.T) {
	h := hush{on: true}.of(stillcast.Event{Fields: []byte(`{"stream_param":"a=1&pass=let-me-in"}`)})
	for document, want := range map[string]string{
		`{"sign": "0a1b", "t":7}`: `{"sign": "•••", "t":7}`,
		`{"headers":{"Authorization":"Basic eA==","Accept":"*/*"},"list":["token","x"],"key":["a"]}`: `{"headers":{"Authorization":"•••","Accept":"*/*"},"list":["token","x"],"key":["a"]}`,
		`{"stream_param":"new=abc&txTime=5"}`:                                                        `{"stream_param":"new=•••\u0026txTime=5"}`,
		`{"said":"pass=1 and let-me-in, a=2","sequence":"pass"}`:                                     `{"said":"pass=••• and •••, a=•••","sequence":"pass"}`,
		`[{"a":{"b":[]},"token":"x"},"token","x"]`:                                                   `[{"a":{"b":[]},"token":"•••"},"token","x"]`,
	} {
		if got := h.json(document); got != want {
			t.Errorf("%s\n got %s\nwant %s", document, got, want)
		}
	}
}

// No value of a secret parameter is in what is shown of a query, however its name is
// written and wherever it stands; what is not secret stays byte for byte.
func FuzzMaskQuery(f *testing.F) {
	for _, seed := range []string{
		"txSecret=f0e1d2c3b4a59687&txTime=1", "tx%53ecret=f0e1d2c3&x=f0e1d2c3", "a;vhost=secret1&vhost=secret1", "vhost=a+b%26c12345&k=a+b%26c12345", "=&=abcdefg", "%zz=%",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		shown := maskQuery(query, pushSecret)
		public := true
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if plain, err := url.QueryUnescape(name); err == nil {
				name = plain
			}
			if strings.EqualFold(name, "txTime") || strings.EqualFold(name, "vhost") || value == "" {
				public = public && !strings.ContainsAny(pair[len(pair)-len(value):], "=")
				continue
			}
			public = false
			plain, err := url.QueryUnescape(value)
			if err != nil {
				plain = value
			}
			for _, secret := range []string{value, plain} {
				if len(secret) >= leastSecret && !strings.Contains(secret, "•") && strings.Contains(shown, secret) {
					t.Errorf("%q is shown as %q, with %q", query, shown, secret)
				}
			}
		}
		if public && shown != query {
			t.Errorf("%q, which holds no secret, is shown as %q", query, shown)
		}
	})
}

// Nor is one in a text of any kind.
func FuzzMaskText(f *testing.F) {
	f.Add("GET /?a=1&tx%53ecret=f0e1d2c3b4a59687 f0e1d2c3b4a59687")
	f.Add("\xfftxSecret=\"f0e1d2c3\" token=abcdef=")
	pattern := regexp.MustCompile(`(?:txSecret|tx%53ecret|token|TOKEN|api_key|password)=([^&?;"'<>\\,\s\pZ\x{85}]+)`)
	f.Fuzz(func(t *testing.T, text string) {
		shown := maskText(text, credential, nil)
		for _, found := range pattern.FindAllStringSubmatch(text, -1) {
			if len(found[1]) >= leastSecret && !strings.Contains(found[1], "•") && strings.Contains(shown, found[1]) {
				t.Errorf("%q is shown as %q, with %q", text, shown, found[1])
			}
		}
	})
}

// A publisher may send very many parameters.
func TestMaskOfManyParameters(t *testing.T) {
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, "name%d=value%d&", i, i)
	}
	shown := maskQuery(b.String(), pushSecret)
	if strings.Contains(shown, "value") || strings.Count(shown, mask) != 20_000 {
		t.Errorf("%d of 20000 are masked", strings.Count(shown, mask))
	}
}
