package spool

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
)

const (
	pageSize   = 100
	rereadTime = time.Second // after the spool could not be read
)

// feeder hands the shots of the spool that were not handed over with their
// pictures to the slots: each once, in order, and again when it failed and its
// time has come.
type feeder struct {
	*Uploader
	page   []stillcast.Shot // read, and not handed over yet
	idle   bool             // the spool holds nothing after it, until wake says so
	reread time.Time        // not before this time
	aside  aside
	warned bool // that aside is full
}

func (f *feeder) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		f.read(ctx)
		f.note()
		timer.Reset(f.rest())
		fresh, next := f.next()
		again, failed := f.due()
		select {
		case fresh <- next:
			f.page = f.page[1:]
		case again <- failed:
			f.aside.removeFirst()
		case j := <-f.failed:
			f.aside.add(j)
			if f.aside.full() {
				f.handed.refuse()
				f.idle = false
			}
		case <-f.wake:
			f.idle = false
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

// read fetches the next page when there is need and room for one.
func (f *feeder) read(ctx context.Context) {
	for !f.idle && len(f.page) == 0 && !f.aside.full() && !time.Now().Before(f.reread) {
		after, latest := f.handed.startReading()
		page, err := f.opts.Ledger.SpoolPage(ctx, after, pageSize)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			f.opts.Logger.Error("reading the spool failed; trying again", "error", err)
			f.reread = time.Now().Add(rereadTime)
		default:
			f.page, f.idle = f.handed.endReading(page, latest), len(page) == 0
		}
	}
}

// next returns the next shot of the page and where it goes: nowhere when there
// is none, or no room for it should it fail.
func (f *feeder) next() (chan<- *job, *job) {
	if len(f.page) == 0 || f.aside.full() {
		return nil, nil
	}
	return f.fresh, &job{shot: f.page[0]}
}

// due returns the failed shot whose time has come and where it goes.
func (f *feeder) due() (chan<- *job, *job) {
	j := f.aside.first()
	if j == nil || time.Now().Before(j.due) {
		return nil, nil
	}
	return f.again, j
}

// rest is how long nothing changes by itself.
func (f *feeder) rest() time.Duration {
	now, wait := time.Now(), time.Hour
	for _, at := range [...]time.Time{f.reread, f.aside.nextDue()} {
		if d := at.Sub(now); d > 0 {
			wait = min(wait, d)
		}
	}
	return wait
}

// note tells the outside how many shots stepped aside.
func (f *feeder) note() {
	f.metrics.aside.Set(float64(len(f.aside)))
	switch {
	case f.aside.full() && !f.warned:
		f.warned = true
		f.opts.Logger.Error("too many pictures cannot be stored; all others wait in the spool", "limit", maxAside)
	case len(f.aside) < maxAside/2: // far enough below not to warn at each step across
		f.warned = false
	}
}
