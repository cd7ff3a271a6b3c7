package capture

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// task is a plan without an end.
func task(id string, accuracy stillcast.Accuracy, interval time.Duration) Plan {
	t := stillcast.SnapshotTemplate{Name: id, Accuracy: accuracy, Interval: interval}
	return Plan{ID: id, Template: t.WithDefaults()}
}

// take is when a shot was due and when its frame arrived.
type take struct {
	Due, Captured time.Duration
	Accuracy      stillcast.Accuracy
}

// takes returns the shots of the template of that name.
func (r *rig) takes(template string, since time.Time) (all []take) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.taken {
		if t.Template.Name == template {
			all = append(all, take{t.Due.Sub(since), t.Captured.Sub(since), t.Picture.Facts.Accuracy})
		}
	}
	return all
}

// onTime returns n shots of frames that arrived at their due times.
func onTime(from, every time.Duration, n int, first, accuracy stillcast.Accuracy) (all []take) {
	for i := range n {
		at := from + time.Duration(i)*every
		all = append(all, take{at, at, accuracy})
	}
	all[0].Accuracy = first
	return all
}

// at calls do when the clock shows an offset, between two frames.
func at(t *testing.T, since time.Time, offset time.Duration, do func()) {
	t.Helper()
	go func() {
		time.Sleep(time.Until(since.Add(offset + time.Millisecond)))
		do()
	}()
}

const (
	key      = stillcast.AccuracyKeyframe
	accurate = stillcast.AccuracyExact
)

func TestRuleAndTasksHaveShotsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 2)
		r.tasks = []Plan{task("a", key, 2*time.Second), task("b", accurate, 5*time.Second)}
		r.Start()
		s := r.open("s")
		began := time.Now()
		r.play(s, steady(25*20, 25, 50), nil)
		r.end(t, s)
		want := map[string][]take{
			"t": onTime(0, 10*time.Second, 2, key, key),
			"a": onTime(0, 2*time.Second, 10, key, key),
			"b": onTime(0, 5*time.Second, 4, key, accurate),
		}
		for name, shots := range want {
			if diff := cmp.Diff(shots, r.takes(name, began)); diff != "" {
				t.Errorf("shots of %s (-want +got):\n%s", name, diff)
			}
		}
	})
}

// TestOneAccessUnitIsSharedByPlans looks at the bytes that each job gets: ingest
// clears them when they are given back.
func TestOneAccessUnitIsSharedByPlans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.tasks = []Plan{task("a", key, 10*time.Second), task("b", key, 10*time.Second), task("c", key, 10*time.Second)}
		r.Start()
		s := r.open("s")
		frames := steady(25*15, 25, 50)
		for i := range frames {
			frames[i].n += 100
		}
		r.play(s, frames, nil)
		r.end(t, s)
		if diff := cmp.Diff([]int{100, 100, 100, 100, 350, 350, 350, 350}, r.targets()); diff != "" {
			t.Errorf("frames of the shots (-want +got):\n%s", diff)
		}
		if r.lent != 2 {
			t.Errorf("%d access units were read, want 2", r.lent)
		}
	})
}

// TestTasksChangeNothingForTheRule plays streams twice: with the rule alone, and
// with tasks that come and go.
func TestTasksChangeNothingForTheRule(t *testing.T) {
	uneven := variable(1200)
	for i := range uneven {
		uneven[i].kind, uneven[i].flag = inter, false
		if i%30 == 0 {
			uneven[i].kind, uneven[i].flag = idr, true
		}
	}
	streams := map[string][]frame{
		"steady":       steady(25*120, 25, 75),
		"long groups":  steady(25*120, 25, 25*13),
		"refreshing":   refreshing(25*120, 50),
		"fast refresh": refreshing(25*120, 20),
		"open groups":  pyramid(25*30, 17, true),
		"lying flags":  steady(25*120, 25, 75),
		"uneven":       uneven,
		"slow refresh": refreshing(25*120, 190),
	}
	for i := range streams["lying flags"] {
		streams["lying flags"][i].flag = i%50 == 7
	}
	for name, frames := range streams {
		for _, accuracy := range []stillcast.Accuracy{key, accurate} {
			t.Run(name+"/"+string(accuracy), func(t *testing.T) {
				units := 15
				if name == "fast refresh" {
					units = 40
				}
				play := func(tasks bool) (shots []take) {
					synctest.Test(t, func(t *testing.T) {
						r := newRig(t, DefaultConfig(), 4)
						r.template.Accuracy, r.template.Interval = accuracy, 4*time.Second
						r.shoot = takes(frames, units)
						r.Start()
						s := r.open("s")
						began := time.Now()
						stop := func() {}
						if tasks {
							stop = r.comeAndGo()
						}
						r.play(s, frames, nil)
						stop()
						r.end(t, s)
						shots = r.takes("t", began)
					})
					return shots
				}
				alone := play(false)
				beside := play(true)
				if len(alone) < 10 {
					t.Fatalf("%d shots; the test shows nothing", len(alone))
				}
				if name == "lying flags" {
					// What tasks look at shows sooner that the flags lie, and with them the rhythm.
					sameDue(t, alone, beside)
					return
				}
				if diff := cmp.Diff(alone, beside); diff != "" {
					t.Errorf("shots of the rule (-alone +beside tasks):\n%s", diff)
				}
			})
		}
	}
}

// sameDue wants shots for the same due times, of frames that are near.
func sameDue(t *testing.T, alone, beside []take) {
	t.Helper()
	for i := range max(len(alone), len(beside)) {
		if i >= len(alone) || i >= len(beside) || alone[i].Due != beside[i].Due || (beside[i].Captured-beside[i].Due).Abs() > 3*time.Second {
			t.Errorf("shots of the rule, alone:\n%v\nbeside tasks:\n%v", alone, beside)
			return
		}
	}
}

// comeAndGo begins and ends tasks at any time until stop is called.
func (r *rig) comeAndGo() (stop func()) {
	random := rand.New(rand.NewPCG(3, 4))
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		for n := 0; ; n++ {
			var tasks []Plan
			for i := range random.IntN(stillcast.MaxRunningTasks + 1) {
				accuracy := []stillcast.Accuracy{key, accurate}[random.IntN(2)]
				tasks = append(tasks, task(fmt.Sprint("task ", (n+i)%5), accuracy, time.Duration(2+random.IntN(5))*time.Second))
			}
			r.mu.Lock()
			r.tasks = tasks
			r.mu.Unlock()
			r.Reload()
			select {
			case <-time.After(time.Duration(random.IntN(5000)) * time.Millisecond):
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-gone }
}

func TestPlansWaitInTheQueueOnTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.tasks = []Plan{task("a", key, 2*time.Second)}
		gate := make(chan struct{})
		r.shoot = func(Order) (stillcast.Facts, error) { <-gate; return stillcast.Facts{}, nil }
		r.Start()
		s := r.open("s")
		began := time.Now()
		for range 3 { // the first shots, and those of a at 2 s and 4 s
			r.frame(s, true)
			synctest.Wait()
			time.Sleep(2 * time.Second)
		}
		// One of the first is being made. The rule's waits, and a's newest.
		if n := testutil.ToFloat64(r.metrics.shed.WithLabelValues(shedBehind)); n > 2 || n < 1 {
			t.Errorf("%v shots gave way, want those of a alone", n)
		}
		close(gate)
		r.end(t, s)
		if n := len(r.takes("t", began)); n != 1 {
			t.Errorf("%d shots of the rule, want its first", n)
		}
	})
}

func TestPoisonIsSharedByPlans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.tasks = []Plan{task("a", key, 2*time.Second)}
		tries := 0
		r.shoot = func(Order) (stillcast.Facts, error) { tries++; return stillcast.Facts{}, errPoison }
		r.Start()
		s := r.open("s")
		frames := steady(25*60, 25, 50)
		for i := range frames {
			frames[i].n = 1
		}
		r.play(s, frames, nil)
		r.end(t, s)
		if tries > 2 { // both had it before the worker died
			t.Errorf("poison was tried %d times", tries)
		}
	})
}

// TestPlansRememberTheirOwnShots lets a rule skip what is unchanged beside a task
// that has each picture.
func TestPlansRememberTheirOwnShots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.template.Interval, r.template.SkipUnchanged, r.template.Heartbeat = 2*time.Second, true, 6*time.Second
		r.tasks = []Plan{task("a", key, 2*time.Second)}
		r.Start()
		s := r.open("s")
		began := time.Now()
		r.play(s, steady(25*20, 25, 50), nil)
		r.end(t, s)
		if diff := cmp.Diff(onTime(0, 6*time.Second, 4, key, key), r.takes("t", began)); diff != "" {
			t.Errorf("shots of the rule (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(onTime(0, 2*time.Second, 10, key, key), r.takes("a", began)); diff != "" {
			t.Errorf("shots of the task (-want +got):\n%s", diff)
		}
	})
}

func TestFailuresOfAPlanAreItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		bad := task("a", key, 10*time.Second)
		bad.Template.Width = 64
		r.tasks = []Plan{bad}
		r.shoot = func(o Order) (stillcast.Facts, error) {
			if o.Pictures[0].Width == 64 {
				return stillcast.Facts{}, errors.New("damaged")
			}
			return stillcast.Facts{}, nil
		}
		r.Start()
		s := r.open("s")
		began := time.Now()
		r.play(s, steady(25*25, 25, 25), nil)
		r.end(t, s)
		if diff := cmp.Diff(onTime(0, 10*time.Second, 3, key, key), r.takes("t", began)); diff != "" {
			t.Errorf("shots of the rule (-want +got):\n%s", diff)
		}
		if n := testutil.ToFloat64(r.metrics.failed.WithLabelValues(stageDecode)); n != 3*maxFailures {
			t.Errorf("%v failures of the task, want %d for each due time", n, maxFailures)
		}
	})
}

func TestWantOfSeveralPlansTakesNoMemory(t *testing.T) {
	r := newRig(t, DefaultConfig(), 1)
	r.tasks = []Plan{task("a", key, 2*time.Second), task("b", accurate, 2*time.Second), task("c", key, 3*time.Second)}
	s := r.open("s")
	u := media.Unit{Codec: media.H264, Size: 1000}
	for _, flagged := range []bool{false, true} {
		u.Key = flagged
		if n := testing.AllocsPerRun(1000, func() { s.Want(u) }); n != 0 {
			t.Errorf("Want allocates %v times", n)
		}
	}
	s.Close()
	r.Start()
	r.Stop(t.Context())
}
