package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Of the publishers of a load.
const (
	perPart     = 500                    // streams of one process
	reportEvery = 100 * time.Millisecond // see order.Tick
	dialTime    = 2 * time.Millisecond   // between the begins of two pushes, at least
	lookEvery   = time.Second            // at memory and at what waits to be read
)

// crowd is the processes that publish.
type crowd []*part

// startCrowd starts publishers and waits until all pushes have begun.
func (b *ingestBench) startCrowd(ctx context.Context, r *served, o order, streams int) (crowd, error) {
	o.Address, o.PushKey, o.Spread, o.Tick = r.address, r.key, true, reportEvery
	// The parts begin at the same time, each over the whole ramp.
	parts := (streams + perPart - 1) / perPart
	var c crowd
	for n := range parts {
		o.First = n * perPart
		o.Streams = min(perPart, streams-o.First)
		p, err := b.options.Program.startPart(partPush, o)
		if err != nil {
			return nil, errors.Join(err, c.stop())
		}
		c = append(c, p)
	}
	for _, p := range c {
		if err := p.await(ctx, p.ready, o.Ramp+2*patience); err != nil {
			stopErr := c.stop()
			return nil, cmp.Or(err, stopErr)
		}
	}
	return c, nil
}

// stop ends all of them.
func (c crowd) stop() error {
	var errs []error
	for _, p := range c {
		errs = append(errs, p.stop())
	}
	return errors.Join(errs...)
}

// ended is one that has ended by itself; nil when none has.
func (c crowd) ended() *part {
	for _, p := range c {
		if ended(p.process) {
			return p
		}
	}
	return nil
}

// said are the last reports of all.
func (c crowd) said() []report {
	all := make([]report, 0, len(c))
	for _, p := range c {
		all = append(all, p.said())
	}
	return all
}

// takeLate is how late messages of any were at most since it was called before.
func (c crowd) takeLate() (late time.Duration) {
	for _, p := range c {
		late = max(late, p.takeLate())
	}
	return late
}

func (c crowd) cpuTime() (total time.Duration, err error) {
	for _, p := range c {
		t, err := cpuTime(p.pid())
		if err != nil {
			return 0, err
		}
		total += t
	}
	return total, nil
}

// run puts a load on a target once.
func (b *ingestBench) run(ctx context.Context, t ingestTarget, load *IngestLoad) (run IngestRun, err error) {
	dir, err := os.MkdirTemp(b.dir, "run-")
	if err != nil {
		return run, fmt.Errorf("make the folder of a run: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r, err := b.start(ctx, t, dir)
	if err != nil {
		return run, err
	}
	m := &ingestMeasurement{receiver: r, target: t, options: b.options}
	if m.empty, err = readRSS(r.pid()); err == nil {
		ramp := max(b.length, b.options.Interval, time.Duration(load.Streams)*dialTime)
		m.crowd, err = b.startCrowd(ctx, r, order{
			Clip: b.clip, ChunkSize: load.ChunkSize, Pieces: load.Writes == WritesFFmpeg, Ramp: ramp,
		}, load.Streams)
	}
	if err == nil {
		err = m.measure(ctx)
	}
	if err != nil && ended(r.process) && r.err != nil {
		err = r.died()
	}
	// The publishers end first, or they would say that the server went away.
	stopErr := m.crowd.stop()
	stopErr = errors.Join(stopErr, r.stop())
	switch {
	case err != nil:
		return run, err
	case stopErr != nil:
		return run, stopErr
	}
	return m.result(load)
}

// ingestMeasurement is the part of a run that counts.
type ingestMeasurement struct {
	receiver *served
	target   ingestTarget
	options  IngestOptions
	crowd    crowd

	empty                       int64 // RSS before the first push
	before, after               usage
	saidBefore, saidAfter       []report
	pushBefore, pushAfter       time.Duration
	metricsBefore, metricsAfter metrics
	ourselves                   time.Duration
	memory                      []MemorySample
	looks                       []waiting
	late                        time.Duration // the most that a message was
}

// measure waits until all is as it will go on, and measures for the length.
func (m *ingestMeasurement) measure(ctx context.Context) (err error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	if err := m.wait(ctx, timer, min(2*settle, m.options.Duration)); err != nil {
		return err
	}
	profiled := m.profile(ctx)
	defer func() { err = errors.Join(err, <-profiled) }()
	own, err := ownCPUTime()
	if err != nil {
		return err
	}
	if m.before, m.saidBefore, m.pushBefore, m.metricsBefore, err = m.look(ctx); err != nil {
		return err
	}
	m.crowd.takeLate() // what was late before does not count
	if err := m.watch(ctx, timer); err != nil {
		return err
	}
	m.late = m.crowd.takeLate()
	if m.after, m.saidAfter, m.pushAfter, m.metricsAfter, err = m.look(ctx); err != nil {
		return err
	}
	m.ourselves, err = ownCPUTime()
	m.ourselves -= own
	return err
}

// look reads all counters, at a moment.
func (m *ingestMeasurement) look(ctx context.Context) (u usage, said []report, pushes time.Duration, scraped metrics, err error) {
	if u, err = readUsage(m.receiver.pid()); err != nil {
		return u, nil, 0, nil, err
	}
	if pushes, err = m.crowd.cpuTime(); err != nil {
		return u, nil, 0, nil, err
	}
	said = m.crowd.said()
	if m.receiver.server != nil {
		scraped, err = scrape(ctx, m.receiver.server.ops)
	}
	return u, said, pushes, scraped, err
}

// watch lets the run go on for its length and looks at memory, at what waits to be
// read, and at how late publishers are.
func (m *ingestMeasurement) watch(ctx context.Context, timer *time.Timer) error {
	port, err := portOf(m.receiver.address)
	if err != nil {
		return err
	}
	for {
		past := time.Since(m.before.at)
		if past >= m.options.Duration {
			return nil
		}
		if err := m.wait(ctx, timer, min(lookEvery, m.options.Duration-past)); err != nil {
			return err
		}
		w, err := readWaiting(port)
		if err != nil {
			return err
		}
		got, err := readMemory(m.receiver.pid(), false)
		if err != nil {
			return err
		}
		m.looks = append(m.looks, w)
		m.memory = append(m.memory, MemorySample{At: time.Since(m.before.at).Seconds(), Server: got.serverRSS, Workers: got.workersRSS})
	}
}

// wait waits, unless somebody who is needed ends before.
func (m *ingestMeasurement) wait(ctx context.Context, timer *time.Timer, d time.Duration) error {
	timer.Reset(d)
	ticker := time.NewTicker(reportEvery)
	defer ticker.Stop()
	for {
		select {
		case <-timer.C:
			return nil
		case <-ticker.C:
			if p := m.crowd.ended(); p != nil {
				return p.died()
			}
		case <-m.receiver.ended:
			return m.receiver.died()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// profile has the server write a CPU profile while it is measured, if that is
// wanted. The channel gets one error or nil.
func (m *ingestMeasurement) profile(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	if m.options.Profile == "" || m.receiver.server == nil {
		done <- nil
		return done
	}
	go func() { done <- m.fetchProfile(ctx) }()
	return done
}

func (m *ingestMeasurement) fetchProfile(ctx context.Context) error {
	seconds := max(1, int(m.options.Duration.Seconds()))
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", m.receiver.server.ops, seconds)
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask for a profile: %w", err)
	}
	q.Close = true
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return fmt.Errorf("read the server's profile: %w", err)
	}
	defer resp.Body.Close()
	if err := os.MkdirAll(m.options.Profile, 0o750); err != nil {
		return fmt.Errorf("make the folder of profiles: %w", err)
	}
	path := filepath.Join(m.options.Profile, time.Now().Format("150405.000")+".pprof")
	f, err := os.Create(path) //nolint:gosec // the user names the folder
	if err != nil {
		return fmt.Errorf("keep the server's profile: %w", err)
	}
	_, err = f.ReadFrom(resp.Body)
	return errors.Join(err, f.Close())
}
