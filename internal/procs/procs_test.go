package procs

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestGovernor(t *testing.T) {
	t.Parallel()
	steps := []struct {
		name  string
		busy  float64 // processors in use
		times int     // periods
		want  int
	}{
		{"what is idle keeps all at first", 0.1, 24, 8},
		{"and then has one", 0.1, 1, 1},
		{"half of one is enough", 0.5, 100, 1},
		{"more than half of one gets a second at once", 0.51, 1, 2},
		{"all that is needed at once", 2.3, 1, 5},
		{"never more than there are", 7.5, 1, 8},
		{"fewer after a while", 1.4, 24, 8},
		{"as many as were needed at most meanwhile", 0.1, 1, 3},
		{"a pause is no reason", 0, 20, 3},
		{"when work comes again", 1.2, 1, 3},
		{"the while begins anew", 0, 24, 3},
		{"and ends", 0, 1, 1},
	}
	g := governor{most: 8, now: 8}
	for _, s := range steps {
		for range s.times {
			g.next(time.Duration(s.busy*float64(period)), period)
		}
		if g.now != s.want {
			t.Errorf("%s: %d processors, wanted %d", s.name, g.now, s.want)
		}
	}
	if got := g.next(time.Second, 0); got != 1 {
		t.Errorf("in no time: %d processors, wanted 1, as before", got)
	}
}

// It changes the whole process, so it is not parallel.
func TestFollow(t *testing.T) {
	const most = 4
	t.Setenv("GOMAXPROCS", "")
	usual := runtime.GOMAXPROCS(most)
	defer runtime.GOMAXPROCS(usual)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			Follow(ctx)
		}()
		// On the fake clock this takes no processor time.
		time.Sleep(patience + 2*period)
		synctest.Wait()
		if n := runtime.GOMAXPROCS(0); n != 1 {
			t.Errorf("an idle program has %d processors, wanted 1", n)
		}
		cancel()
		<-ended
	})
	runtime.SetDefaultGOMAXPROCS()
	if n := runtime.GOMAXPROCS(0); n != usual {
		t.Errorf("there are %d processors afterwards, wanted the usual %d", n, usual)
	}
}

func TestFollowLeavesWhatIsSet(t *testing.T) {
	t.Setenv("GOMAXPROCS", "3")
	before := runtime.GOMAXPROCS(0)
	Follow(t.Context()) // returns at once
	if n := runtime.GOMAXPROCS(0); n != before {
		t.Errorf("there are %d processors, wanted %d as before", n, before)
	}
}
