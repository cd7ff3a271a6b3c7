package capture

import (
	"sync/atomic"
	"time"

	"github.com/stillcast/stillcast/internal/media"
)

// lent is an access unit as ingest lent it, to be given back when its last owner
// lets it go. Several jobs may share it.
type lent struct {
	*media.AccessUnit

	owners atomic.Int32
}

func (l *lent) hold() { l.owners.Add(1) }

func (l *lent) letGo() {
	if l.owners.Add(-1) == 0 {
		l.Release()
	}
}

// arrival is an access unit that is being taken.
type arrival struct {
	lent

	start  media.Start
	shown  time.Time // from when on it is on display
	bound  time.Time // see timeline.place
	number uint64    // in the group
	kept   bool      // it was put into the group
}

// arrive returns an arrival with one owner.
func arrive(au *media.AccessUnit) *arrival {
	a := &arrival{start: media.StartOf(au.Config, au.Data)}
	a.AccessUnit = au
	a.hold()
	return a
}
