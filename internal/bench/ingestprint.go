package bench

import "fmt"

// heading is what goes before the figures.
func (r *IngestReport) heading() string {
	text := fmt.Sprintf(`stillcast %s, %d CPUs, %d rounds in turns, each figure as least, median and most over them.
CPU times are those that the kernel counts for the server's process alone.`, r.Version, r.CPUs, r.Rounds)
	if r.Facts.BitRate > 0 {
		text += fmt.Sprintf("\nthe stream: %s, %.4g pictures/s, %.3f Mbit/s with its sound, a key frame of %.0f KiB every %.3g s",
			r.Facts.Codec, r.Facts.FrameRate, r.Facts.BitRate/1e6, r.Facts.KeyBytes/1024, r.Facts.KeyInterval)
	}
	return text
}

// text is the figures of one load for people.
func (l *IngestLoad) text() string {
	p := newPage()
	p.line("\n%d streams for %s, chunks of %d bytes, written as %s", l.Streams, seconds(l.Seconds), l.ChunkSize, l.Writes)
	l.table(p, "CPU seconds for each GB", "%.3f", IngestRun.perGB)
	l.table(p, "streams for each core", "%.0f", func(r IngestRun) float64 { return r.perCore(l.BitRate) })
	l.compared(p)
	l.table(p, "memory of the server for each stream (RSS), KiB", "%.0f", func(r IngestRun) float64 { return r.perStream(l.Streams) / 1024 })
	l.table(p, "sent and not read yet, mean of all streams, ms of a stream", "%.0f", func(r IngestRun) float64 { return r.WaitingMean * 1e3 })
	l.table(p, "  most of one stream, ms", "%.0f", func(r IngestRun) float64 { return r.WaitingMost * 1e3 })
	for i, round := range l.Rounds {
		for _, run := range round.Runs {
			run.lines(p, i+1)
		}
	}
	return p.text()
}

// table prints a figure of all targets.
func (l *IngestLoad) table(p *page, name, format string, of func(IngestRun) float64) {
	p.line("\n  %s\tleast\tmedian\tmost", name)
	for i, run := range l.Rounds[0].Runs {
		p.spread("  "+run.Target, format, l.over(func(r IngestRound) float64 { return of(r.Runs[i]) }))
	}
}

func (l *IngestLoad) over(f func(IngestRound) float64) Spread {
	values := make([]float64, 0, len(l.Rounds))
	for _, r := range l.Rounds {
		values = append(values, f(r))
	}
	return spread(values)
}

// compared prints what others take of the CPU as a multiple of this program's
// server in the same round.
func (l *IngestLoad) compared(p *page) {
	if len(l.Rounds[0].Runs) < 2 {
		return
	}
	p.line("\n  CPU for each GB, divided by that of %s in its round\tleast\tmedian\tmost", targetStillcast)
	for i, run := range l.Rounds[0].Runs[1:] {
		p.spread("  "+run.Target, "%.2f", l.over(func(r IngestRound) float64 { return ratio(r.Runs[i+1].perGB(), r.Runs[0].perGB()) }))
	}
}

// lines print one run.
func (r IngestRun) lines(p *page, round int) {
	p.line("\n  round %d, %s", round, r.Target)
	p.line("    received\t%.3f GB in %s, %.3f s of CPU", r.Bytes/1e9, seconds(r.Seconds), r.CPU)
	p.line("    pushes dropped\t%s", lostText(r.Lost, r.Cause))
	if s := r.Shots; s != nil {
		p.line("    shots\t%d due, %d taken (%.2f %%), %d passed over (no key frame near), %d shed, %d failed, %d events",
			s.Due, s.Taken, s.taken()*100, s.Passed, s.Shed, s.Failed, s.Events)
		p.line("    codec workers\t%.1f s of CPU", r.WorkersCPU)
		p.line("    memory of the workers (RSS)\t%s", over5(r.Memory, func(m MemorySample) int64 { return m.Workers }))
	}
	p.line("    memory of the server (RSS)\t%.1f MiB before the first push; %s", float64(r.Empty)/(1<<20), over5(r.Memory, func(m MemorySample) int64 { return m.Server }))
	p.line("    machine\t%.0f %% of it went to others or was stolen; the publishers took %.1f s of CPU and were at most %.0f ms late",
		r.OtherLoad*100, r.PublisherCPU, r.Late*1e3)
	if r.Warnings > 0 {
		p.line("    the server warned %d times, first: %s", r.Warnings, r.Warning)
	}
}

func lostText(lost int, cause string) string {
	if lost == 0 {
		return "none"
	}
	return fmt.Sprintf("%d, THE FIRST: %s", lost, cause)
}

// idleText is the figures of connections that publish nothing.
func (r *IngestReport) idleText() string {
	p := newPage()
	first := r.Idle[0].Runs
	p.line("\n%d connections that publish nothing", first[0].Connections)
	tables := []struct {
		name, format string
		of           func(IdleRun) float64
	}{
		{"memory of the server for each (RSS), KiB", "%.1f", func(r IdleRun) float64 { return r.perConnection() / 1024 }},
		{"CPU of the server for all, ms in a second", "%.1f", func(r IdleRun) float64 { return ratio(r.CPU, r.Seconds) * 1e3 }},
	}
	for _, t := range tables {
		p.line("\n  %s\tleast\tmedian\tmost", t.name)
		for i, run := range first {
			values := make([]float64, 0, len(r.Idle))
			for _, round := range r.Idle {
				values = append(values, t.of(round.Runs[i]))
			}
			p.spread("  "+run.Target, t.format, spread(values))
		}
	}
	for n, round := range r.Idle {
		for _, run := range round.Runs {
			p.line("\n  round %d, %s", n+1, run.Target)
			p.line("    connections dropped\t%s", lostText(run.Lost, run.Cause))
			p.line("    memory of the server (RSS)\t%.1f MiB before the first, %.1f with all", float64(run.Empty)/(1<<20), float64(run.Full)/(1<<20))
			p.line("    buffers of both ends' sockets\t%.1f MiB more", float64(run.Kernel)/(1<<20))
		}
	}
	return p.text()
}
