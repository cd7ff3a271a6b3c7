package ingest

import (
	"sync"
	"time"

	"github.com/stillcast/stillcast"
)

// entries are what of a push is to be written into the journal, in order. They
// are written on a goroutine of the gate, beside the push; there is one only
// while there is something to write, for most of a push's time is without.
type entries struct {
	mu      sync.Mutex
	queue   []entry
	writing bool
	closed  bool // the last one is in the queue
}

// entry is one of them.
type entry struct {
	what  string
	write func() error
	then  func() // after it was written; may be nil
}

// busy says whether something is being written. What is found meanwhile is
// gathered, or a database that is away would be owed ever more.
func (e *entries) busy() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.writing
}

// enter queues an entry. After the last one it does nothing.
func (p *livePush) enter(e entry, last bool) {
	p.entries.mu.Lock()
	defer p.entries.mu.Unlock()
	if p.entries.closed {
		return
	}
	p.entries.closed = last
	p.entries.queue = append(p.entries.queue, e)
	if !p.entries.writing {
		p.entries.writing = true
		p.gate.wg.Go(p.write)
	}
}

// write writes entries until there are none, or the gate is closed.
func (p *livePush) write() {
	for {
		p.entries.mu.Lock()
		if len(p.entries.queue) == 0 {
			p.entries.queue, p.entries.writing = nil, false
			p.entries.mu.Unlock()
			return
		}
		e := p.entries.queue[0]
		p.entries.queue = p.entries.queue[1:]
		p.entries.mu.Unlock()
		if !p.retry(e.what, e.write) {
			return // and whoever enters more is not heard
		}
		if e.then != nil {
			e.then()
		}
	}
}

func (p *livePush) recordBegin() {
	p.enter(entry{
		what:  "begin",
		write: func() error { return p.gate.opts.Journal.BeginPush(p.gate.ctx, p.push) },
		then:  func() { close(p.recorded) },
	}, false)
}

// recordEnd records what was wrong and not recorded yet, and the end.
func (p *livePush) recordEnd(end stillcast.PushEnd) {
	p.recordExceptions()
	p.enter(entry{
		what:  "end",
		write: func() error { return p.gate.opts.Journal.EndPush(p.gate.ctx, p.push, end) },
	}, true)
}

// recordExceptions records what was wrong since the last time, if anything was.
func (p *livePush) recordExceptions() {
	if p.watch == nil {
		return
	}
	report, ok := p.watch.take(time.Now(), reportEvery)
	if !ok {
		return
	}
	p.enter(entry{
		what:  "exceptions",
		write: func() error { return p.gate.opts.Exception(p.gate.ctx, p.push, report) },
	}, false)
}

// retry calls do until it succeeds or the gate is closed, and reports which.
func (p *livePush) retry(what string, do func() error) bool {
	const longest = 10 * time.Second
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, longest) {
		err := do()
		if err == nil {
			return true
		}
		p.gate.opts.Logger.Error("journal of a push failed; trying again", "what", what, "stream", p.push.Stream, "push", p.push.ID,
			"pause", pause, "error", err)
		select {
		case <-time.After(pause):
		case <-p.gate.ctx.Done():
			return false
		}
	}
}
