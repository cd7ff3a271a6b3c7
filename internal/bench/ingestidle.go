package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// idleSettle is how long connections are left alone before memory is looked at:
// the server's garbage of their begin is gone by then.
const idleSettle = 10 * time.Second

// idle measures connections that publish nothing, all rounds.
func (b *ingestBench) idle(ctx context.Context, r *IngestReport, out io.Writer) error {
	fmt.Fprintln(out, r.heading())
	for n := range b.options.Rounds {
		var round IdleRound
		for _, t := range b.targets() {
			b.say("%d idle connections, round %d of %d: %s", b.options.Idle, n+1, b.options.Rounds, t.name)
			run, err := b.idleRun(ctx, t)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			round.Runs = append(round.Runs, run)
		}
		r.Idle = append(r.Idle, round)
	}
	fmt.Fprintln(out, r.idleText())
	return nil
}

func (b *ingestBench) idleRun(ctx context.Context, t ingestTarget) (run IdleRun, err error) {
	dir, err := os.MkdirTemp(b.dir, "run-")
	if err != nil {
		return run, fmt.Errorf("make the folder of a run: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r, err := b.start(ctx, t, dir)
	if err != nil {
		return run, err
	}
	run = IdleRun{Target: t.name, Connections: b.options.Idle}
	kernel, err := readKernelTCP()
	if err == nil {
		run.Empty, err = readRSS(r.pid())
	}
	var c crowd
	if err == nil {
		c, err = b.startCrowd(ctx, r, order{Idle: true, Ramp: time.Duration(b.options.Idle) * dialTime}, b.options.Idle)
	}
	if err == nil {
		err = b.holdIdle(ctx, r, c, &run, kernel)
	}
	stopErr := errors.Join(c.stop(), r.stop())
	if err != nil {
		return run, err
	}
	return run, stopErr
}

// holdIdle holds the connections for a while and looks at what they take.
func (b *ingestBench) holdIdle(ctx context.Context, r *served, c crowd, run *IdleRun, kernel int64) error {
	m := &ingestMeasurement{receiver: r, crowd: c, options: b.options}
	timer := time.NewTimer(0)
	defer timer.Stop()
	if err := m.wait(ctx, timer, min(idleSettle, b.options.Duration)); err != nil {
		return err
	}
	begun := time.Now()
	before, err := cpuTime(r.pid())
	if err != nil {
		return err
	}
	if err := m.wait(ctx, timer, b.options.Duration); err != nil {
		return err
	}
	after, err := cpuTime(r.pid())
	if err != nil {
		return err
	}
	run.CPU, run.Seconds = (after - before).Seconds(), time.Since(begun).Seconds()
	for _, said := range c.said() {
		if run.Lost += said.Lost; run.Cause == "" {
			run.Cause = said.Cause
		}
	}
	now, err := readKernelTCP()
	if err != nil {
		return err
	}
	run.Kernel = now - kernel
	run.Full, err = readRSS(r.pid())
	return err
}

// readKernelTCP is the memory of the buffers of all TCP sockets of this machine,
// in bytes.
func readKernelTCP() (int64, error) {
	b, err := os.ReadFile("/proc/net/sockstat")
	if err != nil {
		return 0, fmt.Errorf("read the memory of sockets: %w", err)
	}
	return parseKernelTCP(b) * int64(os.Getpagesize()), nil
}

// parseKernelTCP finds the pages in /proc/net/sockstat, 0 when they are not there.
func parseKernelTCP(b []byte) int64 {
	for line := range bytes.Lines(b) {
		fields := bytes.Fields(line)
		if len(fields) == 0 || string(fields[0]) != "TCP:" {
			continue
		}
		for i := 1; i+1 < len(fields); i += 2 {
			pages, err := strconv.ParseInt(string(fields[i+1]), 10, 40)
			if string(fields[i]) == "mem" && err == nil && pages >= 0 {
				return pages
			}
		}
	}
	return 0
}
