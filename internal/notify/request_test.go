package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/state"
)

const (
	testSecret  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	otherSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
)

// withPush makes the rows of a ledger those of a real push, with facts and the
// shot before.
func withPush(t *testing.T, facts bool, previous string) func([]*row) {
	t.Helper()
	return func(rows []*row) {
		for _, r := range rows {
			s := shot
			s.Captured = r.Event.At
			if facts {
				s.Renditions = r.Shot.Renditions
			}
			r.Shot, r.Event.PushID = s, push.ID
			fields, err := ShotFields(s, push, facts, previous)
			if err != nil {
				t.Error(err)
			}
			r.Event.Fields = fields
		}
	}
}

// What is kept of an attempt gives its header and body again, byte for byte, in
// every combination, also after the template changed.
func TestRebuild(t *testing.T) {
	for i := range 1 << 6 {
		on := func(bit int) bool { return i&(1<<bit) != 0 }
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			to := template(1)
			to.Extras, to.RedactParam = on(0), on(1)
			if on(2) {
				to.SigningSecret = testSecret
			}
			if on(2) && on(3) {
				to.PreviousSecret = otherSecret
			}
			if on(4) {
				to.Profile, to.Key = stillcast.ProfileStandard, ""
			}
			r.settings.set(to)
			hooks := &receiver{status: 503}
			r.net.serve(t, host(1), hooks.ServeHTTP)
			r.start(t)
			r.ledger.owe(dest(1), 1)
			r.ledger.edit(withPush(t, on(5), "e0"))
			r.Wake(dest(1))
			time.Sleep(3 * time.Minute)
			synctest.Wait()
			r.settings.set(template(1))
			d := r.ledger.rows[0].Delivery
			results, arrivals := r.ledger.recorded(), hooks.arrivals()
			if len(results) < 2 || len(results) != len(arrivals) {
				t.Fatalf("%d results of %d requests", len(results), len(arrivals))
			}
			for n, result := range results {
				rebuilt, err := Rebuild(d.Event, d.Shot, d.Sequence, result.Attempt, result.Request)
				if err != nil {
					t.Fatal(err)
				}
				sent := arrivals[n].header.Clone()
				sent.Del("Content-Length")
				if diff := cmp.Diff(sent, rebuilt.Header); diff != "" {
					t.Errorf("%06b: header -sent +rebuilt:\n%s", i, diff)
				}
				if !bytes.Equal(arrivals[n].body, rebuilt.Body) {
					t.Errorf("%06b: body -sent +rebuilt:\n%s", i, cmp.Diff(string(arrivals[n].body), string(rebuilt.Body)))
				}
				if want, _, _ := strings.Cut(template(1).SnapshotURL, "?"); rebuilt.URL != want {
					t.Errorf("%06b: sent to %q, rebuilt %q", i, want, rebuilt.URL)
				}
			}
		})
	}
}

func TestRebuildRefuses(t *testing.T) {
	fields, err := ShotFields(shot, push, false, "")
	if err != nil {
		t.Fatal(err)
	}
	long := request{PicFullURL: "http://h/" + strings.Repeat("x", state.MaxRequest), Agent: "a"}
	tooLong, err := long.record()
	if err != nil || len(tooLong) > 100 {
		t.Fatalf("%s, %v", tooLong, err)
	}
	for kept, says := range map[string]string{"": "was not kept", "[": "unexpected end", string(tooLong): "URLs of pictures are longer than 4096 bytes"} {
		_, err := Rebuild(messageOf(fields).event, shot, 1, 3, json.RawMessage(kept))
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "attempt 3") {
			t.Errorf("%q: %v", kept, err)
		}
	}
}

// What is kept is small, and holds neither keys nor the query of the URL.
func TestRequestIsSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		to := template(1)
		to.SigningSecret, to.PreviousSecret = testSecret, otherSecret
		r.settings.set(to)
		r.net.serve(t, host(1), (&receiver{status: 200}).ServeHTTP)
		r.start(t)
		r.owe(dest(1), 1)
		synctest.Wait()
		kept := string(r.ledger.recorded()[0].Request)
		if len(kept) > 600 {
			t.Errorf("%d bytes: %s", len(kept), kept)
		}
		for _, hush := range []string{testKey, testSecret[6:], otherSecret[6:], "hush"} {
			if strings.Contains(kept, hush) {
				t.Errorf("%s holds %s", kept, hush)
			}
		}
	})
}

// The body is exactly the contract's without extras, whatever is kept of the shot
// before; with them one member is added, and facts share it.
func TestExtras(t *testing.T) {
	made := request{SentMS: sentMS + 123, PicFullURL: "http://h/p"}
	bodies := map[[2]bool]string{} // by facts, extras
	for _, facts := range []bool{false, true} {
		for _, extras := range []bool{false, true} {
			fields, err := ShotFields(shot, push, facts, "e0")
			if err != nil {
				t.Fatal(err)
			}
			made.Extras = extras
			body, err := render(messageOf(fields), 2, made)
			if err != nil {
				t.Fatal(err)
			}
			bodies[[2]bool{facts, extras}] = string(body)
		}
	}
	contract, err := ShotFields(shot, push, false, "")
	if err != nil {
		t.Fatal(err)
	}
	made.Extras = false
	plain, err := render(messageOf(contract), 2, made)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(plain), bodies[[2]bool{}]); diff != "" {
		t.Errorf("without extras and facts: %s", diff)
	}
	extras := `"stillcast":{"attempt":2,"captured_at_ms":1622599925999,"event_id":"e1","previous_event_id":"e0","push_id":"0197-push","sent_at_ms":1622599925123,"sequence":7}`
	if want := strings.Replace(string(plain), `"stream_id"`, extras+`,"stream_id"`, 1); bodies[[2]bool{false, true}] != want {
		t.Error(cmp.Diff(want, bodies[[2]bool{false, true}]))
	}
	var both, facts, alone struct{ Stillcast map[string]any }
	for body, into := range map[string]any{bodies[[2]bool{true, true}]: &both, bodies[[2]bool{true, false}]: &facts, bodies[[2]bool{false, true}]: &alone} {
		if err := json.Unmarshal([]byte(body), into); err != nil {
			t.Fatal(err)
		}
	}
	maps.Copy(facts.Stillcast, alone.Stillcast)
	if diff := cmp.Diff(facts.Stillcast, both.Stillcast); diff != "" || len(both.Stillcast) < 15 {
		t.Errorf("facts and extras: %s", diff)
	}
	event, err := callback.Parse([]byte(bodies[[2]bool{true, true}]))
	if err != nil {
		t.Fatal(err)
	}
	got, _ := event.(callback.Screenshot)
	want := callback.Extras{
		Attempt: 2, CapturedAtMS: 1622599925999, EventID: "e1", PreviousEventID: "e0", PushID: "0197-push", SentAtMS: sentMS + 123, Sequence: 7,
	}
	if got.Stillcast == nil || got.Stillcast.Extras != want || got.Stillcast.Hash == "" {
		t.Errorf("parsed %+v", got.Stillcast)
	}
}

// Events of pushes have extras too, less what only a shot has.
func TestExtrasOfAPush(t *testing.T) {
	fields, err := PushBeginFields(push, 1)
	if err != nil {
		t.Fatal(err)
	}
	m := message{event: stillcast.Event{ID: "e1", Type: stillcast.EventPushBegin, PushID: push.ID, At: push.Started, Fields: fields}, sequence: 1}
	body, err := render(m, 1, request{SentMS: sentMS, Extras: true})
	if err != nil {
		t.Fatal(err)
	}
	want := `"stillcast":{"attempt":1,"event_at_ms":1622599900000,"event_id":"e1","push_id":"0197-push","sent_at_ms":1622599925000,"sequence":1},"stream_id"`
	if !strings.Contains(string(body), want) {
		t.Errorf("%s lacks %s", body, want)
	}
	event, err := callback.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	if begin, _ := event.(callback.StreamBegin); begin.Stillcast == nil || begin.Stillcast.EventID != "e1" {
		t.Errorf("%+v", begin)
	}
}

func TestRedaction(t *testing.T) {
	for param, want := range map[string]string{
		"": "", "a=1": "a=1", "txSecret=x&txTime=y": "", "a=1&txSecret=x&b=%26&txTime=y&c": "a=1&b=%26&c",
		"txsecret=x&TXTIME=1&tx%53ecret=2&?txTime=3&txTimes=4": "txTimes=4", "?txSecret=x&b=1": "b=1", "a&&b": "a&&b", "%zz=1&txSecret": "%zz=1",
	} {
		if got := withoutCredential(param); got != want {
			t.Errorf("%q became %q, want %q", param, got, want)
		}
	}
	p := push
	p.Param = "a=<1>&txSecret=hush&txTime=hush&b=\"\u2028"
	fields, err := ShotFields(shot, p, false, "")
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[bool]string{}
	for _, on := range []bool{false, true} {
		body, err := render(messageOf(fields), 1, request{Redact: on})
		if err != nil {
			t.Fatal(err)
		}
		bodies[on] = string(body)
	}
	if want := strings.Replace(bodies[false], "&txSecret=hush&txTime=hush", "", 1); bodies[true] != want || strings.Contains(want, "hush") {
		t.Error(cmp.Diff(want, bodies[true]))
	}
}

// Requests carry what Standard Webhooks asks for, and both secrets during a change;
// a receiver that has either takes them, now and only now.
func TestStandardWebhooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		to := template(1)
		to.SigningSecret, to.PreviousSecret = testSecret, otherSecret
		r.settings.set(to)
		hooks := &receiver{status: 404}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.start(t)
		r.owe(dest(1), 1)
		time.Sleep(3 * time.Minute)
		got := hooks.arrivals()
		if len(got) != 2 || got[0].header.Get("webhook-id") != "e1" || got[1].header.Get("webhook-id") != "e1" ||
			got[0].header.Get("webhook-timestamp") == got[1].header.Get("webhook-timestamp") {
			t.Fatalf("%+v", got)
		}
		for _, a := range got {
			for _, secret := range []string{testSecret, otherSecret} {
				v := callback.Verifier{Secrets: []string{secret}}
				if err := v.VerifyRequest(a.header, a.body, a.at); err != nil {
					t.Error(err)
				}
				if err := v.VerifyRequest(a.header, append(bytes.Clone(a.body), ' '), a.at); err == nil {
					t.Error("another body was taken")
				}
				if err := v.VerifyRequest(a.header, a.body, a.at.Add(6*time.Minute)); err == nil {
					t.Error("taken six minutes later")
				}
			}
			if n := len(strings.Fields(a.header.Get("webhook-signature"))); n != 2 {
				t.Errorf("%d signatures", n)
			}
			if err := callback.Verify(a.body, testKey, a.at); err != nil { // beside the legacy one
				t.Error(err)
			}
		}
		to.SigningSecret, to.PreviousSecret = "", ""
		r.settings.set(to)
		time.Sleep(2 * time.Minute)
		if a := hooks.arrivals()[2]; len(a.header["Webhook-Id"])+len(a.header["Webhook-Signature"]) != 0 {
			t.Errorf("header without a secret: %v", a.header)
		}
	})
}

// A test event goes out at once, marked, signed as all are, past pauses and the
// ledger.
func TestTestEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		to := template(1)
		to.SigningSecret = testSecret
		to.StreamBeginURL, to.StreamEndURL, to.PushExceptionURL = to.SnapshotURL, to.SnapshotURL, to.SnapshotURL
		r.settings.set(to)
		hooks := &receiver{status: 200}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.start(t)
		r.Pause(dest(1))
		for _, typ := range []stillcast.EventType{stillcast.EventShot, stillcast.EventPushBegin, stillcast.EventPushEnd, stillcast.EventPushException} {
			result, err := r.Test(t.Context(), stillcast.Destination{TemplateID: 1, Event: typ})
			if err != nil {
				t.Fatal(err)
			}
			got := hooks.arrivals()
			a := got[len(got)-1]
			if result.Status != 200 || !result.Received || result.Error != "" || result.Reply != `{"code":0}` || result.URL != "http://ha.test/hook" {
				t.Errorf("%+v", result)
			}
			if !bytes.Equal(a.body, result.Body) || a.header.Get("Stillcast-Test") != "1" || result.Header.Get("Stillcast-Test") != "1" {
				t.Errorf("sent %s, header %v", a.body, a.header)
			}
			if err := (callback.Verifier{Secrets: []string{testSecret}}).VerifyRequest(a.header, a.body, a.at); err != nil {
				t.Error(err)
			}
			if event, err := callback.Parse(a.body); err != nil || event.Type() != int(typ) || !callback.MetaFromHeader(a.header).Test {
				t.Errorf("%+v, %v", event, err)
			}
		}
		hooks.answer(503)
		if result, err := r.Test(t.Context(), dest(1)); err != nil || result.Received || result.Status != 503 || result.Error != "answered 503 Service Unavailable; only 200 counts" {
			t.Errorf("%+v, %v", result, err)
		}
		if result, err := r.Test(t.Context(), dest(2)); err != nil || result.Status != 0 || !strings.Contains(result.Error, "connection refused") {
			t.Errorf("%+v, %v", result, err)
		}
		if _, err := r.Test(t.Context(), dest(99)); err == nil || !strings.Contains(err.Error(), "no longer exists") {
			t.Error(err)
		}
		if len(r.ledger.asked())+len(r.ledger.recorded()) != 0 {
			t.Error("the ledger knows of the tests")
		}
		r.net.serve(t, host(1), func(_ http.ResponseWriter, q *http.Request) { blackHole(q) })
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if result, err := r.Test(ctx, dest(1)); err != nil || result.Took != time.Second || result.Error == "" {
			t.Errorf("%+v, %v", result, err)
		}
		r.stopNow(t)
		if _, err := r.Test(t.Context(), dest(1)); err == nil {
			t.Error("sent after Stop")
		}
	})
}

// Members are found, replaced and kept as they are written, in any valid JSON.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, ` { "b" : [1,{"}":"]\\"}] , "a":"\"" } `, `{"a":{},"a":[[]],"\u0061":null}`, `{"é":1e5,"":true}`, `[]`, `null`, `{"a":`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		members, err := membersOf([]byte(in))
		var want map[string]json.RawMessage
		if wantErr := json.Unmarshal([]byte(in), &want); (err == nil) != (wantErr == nil && want != nil) {
			t.Fatalf("%q: %v, encoding/json says %v", in, err, wantErr)
		}
		if err != nil {
			return
		}
		got := map[string]json.RawMessage{}
		for _, m := range members {
			got[strings.ToValidUTF8(m.name, "\ufffd")] = m.value
		}
		if strings.ToValidUTF8(in, "\ufffd") != in {
			return // encoding/json replaces what is not UTF-8
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q: %s", in, diff)
		}
		var again map[string]json.RawMessage
		if err := json.Unmarshal(object(set(members, "zz", []byte(`"new"`))), &again); err != nil || string(again["zz"]) != `"new"` {
			t.Fatalf("%q: %v", in, err)
		}
		if len(members) != len(want) {
			t.Fatal(fmt.Sprint(len(members), len(want)))
		}
	})
}
