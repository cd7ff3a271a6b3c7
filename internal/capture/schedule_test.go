package capture

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shotTimes lets key frames arrive at the given seconds and returns those that
// are taken.
func shotTimes(interval time.Duration, keyFrames []float64) []float64 {
	s := schedule{interval: interval}
	var keys rhythm
	base := time.Now()
	var taken []float64
	for _, at := range keyFrames {
		now := base.Add(time.Duration(at * float64(time.Second)))
		keys.observe(now)
		if p, ok := s.nearest(now, keys.every); ok {
			s.take(p)
			taken = append(taken, at)
		}
	}
	return taken
}

func every(gap float64, n int) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = float64(i) * gap
	}
	return all
}

func TestNearestKeyFrame(t *testing.T) {
	tests := []struct {
		name      string
		interval  time.Duration
		keyFrames []float64
		want      []float64
	}{
		{"key frames on the grid", 10 * time.Second, every(2, 16), []float64{0, 10, 20, 30}},
		{"a little early and late is no miss", 2 * time.Second, []float64{0, 2.01, 3.99, 6.02, 7.98}, []float64{0, 2.01, 3.99, 6.02, 7.98}},
		{"the nearer of last and next", 10 * time.Second, every(3, 14), []float64{0, 9, 21, 30, 39}},
		{"every one where they are rarer than the interval", 2 * time.Second, every(8.33, 5), every(8.33, 5)},
		{"all-intra stream", 2 * time.Second, every(0.04, 126), []float64{0, 2, 4}},
		{"back after a gap, then on the grid", 10 * time.Second, []float64{0, 2, 4, 33, 35, 37, 39, 41}, []float64{0, 33, 39}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := shotTimes(tt.interval, tt.keyFrames)
			if diff := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b float64) bool { return a-b < 0.021 && b-a < 0.021 })); diff != "" {
				t.Errorf("taken key frames (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGridDoesNotDrift(t *testing.T) {
	// Key frames every 2.03 s against an interval of 10 s, for a day.
	const gap = 2.03
	taken := shotTimes(10*time.Second, every(gap, 42_561))
	if want := 8640; len(taken) != want {
		t.Errorf("took %d shots in a day, want %d", len(taken), want)
	}
	for i, at := range taken {
		if off := at - 10*float64(i); off > gap/2+0.01 || off < -gap/2-0.01 {
			t.Fatalf("shot %d is %.2f s off its due time, want at most half the distance of key frames", i, off)
		}
	}
}

func TestPassedDueTimesAreCounted(t *testing.T) {
	s := schedule{interval: 2 * time.Second}
	now := time.Now()
	first, _ := s.nearest(now, 0)
	s.take(first)
	p, ok := s.nearest(now.Add(9*time.Second), 0)
	if !ok || p.index != 4 || p.passed != 3 {
		t.Errorf("nearest after 9 s = %+v, %v; want due time 4 with 3 passed", p, ok)
	}
	if want := now.Add(8 * time.Second); !p.due.Equal(want) {
		t.Errorf("due = %v, want %v", p.due, want)
	}
}

func TestReopenedDueTimeIsTakenByTheNextKeyFrame(t *testing.T) {
	s := schedule{interval: 10 * time.Second}
	now := time.Now()
	p, _ := s.nearest(now, 0)
	s.take(p)
	later := now.Add(10 * time.Second)
	p, _ = s.nearest(later, 0)
	s.take(p)
	if _, ok := s.nearest(later.Add(time.Second), 0); ok {
		t.Fatal("a due time with a shot was taken again")
	}
	s.reopen(p)
	again, ok := s.nearest(later.Add(time.Second), 0)
	if !ok || again.index != p.index {
		t.Errorf("nearest after reopen = %+v, %v; want due time %d", again, ok, p.index)
	}
}

func TestChangedIntervalActsAtOnce(t *testing.T) {
	s := schedule{interval: 10 * time.Second}
	now := time.Now()
	p, _ := s.nearest(now, 0)
	s.take(p)
	s.setInterval(2 * time.Second)
	p, ok := s.nearest(now.Add(2*time.Second), 0)
	if !ok || !p.due.Equal(now.Add(2*time.Second)) {
		t.Errorf("nearest 2 s after the last shot = %+v, %v; want that due time", p, ok)
	}
	s.take(p)
	s.setInterval(30 * time.Second)
	if p, ok := s.nearest(now.Add(20*time.Second), 0); ok {
		t.Errorf("nearest = %+v before the longer interval passed", p)
	}
}
