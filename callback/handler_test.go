package callback_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/callback"
)

// signed returns a body that is valid now.
func signed(k string, members map[string]any) []byte {
	t := time.Now().Unix() + 600
	all := map[string]any{"event_type": 200, "t": t, "sign": callback.Sign(k, t)}
	maps.Copy(all, members)
	b, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return b
}

func post(h http.Handler, body []byte, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/hooks", bytes.NewReader(body))
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	old := time.Now().Unix() - 3600
	tests := map[string]struct {
		method string
		body   []byte
		fails  error
		status int
		says   string
		calls  int
	}{
		"good":        {body: signed(key, nil), status: 200, says: `{"code":0}`, calls: 1},
		"second key":  {body: signed("old", nil), status: 200, says: `{"code":0}`, calls: 1},
		"unknown":     {body: signed(key, map[string]any{"event_type": 314}), status: 200, says: `{"code":0}`, calls: 1},
		"func fails":  {body: signed(key, nil), fails: errors.New("db down"), status: 500, says: `{"code":500,`, calls: 1},
		"get":         {method: http.MethodGet, status: 405, says: "POST"},
		"other key":   {body: signed("x", nil), status: 403, says: "bad signature"},
		"expired":     {body: body(old, callback.Sign(key, old)), status: 403, says: "expired"},
		"not signed":  {body: []byte(`{"event_type":200}`), status: 403, says: "not signed"},
		"no JSON":     {body: []byte(`hello`), status: 400, says: "malformed"},
		"no type":     {body: signed(key, map[string]any{"event_type": nil}), status: 400, says: "event_type is missing"},
		"bad member":  {body: signed(key, map[string]any{"width": "x"}), status: 400, says: "width"},
		"too long":    {body: signed(key, map[string]any{"app": strings.Repeat("x", 2000)}), status: 413, says: "too large"},
		"forged type": {body: []byte(`{"event_type":{},"t":1,"sign":"x"}`), status: 403, says: "bad signature"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			calls := 0
			h := callback.Handler(callback.Options{Keys: []string{key, "old"}, MaxBody: 1000}, func(_ context.Context, e callback.Event) error {
				calls++
				if e == nil {
					t.Error("no event")
				}
				return tt.fails
			})
			r := httptest.NewRequest(cmp.Or(tt.method, http.MethodPost), "/", bytes.NewReader(tt.body))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) || calls != tt.calls {
				t.Errorf("%d %s after %d calls; want %d %s after %d", w.Code, w.Body, calls, tt.status, tt.says, tt.calls)
			}
			if strings.Contains(w.Body.String(), "db down") {
				t.Error("the sender learns of the receiver's inside")
			}
			if got := w.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type %q", got)
			}
			if tt.status == 405 && w.Header().Get("Allow") != "POST" {
				t.Errorf("Allow %q", w.Header().Get("Allow"))
			}
			var reply struct{ Code int }
			if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil || reply.Code != tt.status && tt.status != 200 {
				t.Errorf("reply %s: %v", w.Body, err)
			}
		})
	}
}

// The zero value of Options lets nothing in; only Unsigned does so without a key.
func TestHandlerWithoutKeys(t *testing.T) {
	unsigned := []byte(`{"event_type":200,"t":1}`)
	receive := func(context.Context, callback.Event) error { return nil }
	if w := post(callback.Handler(callback.Options{}, receive), signed("", nil), nil); w.Code != 403 {
		t.Errorf("status %d without a key, want 403", w.Code)
	}
	if w := post(callback.Handler(callback.Options{Unsigned: true}, receive), unsigned, nil); w.Code != 200 {
		t.Errorf("status %d with Unsigned, want 200", w.Code)
	}
	if w := post(callback.Handler(callback.Options{Keys: []string{key}}, receive), unsigned, nil); w.Code != 403 {
		t.Errorf("status %d for an unsigned event, want 403", w.Code)
	}
}

func TestHandlerMeta(t *testing.T) {
	var got callback.Meta
	h := callback.Handler(callback.Options{Keys: []string{key}}, func(ctx context.Context, _ callback.Event) error {
		got = callback.MetaFrom(ctx)
		return nil
	})
	tests := map[string]struct {
		header map[string]string
		want   callback.Meta
	}{
		"all": {
			map[string]string{
				"Stillcast-Event-Id": "e1", "Stillcast-Event-Time": "2021-06-02T02:12:05.123Z",
				"Stillcast-Sequence": "7", "Stillcast-Attempt": "2",
			},
			callback.Meta{EventID: "e1", At: time.UnixMilli(1622599925123).UTC(), Sequence: 7, Attempt: 2},
		},
		"none": {nil, callback.Meta{}},
		"bad":  {map[string]string{"Stillcast-Sequence": "-1", "Stillcast-Attempt": "99999999999", "Stillcast-Event-Time": "noon"}, callback.Meta{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if w := post(h, signed(key, nil), tt.header); w.Code != 200 {
				t.Fatal(w.Code, w.Body)
			}
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if m := callback.MetaFrom(t.Context()); m != (callback.Meta{}) {
		t.Errorf("meta %v in a context of nobody's", m)
	}
}

// What was refused and what failed is logged, the keys are not.
func TestHandlerLogs(t *testing.T) {
	var log bytes.Buffer
	h := callback.Handler(callback.Options{Keys: []string{key}, Logger: slog.New(slog.NewTextHandler(&log, nil))},
		func(context.Context, callback.Event) error { return errors.New("db down") })
	post(h, signed(key, nil), map[string]string{callback.HeaderEventID: "e1"})
	post(h, signed("other", nil), nil)
	for _, want := range []string{"db down", "event_id=e1", "event_type=200", "bad signature"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log does not say %q:\n%s", want, &log)
		}
	}
	if strings.Contains(log.String(), key) {
		t.Errorf("log holds the key:\n%s", &log)
	}
}

func TestHandlerReplay(t *testing.T) {
	fail, calls := true, 0
	h := callback.Handler(callback.Options{Keys: []string{key}, Replay: callback.NewReplayGuard(0, 0)},
		func(context.Context, callback.Event) error {
			calls++
			if fail {
				return errors.New("down")
			}
			return nil
		})
	send := func(body []byte, id string, wantStatus, wantCalls int) {
		t.Helper()
		header := map[string]string{}
		if id != "" {
			header[callback.HeaderEventID] = id
		}
		if w := post(h, body, header); w.Code != wantStatus || calls != wantCalls {
			t.Errorf("status %d after %d calls, want %d after %d", w.Code, calls, wantStatus, wantCalls)
		}
	}
	send(signed(key, nil), "e1", 500, 1) // a failure is not remembered
	fail = false
	send(signed(key, nil), "e1", 200, 2)
	send(signed(key, nil), "e1", 200, 2)
	send(signed(key, nil), "e2", 200, 3) // the id decides, not the body
	send(signed("x", nil), "e2", 403, 3) // a repeat must be signed as well

	// Without an id the body decides, less what is made anew for each attempt.
	facts := func(sig string) any {
		return map[string]any{"renditions": []any{map[string]any{"pic_full_url": "http://h/2?sig=" + sig}}}
	}
	first := signed(key, map[string]any{"app": "a", "pic_full_url": "http://h/1?sig=1", "stillcast": facts("1")})
	t2 := time.Now().Unix() + 601
	again := signed(key, map[string]any{"app": "a", "pic_full_url": "http://h/1?sig=2", "stillcast": facts("2"), "t": t2, "sign": callback.Sign(key, t2)})
	send(first, "", 200, 4)
	send(again, "", 200, 4)
	send(signed(key, map[string]any{"app": "b"}), "", 200, 5)
}

// A real server: the connection survives a refused body that is not read to its end.
func TestHandlerOverHTTP(t *testing.T) {
	server := httptest.NewServer(callback.Handler(callback.Options{Keys: []string{key}, MaxBody: 100},
		func(context.Context, callback.Event) error { return nil }))
	defer server.Close()
	for want, body := range map[int]string{200: string(signed(key, nil)), 413: strings.Repeat(" ", 1<<20)} {
		resp, err := server.Client().Post(server.URL, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		reply, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != want {
			t.Errorf("status %d, %s, %v; want %d", resp.StatusCode, reply, err, want)
		}
	}
}
