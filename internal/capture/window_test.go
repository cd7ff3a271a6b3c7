package capture

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
)

func TestWindowOfATask(t *testing.T) {
	tests := []struct {
		name           string
		rule, accuracy stillcast.Accuracy // rule "": none
		want           []take
	}{
		{"keyframe", "", key, onTime(14*time.Second, 3*time.Second, 3, key, key)},
		{"keyframe beside a rule", accurate, key, onTime(14*time.Second, 3*time.Second, 3, key, key)},
		{"exact", "", accurate, onTime(14*time.Second, 3*time.Second, 3, key, accurate)},
		{"exact beside a rule of keyframes", key, accurate, onTime(14*time.Second, 3*time.Second, 3, key, accurate)},
		{"exact, at once", accurate, accurate, onTime(13*time.Second, 3*time.Second, 4, accurate, accurate)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, DefaultConfig(), 2)
				r.active, r.template.Accuracy = tt.rule != "", tt.rule
				r.Start()
				s := r.open("s")
				began := time.Now()
				at(t, began, 13*time.Second, func() {
					w := task("a", tt.accuracy, 3*time.Second)
					w.Until = began.Add(23 * time.Second) // a key frame's time is 22 s, nearest to 23 s
					r.tasks = []Plan{w}
					r.Reload()
				})
				r.play(s, steady(25*60, 25, 50), nil)
				r.end(t, s)
				got := r.takes("a", began)
				for i := range got { // the reload is between two frames
					got[i].Due, got[i].Captured = got[i].Due.Truncate(40*time.Millisecond), got[i].Captured.Truncate(40*time.Millisecond)
				}
				if tt.accuracy == key { // the nearest ones: 16 s or 18 s for 17 s
					for i := range got {
						if off := got[i].Captured - got[i].Due; off < -time.Second || off > time.Second {
							t.Errorf("shot %d is %v off its due time", i, off)
						}
						got[i].Captured = got[i].Due
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("shots (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestTemplateOfATaskChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 2)
		r.tasks = []Plan{task("a", key, 10*time.Second)}
		r.Start()
		s := r.open("s")
		began := time.Now()
		at(t, began, 13*time.Second, func() {
			r.tasks = []Plan{task("a", accurate, 3*time.Second)}
			r.Reload()
		})
		r.play(s, steady(25*21, 25, 50), nil)
		r.end(t, s)
		want := append(onTime(0, 10*time.Second, 2, key, key),
			take{13 * time.Second, 14 * time.Second, key}, // nothing was kept at 13 s
			take{16 * time.Second, 16 * time.Second, accurate}, take{19 * time.Second, 19 * time.Second, accurate})
		if diff := cmp.Diff(want, r.takes("a", began)); diff != "" {
			t.Errorf("shots of the task (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(onTime(0, 10*time.Second, 3, key, key), r.takes("t", began)); diff != "" {
			t.Errorf("shots of the rule (-want +got):\n%s", diff)
		}
	})
}

func TestStoppedTaskEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 2)
		r.tasks = []Plan{task("a", accurate, 2*time.Second)}
		r.Start()
		s := r.open("s")
		began := time.Now()
		frames := steady(25*30, 25, 50)
		r.play(s, frames[:250], nil)
		synctest.Wait()
		if r.kept.used.Load() == 0 {
			t.Error("nothing is kept for the exact task")
		}
		r.tasks = nil
		r.Reload()
		if n := r.kept.used.Load(); n != 0 {
			t.Errorf("%d bytes are kept of a task that was stopped", n)
		}
		before := r.lent
		time.Sleep(40 * time.Millisecond)
		r.play(s, frames[250:], nil)
		r.end(t, s)
		if n := len(r.takes("a", began)); n != 5 {
			t.Errorf("%d shots, want those of ten seconds", n)
		}
		if n := r.lent - before; n != 2 {
			t.Errorf("%d access units read after the task, want the two of the rule", n)
		}
	})
}

// TestWindowEndsWithoutReload lets the last frames come after the end of the only
// plan, which nobody said.
func TestWindowEndsWithoutReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 2)
		r.active = false
		w := task("a", accurate, 2*time.Second)
		w.Until = time.Now().Add(5 * time.Second)
		r.tasks = []Plan{w}
		r.Start()
		s := r.open("s")
		r.play(s, steady(25*20, 25, 250), nil)
		if n := r.kept.used.Load(); n != 0 {
			t.Errorf("%d bytes are kept after the end", n)
		}
		w.Until = time.Now().Add(5 * time.Second)
		r.tasks = []Plan{w}
		r.Reload()
		time.Sleep(40 * time.Millisecond)
		r.play(s, steady(25*20, 25, 250), nil)
		r.end(t, s)
		if n := len(r.taken); n < 5 || n > 6 {
			t.Errorf("%d shots, want three for each window of five seconds, the last of them after a group without gaps", n)
		}
		for i, o := range r.orders {
			for k, n := range o.frames {
				if n != o.frames[0]+k {
					t.Errorf("order %d has a gap: %v", i, o.frames)
					break
				}
			}
		}
	})
}
