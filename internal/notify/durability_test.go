package notify

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast/internal/state"
)

// again makes a second notifier over the ledger of the first.
func (r *rig) again(t *testing.T) *Notifier {
	t.Helper()
	o := r.options
	o.Metrics = prometheus.NewRegistry()
	n, err := newNotifier(o, r.net.dial)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return n
}

// Stop waits for what is under way, and claims nothing more.
func TestStopDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200, gate: takes(3 * time.Second)}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.start(t)
		r.owe(dest(1), 10)
		synctest.Wait()
		begin := time.Now()
		if err := r.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("stopped after %s, want 3s", took)
		}
		delivered, pending := r.ledger.count(dest(1), state.StateDelivered), r.ledger.count(dest(1), state.StatePending)
		if delivered != 3 || pending != 7 {
			t.Errorf("%d delivered and %d pending, want 3 and 7", delivered, pending)
		}
		r.owe(dest(1), 1) // must not hurt
		time.Sleep(time.Minute)
		if n := len(hooks.arrivals()); n != 3 {
			t.Errorf("%d requests, want no more after Stop", n)
		}
	})
}

// When time is up, attempts are cut short and due again at once: the next start
// sends them, and does not count the cut against them.
func TestStopCutsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200, gate: blackHole}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.start(t)
		r.ledger.owe(dest(1), 3)
		// Its last try must not be lost to a restart.
		r.ledger.edit(func(rows []*row) { rows[0].Try = 5 })
		r.Wake(dest(1))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("stopped after %s, want 5s", took)
		}
		for _, res := range r.ledger.recorded() {
			if res.Outcome != state.OutcomeRetry || !res.RetryAt.Equal(time.Now()) || res.Error != errStopping.Error() {
				t.Errorf("%+v", res)
			}
		}
		expect(t, r, `stillcast_notify_attempts_total{result="interrupted"} 3`)

		r.net.serve(t, host(1), (&receiver{status: 200}).ServeHTTP)
		r.again(t)
		synctest.Wait()
		if n := r.ledger.count(dest(1), state.StateDelivered); n != 3 {
			t.Errorf("%d delivered after the restart, want 3", n)
		}
	})
}

func TestStartAndStopAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.start(t)
		if err := r.Start(t.Context()); err == nil {
			t.Error("a second Start went through")
		}
		for range 2 {
			if err := r.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if err := r.Start(t.Context()); err == nil {
			t.Error("a Start after Stop went through")
		}
		if err := newRig(t, nil).Stop(t.Context()); err != nil {
			t.Errorf("Stop without Start: %v", err)
		}
		unreadable := newRig(t, nil)
		unreadable.ledger.onRead = func() error { return errLedger }
		if err := unreadable.Start(t.Context()); !errors.Is(err, errLedger) {
			t.Errorf("Start without a ledger: %v", err)
		}
		unreadable.stopNow(t)
	})
}

// What is owed when the process starts is sent without anybody's Wake.
func TestStartSendsWhatIsOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.ledger.owe(dest(1), 2)
		r.ledger.edit(func(rows []*row) { rows[1].due = time.Now().Add(10 * time.Minute) })
		r.start(t)
		synctest.Wait()
		if n := len(hooks.arrivals()); n != 1 {
			t.Errorf("%d sent at once, want 1", n)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := len(hooks.arrivals()); n != 2 {
			t.Errorf("%d sent in all, want 2", n)
		}
	})
}

// A delivery that nobody told about is found, and so is one whose lease was
// another process's.
func TestResync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.start(t)
		r.ledger.owe(dest(1), 2)
		r.ledger.edit(func(rows []*row) {
			retried(rows[1:])
			rows[1].state, rows[1].due = state.StateClaimed, time.Now().Add(45*time.Second)
		})
		time.Sleep(resyncEvery)
		synctest.Wait()
		if n := len(hooks.arrivals()); n != 1 {
			t.Errorf("%d sent after %s, want 1", n, resyncEvery)
		}
		time.Sleep(resyncEvery)
		synctest.Wait()
		if n := len(hooks.arrivals()); n != 2 {
			t.Errorf("%d sent after the lease ran out, want 2", n)
		}
		time.Sleep(2 * resyncEvery)
		synctest.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.schedule.lines) != 0 || len(r.clients.by) != 0 {
			t.Errorf("%d lines and %d clients are kept for nothing", len(r.schedule.lines), len(r.clients.by))
		}
	})
}

// A result that cannot be recorded for a while is recorded later, by the same attempt.
func TestFinishIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		begin := time.Now()
		r.ledger.onFinish = func(state.Result) error {
			if time.Since(begin) < 5*time.Second {
				return errLedger
			}
			return nil
		}
		r.start(t)
		r.owe(dest(1), 1)
		time.Sleep(time.Hour)
		if n := len(hooks.arrivals()); n != 1 || r.ledger.count(dest(1), state.StateDelivered) != 1 {
			t.Errorf("%d requests; want one, recorded", n)
		}
		expect(t, r, "stillcast_notify_unrecorded_total 0")
	})
}

// One that cannot be recorded at all comes back when its lease runs out.
func TestFinishFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		r.ledger.onFinish = func(res state.Result) error {
			if res.Attempt == 1 {
				return errLedger
			}
			return nil
		}
		r.start(t)
		begin := time.Now()
		r.owe(dest(1), 1)
		time.Sleep(time.Hour)
		got := hooks.arrivals()
		if len(got) != 2 || got[1].at.Sub(begin) < r.lease() || got[1].at.Sub(begin) > r.lease()+resyncEvery {
			t.Errorf("arrivals %v; want the second when the lease of %s ran out", got, r.lease())
		}
		if got[0].header.Get("Stillcast-Event-Id") != got[1].header.Get("Stillcast-Event-Id") {
			t.Error("the event changed its id")
		}
		if r.ledger.count(dest(1), state.StateDelivered) != 1 {
			t.Error("not delivered in the end")
		}
		expect(t, r, "stillcast_notify_unrecorded_total 1")
	})
}

func TestStopTellsWhatWasNotRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.net.serve(t, host(1), (&receiver{status: 200, gate: blackHole}).ServeHTTP)
		r.ledger.onFinish = func(state.Result) error { return errLedger }
		if err := r.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.owe(dest(1), 2)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		err := r.Stop(ctx)
		if err == nil || !strings.Contains(err.Error(), "2 results were not recorded") {
			t.Errorf("error %v", err)
		}
		if took := time.Since(begin); took > time.Second+stopGrace {
			t.Errorf("Stop took %s", took)
		}
	})
}

// A result that was overtaken is not recorded, and is no reason to send again.
func TestFenced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200}
		r.net.serve(t, host(1), func(w http.ResponseWriter, q *http.Request) {
			// Another process claims it meanwhile, and delivers it.
			r.ledger.edit(func(rows []*row) { rows[0].Attempt, rows[0].state = 2, state.StateDelivered })
			hooks.ServeHTTP(w, q)
		})
		r.start(t)
		r.owe(dest(1), 1)
		time.Sleep(time.Hour)
		if n := len(hooks.arrivals()); n != 1 || len(r.ledger.recorded()) != 0 {
			t.Errorf("%d requests, %d results", n, len(r.ledger.recorded()))
		}
		if !strings.Contains(r.log.String(), "result came too late") {
			t.Error("not logged")
		}
	})
}

// A claim that fails is tried again, and holds no slot meanwhile.
func TestClaimFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		begin := time.Now()
		r.ledger.onClaim = func() error {
			if time.Since(begin) < 10*time.Second {
				return errLedger
			}
			return nil
		}
		r.start(t)
		r.owe(dest(1), 5)
		time.Sleep(5500 * time.Millisecond)
		expect(t, r, "stillcast_notify_slots_busy 0")
		time.Sleep(6 * time.Second)
		if n := r.ledger.count(dest(1), state.StateDelivered); n != 5 {
			t.Errorf("%d delivered, want 5", n)
		}
		if n := len(r.ledger.asked()); n > 40 {
			t.Errorf("%d claims in ten seconds without a ledger", n)
		}
	})
}

// A Wake that comes while the claim it makes useless is under way is not lost.
func TestWakeDuringClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		hooks := &receiver{status: 200}
		r.net.serve(t, host(1), hooks.ServeHTTP)
		slow := &slowLedger{fakeLedger: r.ledger}
		r.Notifier.ledger = slow
		r.start(t)
		r.Wake(dest(1)) // the claim that follows sees nothing, and takes a second to say so
		time.Sleep(500 * time.Millisecond)
		r.owe(dest(1), 1)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := len(hooks.arrivals()); n != 1 {
			t.Errorf("%d sent two seconds later, want 1", n)
		}
	})
}

type slowLedger struct{ *fakeLedger }

func (l *slowLedger) Claim(ctx context.Context, c state.Claim) ([]state.Delivery, error) {
	got, err := l.fakeLedger.Claim(ctx, c)
	time.Sleep(time.Second)
	return got, err
}
