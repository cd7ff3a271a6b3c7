package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// Times of a run.
const (
	settle     = time.Second      // after the last push has begun
	patience   = 30 * time.Second // for what takes a second on an idle machine
	idleLength = 20 * time.Second
	never      = 5 * time.Minute // the longest interval: no shot but the first is due in an idle run
)

// capture measures a server that takes a shot of every stream at each interval, or,
// with the interval never, none but the first of each.
func (b *bench) capture(ctx context.Context, path string, interval, length time.Duration) (run CaptureRun, err error) {
	dir, err := os.MkdirTemp(b.dir, "run-")
	if err != nil {
		return run, fmt.Errorf("make the folder of a run: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := b.startServer(ctx, dir, interval)
	if err != nil {
		return run, err
	}
	ramp := min(interval, b.options.ramp())
	p, err := b.options.Program.startPart(partPush, order{
		Clip: path, Address: s.rtmp, PushKey: s.key.Reveal(), Streams: b.options.Streams, Ramp: ramp,
	})
	if err != nil {
		return run, errors.Join(err, s.stop())
	}
	m := &measurement{server: s, pushes: p, interval: interval, length: length}
	err = p.await(ctx, p.ready, ramp+patience)
	if err == nil {
		err = m.measure(ctx)
	}
	// The publishers end first, or they would say that the server went away.
	stopErr := p.stop()
	stopErr = errors.Join(stopErr, s.stop())
	if err != nil {
		return run, m.blame(err)
	}
	if stopErr != nil {
		return run, stopErr
	}
	return m.result(b.options.Streams)
}

// ramp spreads the begins of pushes over the first interval, as streams of many
// publishers are: their shots are due all the time, not at once.
func (o Options) ramp() time.Duration { return o.Intervals[0] }

// measurement is the part of a run that counts.
type measurement struct {
	server           *server
	pushes           *part
	interval, length time.Duration

	before, after         usage
	metricsBefore         metrics
	metricsAfter          metrics
	pushBefore, pushAfter time.Duration
	memory                []MemorySample
	pss                   int64
	ourselves             time.Duration // CPU time of this process, which receives the events
}

// blame names who ended first: what others say then follows from it.
func (m *measurement) blame(err error) error {
	if ended(m.server.process) && m.server.err != nil {
		return m.server.died()
	}
	return err
}

func ended(p *process) bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// measure waits until all is as it will go on, and measures for the length.
func (m *measurement) measure(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	if err := m.wait(ctx, timer, settle); err != nil {
		return err
	}
	if m.interval == never {
		if err := m.firstShots(ctx, timer); err != nil {
			return err
		}
	}
	own, err := ownCPUTime()
	if err == nil {
		m.before, m.metricsBefore, m.pushBefore, err = m.look(ctx)
	}
	if err != nil {
		return err
	}
	if err := m.watch(ctx, timer); err != nil {
		return err
	}
	if m.after, m.metricsAfter, m.pushAfter, err = m.look(ctx); err != nil {
		return err
	}
	last, err := readMemory(m.server.pid(), true)
	m.pss = last.pss
	if err == nil {
		m.ourselves, err = ownCPUTime()
		m.ourselves -= own
	}
	return err
}

// look reads all counters, at a moment.
func (m *measurement) look(ctx context.Context) (u usage, scraped metrics, pushes time.Duration, err error) {
	if u, err = readUsage(m.server.pid()); err != nil {
		return u, nil, 0, err
	}
	if pushes, err = cpuTime(m.pushes.pid()); err != nil {
		return u, nil, 0, err
	}
	scraped, err = scrape(ctx, m.server.ops)
	return u, scraped, pushes, err
}

// wait waits, unless somebody who is needed ends before.
func (m *measurement) wait(ctx context.Context, timer *time.Timer, d time.Duration) error {
	timer.Reset(d)
	select {
	case <-timer.C:
		return nil
	case <-m.server.ended:
		return m.server.died()
	case <-m.pushes.ended:
		return m.pushes.died()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// firstShots waits until every stream has had its first shot.
func (m *measurement) firstShots(ctx context.Context, timer *time.Timer) error {
	begun := time.Now()
	for {
		got, err := scrape(ctx, m.server.ops)
		if err != nil {
			return err
		}
		streams := got.sum("stillcast_ingest_streams")
		taken := got.sum("stillcast_capture_taken_total")
		if taken >= streams && streams > 0 {
			return nil
		}
		if time.Since(begun) > patience {
			return fmt.Errorf("after %s %.0f of %.0f streams had their first shot; the server's last words:\n%s", patience, taken, streams, m.server.words)
		}
		if err := m.wait(ctx, timer, settle/2); err != nil {
			return err
		}
	}
}

// memorySamples is how often memory is looked at in a run; at most once a second.
const memorySamples = 60

// watch lets the run go on for its length and looks at the memory.
func (m *measurement) watch(ctx context.Context, timer *time.Timer) error {
	step := max(m.length/memorySamples, time.Second)
	for {
		got, err := readMemory(m.server.pid(), false)
		if err != nil {
			return err
		}
		past := time.Since(m.before.at)
		m.memory = append(m.memory, MemorySample{At: past.Seconds(), Server: got.serverRSS, Workers: got.workersRSS})
		if past >= m.length {
			return nil
		}
		if err := m.wait(ctx, timer, min(step, m.length-past)); err != nil {
			return err
		}
	}
}

// result works out what was measured. All events have arrived.
func (m *measurement) result(streams int) (CaptureRun, error) {
	length := m.after.at.Sub(m.before.at)
	machine := m.after.machine.busy - m.before.machine.busy + m.after.machine.stolen - m.before.machine.stolen
	serverCPU, workersCPU := m.after.server-m.before.server, m.after.workers-m.before.workers
	pushCPU := m.pushAfter - m.pushBefore
	count := func(name string) int { return int(m.metricsAfter.since(m.metricsBefore, "stillcast_capture_"+name)) }
	stage := func(name string) float64 {
		return m.metricsAfter.mean(m.metricsBefore, "stillcast_codec_seconds", `{stage="`+name+`"}`)
	}
	run := CaptureRun{
		Interval: m.interval.Seconds(), Streams: streams, StreamSeconds: length.Seconds() * float64(streams),
		ServerCPU: serverCPU.Seconds(), WorkersCPU: workersCPU.Seconds(), PublisherCPU: pushCPU.Seconds(),
		OtherLoad: max(0, ratio((machine-serverCPU-workersCPU-pushCPU-m.ourselves).Seconds(), length.Seconds()*float64(cpus()))),
		Due:       count("due_total"), Taken: count("taken_total"), Passed: count("passed_total"),
		Shed: count("shed_total"), Failed: count("failed_total"),
		Decode: stage("decode"), Scale: stage("scale"), Encode: stage("encode"),
		Memory: m.memory, PSS: m.pss, Late: m.pushes.said().Late.Seconds(),
		Warnings: m.server.warnings, Warning: m.server.warning,
	}
	all, err := m.server.events.between(m.before.at, m.after.at)
	if err != nil {
		return run, err
	}
	run.addEvents(all)
	return run, nil
}

func (r *CaptureRun) addEvents(all []arrived) {
	var stored, event []float64
	for _, a := range all {
		r.PictureBytes += float64(a.bytes)
		event = append(event, a.event.Seconds())
		if a.stored < 0 {
			r.Missing++
			continue
		}
		stored = append(stored, a.stored.Seconds())
	}
	r.Events, r.PictureBytes = len(all), ratio(r.PictureBytes, float64(len(all)))
	r.StoredP50, r.StoredP99 = percentile(stored, 0.5), percentile(stored, 0.99)
	r.EventP50, r.EventP99 = percentile(event, 0.5), percentile(event, 0.99)
}

// decodeFloor measures decoding alone.
func (b *bench) decodeFloor(ctx context.Context, path string) (report, error) {
	const decodes = 40
	p, err := b.options.Program.startPart(partDecode, order{Clip: path, Decodes: decodes})
	if err != nil {
		return report{}, err
	}
	if err := p.await(ctx, p.ready, 2*patience); err != nil {
		return report{}, cmp.Or(err, p.stop())
	}
	return p.said(), p.stop()
}

// floor measures the least that the streams and their shots can cost, in CPU seconds
// for a second of one stream: receiving alone, and then with key frames decoded
// beside it, as many as shots would be due, at the same pace.
func (b *bench) floor(ctx context.Context, path string, length time.Duration) (receive, both float64, err error) {
	sink, err := b.options.Program.startPart(partReceive, order{})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = cmp.Or(err, sink.stop()) }()
	if err := sink.await(ctx, sink.ready, patience); err != nil {
		return 0, 0, err
	}
	ramp := b.options.ramp()
	pushes, err := b.options.Program.startPart(partPush, order{
		Clip: path, Address: sink.said().Address, Streams: b.options.Streams, Ramp: ramp,
	})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = cmp.Or(err, pushes.stop()) }()
	if err := pushes.await(ctx, pushes.ready, ramp+patience); err != nil {
		return 0, 0, err
	}
	if receive, err = costOf(ctx, []*process{sink.process}, 0, length); err != nil {
		return 0, 0, err
	}
	all := []*process{sink.process}
	for range cpus() {
		every := b.options.Intervals[0] * time.Duration(cpus()) / time.Duration(b.options.Streams)
		d, err := b.options.Program.startPart(partDecode, order{Clip: path, Every: every})
		if err != nil {
			return 0, 0, err
		}
		defer func() { err = cmp.Or(err, d.stop()) }()
		if err := d.await(ctx, d.ready, patience); err != nil {
			return 0, 0, err
		}
		all = append(all, d.process)
	}
	both, err = costOf(ctx, all, settle, length)
	n := float64(b.options.Streams)
	return receive / n, both / n, err
}
