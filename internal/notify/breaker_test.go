package notify

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stillcast/stillcast/internal/state"
)

func TestBreaker(t *testing.T) {
	var b breaker
	for i := range breakAfter {
		if b.open() {
			t.Fatalf("open after %d attempts", i)
		}
		b.note(silent, false, epoch)
	}
	if !b.open() || b.probeAt.Sub(epoch) < firstProbe/2 || b.probeAt.Sub(epoch) > firstProbe {
		t.Fatalf("%+v after %d silent attempts", b, breakAfter)
	}
	if b.note(silent, false, epoch.Add(time.Second)); b.probes != 0 {
		t.Error("the end of an attempt of before counts as a probe")
	}
	last := time.Duration(0)
	for range 12 {
		now := b.probeAt
		b.note(overloaded, true, now)
		last = b.probeAt.Sub(now)
	}
	if last < lastProbe/2 || last > lastProbe {
		t.Errorf("pause of %s after twelve probes, want up to %s", last, lastProbe)
	}
	if !b.note(works, true, epoch) || b.open() {
		t.Errorf("%+v after a probe that worked", b)
	}
	for range stormAfter - 1 {
		b.note(overloaded, false, epoch)
	}
	if b.open() || !b.note(overloaded, false, epoch) {
		t.Errorf("%+v after %d answers of 5xx", b, stormAfter)
	}
	b = breaker{}
	for range 10 * stormAfter {
		b.note(silent, false, epoch)
		b.note(silent, false, epoch)
		b.note(works, false, epoch)
	}
	if b.open() {
		t.Error("open although every third attempt works")
	}
}

func TestVerdict(t *testing.T) {
	for status, want := range map[int]verdict{0: silent, 200: works, 302: works, 404: works, 410: works, 429: overloaded, 500: overloaded, 503: overloaded} {
		if got := verdictOf(status); got != want {
			t.Errorf("%d: verdict %d, want %d", status, got, want)
		}
	}
}

// While a destination does not work, next to nothing is claimed for it: what is
// owed keeps its tries. It goes on by itself once it works.
func TestOpenBreakerOnlyProbes(t *testing.T) {
	for name, answer := range map[string]struct {
		status int
		gate   func(*http.Request)
		opens  int // requests until it opens, those under way included
	}{
		"silent": {200, blackHole, breakAfter + 3},
		"503":    {503, nil, stormAfter + 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				bad := &receiver{status: answer.status, gate: answer.gate}
				good := &receiver{status: 200}
				r.net.serve(t, host(1), bad.ServeHTTP)
				r.start(t)
				r.owe(dest(1), 500)
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				arrivals := bad.arrivals()
				if n := len(arrivals); n < answer.opens || n > answer.opens+30 {
					t.Errorf("%d requests in ten minutes", n)
				}
				var gaps []time.Duration // between probes
				for i := answer.opens; i < len(arrivals)-1; i++ {
					gaps = append(gaps, arrivals[i+1].at.Sub(arrivals[i].at))
				}
				if slices.Max(gaps) > lastProbe+r.config.Retry.Timeout || slices.Max(gaps) < lastProbe/2 || slices.Min(gaps) < firstProbe/2 {
					t.Errorf("gaps between probes: %v", gaps)
				}
				h := r.Health()
				if len(h) != 1 || h[0].Breaker != BreakerOpen || h[0].Failed < breakAfter || h[0].Since.IsZero() || h[0].SuccessRate != 0 || h[0].Attempts < len(arrivals)-1 {
					t.Errorf("health %+v", h)
				}
				expect(t, r, `
					stillcast_notify_destinations_probed 1
					stillcast_notify_breaker_open{destination="hooksa/shot"} 1
					stillcast_notify_breaker_changes_total{to="open"} 1`)
				if n := r.ledger.count(dest(1), state.StateParked); n > 10 {
					t.Errorf("%d parked by an outage of ten minutes", n)
				}

				r.net.serve(t, host(1), good.ServeHTTP)
				r.clients.forget(nobody)
				time.Sleep(lastProbe + r.config.Retry.Timeout + time.Second)
				synctest.Wait()
				if n := len(good.arrivals()); n < 400 {
					t.Errorf("%d sent once it worked", n)
				}
				expect(t, r, `
					stillcast_notify_destinations_probed 0
					stillcast_notify_breaker_open{destination="hooksa/shot"} 0
					stillcast_notify_breaker_changes_total{to="closed"} 1`)
				if h := r.Health(); h[0].Breaker != BreakerClosed || h[0].LastStatus != 200 || h[0].LastSuccess.IsZero() || h[0].SuccessRate < 0.9 {
					t.Errorf("health %+v", h)
				}
				for _, says := range []string{"destination does not work; it is only probed until it does", "destination works again"} {
					if strings.Count(r.log.String(), says) != 1 {
						t.Errorf("log does not say once: %s", says)
					}
				}
			})
		})
	}
}

// A probe is one, also when there is much to send and time has passed.
func TestOneProbeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hole := &receiver{status: 200, gate: blackHole}
		r.net.serve(t, host(1), hole.ServeHTTP)
		r.start(t)
		r.owe(dest(1), 100)
		for range 600 {
			time.Sleep(time.Second)
			r.Wake(dest(1))
			synctest.Wait()
			r.mu.Lock()
			l := r.schedule.lines[dest(1)]
			if l.breaker.open() && l.breaker.probes > 0 && l.busy() > 1 {
				t.Errorf("%d probes at once", l.busy())
			}
			r.mu.Unlock()
		}
	})
}
