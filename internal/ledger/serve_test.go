package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

var errTest = errors.New("disk is on fire")

func TestPagesHoldEachRowOnce(t *testing.T) {
	r := newRig(t)
	r.fill(25)
	for _, order := range []string{"asc", "desc"} {
		var ids []int64
		path := Path + "deliveries?limit=10&order=" + order
		for next := path; next != ""; {
			page := get[DeliveryPage](r, next)
			for _, d := range page.Deliveries {
				ids = append(ids, int64(d.ID))
			}
			// What comes meanwhile moves no page.
			r.fill(1)
			r.book.deliveries[len(r.book.deliveries)-1].ID = int64(len(r.book.deliveries))
			next = ""
			if !page.Next.IsZero() {
				text, _ := page.Next.MarshalText()
				next = path + "&cursor=" + string(text)
			}
			if order == "asc" && len(ids) >= 25 {
				break // the new ones follow
			}
		}
		if !slices.IsSortedFunc(ids, func(a, b int64) int {
			if order == "desc" {
				a, b = b, a
			}
			return int(a - b)
		}) || len(slices.Compact(slices.Clone(ids))) != len(ids) || len(ids) < 25 {
			t.Errorf("%s: rows %v", order, ids)
		}
	}
}

func TestShots(t *testing.T) {
	r := newRig(t)
	r.fill(3)
	r.book.shots[1].State, r.book.shots[1].Stored = state.ShotSpooled, time.Time{}
	r.book.shots[2].Key, r.book.shots[2].Facts.Distance = "bad", -1
	page := get[ShotPage](r, Path+"shots?order=asc")
	if len(page.Shots) != 3 || !page.Next.IsZero() {
		t.Fatalf("page %+v", page)
	}
	three := 3
	want := Shot{
		ID: 1, EventID: "e", PushID: "p", Stream: Stream{"push.example.com", "live", "room1"}, State: "stored",
		Due: page.Shots[0].Due, Captured: page.Shots[0].Captured, Stored: Time(at.Add(50 * time.Millisecond).Truncate(time.Millisecond)), Format: "jpeg",
		Picture:    Picture{Key: "k", Width: 1280, Height: 720, Bytes: 1000, URL: "http://pictures.example.com/k?signature=a&expires=1"},
		Renditions: []Picture{{Key: "k-320", Width: 320, Height: 180, Bytes: 100, URL: "http://pictures.example.com/k-320?signature=a&expires=1"}},
		Facts:      Facts{Accuracy: "keyframe", Hash: "00000000000000ff", Distance: &three, AgeMS: -1.5},
	}
	if diff := cmp.Diff(want, page.Shots[0], cmp.Comparer(func(a, b Time) bool { return a == b })); diff != "" {
		t.Errorf("shot (-want +got):\n%s", diff)
	}
	if page.Shots[0].Captured.String() != "2026-11-26T20:54:26.123Z" {
		t.Errorf("captured %s", page.Shots[0].Captured)
	}
	if page.Shots[1].Picture.URL != "" {
		t.Error("a picture that is not stored has a URL")
	}
	if page.Shots[2].Picture.URL != "" || page.Shots[2].Facts.Distance != nil || !strings.Contains(r.logged(), "no key for urls") {
		t.Errorf("a shot without a URL: %+v", page.Shots[2])
	}
	if got := get[ShotPage](r, Path+"shots?state=spooled&domain=push.example.com&app=live&stream=room1"); len(got.Shots) != 1 || got.Shots[0].ID != 2 {
		t.Errorf("spooled shots %+v", got)
	}
	detail := get[ShotDetail](r, Path+"shots/2")
	if detail.ID != 2 || len(detail.Deliveries) != 1 || detail.Deliveries[0].ShotID != 2 {
		t.Errorf("shot %+v", detail)
	}
}

func TestADeliveryShowsItsAttempts(t *testing.T) {
	r := newRig(t)
	r.fill(1)
	r.book.attempts[1] = []state.Result{
		{DeliveryID: 1, Attempt: 1, Outcome: state.OutcomeRetry, RetryAt: at, Started: at, Took: 1234567 * time.Nanosecond, Status: 503, Error: "status 503", Reply: "a\xffway <b>"},
		{DeliveryID: 1, Attempt: 2, Outcome: state.OutcomeRetry, Started: at, Error: "connection refused"},
		{DeliveryID: 1, Attempt: 3, Outcome: state.OutcomeParked, Started: at, Status: 410},
	}
	d := get[DeliveryDetail](r, Path+"deliveries/1")
	if d.Destination.String() != "3-shot" || d.State != "parked" || d.Attempts != 3 || d.LastStatus != 503 || d.Sequence != 1 || len(d.Log) != 3 {
		t.Fatalf("delivery %+v", d)
	}
	first := d.Log[0]
	if first.Request == nil || first.Request.Body != `{"a":"<&>"}` || first.Request.Header[0] != (Header{"Stillcast-Event-Id", "e"}) ||
		first.Reply != "a\uFFFDway <b>" || first.TookMS != 1.234 || first.Outcome != "retry" || first.RetryAt.IsZero() {
		t.Errorf("first attempt %+v", first)
	}
	if d.Log[1].Request != nil || d.Log[1].Unknown == "" || d.Log[2].Request != nil || d.Log[2].Unknown != "" || d.Log[2].Outcome != "parked" {
		t.Errorf("further attempts %+v", d.Log[1:])
	}
}

func TestReplayOfOneWakesItsDestination(t *testing.T) {
	r := newRig(t)
	r.fill(1)
	d := post[Delivery](r, Path+"deliveries/1/replay", "", http.StatusOK)
	if d.State != "pending" || !slices.Contains(r.courier.woken, shotsTo) {
		t.Errorf("%+v, woken %v", d, r.courier.woken)
	}
	if log := r.logged(); !strings.Contains(log, `"audit":true`) || !strings.Contains(log, `"secret_id":"AKIDwriter"`) ||
		!strings.Contains(log, `"action":"replayDelivery","input":{"id":"1"}`) {
		t.Errorf("log %s; want who changed what", log)
	}
}

func TestDestinations(t *testing.T) {
	r := newRig(t)
	r.fill(2)
	r.book.deliveries[1].Destination = stillcast.Destination{TemplateID: 2, Event: stillcast.EventPushEnd} // of a template that was deleted
	all := get[DestinationList](r, Path+"destinations").Destinations
	var ids []string
	for _, d := range all {
		ids = append(ids, d.ID.String()+" "+d.URL)
	}
	want := []string{"2-push_end ", "3-shot https://a.example.com/shot", "3-push_end https://a.example.com/end"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Fatalf("destinations (-want +got):\n%s", diff)
	}
	if d := all[1]; d.TemplateName != "hooks" || d.Owed.Parked != 1 || d.Health == nil || d.Health.Breaker != "open" || d.Paused != nil {
		t.Errorf("destination %+v", d)
	}
	d := post[Destination](r, Path+"destinations/3-shot/pause", `{"reason":"repairs"}`, http.StatusOK)
	if d.Paused == nil || d.Paused.Reason != "repairs" {
		t.Errorf("paused %+v", d)
	}
	d = post[Destination](r, Path+"destinations/3-shot/pause", "", http.StatusOK)
	if d.Paused == nil || d.Paused.Reason != "paused by AKIDwriter" {
		t.Errorf("paused again %+v", d)
	}
	if d = post[Destination](r, Path+"destinations/3-shot/resume", "{}", http.StatusOK); d.Paused != nil {
		t.Errorf("resumed %+v", d)
	}
	if d = post[Destination](r, Path+"destinations/3-push_end/resume", "", http.StatusOK); d.Paused != nil {
		t.Errorf("resumed without a pause %+v", d)
	}
	test := post[TestResult](r, Path+"destinations/3-shot/test", "", http.StatusOK)
	if test.Delivered || test.Status != 503 || test.Request.Body != "3-shot" || test.Request.Header[0].Name != "A" {
		t.Errorf("test %+v", test)
	}
	if n := strings.Count(r.logged(), `"audit":true`); n != 5 {
		t.Errorf("%d audit lines, want 5:\n%s", n, r.logged())
	}
}

func TestStreams(t *testing.T) {
	r := newRig(t)
	r.fill(2)
	for i := range 25 {
		s := room
		s.Name = fmt.Sprintf("room%d", i)
		r.live = append(r.live, stillcast.Push{ID: fmt.Sprint(i), Stream: s, Domain: "*", Remote: netip.MustParseAddrPort("10.0.0.1:5"), Started: at, Param: "txSecret=hushhush"})
	}
	var names []string
	for path := Path + "streams?limit=10"; path != ""; {
		page := get[StreamPage](r, path)
		if page.Total != 25 {
			t.Fatalf("total %d", page.Total)
		}
		for _, s := range page.Streams {
			names = append(names, s.Stream.Name)
		}
		path = ""
		if text, _ := page.Next.MarshalText(); len(text) > 0 {
			path = Path + "streams?limit=10&cursor=" + string(text)
		}
	}
	if len(names) != 25 || !slices.IsSorted(names) {
		t.Errorf("streams %v", names)
	}
	a := r.send(http.MethodGet, Path+"streams?stream=room1&app=live", "")
	page := as[StreamPage](r, a, http.StatusOK)
	if len(page.Streams) != 1 {
		t.Fatalf("streams %+v", page)
	}
	s := page.Streams[0]
	if s.SnapshotTemplate == nil || s.SnapshotTemplate.Name != "every" || s.CallbackTemplate != nil || s.NewestShot == nil || s.NewestShot.ID != 2 || s.Remote != "10.0.0.1:5" {
		t.Errorf("stream %+v", s)
	}
	if strings.Contains(string(a.body), "hushhush") {
		t.Error("the list shows the push credential")
	}
	if status := get[Status](r, Path+"status"); status.Version != "test" {
		t.Errorf("status %+v", status)
	}
}

func TestHeadersOfReplies(t *testing.T) {
	r := newRig(t)
	a := r.send(http.MethodGet, Path+"status", "")
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("header %v", a.header)
	}
	if !json.Valid(a.body) {
		t.Errorf("body %s", a.body)
	}
	if a := r.send(http.MethodHead, Path+"status", ""); a.status != http.StatusOK || len(a.body) != 0 {
		t.Errorf("HEAD: %d %q", a.status, a.body)
	}
}
