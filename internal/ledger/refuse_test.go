package ledger

import (
	"net/http"
	"strings"
	"testing"
)

// refused demands a refusal by status, code, field and a part of its message.
func refused(t *testing.T, r *rig, a answer, status int, code, field, message string) {
	t.Helper()
	e := as[Refusal](r, a, status).Error
	if e.Code != code || e.Field != field || !strings.Contains(e.Message, message) {
		t.Errorf("refused with %+v; want code %q, field %q, message %q", e, code, field, message)
	}
}

func TestWrongParametersAreNamedWithWhatIsAllowed(t *testing.T) {
	r := newRig(t)
	r.fill(1)
	for _, c := range []struct{ method, path, body, field, message string }{
		{"GET", "shots?state=lost", "", "state", `is "lost"; allowed are spooled, stored, dropped and removed`},
		{"GET", "shots?stat=stored", "", "stat", "is not known here; allowed are domain, app, stream, from, until, order, cursor, limit and state"},
		{"GET", "shots?state=stored&state=stored", "", "state", "is given twice"},
		{"GET", "shots?limit=0", "", "limit", `is "0"; allowed are whole numbers from 1 to 500`},
		{"GET", "shots?limit=501", "", "limit", "from 1 to 500"},
		{"GET", "shots?limit=ten", "", "limit", "from 1 to 500"},
		{"GET", "shots?from=yesterday", "", "from", "RFC 3339"},
		{"GET", "shots?from=2026-11-26T20:00:00Z&until=2026-11-26T20:00:00Z", "", "until", "it must be after from, 2026-11-26T20:00:00.000Z"},
		{"GET", "shots?from=0001-01-01T00:00:00Z", "", "from", "allowed are the years 1970 to 9999"},
		{"GET", "shots?cursor=x", "", "cursor", "expected the next of a page before"},
		{"GET", "shots?cursor=a5", "", "cursor", "in the other order"},
		{"GET", "shots?order=up", "", "order", "allowed are desc and asc"},
		{"GET", "shots?domain=" + strings.Repeat("d", 256), "", "domain", "has 256 bytes; at most 255 are allowed"},
		{"GET", "shots?domain=%00", "", "domain", "control character U+0000"},
		{"GET", "shots?domain=%ff", "", "domain", "is not valid UTF-8"},
		{"GET", "shots?domain=%zz", "", "query", "two hexadecimal digits"},
		{"GET", "shots?a=" + strings.Repeat("d", maxQuery), "", "query", "at most 16384 are allowed"},
		{"GET", "shots?domain=d&stream=s", "", "app", "give all or none"},
		{"GET", "deliveries?app=a&stream=s", "", "domain", "give all or none"},
		{"GET", "shots/one", "", "id", `is "one"; expected a whole number from 1`},
		{"GET", "shots/01", "", "id", "expected a whole number from 1"},
		{"GET", "shots/1?id=1", "", "id", "stands in the path"},
		{"GET", "shots/1?x=1", "", "x", "no parameter is allowed"},
		{"GET", "deliveries?destination=3", "", "destination", "such as 3-shot"},
		{"GET", "deliveries?event_type=200", "", "event_type", "allowed are shot, push_begin, push_end and push_exception"},
		{"GET", "destinations/3-shots", "", "destination", "one of shot, push_begin, push_end and push_exception"},
		{"POST", "destinations/3-shot/pause?reason=a", "", "query", "stand in its body"},
		{"POST", "destinations/3-shot/pause", `{"why":"a"}`, "why", "allowed are reason"},
		{"POST", "destinations/3-shot/pause", `{"reason":"a","reason":"b"}`, "reason", "is given twice"},
		{"POST", "destinations/3-shot/pause", `{"reason":{"a":1}}`, "reason", "is neither a text nor a number"},
		{"POST", "destinations/3-shot/pause", `{"reason":null}`, "reason", "is neither a text nor a number"},
		{"POST", "destinations/3-shot/pause", `["reason"]`, "body", "is no JSON object"},
		{"POST", "destinations/3-shot/pause", `{"reason":"a"`, "body", "is no JSON"},
		{"POST", "destinations/3-shot/pause", `{"reason":"a"} {}`, "body", "goes on behind"},
		{"POST", "replays", `{"state":"waiting"}`, "state", "allowed are parked and delivered"},
		{"POST", "replays", `{"state":"delivered","from":"2026-11-26T20:00:00Z"}`, "destination", "must be given with the state delivered"},
		{"POST", "replays", `{"state":"delivered","destination":"3-shot"}`, "from", "must be given with the state delivered"},
	} {
		a := r.send(c.method, Path+c.path, c.body)
		t.Run(c.method+" "+c.path[:min(len(c.path), 60)], func(t *testing.T) {
			refused(t, r, a, http.StatusBadRequest, "invalid", c.field, c.message)
		})
	}
}

func TestWhatIsNotThereIsNamed(t *testing.T) {
	r := newRig(t)
	r.fill(2)
	r.book.deliveries[1].State = "claimed"
	for _, c := range []struct {
		method, path, body, code, field, message string
		status                                   int
	}{
		{"GET", "shots/9", "", "not_found", "id", "there is no shot 9", 404},
		{"GET", "deliveries/9", "", "not_found", "id", "there is no delivery 9", 404},
		{"POST", "deliveries/9/replay", "", "not_found", "id", "there is no delivery 9", 404},
		{"POST", "deliveries/2/replay", "", "conflict", "id", "it is claimed", 409},
		{"GET", "destinations/9-shot", "", "not_found", "destination", "9-shot is none", 404},
		{"POST", "destinations/3-push_begin/pause", "", "not_found", "destination", "3-push_begin is none", 404},
		{"POST", "destinations/3-push_begin/test", "", "not_found", "destination", "3-push_begin is none", 404},
		{"POST", "replays", `{"destination":"9-shot"}`, "not_found", "destination", "9-shot is none", 404},
		{"GET", "replays/none", "", "not_found", "id", `"none" is no replay`, 404},
		{"DELETE", "replays/none", "", "not_found", "id", `"none" is no replay`, 404},
		{"GET", "nothing", "", "not_found", "path", "stands in /api/v1/openapi.json", 404},
		{"PUT", "shots", "", "method", "method", "is PUT; allowed here are GET and HEAD", 405},
		{"GET", "destinations/3-shot/pause", "", "method", "method", "allowed here are POST", 405},
	} {
		a := r.send(c.method, Path+c.path, c.body)
		t.Run(c.method+" "+c.path, func(t *testing.T) { refused(t, r, a, c.status, c.code, c.field, c.message) })
	}
	if allow := r.send("PUT", Path+"replays", "").header.Get("Allow"); allow != "GET, HEAD, POST" {
		t.Errorf("Allow %q", allow)
	}
}

func TestWhoMayAsk(t *testing.T) {
	r := newRig(t)
	r.fill(1)
	as := func(id string) func(*http.Request) { return func(q *http.Request) { q.SetBasicAuth(id, id) } }
	nobody := func(q *http.Request) { q.Header.Del("Authorization") }
	set := func(name, value string) func(*http.Request) {
		return func(q *http.Request) { q.Header.Set(name, value) }
	}
	pause := Path + "destinations/3-shot/pause"

	for _, path := range []string{"shots", "deliveries/1", "destinations", "streams", "status", "nothing"} {
		a := r.send(http.MethodGet, Path+path, "", nobody)
		refused(t, r, a, http.StatusUnauthorized, "unauthorized", "Authorization", "holds no credential")
		if got := a.header.Values("WWW-Authenticate"); len(got) != 2 || !strings.HasPrefix(got[0], "Basic ") {
			t.Errorf("WWW-Authenticate %q", got)
		}
	}
	refused(t, r, r.send(http.MethodPut, Path+"shots", "", nobody), http.StatusUnauthorized, "unauthorized", "Authorization", "holds no credential")
	a := r.send(http.MethodGet, Path+"shots", "", as("AKIDguesser"))
	refused(t, r, a, http.StatusTooManyRequests, "limit", "Authorization", "wait")
	if got := a.header.Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After %q, want the wait rounded up", got)
	}
	if a := r.send(http.MethodGet, Path+"openapi.json", "", nobody); a.status != http.StatusOK {
		t.Errorf("the document without a credential: %d", a.status)
	}

	if a := r.send(http.MethodGet, Path+"shots", "", as(readerID), set("Cookie", "a=b")); a.status != http.StatusOK {
		t.Errorf("who may read reads: %d", a.status)
	}
	for _, c := range []struct{ method, path string }{
		{"POST", "deliveries/1/replay"},
		{"POST", "replays"},
		{"DELETE", "replays/x"},
		{"POST", "destinations/3-shot/pause"},
		{"POST", "destinations/3-shot/resume"},
		{"POST", "destinations/3-shot/test"},
	} {
		refused(t, r, r.send(c.method, Path+c.path, "", as(readerID)), http.StatusForbidden, "denied", "Authorization", "may only read")
	}
	refused(t, r, r.send(http.MethodPost, pause, "", set("Cookie", "a=b")), http.StatusForbidden, "denied", "Cookie", "is not allowed")
	refused(t, r, r.send(http.MethodPost, pause, "", set("Origin", "http://evil.example.com")), http.StatusForbidden, "denied", "Origin", "evil.example.com")
	refused(t, r, r.send(http.MethodPost, pause, "", set("Sec-Fetch-Site", "cross-site")), http.StatusForbidden, "denied", "Origin", "another site")
	refused(t, r, r.send(http.MethodPost, pause, `{"reason":"a"}`, set("Content-Type", "text/plain")),
		http.StatusUnsupportedMediaType, "invalid", "Content-Type", `is "text/plain"; allowed is application/json`)
	refused(t, r, r.send(http.MethodPost, pause, `{"reason":"`+strings.Repeat("a", maxBody)+`"}`),
		http.StatusRequestEntityTooLarge, "too_large", "body", "has more than 65536 bytes")
	if len(r.book.paused) != 0 || r.book.deliveries[0].State != "parked" {
		t.Error("what was refused changed something")
	}
	if strings.Contains(r.logged(), `"audit":true`) {
		t.Errorf("what was refused is in the audit log:\n%s", r.logged())
	}
	if a := r.send(http.MethodPost, pause, "", set("Sec-Fetch-Site", "same-origin"), set("Origin", r.URL)); a.status != http.StatusOK {
		t.Errorf("the same site: %d %s", a.status, a.body)
	}
}

func TestFaultsOfTheServerAreInTheLogAlone(t *testing.T) {
	r := newRig(t)
	r.book.err = errTest
	a := r.send(http.MethodGet, Path+"deliveries", "")
	refused(t, r, a, http.StatusInternalServerError, "internal", "", "its log has more")
	if id := a.header.Get(RequestID); id == "" || !strings.Contains(r.logged(), id) || !strings.Contains(r.logged(), errTest.Error()) {
		t.Errorf("request %q is not in the log with its error:\n%s", id, r.logged())
	}
	if strings.Contains(string(a.body), errTest.Error()) {
		t.Errorf("the reply %s tells what is no business of the caller", a.body)
	}
}

func TestAChangeThatMayHaveHappenedIsAudited(t *testing.T) {
	r := newRig(t)
	r.courier.err = errTest
	refused(t, r, r.send(http.MethodPost, Path+"destinations/3-shot/pause", ""), http.StatusInternalServerError, "internal", "", "its log has more")
	if log := r.logged(); !strings.Contains(log, `"action":"pauseDestination","input":{"destination":"3-shot"},"done":false`) {
		t.Errorf("log %s; want the change, not done", log)
	}
}
