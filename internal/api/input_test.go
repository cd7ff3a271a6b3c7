package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/api/tcsign"
	"github.com/stillcast/stillcast/internal/guard"
)

func TestWrongInputIsAnswered(t *testing.T) {
	r := newRig(t)
	describe := func(body string) signed { return r.post("DescribeLiveSnapshotTemplate", []byte(body)) }
	changed := func(change func(*signed)) signed {
		s := describe("{}")
		change(&s)
		return s
	}
	deep := strings.Repeat(`{"a":`, 1<<16)
	tests := []struct {
		name string
		send signed
		code string
		says string
	}{
		{"no JSON", describe("{"), codeInvalid, "not a JSON object"},
		{"array", describe("[]"), codeInvalid, "it is a JSON array"},
		{"two objects", describe("{} {}"), codeInvalid, "goes on after"},
		{"invalid UTF-8", describe("{\"TemplateId\":\"\xff\"}"), codeInvalid, "UTF-8"},
		{"deep nesting", describe(deep), codeInvalid, "not a JSON object"},
		{"deep parameter", describe(`{"TemplateId":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`), codeInvalid, "allowed is an integer"},
		{"wrong type", describe(`{"TemplateId":true}`), codeInvalid, "TemplateId is true; allowed is an integer"},
		{"fraction", describe(`{"TemplateId":1.5}`), codeInvalid, "TemplateId is 1.5"},
		{"too large for int64", describe(`{"TemplateId":9223372036854775808}`), codeInvalid, "TemplateId"},
		{"text for a list", r.post("CreateLiveCallbackTemplate", []byte(`{"TemplateName":"t","RecordExceptionLevels":"error"}`)), codeInvalid, "list of strings"},
		{"number for a text", r.post("DescribeLiveDomain", []byte(`{"DomainName":7}`)), codeInvalid, "DomainName is 7; allowed is a string"},
		{"missing", describe("{}"), codeMissing, "TemplateId"},
		{"null is missing", describe(`{"TemplateId":null}`), codeMissing, "TemplateId"},
		{"no body is no parameters", describe(""), codeMissing, "TemplateId"},
		{"unknown parameter", describe(`{"TemplateId":1,"Templateid":2}`), codeUnknown, "Templateid; its parameters are TemplateId"},
		{"control character", r.post("DescribeLiveDomain", []byte(`{"DomainName":"a\u0000b"}`)), codeInvalidValue, `'\x00'`},
		{"too many parameters", describe(manyParameters()), codeInvalid, "at most 256"},
		{"unknown action", changed(func(s *signed) { s.action = "DescribeNothing" }), codeAction, "DescribeNothing"},
		{"no action", changed(func(s *signed) { s.action = "" }), codeMissing, "Action"},
		{"unknown version", changed(func(s *signed) { s.version = "2017-03-12" }), codeVersion, Version},
		{"no version", changed(func(s *signed) { s.version = "" }), codeMissing, "Version"},
		{"method", changed(func(s *signed) { s.method = http.MethodPut }), codeProtocol, "GET and POST"},
		{"content type", changed(func(s *signed) { s.header.Set("Content-Type", "text/plain") }), codeInvalid, "application/json"},
		{"unknown id", changed(func(s *signed) { s.id = "AKIDother" }), tcsign.CodeUnknownID, "AKIDother"},
		{"forged", changed(func(s *signed) { s.key = "another key" }), tcsign.CodeFailure, "SecretKey"},
		{"expired", changed(func(s *signed) { s.at = time.Now().Add(-6 * time.Minute) }), tcsign.CodeExpired, "5m0s"},
		{"from the future", changed(func(s *signed) { s.at = time.Now().Add(6 * time.Minute) }), tcsign.CodeExpired, "5m0s"},
		{"query of a GET", r.get("DescribeLiveSnapshotTemplate", "TemplateId=1&TemplateId=2"), codeInvalid, "given 2 times"},
		{"query that cannot be read", r.get("DescribeLiveSnapshotTemplate", "TemplateId=%zz"), codeInvalid, "cannot be read"},
		{"long query", r.get("DescribeLiveDomain", "DomainName="+strings.Repeat("x", maxQuery)), codeTooLarge, "32768"},
		{"index of a list", r.get("CreateLiveCallbackTemplate", "TemplateName=t&RecordExceptionLevels.x=error"), codeUnknown, "RecordExceptionLevels.x"},
		{"read only", changed(func(s *signed) { s.id, s.key, s.action = readerID, readerKey, "DropLiveStream" }), codeUnauthorized, readerID},
		{"pull task", r.post("CreateLivePullStreamTask", []byte(`{"SourceType":"PullLivePushLive","WatermarkList":[{}]}`)), codeUnsupported, "push them"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			defer r.api.guard.Passed(guard.Network(&http.Request{RemoteAddr: "127.0.0.1:1"}))
			a := r.send(test.send)
			if a.Code != test.code || !strings.Contains(a.Message, test.says) {
				t.Errorf("got %s: %s; want %s and %q", a.Code, a.Message, test.code, test.says)
			}
			if a.status != http.StatusOK {
				t.Errorf("status %d, want 200", a.status)
			}
		})
	}
	if set := r.control.set; len(set.SnapshotTemplates)+len(set.CallbackTemplates)+len(set.Domains) > 0 {
		t.Errorf("something was made: %+v", set)
	}
}

func manyParameters() string {
	var b strings.Builder
	b.WriteString(`{"a":0`)
	for i := range 256 {
		b.WriteString(`,"p` + strings.Repeat("x", i+1) + `":0`)
	}
	return b.String() + "}"
}

func TestSkippedSignatureIsRefused(t *testing.T) {
	r := newRig(t)
	req := r.sign(r.post("DescribeLiveSnapshotTemplates", nil))
	req.Header.Set("Authorization", "SKIP")
	if a := r.read(r.Client().Do(req)); a.Code != tcsign.CodeFailure {
		t.Errorf("code %q, want %s", a.Code, tcsign.CodeFailure)
	}
}

func TestLargeBodies(t *testing.T) {
	r := newRig(t)
	long := []byte(`{"DomainName":"` + strings.Repeat("x", maxBody-30) + `"}`)
	if a := r.send(r.post("DescribeLiveDomain", long)); a.Code != codeInvalidValue || !strings.Contains(a.Message, "255") {
		t.Errorf("10 MB: %s: %s", a.Code, a.Message)
	}
	if a := r.send(r.post("DescribeLiveDomain", append(long, make([]byte, 64)...))); a.Code != codeTooLarge {
		t.Errorf("more than 10 MB: %s: %s", a.Code, a.Message)
	}
	form := url.Values{"x": {strings.Repeat("x", maxForm)}}
	reply, err := r.Client().PostForm(r.URL+"/", form)
	if a := r.read(reply, err); a.Code != codeTooLarge {
		t.Errorf("more than 1 MB with the older signature: %s: %s", a.Code, a.Message)
	}
}

func TestFewLargeBodiesAreReadAtOnce(t *testing.T) {
	r := newRig(t)
	for range largeBodies {
		r.api.large <- struct{}{}
	}
	if a := r.send(r.post("DescribeLiveDomain", make([]byte, 2*smallBody))); a.Code != codeTooOften {
		t.Errorf("%s: %s", a.Code, a.Message)
	}
	if a := r.call("DescribeLiveSnapshotTemplates", nil); a.Code != "" {
		t.Errorf("a small body: %s: %s", a.Code, a.Message)
	}
}

func TestGuessingIsSlowed(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	r.api.guard = guard.New[netip.Prefix](freeTries, func() time.Time { return now })
	wrong := r.post("DescribeLiveSnapshotTemplates", nil)
	wrong.key = "another key"
	for i := range freeTries {
		if a := r.send(wrong); a.Code != tcsign.CodeFailure {
			t.Fatalf("try %d: %s", i, a.Code)
		}
	}
	for _, s := range []signed{wrong, r.post("DescribeLiveSnapshotTemplates", nil)} {
		if a := r.send(s); a.Code != codeTooOften {
			t.Errorf("after %d tries: %q, want %s", freeTries, a.Code, codeTooOften)
		}
	}
	now = now.Add(2 * time.Second)
	if a := r.send(r.post("DescribeLiveSnapshotTemplates", nil)); a.Code != "" {
		t.Errorf("after the pause: %s", a.Code)
	}
	if a := r.send(wrong); a.Code != tcsign.CodeFailure {
		t.Errorf("after a right signature: %s, want the count to begin anew", a.Code)
	}
}

func itoa(i int) string {
	b, _ := json.Marshal(i)
	return string(b)
}

// What is no business of the caller is in the log alone.
func TestFailuresOfTheServerKeepTheirReason(t *testing.T) {
	r := newRig(t)
	r.control.fail = errors.New("disk full at /secret/place")
	a := r.call("CreateLiveSnapshotTemplate", template)
	if a.Code != codeInternal || strings.Contains(a.Message, "disk") {
		t.Errorf("%s: %s", a.Code, a.Message)
	}
	if !strings.Contains(r.logged(), "disk full at /secret/place") || !strings.Contains(r.logged(), strings.Trim(string(a.Fields["RequestId"]), `"`)) {
		t.Errorf("the log %s does not hold the reason with the RequestId", r.logged())
	}
}

func FuzzJSONParams(f *testing.F) {
	f.Add([]byte(`{"TemplateName":"t","CosAppId":"1","CosBucket":"b","CosRegion":"r","StillcastRenditions":["1x2"]}`))
	f.Add([]byte(`{"Width":-1}`))
	f.Add([]byte(`{"RecordExceptionLevels":[null,"error"]}`))
	actions := slices.Concat(Actions(), OwnActions())
	f.Fuzz(func(t *testing.T, body []byte) {
		raw, err := jsonParams(body)
		if err != nil {
			return
		}
		checkAll(t, actions, raw)
	})
}

func FuzzFormParams(f *testing.F) {
	f.Add("TemplateName=t&RecordExceptionLevels.0=error&RecordExceptionLevels.1=info")
	f.Add("DomainName=%00&PageNum=99999999999999999999")
	actions := slices.Concat(Actions(), OwnActions())
	f.Fuzz(func(t *testing.T, query string) {
		form, err := parseQuery(query)
		if err != nil {
			return
		}
		raw, err := formParams(form)
		if err != nil {
			return
		}
		checkAll(t, actions, raw)
	})
}

// checkAll demands of each action a call within its limits, or a fault with code and message.
func checkAll(t *testing.T, actions []Action, raw rawParams) {
	t.Helper()
	for i := range actions {
		a := &actions[i]
		c, err := a.newCall(raw, nil)
		if err != nil {
			f, ok := errors.AsType[*fault](err)
			if !ok || f.Code == "" || f.Message == "" || len(f.Message) > 4096 {
				t.Errorf("%s: %v", a.Name, err)
			}
			continue
		}
		for j := range a.Params {
			p := &a.Params[j]
			if v, ok := c.params[p.Name]; ok && p.check(v, codeInvalid) != nil || !ok && p.Required {
				t.Errorf("%s: %s is %+v", a.Name, p.Name, v)
			}
		}
	}
}
