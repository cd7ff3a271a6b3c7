package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/state"
)

// Six tries, exactly an interval apart, each signed when it is sent; then parked.
func TestRetriesThenParks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 500}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.start(t)
		begin := time.Now()
		r.owe(dest(1), 1)
		time.Sleep(24 * time.Hour)

		var at []time.Duration
		signs := map[string]bool{}
		for i, a := range hooks.arrivals() {
			at = append(at, a.at.Sub(begin))
			if err := callback.Verify(a.body, testKey, a.at); err != nil {
				t.Errorf("attempt %d: %v", i+1, err)
			}
			event, err := callback.Parse(a.body)
			if err != nil {
				t.Fatal(err)
			}
			shot, _ := event.(callback.Screenshot)
			signs[shot.Sign] = true
			if shot.T != a.at.Unix()+600 {
				t.Errorf("attempt %d: t is %d, want %d", i+1, shot.T, a.at.Unix()+600)
			}
			if want := fmt.Sprintf("http://pictures.test/p/1.jpg?a=<1>&made=%d", a.at.Unix()); shot.PicFullURL != want {
				t.Errorf("attempt %d: pic_full_url %q, want %q", i+1, shot.PicFullURL, want)
			}
			if want := fmt.Sprintf("http://pictures.test/p/1-small.jpg?a=<1>&made=%d", a.at.Unix()); shot.Stillcast.Renditions[0].PicFullURL != want {
				t.Errorf("attempt %d: pic_full_url of the rendition %q, want %q", i+1, shot.Stillcast.Renditions[0].PicFullURL, want)
			}
			meta := callback.MetaFromHeader(a.header)
			if diff := cmp.Diff(callback.Meta{EventID: "e1", At: begin.UTC(), Sequence: 1, Attempt: i + 1}, meta); diff != "" {
				t.Error(diff)
			}
		}
		m := 2 * time.Minute
		if diff := cmp.Diff([]time.Duration{0, m, 2 * m, 3 * m, 4 * m, 5 * m}, at); diff != "" {
			t.Error(diff)
		}
		if len(signs) != 6 {
			t.Errorf("%d signatures for 6 attempts", len(signs))
		}
		if r.ledger.count(dest(1), state.StateParked) != 1 {
			t.Error("not parked")
		}
		last := r.ledger.recorded()[5]
		if last.Outcome != state.OutcomeParked || last.Status != 500 || last.Reply != `{"code":0}` ||
			last.Error != "answered 500 Internal Server Error; only 200 counts" {
			t.Errorf("last result %+v", last)
		}
	})
}

func TestRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200}
		r.net.serve(t, host(1), func(w http.ResponseWriter, q *http.Request) {
			if q.Method != http.MethodPost || q.ContentLength <= 0 {
				t.Errorf("%s with length %d", q.Method, q.ContentLength)
			}
			hooks.ServeHTTP(w, q)
		})
		r.start(t)
		r.owe(dest(1), 1)
		synctest.Wait()
		a := hooks.arrivals()[0]
		want := http.Header{
			"Content-Type": {"application/json"}, "User-Agent": {"Stillcast/1.2.3"},
			"Stillcast-Event-Id": {"e1"}, "Stillcast-Event-Time": {"2000-01-01T00:00:00.000Z"}, "Stillcast-Sequence": {"1"}, "Stillcast-Attempt": {"1"},
			"Content-Length": {strconv.Itoa(len(a.body))},
		}
		if diff := cmp.Diff(want, a.header); diff != "" {
			t.Error(diff)
		}
		if a.path != "/hook?token=hush" {
			t.Errorf("path %q", a.path)
		}
		if len(r.ledger.recorded()) != 1 || r.ledger.count(dest(1), state.StateDelivered) != 1 {
			t.Error("not delivered by one attempt")
		}
	})
}

// Statuses other than 200 are failures, also those that others take for success.
func TestOnly200Counts(t *testing.T) {
	for _, status := range []int{201, 204, 301, 302, 307, 400, 404, 429, 503} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			elsewhere := &receiver{status: 200}
			r.net.serve(t, host(2), elsewhere.ServeHTTP)
			r.net.serve(t, host(1), func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://"+host(2)+"/")
				w.WriteHeader(status)
			})
			r.start(t)
			r.owe(dest(1), 1)
			synctest.Wait()
			got := r.ledger.recorded()
			if len(got) != 1 || got[0].Outcome != state.OutcomeRetry || got[0].Status != status {
				t.Errorf("status %d: %+v", status, got)
			}
			if n := len(elsewhere.arrivals()); n != 0 {
				t.Errorf("status %d: redirect was followed", status)
			}
			if status/100 == 3 && !strings.Contains(got[0].Error, "redirects are not followed") {
				t.Errorf("error %q", got[0].Error)
			}
		})
	}
}

// What an operator changes holds from the next attempt on.
func TestTemplateChangesBetweenAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		old, moved := &receiver{status: 500}, &receiver{status: 500}
		r.net.serve(t, host(1), old.ServeHTTP)
		r.net.serve(t, host(2), moved.ServeHTTP)
		r.start(t)
		r.owe(dest(1), 1)
		synctest.Wait()

		changed := template(1)
		changed.SnapshotURL, changed.Key = template(2).SnapshotURL, "new key"
		r.settings.set(changed)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if len(old.arrivals()) != 1 || len(moved.arrivals()) != 1 {
			t.Fatalf("%d to the old URL, %d to the new; want 1 and 1", len(old.arrivals()), len(moved.arrivals()))
		}
		if err := callback.Verify(moved.arrivals()[0].body, "new key", time.Now()); err != nil {
			t.Error(err)
		}

		changed.Key = ""
		r.settings.set(changed)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		var members map[string]any
		if err := json.Unmarshal(moved.arrivals()[1].body, &members); err != nil {
			t.Fatal(err)
		}
		if _, signed := members["sign"]; signed || members["t"] == nil {
			t.Errorf("without a key: %v", members)
		}
	})
}

func TestParksWhatCannotBeSent(t *testing.T) {
	noURL := template(1)
	noURL.SnapshotURL = ""
	badURL := template(1)
	badURL.SnapshotURL = "http://h/%zz?token=hush"
	tests := map[string]struct {
		change func(*rig)
		says   string
	}{
		"no template":   {func(r *rig) { r.settings.remove(1) }, "callback template 1 no longer exists"},
		"no URL":        {func(r *rig) { r.settings.set(noURL) }, `callback template "hooksa" has no URL for events of type shot`},
		"malformed URL": {func(r *rig) { r.settings.set(badURL) }, `callback template "hooksa" has a malformed URL`},
		"no fields":     {func(r *rig) { r.ledger.rows[0].Event.Fields = []byte(`[]`) }, "read fields of event"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.ledger.owe(dest(1), 1)
				tt.change(r)
				r.start(t)
				synctest.Wait()
				got := r.ledger.recorded()
				if len(got) != 1 || got[0].Outcome != state.OutcomeParked || !strings.Contains(got[0].Error, tt.says) {
					t.Errorf("%+v; want parked, %q", got, tt.says)
				}
				if len(r.net.dials) != 0 {
					t.Errorf("dialled %v", r.net.dials)
				}
				if strings.Contains(r.log.String()+got[0].Error, "hush") {
					t.Error("the URL's query was told")
				}
			})
		})
	}
}

// A picture whose URL cannot be made now may have one later.
func TestPictureURLFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.pictures.fail(errors.New("no credentials"))
		r.start(t)
		r.owe(dest(1), 1)
		synctest.Wait()
		got := r.ledger.recorded()
		if len(got) != 1 || got[0].Outcome != state.OutcomeRetry || got[0].Error != "make URL of picture: no credentials" {
			t.Errorf("%+v", got)
		}
		r.pictures.fail(nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if r.ledger.count(dest(1), state.StateDelivered) != 1 {
			t.Error("not delivered later")
		}
	})
}

// Push events have no picture, and go to URLs of their own.
func TestPushEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200}
		r.net.serve(t, "begin.test", hooks.ServeHTTP)
		changed := template(1)
		changed.StreamBeginURL = "http://begin.test/"
		r.settings.set(changed)
		r.start(t)
		r.owe(stillcast.Destination{TemplateID: 1, Event: stillcast.EventPushBegin}, 1)
		synctest.Wait()
		a := hooks.arrivals()
		if len(a) != 1 || strings.Contains(string(a[0].body), "pic_full_url") {
			t.Errorf("arrivals %v", a)
		}
	})
}

// A replayed delivery has a full set of tries again.
func TestReplayedDeliveryStartsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 500}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.start(t)
		r.ledger.owe(dest(1), 1)
		r.ledger.edit(func(rows []*row) { rows[0].Attempt = 6 })
		r.Wake(dest(1))
		time.Sleep(time.Hour)
		a := hooks.arrivals()
		if len(a) != 6 || a[0].header.Get("Stillcast-Attempt") != "7" {
			t.Errorf("%d attempts, the first is number %s; want 6 from 7", len(a), a[0].header.Get("Stillcast-Attempt"))
		}
	})
}

// Each attempt is one line and one count; neither tells a secret.
func TestLogAndMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Retry.Attempts = 2 })
		hooks := &receiver{status: 500}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.start(t)
		r.owe(dest(1), 1)
		synctest.Wait()
		r.owe(dest(2), 1) // nobody listens there
		synctest.Wait()
		expect(t, r, `
			stillcast_notify_backlog{destination="hooksa/shot"} 1
			stillcast_notify_backlog{destination="hooksb/shot"} 1
			stillcast_notify_deliveries{state="claimed"} 0
			stillcast_notify_deliveries{state="parked"} 0
			stillcast_notify_deliveries{state="pending"} 2
			stillcast_notify_deliveries{state="waiting"} 0
			stillcast_notify_oldest_undelivered_seconds{destination="hooksa/shot"} 0
			stillcast_notify_oldest_undelivered_seconds{destination="hooksb/shot"} 0
		`)
		time.Sleep(100 * time.Second)
		hooks.answer(200)
		time.Sleep(100 * time.Second)
		synctest.Wait()
		expect(t, r, `
			stillcast_notify_attempts_total{result="delivered"} 1
			stillcast_notify_attempts_total{result="interrupted"} 0
			stillcast_notify_attempts_total{result="parked"} 1
			stillcast_notify_attempts_total{result="retry"} 2
			stillcast_notify_deliveries{state="claimed"} 0
			stillcast_notify_deliveries{state="parked"} 1
			stillcast_notify_deliveries{state="pending"} 0
			stillcast_notify_deliveries{state="waiting"} 0
			stillcast_notify_slots_busy 0
			stillcast_notify_lag_seconds 1
		`)
		log := r.log.String()
		if n := strings.Count(log, "msg=attempt"); n != 4 {
			t.Errorf("%d lines for 4 attempts:\n%s", n, log)
		}
		for _, want := range []string{
			"event=e1", "event_type=shot", "stream=push.example.com/live/s", "destination=hooksa/shot",
			"url=http://ha.test/hook", "attempt=2", "status=200", "took=0s", "outcome=delivered",
			"outcome=parked", "connection refused", "retry_at=",
		} {
			if !strings.Contains(log, want) {
				t.Errorf("log does not say %s:\n%s", want, log)
			}
		}
		for _, result := range r.ledger.recorded() {
			log += result.Error
		}
		for _, secret := range []string{"hush", testKey} {
			if strings.Contains(log, secret) {
				t.Errorf("log or results hold %q:\n%s", secret, log)
			}
		}
	})
}
