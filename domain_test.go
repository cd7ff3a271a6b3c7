package stillcast_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
)

const (
	pushKey   = stillcast.Secret("e12c46f2612d5106e2034781ab261ca3")
	otherKey  = stillcast.Secret("0123456789abcdef0123456789abcdef")
	goodHash  = "f85a2ab363fe4deaffef9754d79da6fe" // of pushKey, "test" and 5C271099
	goodQuery = "txSecret=" + goodHash + "&txTime=5C271099"
)

// expiry is 5C271099.
func expiry() time.Time { return time.Unix(0x5C271099, 0) }

// The vector is the one of Tencent Cloud's page on hotlink protection.
func TestTxSecret(t *testing.T) {
	if got := stillcast.TxSecret(pushKey, "test", "5C271099"); got != goodHash {
		t.Errorf("TxSecret = %q, want %q", got, goodHash)
	}
}

func TestPushParam(t *testing.T) {
	if got := stillcast.PushParam(pushKey, "test", expiry()); got != goodQuery {
		t.Errorf("PushParam = %q, want %q", got, goodQuery)
	}
	auth := stillcast.PushAuth{Key: pushKey}
	for _, name := range []string{"a", "直播", "a b&c=d", strings.Repeat("x", stillcast.MaxNamePart)} {
		param := stillcast.PushParam(pushKey, name, expiry())
		wantError(t, auth.Check(name, param, expiry().Add(-1)), "", "")
	}
}

func TestPushAuthCheck(t *testing.T) {
	const (
		noTime   = "txTime: is missing from the push URL; expected ?txSecret=…&txTime=…"
		noSecret = "txSecret: is missing from the push URL; expected ?txSecret=…&txTime=…"
		wrong    = "txSecret: is wrong for this stream; it must be md5hex(key + stream + txTime)"
	)
	before, lowerTime := expiry().Add(-time.Second), "5c271099"
	key := stillcast.PushAuth{Key: pushKey}
	both := stillcast.PushAuth{Key: otherKey, BackupKey: pushKey}
	delta := stillcast.PushAuth{Key: pushKey, Delta: time.Hour}
	tests := []struct {
		name          string
		auth          stillcast.PushAuth
		stream, param string
		now           time.Time
		want          string
	}{
		{"master key", key, "test", goodQuery, before, ""},
		{"backup key", both, "test", goodQuery, before, ""},
		{"master key beside a backup key", stillcast.PushAuth{Key: pushKey, BackupKey: otherKey}, "test", goodQuery, before, ""},
		{"backup key taken away", stillcast.PushAuth{Key: otherKey}, "test", goodQuery, before, wrong},
		{"disabled", stillcast.PushAuth{Disabled: true}, "test", "", before, ""},
		{"zero value lets nobody in", stillcast.PushAuth{}, "test", goodQuery, before, wrong},
		{
			"zero value, secret of an empty key",
			stillcast.PushAuth{},
			"test",
			"txSecret=" + stillcast.TxSecret("", "test", "5C271099") + "&txTime=5C271099", before, wrong,
		},
		{"order of the query", key, "test", "txTime=5C271099&txSecret=" + goodHash, before, ""},
		{"other parameters, also malformed", key, "test", "a=%zz&;&vhost=x&" + goodQuery + "&b=%", before, ""},
		{"percent escapes", key, "test", "txSecret=%66" + goodHash[1:] + "&txTime=5C27109%39", before, ""},
		{"secret in upper case", key, "test", "txSecret=" + strings.ToUpper(goodHash) + "&txTime=5C271099", before, ""},
		{"time in lower case, hashed as it was sent", key, "test", stillcastParam(lowerTime), before, ""},
		{"time in lower case, hashed in upper case", key, "test", "txSecret=" + goodHash + "&txTime=" + lowerTime, before, wrong},
		{"other stream", key, "test2", goodQuery, before, wrong},
		{"stream in upper case", key, "TEST", goodQuery, before, wrong},
		{"other time", key, "test", "txSecret=" + goodHash + "&txTime=6C271099", before, wrong},
		{"cut secret", key, "test", "txSecret=" + goodHash[:31] + "&txTime=5C271099", before, wrong},
		{"longer secret", key, "test", "txSecret=" + goodHash + "0&txTime=5C271099", before, wrong},
		{"nothing", key, "test", "", before, noTime},
		{"no time", key, "test", "txSecret=" + goodHash, before, noTime},
		{"empty time", key, "test", "txSecret=" + goodHash + "&txTime=", before, noTime},
		{"no secret", key, "test", "txTime=5C271099", before, noSecret},
		{"names are case-sensitive", key, "test", strings.ToLower(goodQuery), before, noTime},
		{
			"time that is no hexadecimal", key, "test", "txSecret=" + goodHash + "&txTime=tomorrow", before,
			`txTime: "tomorrow" is not a Unix time in hexadecimal`,
		},
		{
			"time beyond 64 bits", key, "test", "txSecret=" + goodHash + "&txTime=FFFFFFFFFFFFFFFFF", before,
			`txTime: "FFFFFFFFFFFFFFFFF" is not a Unix time in hexadecimal`,
		},
		{"expired this moment", key, "test", goodQuery, expiry(), "txTime: expired at 2018-12-29T06:13:45Z"},
		{"expired, but the secret is wrong too", key, "test2", goodQuery, expiry(), wrong},
		{"within delta", delta, "test", goodQuery, expiry().Add(time.Hour - 1), ""},
		{"expired after delta", delta, "test", goodQuery, expiry().Add(time.Hour), "txTime: expired at 2018-12-29T07:13:45Z"},
		{"time before 1970", key, "test", stillcastParam("-1"), before, "txTime: expired at 1969-12-31T23:59:59Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantError(t, tt.auth.Check(tt.stream, tt.param, tt.now), stillcast.CodeDenied, tt.want)
		})
	}
}

func stillcastParam(txTime string) string {
	return "txSecret=" + stillcast.TxSecret(pushKey, "test", txTime) + "&txTime=" + txTime
}

// A refusal goes to the publisher and into the log: it must not help to forge a URL.
func TestPushAuthCheckHidesKeysAndSecrets(t *testing.T) {
	auth := stillcast.PushAuth{Key: pushKey, BackupKey: otherKey}
	for _, param := range []string{"", goodQuery, "txSecret=0&txTime=5C271099", "txSecret=0&txTime=x"} {
		err := auth.Check("test", param, expiry())
		if err == nil {
			t.Fatalf("%q was accepted", param)
		}
		for _, secret := range []string{pushKey.Reveal(), otherKey.Reveal(), goodHash} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error %q shows %q", err, secret)
			}
		}
	}
}

func TestDomainValidate(t *testing.T) {
	long := strings.Repeat("d", stillcast.MaxNamePart)
	auth := stillcast.PushAuth{Key: pushKey}
	tests := []struct {
		domain stillcast.Domain
		want   string
	}{
		{stillcast.Domain{Name: "push.example.com", Auth: auth}, ""},
		{stillcast.Domain{Name: stillcast.AnyDomain, Auth: auth}, ""},
		{stillcast.Domain{Name: "127.0.0.1", Auth: auth}, ""},
		{stillcast.Domain{Name: "2001:db8::1", Auth: auth}, ""},
		{stillcast.Domain{Name: "my_host-2", Auth: stillcast.PushAuth{Disabled: true}}, ""},
		{stillcast.Domain{Name: long, Auth: auth}, ""},
		{stillcast.Domain{Name: "a", Auth: auth, PlayType: stillcast.MaxPlayType}, ""},
		{stillcast.Domain{Name: "a", Auth: auth, PlayType: 4}, "play_type: is 4; allowed are 0 to 3"},
		{stillcast.Domain{Name: "a", Auth: auth, PlayType: -1}, "play_type: is -1; allowed are 0 to 3"},
		{
			stillcast.Domain{Auth: auth},
			"name: is empty; a push URL is rtmp://DOMAIN/APP/STREAM?txSecret=…&txTime=…",
		},
		{stillcast.Domain{Name: long + "d", Auth: auth}, "name: is 256 bytes long; at most 255 are allowed"},
		{
			stillcast.Domain{Name: "Push.example.com", Auth: auth},
			`name: "Push.example.com" holds 'P'; a push domain is a host name in lower case, or "*"`,
		},
		{
			stillcast.Domain{Name: "*.example.com", Auth: auth},
			`name: "*.example.com" holds '*'; a push domain is a host name in lower case, or "*"`,
		},
		{
			stillcast.Domain{Name: "rtmp://a/b", Auth: auth},
			`name: "rtmp://a/b" holds '/'; a push domain is a host name in lower case, or "*"`,
		},
		{stillcast.Domain{Name: "a\nb", Auth: auth}, "name: holds the control character U+000A"},
		{stillcast.Domain{Name: "a\xff", Auth: auth}, "name: is not valid UTF-8"},
		{
			stillcast.Domain{Name: "a"},
			"auth.key: is empty; give a key, or set auth.enabled: false to let anybody push",
		},
		{
			stillcast.Domain{Name: "a", Auth: stillcast.PushAuth{BackupKey: pushKey}},
			"auth.key: is empty; give a key, or set auth.enabled: false to let anybody push",
		},
		{
			stillcast.Domain{Name: "a", Auth: stillcast.PushAuth{Key: pushKey, Delta: -time.Second}},
			"auth.delta: is -1s; it must not be negative",
		},
	}
	for _, tt := range tests {
		t.Run(tt.domain.Name, func(t *testing.T) {
			wantError(t, tt.domain.Validate(), stillcast.CodeInvalid, tt.want)
		})
	}
}

func TestStreamValidate(t *testing.T) {
	long := strings.Repeat("s", stillcast.MaxNamePart)
	tests := []struct {
		stream stillcast.Stream
		want   string
	}{
		{stillcast.Stream{Domain: "d", App: "live", Name: "a"}, ""},
		{stillcast.Stream{Domain: long, App: long, Name: long}, ""},
		{stillcast.Stream{Domain: "d", App: "直播", Name: "../a b?🙂"}, ""},
		{
			stillcast.Stream{App: "live", Name: "a"},
			"push domain: is empty; a push URL is rtmp://DOMAIN/APP/STREAM?txSecret=…&txTime=…",
		},
		{
			stillcast.Stream{Domain: "d", Name: "a"},
			"app: is empty; a push URL is rtmp://DOMAIN/APP/STREAM?txSecret=…&txTime=…",
		},
		{
			stillcast.Stream{Domain: "d", App: "live"},
			"stream name: is empty; a push URL is rtmp://DOMAIN/APP/STREAM?txSecret=…&txTime=…",
		},
		{
			stillcast.Stream{Domain: "d", App: "live", Name: long + "s"},
			"stream name: is 256 bytes long; at most 255 are allowed",
		},
		{stillcast.Stream{Domain: "d", App: "live", Name: "a\x00b"}, "stream name: holds the control character U+0000"},
		{stillcast.Stream{Domain: "d", App: "li\x7fve", Name: "a"}, "app: holds the control character U+007F"},
		{stillcast.Stream{Domain: "d", App: "live", Name: "\xe4\xb8"}, "stream name: is not valid UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.stream.String(), func(t *testing.T) {
			wantError(t, tt.stream.Validate(), stillcast.CodeInvalid, tt.want)
		})
	}
}
