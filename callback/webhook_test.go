package callback_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/callback"
)

const (
	secret      = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	otherSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
)

// The vector is that of the specification's own libraries:
// github.com/standard-webhooks/standard-webhooks, libraries/go/webhook_test.go,
// TestWebhookSign.
const (
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTime      = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func TestSignWebhook(t *testing.T) {
	for _, s := range []string{secret, strings.TrimPrefix(secret, "whsec_")} {
		got, err := callback.SignWebhook(s, vectorID, time.Unix(vectorTime, 999_000_000), []byte(vectorBody))
		if err != nil || got != vectorSignature {
			t.Errorf("%s, %v; want %s", got, err, vectorSignature)
		}
	}
	bytes := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for _, tt := range []struct{ secret, id, says string }{
		{"", "a", "0 bytes"},
		{"whsec_hush!", "a", "base64"},
		{bytes(23), "a", "23 bytes"},
		{bytes(65), "a", "65 bytes"},
		{secret, "", "id"},
		{secret, "a.b", "id"},
	} {
		got, err := callback.SignWebhook(tt.secret, tt.id, now, nil)
		if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("secret of %d, id %q: %q, %v", len(tt.secret), tt.id, got, err)
		}
	}
	for _, n := range []int{24, 64} {
		if _, err := callback.SignWebhook(bytes(n), "a", now, nil); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// webhookHeader is what a sender with these secrets sends.
func webhookHeader(id string, sent time.Time, body []byte, secrets ...string) http.Header {
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", fmt.Sprint(sent.Unix()))
	var signatures []string
	for _, s := range secrets {
		signature, err := callback.SignWebhook(s, id, sent, body)
		if err != nil {
			panic(err)
		}
		signatures = append(signatures, signature)
	}
	h.Set("webhook-signature", strings.Join(signatures, " "))
	return h
}

// The headers of the specification's vector are taken, whatever stands beside
// the right signature (as in TestWebhook there).
func TestVerifyVector(t *testing.T) {
	const wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
	v := callback.Verifier{Secrets: []string{secret}}
	for _, signature := range []string{
		vectorSignature, wrong + " " + vectorSignature, "v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= " + vectorSignature + " " + wrong, "v1a,xx " + vectorSignature,
	} {
		h := http.Header{}
		h.Set("webhook-id", vectorID)
		h.Set("webhook-timestamp", fmt.Sprint(vectorTime))
		h.Set("webhook-signature", signature)
		if err := v.VerifyRequest(h, []byte(vectorBody), time.Unix(vectorTime, 0)); err != nil {
			t.Errorf("%s: %v", signature, err)
		}
		if err := v.VerifyRequest(h, []byte(vectorBody+" "), time.Unix(vectorTime, 0)); !errors.Is(err, callback.ErrBadSignature) {
			t.Errorf("%s over another body: %v", signature, err)
		}
	}
}

func TestVerifyRequest(t *testing.T) {
	legacy := signedAt(now)
	strong := callback.Verifier{Secrets: []string{"", secret}, Keys: []string{key}}
	lenient := strong
	lenient.AllowDowngrade = true
	edit := func(change func(http.Header)) http.Header {
		h := webhookHeader("e1", now, legacy, secret)
		change(h)
		return h
	}
	tests := map[string]struct {
		v      callback.Verifier
		header http.Header
		at     time.Time
		want   error
	}{
		"good":                      {v: strong, header: webhookHeader("e1", now, legacy, secret)},
		"rotation, new first":       {v: strong, header: webhookHeader("e1", now, legacy, secret, otherSecret)},
		"rotation, old first":       {v: strong, header: webhookHeader("e1", now, legacy, otherSecret, secret)},
		"either of two":             {v: callback.Verifier{Secrets: []string{otherSecret, secret}}, header: webhookHeader("e1", now, legacy, secret)},
		"other secret":              {v: strong, header: webhookHeader("e1", now, legacy, otherSecret), want: callback.ErrBadSignature},
		"other body":                {v: strong, header: webhookHeader("e1", now, []byte(`{}`), secret), want: callback.ErrBadSignature},
		"other id":                  {v: strong, header: edit(func(h http.Header) { h.Set("webhook-id", "e2") }), want: callback.ErrBadSignature},
		"other time":                {v: strong, header: edit(func(h http.Header) { h.Set("webhook-timestamp", fmt.Sprint(now.Unix()+1)) }), want: callback.ErrBadSignature},
		"same number written apart": {v: strong, header: edit(func(h http.Header) { h.Set("webhook-timestamp", "0"+fmt.Sprint(now.Unix())) }), want: callback.ErrBadSignature},
		"time is no number":         {v: strong, header: edit(func(h http.Header) { h.Set("webhook-timestamp", "noon") }), want: callback.ErrBadSignature},
		"id with a dot":             {v: strong, header: edit(func(h http.Header) { h.Set("webhook-id", "e1.1") }), want: callback.ErrBadSignature},
		"no id":                     {v: strong, header: edit(func(h http.Header) { h.Del("webhook-id") }), want: callback.ErrNotSigned},
		"no time":                   {v: lenient, header: edit(func(h http.Header) { h.Del("webhook-timestamp") }), want: callback.ErrNotSigned},
		"no signature":              {v: lenient, header: edit(func(h http.Header) { h.Del("webhook-signature") }), want: callback.ErrNotSigned},
		"two signatures' headers":   {v: strong, header: edit(func(h http.Header) { h.Add("webhook-signature", "v1,x") }), want: callback.ErrNotSigned},
		"empty signature":           {v: strong, header: edit(func(h http.Header) { h.Set("webhook-signature", "v1,") }), want: callback.ErrNotSigned},
		"unknown version": {v: strong, header: edit(func(h http.Header) {
			h.Set("webhook-signature", strings.Replace(h.Get("webhook-signature"), "v1", "v9", 1))
		}), want: callback.ErrNotSigned},
		"five minutes old":   {v: strong, header: webhookHeader("e1", now, legacy, secret), at: now.Add(5 * time.Minute)},
		"older":              {v: strong, header: webhookHeader("e1", now, legacy, secret), at: now.Add(5*time.Minute + time.Second), want: callback.ErrExpired},
		"five minutes ahead": {v: strong, header: webhookHeader("e1", now, legacy, secret), at: now.Add(-5 * time.Minute)},
		"further ahead":      {v: strong, header: webhookHeader("e1", now, legacy, secret), at: now.Add(-5*time.Minute - time.Second), want: callback.ErrTooFarAhead},
		"tolerance":          {v: callback.Verifier{Secrets: []string{secret}, Tolerance: time.Hour}, header: webhookHeader("e1", now, legacy, secret), at: now.Add(59 * time.Minute)},
		"no tolerance":       {v: callback.Verifier{Secrets: []string{secret}, Tolerance: -1}, header: webhookHeader("e1", now, legacy, secret), at: now.Add(time.Second), want: callback.ErrExpired},
		"headers left out":   {v: strong, header: http.Header{}, want: callback.ErrDowngraded},
		"downgrade allowed":  {v: lenient, header: http.Header{}},
		"no fallback":        {v: lenient, header: webhookHeader("e1", now, legacy, otherSecret), want: callback.ErrBadSignature},
		"no secret":          {v: callback.Verifier{Secrets: []string{""}, Keys: []string{key}}, header: webhookHeader("e1", now, legacy, otherSecret)},
		"malformed secret":   {v: callback.Verifier{Secrets: []string{secret, "whsec_x"}}, header: webhookHeader("e1", now, legacy, secret), want: callback.ErrNoKey},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			at := tt.at
			if at.IsZero() {
				at = now
			}
			if err := tt.v.VerifyRequest(tt.header, legacy, at); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	if err := strong.Verify(legacy, now); !errors.Is(err, callback.ErrDowngraded) {
		t.Errorf("Verify of a body alone: %v, want that it is refused", err)
	}
	if err := strong.VerifyRequest(nil, []byte(`[]`), now); !errors.Is(err, callback.ErrMalformed) {
		t.Errorf("no object: %v", err)
	}
}

func signedAt(at time.Time) []byte {
	t := at.Unix() + 600
	return body(t, callback.Sign(key, t))
}

// A handler with a secret takes events signed by it, tells them apart by the
// webhook-id, and refuses the others. An id that is not signed cannot make it take
// a signed event for a repeat.
func TestHandlerWithSecret(t *testing.T) {
	var got []callback.Meta
	options := callback.Options{Secrets: []string{secret}, Keys: []string{key}, Replay: callback.NewReplayGuard(0, 0)}
	receive := func(ctx context.Context, _ callback.Event) error {
		got = append(got, callback.MetaFrom(ctx))
		return nil
	}
	send := func(h http.Handler, body []byte, header http.Header, status, calls int) {
		t.Helper()
		flat := map[string]string{}
		for name := range header {
			flat[name] = header.Get(name)
		}
		if w := post(h, body, flat); w.Code != status || len(got) != calls {
			t.Errorf("status %d %s after %d calls, want %d after %d", w.Code, w.Body, len(got), status, calls)
		}
	}
	h := callback.Handler(options, receive)
	first, second := signed(key, map[string]any{"app": "a"}), []byte(`{"event_type":200,"app":"b"}`)
	header := webhookHeader("e1", time.Now(), first, secret)
	header.Set(callback.HeaderEventID, "another") // is not signed
	header.Set(callback.HeaderTest, "1")
	send(h, first, header, 200, 1)
	if m := got[0]; m.EventID != "e1" || !m.Signed || !m.Test {
		t.Errorf("meta %+v", m)
	}
	send(h, first, webhookHeader("e1", time.Now().Add(time.Second), first, secret), 200, 1) // a repeat
	send(h, second, webhookHeader("e2", time.Now(), second, secret), 200, 2)                // without sign
	send(h, second, webhookHeader("e3", time.Now(), first, secret), 403, 2)
	send(h, first, nil, 403, 2) // downgraded

	options.AllowDowngrade = true
	h = callback.Handler(options, receive)
	send(h, first, http.Header{callback.HeaderEventID: {"e9"}}, 200, 3)
	if got[2].Signed || got[2].EventID != "e9" {
		t.Errorf("meta %+v", got[2])
	}
	send(h, first, webhookHeader("e9", time.Now(), first, secret), 200, 4) // not taken for a repeat
	send(h, second, nil, 403, 4)
}

// Whatever the headers hold, nothing is taken that was not signed with the secret.
func FuzzVerifyRequest(f *testing.F) {
	f.Add(vectorID, fmt.Sprint(vectorTime), vectorSignature, vectorBody)
	f.Add("e1", "-1", "v1, v1,= v1a,x  v1,"+strings.Repeat("A", 44), `{"event_type":200}`)
	f.Add("a.b", "0", "", "{}")
	f.Add("", "\x00", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE", "{}")
	f.Fuzz(func(t *testing.T, id, timestamp, signature, body string) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {signature}}
		v := callback.Verifier{Secrets: []string{otherSecret, secret}, AllowDowngrade: true, Keys: []string{key}}
		at := time.Unix(vectorTime, 0)
		if err := v.VerifyRequest(h, []byte(body), at); err != nil {
			return
		}
		for _, s := range v.Secrets {
			var sent int64
			if _, err := fmt.Sscan(timestamp, &sent); err != nil {
				t.Fatalf("a time of %q was taken", timestamp)
			}
			want, err := callback.SignWebhook(s, id, time.Unix(sent, 0), []byte(body))
			if err == nil && strings.Contains(signature, want) {
				return
			}
		}
		t.Fatalf("id %q, time %q, signature %q of %q was taken", id, timestamp, signature, body)
	})
}
