// Package spool brings the pictures of recorded shots into the object stores, in
// order, and lets their events go once they are there: a shot's own and all of
// its renditions. The spool itself is part of the state (row and pictures are
// durable together), so this package holds
// nothing that a crash could lose: at start it goes on with what it finds.
//
// Whoever records a shot hands its pictures over, so that they need not be read
// back. What there is no room for in memory, and what comes while older shots
// still have to be read, is read from the spool.
//
// Shots go by lanes: one of those that the primary store alone is to hold, and
// one for each mirror. A store that fails again and again is left alone: its
// pictures wait in the spool, however many they become, and one at a time is
// tried. When it works again, they are stored in the order of their ids. Other
// lanes go on meanwhile.
//
// One picture that the store refuses does not hold up the others: after a few
// tries its shot steps aside, without the picture, and is tried again within a
// minute, for as long as it takes.
package spool

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
)

// drainPatience is how long Drain waits for a spool that does not shrink while a
// store does not work.
const drainPatience = 2 * time.Second

type ledger interface {
	SpoolPage(ctx context.Context, afterID int64, limit int) ([]stillcast.Shot, error)
	// SpooledPicture returns the picture of Shot.Keys()[index].
	SpooledPicture(ctx context.Context, shotID int64, index int) ([]byte, error)
	// MarkStored fails with CodeConflict for a shot that was dropped.
	MarkStored(ctx context.Context, shotID int64) ([]stillcast.Destination, error)
}

// Options are what an [Uploader] needs; all but Mirrors are required.
type Options struct {
	Config     Config
	Primary    Store   // holds all shots
	Mirrors    []Store // hold those shots besides that name them
	Ledger     ledger
	Stored     func([]stillcast.Destination) // events for them became due
	Stats      func(context.Context) (count, bytes int64, err error)
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Uploader moves pictures from the spool to the stores.
type Uploader struct {
	opts    Options
	metrics *metrics
	lanes   []*lane          // first that of shots without mirror
	mirrors map[string]*lane // by the name of the mirror
	unknown sync.Map         // names of mirrors that were warned of
	dropped atomic.Int64     // shots up to this id may have been dropped from the spool

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// New returns an Uploader that does nothing before Start.
func New(opts Options) (*Uploader, error) {
	if err := opts.Config.Validate(); err != nil {
		return nil, err
	}
	u := &Uploader{opts: opts, mirrors: make(map[string]*lane, len(opts.Mirrors)), cancel: func() {}}
	u.metrics = newMetrics(opts.Registerer, opts.Stats, u.oldest)
	opts.Primary.Name = Primary
	primary := u.newStore(opts.Primary)
	u.lanes = []*lane{u.newLane(Primary, primary)}
	for _, m := range opts.Mirrors {
		l := u.newLane(m.Name, primary, u.newStore(m))
		u.lanes = append(u.lanes, l)
		u.mirrors[m.Name] = l
	}
	return u, nil
}

func (u *Uploader) newStore(s Store) *store {
	return newStore(s, u.opts.Config, u.metrics, u.opts.Logger, func() {
		for _, l := range u.lanes {
			signal(l.poke)
		}
	})
}

// Start begins with what is in the spool.
func (u *Uploader) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	u.cancel = cancel
	for _, l := range u.lanes {
		l.start(ctx)
	}
}

// Stop interrupts the uploads, which the next start repeats, and returns when
// the goroutines are gone. Call Drain before to let them finish.
func (u *Uploader) Stop() {
	u.cancel()
	u.wg.Wait()
}

// Drain waits until the spool is empty, until what is left waits for stores that
// do not work, or until ctx ends and returns its cause.
func (u *Uploader) Drain(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	least, since := int64(-1), time.Now()
	for {
		count, _, err := u.opts.Stats(ctx)
		if err != nil || count == 0 {
			return err
		}
		if least < 0 || count < least {
			least, since = count, time.Now()
		}
		if broken := u.Broken(); len(broken) > 0 && time.Since(since) > drainPatience {
			u.opts.Logger.Warn("pictures stay in the spool, since their stores do not work; the next start stores them", "pictures", count, "stores", broken)
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Take stores a shot that was recorded, with its pictures in the order of
// Shot.Keys, which nobody changes any more. It never blocks: what cannot be kept
// in memory is read from the spool later.
func (u *Uploader) Take(shot stillcast.Shot, pictures [][]byte) {
	own := u.laneOf(shot.Mirror)
	for _, l := range u.lanes {
		switch {
		case l != own:
			l.handed.pass(shot.ID)
		case !l.handed.offer(shot, pictures):
			signal(l.wake)
		}
	}
}

// Dropped says that the pictures of shots up to this id were dropped from the
// spool, where they were not stored. They are not taken from memory any more.
func (u *Uploader) Dropped(shotID int64) {
	for {
		is := u.dropped.Load()
		if shotID <= is || u.dropped.CompareAndSwap(is, shotID) {
			return
		}
	}
}

// Broken returns the names of the stores that do not work at the moment.
func (u *Uploader) Broken() []string {
	var names []string
	for _, l := range u.lanes {
		if st := l.stores[len(l.stores)-1]; st.breaker.isOpen() {
			names = append(names, st.Name)
		}
	}
	return names
}

// Breaker is how a store does, as far as the uploader has seen.
type Breaker struct {
	Store    string    // its name
	Failures int       // in a row
	Open     bool      // it does not work, and gets one picture at a time
	Since    time.Time // it opened; zero unless it is open
	NextTry  time.Time // no picture before; zero unless it is open
}

// Breakers returns how the stores do, the first one before its mirrors.
func (u *Uploader) Breakers() []Breaker {
	all := make([]Breaker, 0, len(u.lanes))
	for _, l := range u.lanes {
		st := l.stores[len(l.stores)-1]
		all = append(all, st.breaker.look(st.Name))
	}
	return all
}

// laneOf returns the lane of the shots of a mirror, "" for none. Those of a
// mirror that is no longer there go to the primary store alone, or else their
// events would never be sent.
func (u *Uploader) laneOf(mirror string) *lane {
	if mirror == "" {
		return u.lanes[0]
	}
	if l, ok := u.mirrors[mirror]; ok {
		return l
	}
	if _, warned := u.unknown.LoadOrStore(mirror, true); !warned {
		u.opts.Logger.Warn("the spool holds shots of a mirror that is not under storage.mirrors any more; they go to the primary store alone",
			"mirror", mirror)
	}
	return u.lanes[0]
}

// oldest returns when the oldest shot was captured that waits to be stored; zero
// for none.
func (u *Uploader) oldest(ctx context.Context) (time.Time, error) {
	page, err := u.opts.Ledger.SpoolPage(ctx, 0, 1)
	if err != nil || len(page) == 0 {
		return time.Time{}, err
	}
	return page[0].Captured, nil
}

// signal puts a token into a channel that has none.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
