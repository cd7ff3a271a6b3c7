package capture

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestExactByArrival is about timestamps that are wrong: what arrived last counts then.
func TestExactByArrival(t *testing.T) {
	const interval = 2 * time.Second
	tests := []struct {
		name string
		// stamp gives the timestamps of a frame that arrives at a time.
		stamp func(n int, arrives time.Duration) (dts, pts time.Duration)
		most  time.Duration // that a frame is off its due time
		lost  int           // due times without a shot until the timestamps are seen through
	}{
		{"all zero", func(int, time.Duration) (time.Duration, time.Duration) { return 0, 0 }, 40 * time.Millisecond, 0},
		{"frozen for ten seconds", func(_ int, at time.Duration) (time.Duration, time.Duration) {
			if at > 20*time.Second {
				at = max(20*time.Second, at-10*time.Second)
			}
			return at, at
		}, 40 * time.Millisecond, 0},
		{"an hour ahead, once", func(_ int, at time.Duration) (time.Duration, time.Duration) {
			if at > 21*time.Second {
				at += time.Hour
			}
			return at, at
		}, 80 * time.Millisecond, 0},
		{"back to zero, once", func(_ int, at time.Duration) (time.Duration, time.Duration) {
			if at > 21*time.Second {
				at -= 21 * time.Second
			}
			return at, at
		}, 80 * time.Millisecond, 0},
		{"jumping all the time", func(n int, at time.Duration) (time.Duration, time.Duration) {
			at += time.Duration(n%11) * time.Minute
			return at, at
		}, 80 * time.Millisecond, 0},
		{"half as fast as they should", func(_ int, at time.Duration) (time.Duration, time.Duration) { return at / 2, at / 2 }, 5100 * time.Millisecond, 4},
		{"ten times as fast as they should", func(_ int, at time.Duration) (time.Duration, time.Duration) { return at * 10, at * 10 }, 2100 * time.Millisecond, 1},
		{"composition times of hours", func(n int, at time.Duration) (time.Duration, time.Duration) {
			return at, at + time.Duration(n%3)*time.Hour
		}, 80 * time.Millisecond, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, DefaultConfig(), 4)
				r.exactly(interval)
				r.Start()
				s := r.open("s")
				began := time.Now()
				frames := steady(1500, 25, 250)
				for _, f := range frames {
					at := f.dts
					time.Sleep(time.Until(began.Add(at)))
					f.dts, f.pts = tt.stamp(f.n, at)
					r.send(s, f)
				}
				r.end(t, s)
				if want := 30 - tt.lost; len(r.taken) < want || len(r.taken) > 30 {
					t.Errorf("%d shots in a minute, want %d to 30", len(r.taken), want)
				}
				for i, taken := range r.taken {
					off := taken.Captured.Sub(taken.Due)
					if off < -tt.most || off > tt.most {
						t.Errorf("shot %d is of a frame that arrived %v from its due time, want at most %v", i, off, tt.most)
					}
					if !taken.Due.Equal(began.Add(taken.Due.Sub(began).Round(interval))) {
						t.Errorf("shot %d is due at %v, off the grid", i, taken.Due.Sub(began))
					}
				}
			})
		})
	}
}
