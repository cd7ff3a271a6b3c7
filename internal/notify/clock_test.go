package notify

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stillcast/stillcast/internal/state"
)

// jumper is a wall clock that a test sets.
type jumper struct {
	mu     sync.Mutex
	offset time.Duration
}

func (j *jumper) read() (wall, monotonic time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	return now.Add(j.offset).Round(0), now
}

func (j *jumper) jump(d time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.offset += d
}

func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jumper{}
		c := &clock{read: j.read}
		begin := c.now()
		time.Sleep(time.Minute)
		j.jump(-time.Hour)
		if got := c.now().Sub(begin); got != time.Minute {
			t.Errorf("an hour back: %s passed, want a minute", got)
		}
		time.Sleep(time.Minute)
		if got := c.now().Sub(begin); got != 2*time.Minute {
			t.Errorf("%s passed, want two minutes", got)
		}
		j.jump(time.Hour)
		if got := c.now().Sub(begin); got != 2*time.Minute {
			t.Errorf("put right again: %s passed, want two minutes", got)
		}
		j.jump(time.Hour)
		if got := c.now().Sub(begin); got != time.Hour+2*time.Minute {
			t.Errorf("an hour ahead: %s passed", got)
		}
	})
}

// The machine's clock jumps by an hour, back and forth, while deliveries wait for
// their retries: all are delivered, none is tried more often than its tries, and
// none waits for the hour. A jump ahead makes retries due at once, but no storm:
// they go by the slots.
func TestClockJumps(t *testing.T) {
	for name, jumps := range map[string][]time.Duration{
		"back": {-time.Hour}, "ahead": {time.Hour}, "back and forth": {-time.Hour, time.Hour, -time.Hour}, "forth and back": {time.Hour, -time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				j := &jumper{}
				r.clock.read = j.read
				hooks := &receiver{status: 404, gate: takes(100 * time.Millisecond)}
				r.net.serve(t, host(1), hooks.ServeHTTP)
				r.start(t)
				r.owe(dest(1), 20)
				time.Sleep(30 * time.Second)
				for _, by := range jumps {
					j.jump(by)
					r.owe(dest(1), 1) // a fresh one is sent whatever the clock says
					time.Sleep(10 * time.Second)
				}
				synctest.Wait()
				if n, most := len(hooks.arrivals()), 2*(20+len(jumps))+20; n < 20+len(jumps) || n > most {
					t.Errorf("%d requests, want a first one of each and at most %d", n, most)
				}
				if hooks.atOnce() > 4 {
					t.Errorf("%d at once", hooks.atOnce())
				}
				hooks.answer(200)
				time.Sleep(3 * time.Minute)
				synctest.Wait()
				if n := r.ledger.count(dest(1), state.StateDelivered); n != 20+len(jumps) {
					t.Errorf("%d delivered within three minutes, want all %d", n, 20+len(jumps))
				}
				if n := len(r.ledger.asked()); n > 300 {
					t.Errorf("%d claims", n)
				}
				for _, a := range hooks.arrivals() { // signed by the machine's clock
					if a.header.Get("Stillcast-Attempt") > "4" {
						t.Errorf("attempt %s", a.header.Get("Stillcast-Attempt"))
					}
				}
			})
		})
	}
}
