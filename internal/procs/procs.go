// Package procs gives the Go scheduler as many processors as the program has use
// for.
//
// The scheduler wakes another thread whenever a goroutine becomes ready while one of
// its processors (GOMAXPROCS) is idle. A server that receives some hundred streams is
// idle most of the time and woken a thousand times a second, so nearly each packet
// wakes a second thread, which finds nothing: a sixth of the processor time that the
// server takes. With one processor there is nobody to wake.
package procs

import (
	"context"
	"math"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// period is how often the use is looked at, and so for how long a sudden load may have too few processors.
	period = 200 * time.Millisecond
	// patience is for how long the use must be lower before processors are taken away: each change stops the
	// program for a moment.
	patience = 5 * time.Second
	// reserve is how many times the processors that were used there are.
	reserve = 2
)

// Follow keeps GOMAXPROCS at twice the processors that the program used of late, 1 at
// least, as many as there were at its begin at most, until ctx ends. Then the default holds again. It
// does nothing when the environment sets GOMAXPROCS.
func Follow(ctx context.Context) {
	if os.Getenv("GOMAXPROCS") != "" {
		return
	}
	defer runtime.SetDefaultGOMAXPROCS()
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	most := runtime.GOMAXPROCS(0)
	g := governor{most: most, now: most}
	before, began := used(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			after := used()
			if was := g.now; g.next(after-before, now.Sub(began)) != was {
				runtime.GOMAXPROCS(g.now)
			}
			before, began = after, now
		}
	}
}

// governor decides on the number of processors.
type governor struct {
	most, now int
	enough    int           // of late, while that is fewer than now
	lower     time.Duration // for so long
}

// next returns how many processors there should be after some time in which the
// program used so much processor time.
func (g *governor) next(used, elapsed time.Duration) int {
	want := g.now
	if elapsed > 0 {
		want = min(max(1, int(math.Ceil(reserve*used.Seconds()/elapsed.Seconds()))), g.most)
	}
	if want >= g.now {
		g.now, g.enough, g.lower = want, 0, 0
		return g.now
	}
	g.enough, g.lower = max(g.enough, want), g.lower+elapsed
	if g.lower >= patience {
		g.now, g.enough, g.lower = g.enough, 0, 0
	}
	return g.now
}

// used is the processor time that this process has taken, without its children.
func used() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0 // which looks idle; it cannot fail (getrusage(2))
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
