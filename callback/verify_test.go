package callback_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/callback"
)

const key = "s3cret"

var now = time.Unix(1622599925, 0)

func body(t any, sign string) []byte {
	b, err := json.Marshal(map[string]any{"event_type": 200, "t": t, "sign": sign})
	if err != nil {
		panic(err)
	}
	return b
}

// The vectors were made with coreutils: printf %s KEY1622600525 | md5sum.
func TestSign(t *testing.T) {
	tests := map[string]string{
		"s3cret":  "9153bc00eab7434d9a5ee31b48b2f889",
		"":        "47e76387ee341f27577a113a41dd203d",
		"пароль✓": "e69fa3d0a2ef0305a1f258d1c46ef200",
	}
	for k, want := range tests {
		if got := callback.Sign(k, 1622600525); got != want {
			t.Errorf("Sign(%q) = %s, want %s", k, got, want)
		}
	}
}

func TestVerify(t *testing.T) {
	unix := now.Unix()
	good := unix + 600
	tests := map[string]struct {
		body []byte
		v    callback.Verifier
		want error
	}{
		"good":              {body(good, callback.Sign(key, good)), callback.Verifier{}, nil},
		"t as a string":     {body(fmt.Sprint(good), callback.Sign(key, good)), callback.Verifier{}, nil},
		"upper-case sign":   {body(good, strings.ToUpper(callback.Sign(key, good))), callback.Verifier{}, nil},
		"last second":       {body(unix, callback.Sign(key, unix)), callback.Verifier{Skew: -1}, nil},
		"within the skew":   {body(unix-30, callback.Sign(key, unix-30)), callback.Verifier{}, nil},
		"beyond the skew":   {body(unix-31, callback.Sign(key, unix-31)), callback.Verifier{}, callback.ErrExpired},
		"beyond no skew":    {body(unix-1, callback.Sign(key, unix-1)), callback.Verifier{Skew: -1}, callback.ErrExpired},
		"within own skew":   {body(unix-90, callback.Sign(key, unix-90)), callback.Verifier{Skew: 90 * time.Second}, nil},
		"a day ahead":       {body(unix+86400, callback.Sign(key, unix+86400)), callback.Verifier{}, nil},
		"more than a day":   {body(unix+86401, callback.Sign(key, unix+86401)), callback.Verifier{}, callback.ErrTooFarAhead},
		"another key":       {body(good, callback.Sign("other", good)), callback.Verifier{}, callback.ErrBadSignature},
		"another t":         {body(good, callback.Sign(key, good+1)), callback.Verifier{}, callback.ErrBadSignature},
		"cut sign":          {body(good, callback.Sign(key, good)[:31]), callback.Verifier{}, callback.ErrBadSignature},
		"expired and bad":   {body(unix-9999, callback.Sign("other", unix-9999)), callback.Verifier{}, callback.ErrBadSignature},
		"the page's sample": {[]byte(sample), callback.Verifier{}, callback.ErrBadSignature},
		"no sign":           {[]byte(`{"event_type":200,"t":1622600525}`), callback.Verifier{}, callback.ErrNotSigned},
		"empty sign":        {body(good, ""), callback.Verifier{}, callback.ErrNotSigned},
		"no t":              {[]byte(`{"event_type":200,"sign":"x"}`), callback.Verifier{}, callback.ErrNotSigned},
		"no JSON":           {[]byte(`x`), callback.Verifier{}, callback.ErrMalformed},
		"t is a word":       {body("soon", "x"), callback.Verifier{}, callback.ErrMalformed},
		"new of two keys":   {body(good, callback.Sign("new", good)), callback.Verifier{Keys: []string{"new", key}}, nil},
		"old of two keys":   {body(good, callback.Sign(key, good)), callback.Verifier{Keys: []string{"new", key}}, nil},
		"neither of two":    {body(good, callback.Sign(key, good)), callback.Verifier{Keys: []string{"new", "newer"}}, callback.ErrBadSignature},
		"empty key is none": {body(good, callback.Sign("", good)), callback.Verifier{Keys: []string{""}}, callback.ErrNoKey},
		"empty one of two":  {body(good, callback.Sign("", good)), callback.Verifier{Keys: []string{"", key}}, callback.ErrBadSignature},
	}
	all := []error{
		callback.ErrNotSigned, callback.ErrBadSignature, callback.ErrExpired,
		callback.ErrTooFarAhead, callback.ErrNoKey, callback.ErrMalformed,
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.v.Keys == nil {
				tt.v.Keys = []string{key}
			}
			err := tt.v.Verify(tt.body, now)
			var are []error
			for _, e := range all {
				if errors.Is(err, e) {
					are = append(are, e)
				}
			}
			if tt.want == nil && err != nil {
				t.Errorf("error %v, want none", err)
			}
			if tt.want != nil && (len(are) != 1 || !errors.Is(are[0], tt.want)) {
				t.Errorf("error %v is %v; want only %v", err, are, tt.want)
			}
		})
	}
}

func TestVerifyOneKey(t *testing.T) {
	good := body(now.Unix()+600, callback.Sign(key, now.Unix()+600))
	if err := callback.Verify(good, key, now); err != nil {
		t.Error(err)
	}
	if err := callback.Verify(good, "", now); !errors.Is(err, callback.ErrNoKey) {
		t.Errorf("error %v with no key, want ErrNoKey", err)
	}
	if err := callback.Verify(good, key, now.Add(time.Hour)); !errors.Is(err, callback.ErrExpired) {
		t.Errorf("error %v an hour later, want ErrExpired", err)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte(sample), key)
	f.Add(body(now.Unix()+600, callback.Sign(key, now.Unix()+600)), key)
	f.Add(body("1622600525", "x"), "")
	f.Add([]byte(`{"t":-9223372036854775808,"sign":"x"}`), "k")
	f.Fuzz(func(t *testing.T, b []byte, k string) {
		if err := callback.Verify(b, k, now); err != nil {
			return
		}
		// Only who knows the key can have made it: its sign is that of its t.
		var members map[string]any
		if err := json.Unmarshal(b, &members); err != nil {
			t.Fatal(err)
		}
		sign, _ := members["sign"].(string)
		if k == "" || !strings.EqualFold(sign, callback.Sign(k, int64(number(members["t"])))) {
			t.Fatalf("accepted %q with key %q", b, k)
		}
		if err := callback.Verify(b, k+"x", now); !errors.Is(err, callback.ErrBadSignature) {
			t.Fatalf("accepted with another key: %v", err)
		}
	})
}

// number returns a JSON number or numeric string. A t that is accepted is far
// below the 53 bits that a float64 holds exactly.
func number(v any) float64 {
	if s, ok := v.(string); ok {
		f, _ := strconv.ParseFloat(s, 64)
		return f
	}
	f, _ := v.(float64)
	return f
}
