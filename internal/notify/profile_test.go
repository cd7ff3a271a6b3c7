package notify

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

func TestJudge(t *testing.T) {
	for status, want := range map[int][2]bool{ // by profile: tencent, standard
		200: {true, true}, 201: {false, true}, 204: {false, true}, 299: {false, true}, 199: {},
		300: {}, 302: {}, 400: {}, 404: {}, 410: {}, 429: {}, 500: {}, 503: {},
	} {
		got := [2]bool{judge(stillcast.ProfileTencent, status) == nil, judge(stillcast.ProfileStandard, status) == nil}
		if got != want || judge("", status) == nil != want[0] {
			t.Errorf("%d counts as %v, want %v", status, got, want)
		}
	}
}

// Every wait lies within its step, the last try is 72 hours after the first, and
// another delivery has other waits.
func TestStandardSchedule(t *testing.T) {
	config := DefaultConfig()
	steps := standardSteps()
	var firsts []time.Duration
	for id := range int64(200) {
		var total time.Duration
		d := state.Delivery{ID: id, Attempt: 5, Try: 1} // replayed: the series began at attempt 5
		for ; ; d.Attempt, d.Try = d.Attempt+1, d.Try+1 {
			wait, again := config.retryIn(stillcast.ProfileStandard, d)
			if !again {
				break
			}
			if step := steps[min(d.Try, len(steps))-1]; wait <= 0 || wait > step {
				t.Fatalf("wait %s after try %d, want up to %s", wait, d.Try, step)
			}
			if d.Try == 1 {
				firsts = append(firsts, wait)
			}
			total += wait
		}
		if total != standardSpan {
			t.Errorf("the last try is %s after the first, want %s", total, standardSpan)
		}
		if d.Try < len(steps)+3 || d.Try > 100 {
			t.Errorf("%d tries", d.Try)
		}
	}
	slices.Sort(firsts)
	if n := len(slices.Compact(slices.Clone(firsts))); n != len(firsts) {
		t.Errorf("%d different first waits of %d", n, len(firsts))
	}
	if median := firsts[len(firsts)/2]; median < 2*time.Second || median > 3*time.Second || firsts[0] > time.Second || firsts[199] < 4*time.Second {
		t.Errorf("first waits from %s to %s with the median %s: not the whole of 5 s", firsts[0], firsts[199], median)
	}
}

// Over the network: 204 is success, failures go on for 72 hours, then parked.
func TestStandardProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		standard := template(1)
		standard.Profile = stillcast.ProfileStandard
		r.settings.set(standard)
		hooks := &receiver{status: 404}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.start(t)
		begin := time.Now()
		r.owe(dest(1), 1)
		time.Sleep(71 * time.Hour)
		if r.ledger.count(dest(1), state.StateParked) != 0 {
			t.Error("parked within 71 hours")
		}
		time.Sleep(2 * time.Hour)
		got := hooks.arrivals()
		if last := got[len(got)-1].at.Sub(begin); last < standardSpan-time.Millisecond || last > standardSpan+time.Second || r.ledger.count(dest(1), state.StateParked) != 1 {
			t.Errorf("last attempt after %s, %d parked", last, r.ledger.count(dest(1), state.StateParked))
		}
		if says := r.ledger.recorded()[0].Error; says != "answered 404 Not Found; only 2xx counts" {
			t.Errorf("error %q", says)
		}
		hooks.answer(204)
		r.owe(dest(1), 1)
		synctest.Wait()
		if r.ledger.count(dest(1), state.StateDelivered) != 1 {
			t.Error("204 did not count")
		}
	})
}

// Events of pushes are tried thirteen times, a minute apart.
func TestPushEventsAreTriedMoreOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 404}
		r.net.serve(t, "end.test", hooks.ServeHTTP)
		changed := template(1)
		changed.StreamEndURL = "http://end.test/"
		r.settings.set(changed)
		r.start(t)
		begin := time.Now()
		d := stillcast.Destination{TemplateID: 1, Event: stillcast.EventPushEnd}
		r.owe(d, 1)
		time.Sleep(time.Hour)
		got := hooks.arrivals()
		if len(got) != 13 || got[12].at.Sub(begin) != 12*time.Minute || r.ledger.count(d, state.StateParked) != 1 {
			t.Errorf("%d attempts, the last after %s", len(got), got[len(got)-1].at.Sub(begin))
		}
	})
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 500_000_000, time.UTC)
	for value, want := range map[string]time.Duration{
		"0": time.Second, "1": time.Second, " 7 ": 7 * time.Second, "3600": time.Hour, "3601": time.Hour, "99999999999999999999": time.Hour,
		"Wed, 04 Mar 2026 05:07:07 GMT": 59500 * time.Millisecond, "Wednesday, 04-Mar-26 05:06:00 GMT": time.Second,
		"Thu, 05 Mar 2026 05:07:07 GMT": time.Hour,
		"":                              0, "-1": 0, "soon": 0, "1.5": 0, "0x10": 0,
	} {
		if got, ok := retryAfter(value, now); got != want || ok != (want != 0) {
			t.Errorf("%q: %s, %v; want %s", value, got, ok, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"5", "Wed, 04 Mar 2026 05:07:07 GMT", "Wed Mar  4 05:07:07 2026", "1e9"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got, ok := retryAfter(value, epoch); ok && (got < minRetryAfter || got > maxRetryAfter) || !ok && got != 0 {
			t.Errorf("%q: %s", value, got)
		}
	})
}

// What the receiver asks for is done, by seconds or date; a 429 or 503 holds up
// all of the destination, and nobody else. It does not let a delivery be parked early.
func TestRetryAfterIsHonoured(t *testing.T) {
	for _, tt := range []struct {
		status int
		value  func(time.Time) string
		wait   time.Duration
	}{
		{429, func(time.Time) string { return "7" }, 7 * time.Second},
		{503, func(now time.Time) string { return now.Add(300 * time.Second).UTC().Format(http.TimeFormat) }, 300 * time.Second},
		{404, func(time.Time) string { return "600" }, 600 * time.Second},
		{503, func(time.Time) string { return "86400" }, time.Hour},
		{503, func(time.Time) string { return "tomorrow" }, 2 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			hooks := &receiver{status: tt.status}
			r.net.serve(t, host(1), func(w http.ResponseWriter, q *http.Request) {
				w.Header().Set("Retry-After", tt.value(time.Now()))
				hooks.ServeHTTP(w, q)
			})
			other := &receiver{status: 200}
			r.net.serve(t, host(2), other.ServeHTTP)
			r.start(t)
			begin := time.Now()
			r.owe(dest(1), 1)
			synctest.Wait()
			time.Sleep(time.Millisecond)
			r.owe(dest(1), 1)
			r.owe(dest(2), 1)
			synctest.Wait()
			held := tt.status != 404 && tt.value(begin) != "tomorrow"
			if n := len(hooks.arrivals()); (n == 1) != held || len(other.arrivals()) != 1 {
				t.Errorf("%d after %s: %d requests while it waits, %d to the other", tt.status, tt.value(begin), n, len(other.arrivals()))
			}
			expect(t, r, "stillcast_notify_slots_busy 0")
			if h := r.Health()[0]; h.HeldUntil.IsZero() == held {
				t.Errorf("held until %s", h.HeldUntil)
			}
			time.Sleep(tt.wait + time.Second)
			synctest.Wait()
			var second arrival
			for _, a := range hooks.arrivals() {
				if a.header.Get("Stillcast-Event-Id") == "e1" && a.header.Get("Stillcast-Attempt") == "2" {
					second = a
				}
			}
			if got := second.at.Sub(begin); got < tt.wait || got > tt.wait+time.Second {
				t.Errorf("%d: second attempt after %s, want %s", tt.status, got, tt.wait)
			}
		})
	}
}

// A receiver that says "in a second" again and again does not get events parked
// within seconds.
func TestShortRetryAfterDoesNotPark(t *testing.T) {
	for profile, least := range map[stillcast.Profile]time.Duration{stillcast.ProfileTencent: 4 * time.Minute, stillcast.ProfileStandard: 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			changed := template(1)
			changed.Profile = profile
			r.settings.set(changed)
			r.net.serve(t, host(1), func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", strconv.Itoa(1))
				w.WriteHeader(http.StatusServiceUnavailable)
			})
			r.start(t)
			r.owe(dest(1), 1)
			time.Sleep(least)
			if r.ledger.count(dest(1), state.StateParked) != 0 {
				t.Errorf("%s: parked within %s", profile, least)
			}
		})
	}
}

// 410 parks the delivery and pauses the destination, durably: nothing more is
// claimed, nothing is lost, and Resume sends what is owed.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.DestinationSlots = 1 })
		hooks := &receiver{status: 410}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.start(t)
		r.owe(dest(1), 5)
		time.Sleep(time.Hour)
		if n := len(hooks.arrivals()); n != 1 {
			t.Errorf("%d requests, want one", n)
		}
		if r.ledger.reason(dest(1)) != "answered 410 Gone" || r.ledger.count(dest(1), state.StateParked) != 1 || r.ledger.count(dest(1), state.StatePending) != 4 {
			t.Errorf("paused %q, %d parked, %d pending", r.ledger.reason(dest(1)), r.ledger.count(dest(1), state.StateParked), r.ledger.count(dest(1), state.StatePending))
		}
		if h := r.Health()[0]; h.Breaker != BreakerPaused || h.LastStatus != 410 {
			t.Errorf("health %+v", h)
		}
		if !strings.Contains(r.log.String(), "destination paused") {
			t.Error("not logged")
		}
		expect(t, r, "stillcast_notify_destinations_paused 1")
		// Another process finds it paused as well.
		before := len(r.ledger.asked())
		r.stopNow(t)
		n := r.again(t)
		n.Wake(dest(1))
		time.Sleep(time.Minute)
		if asked := len(r.ledger.asked()); asked != before || len(hooks.arrivals()) != 1 {
			t.Errorf("%d claims of a paused destination", asked-before)
		}
		hooks.answer(200)
		r.ledger.resume(dest(1))
		n.Resume(dest(1))
		synctest.Wait()
		if r.ledger.count(dest(1), state.StateDelivered) != 4 {
			t.Errorf("%d delivered after Resume, want 4", r.ledger.count(dest(1), state.StateDelivered))
		}
	})
}

// Pause acts at once and holds back everything; a resume that only the ledger
// knows of is found.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.start(t)
		if err := r.ledger.PauseDestination(t.Context(), dest(1), "a person"); err != nil {
			t.Fatal(err)
		}
		r.Pause(dest(1))
		r.owe(dest(1), 3)
		time.Sleep(time.Hour)
		if n := len(r.ledger.asked()); n != 0 {
			t.Errorf("%d claims of a paused destination", n)
		}
		r.ledger.resume(dest(1))
		time.Sleep(resyncEvery)
		synctest.Wait()
		if n := len(hooks.arrivals()); n != 3 {
			t.Errorf("%d sent after the ledger's resume, want 3", n)
		}
	})
}

// A limit holds over any second, costs no slot while it waits, is the
// destination's own, and a change acts within a second.
func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		limited := template(1)
		limited.RateLimit = 5
		r.settings.set(limited)
		hooks, other := &receiver{status: 200}, &receiver{status: 200}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.net.serve(t, host(2), other.ServeHTTP)
		r.start(t)
		begin := time.Now()
		r.owe(dest(1), 300)
		r.owe(dest(2), 100)
		time.Sleep(20*time.Second + time.Millisecond)
		synctest.Wait()
		got := hooks.arrivals()
		if n := len(got); n < 100 || n > 101 {
			t.Errorf("%d requests in 20 s with 5 a second", n)
		}
		for i := 5; i < len(got); i++ {
			if gap := got[i].at.Sub(got[i-5].at); gap < 999*time.Millisecond {
				t.Fatalf("6 requests within %s", gap)
			}
		}
		if n := len(other.arrivals()); n != 100 || other.arrivals()[99].at.Sub(begin) > time.Second {
			t.Errorf("the other got %d", n)
		}
		expect(t, r, "stillcast_notify_slots_busy 0")
		if n := len(r.ledger.asked()); n > 400 {
			t.Errorf("%d claims for 200 deliveries: it waits busily", n)
		}
		limited.RateLimit = 0
		r.settings.set(limited)
		time.Sleep(rateCheck)
		synctest.Wait()
		if n := len(hooks.arrivals()); n != 300 {
			t.Errorf("%d sent a second after the limit was lifted, want all", n)
		}
	})
}

func TestHighRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		limited := template(1)
		limited.RateLimit = 200
		r.settings.set(limited)
		hooks := &receiver{status: 200}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.start(t)
		r.owe(dest(1), 5000)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := len(hooks.arrivals()); n < 1950 || n > 2030 {
			t.Errorf("%s", fmt.Sprintf("%d requests in ten seconds with 200 a second", n))
		}
	})
}
