package spool

import (
	"cmp"
	"slices"
	"time"

	"github.com/stillcast/stillcast"
)

// maxAside is how many shots of a lane may step aside before no further ones are
// fed, so that memory stays bounded however long a store is down. (Shots only:
// their pictures stay in the spool.)
const maxAside = 1000

// job is a shot on its way to its stores.
type job struct {
	shot     stillcast.Shot
	pictures [][]byte  // in the order of Shot.Keys; nil: they are read from the spool
	store    int       // the first of the lane's stores that does not hold all of them
	stored   int       // how many of them that one holds, in the same order
	tries    int       // that failed
	blame    int       // of them, those that failed while the stores worked
	held     bool      // it failed because a store does not work, and waits for that
	due      time.Time // of the next try of one that stepped aside; of one that is held, its last try; zero: it did not
	broken   bool      // its last try failed for the store
	retry    bool      // in a slot after it was aside for a reason of its own
}

// aside holds the jobs that failed too often to keep a slot.
type aside struct {
	due  []*job // for reasons of their own, earliest due first
	held []*job // because a store does not work, in order of their ids
}

func (a *aside) add(j *job) {
	list, order := &a.due, func(x, y *job) int {
		return cmp.Or(x.due.Compare(y.due), cmp.Compare(x.shot.ID, y.shot.ID))
	}
	if j.held {
		list, order = &a.held, func(x, y *job) int { return cmp.Compare(x.shot.ID, y.shot.ID) }
	}
	i, _ := slices.BinarySearchFunc(*list, j, order)
	*list = slices.Insert(*list, i, j)
}

// first returns the job whose time comes first, nil for none.
func (a *aside) first() *job {
	if len(a.due) == 0 {
		return nil
	}
	return a.due[0]
}

// nextDue returns when first is due, the zero time for none.
func (a *aside) nextDue() time.Time {
	if j := a.first(); j != nil {
		return j.due
	}
	return time.Time{}
}

// longest returns the job that was not tried for the longest time, nil for none.
func (a *aside) longest() *job {
	longest := a.first()
	for _, j := range a.held {
		if longest == nil || j.due.Before(longest.due) {
			longest = j
		}
	}
	return longest
}

func remove(jobs []*job, j *job) []*job {
	if i := slices.Index(jobs, j); i >= 0 {
		return slices.Delete(jobs, i, i+1)
	}
	return jobs
}

// revive makes all due that a store failed, now that it works again.
func (a *aside) revive(now time.Time) {
	all := a.due
	a.due = nil
	for _, j := range all {
		if j.broken {
			j.due = now
		}
		a.add(j)
	}
}

func (a *aside) len() int { return len(a.due) + len(a.held) }

func (a *aside) full() bool { return a.len() >= maxAside }
