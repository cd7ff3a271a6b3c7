package spool

import (
	"cmp"
	"slices"
	"time"

	"github.com/stillcast/stillcast"
)

// maxAside is how many shots may step aside before no further ones are fed, so
// that memory stays bounded however long a store is down. (Shots only: their
// pictures stay in the spool.)
const maxAside = 1000

// job is a shot on its way to the store.
type job struct {
	shot     stillcast.Shot
	pictures [][]byte  // in the order of Shot.Keys; nil: they are read from the spool
	stored   int       // how many of its pictures are in the store, in the same order
	tries    int       // that failed
	due      time.Time // of the next try, once it stepped aside
}

// aside holds the jobs that failed too often to keep a slot, earliest due first.
type aside []*job

func (a *aside) add(j *job) {
	i, _ := slices.BinarySearchFunc(*a, j, func(x, y *job) int {
		return cmp.Or(x.due.Compare(y.due), cmp.Compare(x.shot.ID, y.shot.ID))
	})
	*a = slices.Insert(*a, i, j)
}

// first returns the job that is due first, nil for none.
func (a *aside) first() *job {
	if len(*a) == 0 {
		return nil
	}
	return (*a)[0]
}

// nextDue returns when first is due, the zero time for none.
func (a *aside) nextDue() time.Time {
	if j := a.first(); j != nil {
		return j.due
	}
	return time.Time{}
}

func (a *aside) removeFirst() { *a = slices.Delete(*a, 0, 1) }

func (a *aside) full() bool { return len(*a) >= maxAside }
