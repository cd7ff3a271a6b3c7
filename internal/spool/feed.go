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

// feeder hands the shots of a lane to its slots: each once, in order of their
// ids, and again when it failed and its time has come. While a store of the lane
// does not work it hands out one at a time, as a probe.
type feeder struct {
	*lane

	head     *job             // was handed over, and not given to a slot yet
	page     []stillcast.Shot // read, and not given to a slot yet
	idle     bool             // the spool holds nothing after it, until wake says so
	reread   time.Time        // not before this time
	aside    aside
	retrying int    // jobs in the slots that were aside for reasons of their own
	last     source // of the job that went to a slot last
	probe    *job   // in a slot
	warned   bool   // that aside is full
	broken   bool   // a store did not work when last looked at
}

func (f *feeder) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		f.read(ctx)
		f.note()
		next, wait := f.next(time.Now())
		if f.behind() {
			wait = 0 // what was read was all of other lanes
		}
		timer.Reset(wait)
		var work chan<- *job
		if next.job != nil {
			next.job.retry = next.from == fromDue
			work = f.work
		}
		var handed <-chan *job
		if f.head == nil && !f.aside.full() {
			handed = f.handed.jobs
		}
		select {
		case work <- next.job:
			f.given(next)
		case f.head = <-handed:
		case j := <-f.back:
			f.returned(j)
		case <-f.wake:
			f.idle = false
		case <-f.poke:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

// behind says whether there is need and room for a page, and time to read one.
func (f *feeder) behind() bool {
	return !f.idle && len(f.page) == 0 && !f.aside.full() && !time.Now().Before(f.reread)
}

// read fetches the next page if it is behind.
func (f *feeder) read(ctx context.Context) {
	if !f.behind() {
		return
	}
	after, latest := f.handed.startReading()
	page, err := f.opts.Ledger.SpoolPage(ctx, after, pageSize)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		f.log.Error("reading the spool failed; trying again", "error", err)
		f.reread = time.Now().Add(rereadTime)
	default:
		f.page, f.idle = f.handed.endReading(page, latest, f.mine), len(page) == 0
	}
}

// mine says whether a shot goes by this lane.
func (f *feeder) mine(shot stillcast.Shot) bool { return f.laneOf(shot.Mirror) == f.lane }

// pick is a job that a slot is to have next; none where job is nil.
type pick struct {
	job  *job
	from source
}

// source is where a pick is taken from once a slot has it.
type source int

const (
	fromHead source = iota
	fromPage
	fromHeld
	fromDue
)

// next returns the job that a slot is to have now, and how long nothing changes
// by itself.
func (f *feeder) next(now time.Time) (pick, time.Duration) {
	g := f.gate()
	if g.open && f.broken {
		f.aside.revive(now)
	}
	f.broken = !g.open
	switch {
	case g.open:
		return f.nextOf(now), rest(now, f.reread, f.aside.nextDue())
	case f.probe != nil || g.at.IsZero():
		return pick{}, rest(now, f.reread)
	case now.Before(g.at):
		return pick{}, rest(now, f.reread, g.at)
	}
	return f.nextProbe(), rest(now, f.reread)
}

// gate is what all stores of the lane let through.
func (f *feeder) gate() gate {
	all := gate{open: true}
	for _, st := range f.stores {
		g := st.breaker.gate()
		switch {
		case g.open:
		case g.at.IsZero():
			return g
		case all.open || g.at.After(all.at):
			all = g
		}
	}
	return all
}

// nextOf returns the first of what waits for a store that works: those that were
// tried before, in the order of their ids, and then the others.
func (f *feeder) nextOf(now time.Time) pick {
	next := f.fresh()
	if len(f.aside.held) > 0 {
		next = pick{f.aside.held[0], fromHeld}
	}
	j := f.aside.first()
	if j == nil || now.Before(j.due) || !f.mayRetry(next.job != nil) || next.from == fromHeld && next.job.shot.ID < j.shot.ID {
		return next
	}
	return pick{j, fromDue}
}

// mayRetry says whether one more that failed for a reason of its own may go to a
// slot: only where half of the slots stay to others, and with one slot, in turns
// with others that wait.
func (f *feeder) mayRetry(others bool) bool {
	slots := f.opts.Config.Concurrency
	return f.retrying < max(1, slots/2) && (slots > 1 || f.last != fromDue || !others)
}

// nextProbe returns in turns the first of those that are held up, for the order,
// and one that was not tried yet, so that the store is not judged by pictures
// that it refuses for themselves. Where there are neither, or there is no room for
// more, it is the one that was not tried for the longest time.
func (f *feeder) nextProbe() pick {
	if len(f.aside.held) > 0 && f.last != fromHeld {
		return pick{f.aside.held[0], fromHeld}
	}
	if p := f.fresh(); p.job != nil {
		return p
	}
	j := f.aside.longest()
	if j != nil && j.held {
		return pick{j, fromHeld}
	}
	return pick{j, fromDue}
}

// fresh returns the first job that was not tried yet; none also where there is no
// room for it should it fail.
func (f *feeder) fresh() pick {
	switch {
	case f.aside.full():
		return pick{}
	case f.head != nil:
		return pick{f.head, fromHead}
	case len(f.page) > 0:
		return pick{&job{shot: f.page[0]}, fromPage}
	}
	return pick{}
}

// given notes that a slot has a job now, which is the slot's from then on.
func (f *feeder) given(p pick) {
	if !f.works() {
		f.probe = p.job
	}
	f.last = p.from
	switch p.from {
	case fromHead:
		f.head = nil
	case fromPage:
		f.page = f.page[1:]
	case fromHeld:
		f.aside.held = remove(f.aside.held, p.job)
	case fromDue:
		f.aside.due = remove(f.aside.due, p.job)
		f.retrying++
	}
}

// returned takes a job back from its slot, done or to step aside.
func (f *feeder) returned(j *job) {
	if f.probe == j {
		f.probe = nil
	}
	if j.retry {
		f.retrying--
		j.retry = false
	}
	if j.due.IsZero() {
		return // stored, or gone
	}
	f.aside.add(j)
	if f.aside.full() {
		f.handed.refuse()
		f.idle = false
	}
}

// rest is how long it is until the first of some times, of which those that
// passed and those that are zero do not count.
func rest(now time.Time, times ...time.Time) time.Duration {
	wait := time.Hour
	for _, at := range times {
		if d := at.Sub(now); d > 0 {
			wait = min(wait, d)
		}
	}
	return wait
}

// note tells the outside how many shots stepped aside.
func (f *feeder) note() {
	f.metrics.aside.WithLabelValues(f.name).Set(float64(f.aside.len()))
	switch {
	case f.aside.full() && !f.warned:
		f.warned = true
		f.log.Error("too many pictures cannot be stored; all others wait in the spool", "limit", maxAside)
	case f.aside.len() < maxAside/2: // far enough below not to warn at each step across
		f.warned = false
	}
}
