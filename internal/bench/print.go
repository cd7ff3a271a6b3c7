package bench

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// heading is what goes before the figures.
func (r *Report) heading() string {
	workers := "one for each CPU"
	if r.Options.Workers > 0 {
		workers = fmt.Sprint(r.Options.Workers)
	}
	return fmt.Sprintf(`stillcast %s, %d CPUs, workers: %s%s, %d rounds in turns, each figure as least, median and most over them.
CPU times are those that the kernel counts for the processes; publishers and receivers of events are not in them.`, r.Version, r.CPUs, workers, r.Options.ffmpeg(), r.Options.Rounds)
}

// ffmpeg says how ffmpeg was run, if it was.
func (o ReportedSet) ffmpeg() string {
	switch {
	case o.FFmpegThreads == nil:
		return ""
	case *o.FFmpegThreads == 0:
		return ", ffmpeg: its own choice of threads"
	}
	return fmt.Sprintf(", ffmpeg: -threads %d", *o.FFmpegThreads)
}

// page collects lines whose cells stand under one another.
type page struct {
	b strings.Builder
	w *tabwriter.Writer
}

func newPage() *page {
	p := &page{}
	p.w = tabwriter.NewWriter(&p.b, 0, 0, 2, ' ', 0)
	return p
}

// line appends a line; cells are parted by tabs. Writing to memory cannot fail.
func (p *page) line(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

// spread appends a line with a figure.
func (p *page) spread(name, format string, s Spread) {
	p.line("  %s\t"+format+"\t"+format+"\t"+format, name, s.Min, s.Median, s.Max)
}

func (p *page) text() string {
	_ = p.w.Flush() // as above
	return strings.TrimSuffix(p.b.String(), "\n")
}

// text is the figures of one clip for people.
func (c *ClipReport) text() string {
	p := newPage()
	first := c.Rounds[0].main()
	p.line("\n%s: %s %dx%d, %.4g pictures/s, %.2f Mbit/s, a key frame of %.0f KiB every %.3g s (%.0f %% of the bytes)",
		c.Name, c.Facts.Codec, c.Width, c.Height, c.Facts.FrameRate, c.Facts.BitRate/1e6, c.Facts.KeyBytes/1024, c.Facts.KeyInterval, c.Facts.KeyShare*100)
	p.line("%d streams for %s, a shot every %s", first.Streams, seconds(first.StreamSeconds/float64(first.Streams)), seconds(first.Interval))
	c.cost(p)
	c.streams(p)
	c.compared(p)
	c.shots(p)
	for i, round := range c.Rounds {
		for _, run := range round.Runs {
			run.lines(p, i+1)
		}
	}
	return p.text()
}

func (c *ClipReport) cost(p *page) {
	hour := func(f func(CaptureRun) float64) func(Round) float64 {
		return func(r Round) float64 { return ratio(f(r.main()), r.main().StreamSeconds) * 3600 }
	}
	p.line("\n  CPU seconds for an hour of one stream\tleast\tmedian\tmost")
	p.spread("server", "%.2f", over(c.Rounds, hour(func(r CaptureRun) float64 { return r.ServerCPU })))
	p.spread("workers", "%.2f", over(c.Rounds, hour(func(r CaptureRun) float64 { return r.WorkersCPU })))
	p.spread("both", "%.2f", over(c.Rounds, func(r Round) float64 { return r.main().perSecond() * 3600 }))
	p.spread("without shots (what receiving costs the server)", "%.2f", over(c.Rounds, func(r Round) float64 { return r.Idle.perSecond() * 3600 }))
	p.spread("floor: receiving, and decoding beside it at the pace of shots", "%.2f", over(c.Rounds, func(r Round) float64 { return r.Floor * 3600 }))
	p.spread("  of which receiving, with nothing beside it", "%.2f", over(c.Rounds, func(r Round) float64 { return r.Receive * 3600 }))
	p.spread("both, as a multiple of the floor", "%.3f", over(c.Rounds, Round.overFloor))
	p.spread("  of receiving alone and decoding in a loop (computed)", "%.3f", over(c.Rounds, Round.overLoop))
}

// streams prints how many one core has the time for.
func (c *ClipReport) streams(p *page) {
	p.line("\n  streams for each core\tleast\tmedian\tmost")
	for _, interval := range []float64{1, 2, 10, 60} {
		name := fmt.Sprintf("a shot every %s", seconds(interval))
		if _, ok := c.Rounds[0].measuredPerCore(interval); ok {
			p.spread(name+" (measured)", "%.0f", over(c.Rounds, func(r Round) float64 {
				n, _ := r.measuredPerCore(interval)
				return n
			}))
			continue
		}
		if interval < c.Facts.KeyInterval {
			name += ", given key frames that often"
		}
		p.spread(name+" (computed)", "%.0f", over(c.Rounds, func(r Round) float64 { return r.perCore(interval) }))
	}
	p.line("  computed: from the costs of a second without shots and of a shot, which were measured")
}

// compared prints ffmpeg's ways, and how often what is spent here goes into them.
func (c *ClipReport) compared(p *page) {
	if c.Rounds[0].FFmpeg == nil {
		return
	}
	p.ways(c.Rounds, "ffmpeg beside live streams", func(f *FFmpeg) Ways { return f.Live })
	p.spread("the most that ffmpeg was behind a stream, ms", "%.0f", over(c.Rounds, func(r Round) float64 { return r.FFmpeg.Live.Late * 1e3 }))
	p.ways(c.Rounds, "ffmpeg as fast as it can", func(f *FFmpeg) Ways { return f.Flat })
}

// ways prints ffmpeg's ways in one manner.
func (p *page) ways(rounds []Round, manner string, of func(*FFmpeg) Ways) {
	all := []struct {
		name string
		cost func(Ways) float64
	}{
		{"ffmpeg -vf fps=1/INTERVAL", func(w Ways) float64 { return w.Filter }},
		{"ffmpeg -skip_frame nokey -vf fps=1/INTERVAL", func(w Ways) float64 { return w.NoKey }},
		{"one ffmpeg for each shot, receiving not counted", func(w Ways) float64 { return w.PerShot }},
	}
	p.line("\n  %s, CPU seconds for an hour of one stream\tleast\tmedian\tmost", manner)
	for _, way := range all {
		p.spread(way.name, "%.1f", over(rounds, func(r Round) float64 { return way.cost(of(r.FFmpeg)) }))
	}
	p.line("  the same, divided by server and workers of its round\tleast\tmedian\tmost")
	for _, way := range all {
		p.spread(way.name, "%.2f", over(rounds, func(r Round) float64 { return ratio(way.cost(of(r.FFmpeg)), r.main().perSecond()*3600) }))
	}
}

// shots prints what one shot takes.
func (c *ClipReport) shots(p *page) {
	p.line("\n  one shot\tleast\tmedian\tmost")
	p.spread("CPU of server and workers beyond receiving, ms", "%.1f", over(c.Rounds, func(r Round) float64 { return r.perShot() * 1e3 }))
	p.spread("decoding in a loop, CPU ms", "%.1f", over(c.Rounds, func(r Round) float64 { return r.Decode * 1e3 }))
	p.spread("time in the worker (waiting for a CPU included): decode, ms", "%.1f", over(c.Rounds, func(r Round) float64 { return r.main().Decode * 1e3 }))
	p.spread("  scale, ms", "%.1f", over(c.Rounds, func(r Round) float64 { return r.main().Scale * 1e3 }))
	p.spread("  encode, ms", "%.1f", over(c.Rounds, func(r Round) float64 { return r.main().Encode * 1e3 }))
	p.spread("picture, KiB", "%.0f", over(c.Rounds, func(r Round) float64 { return r.main().PictureBytes / 1024 }))
}

// lines print one run.
func (r CaptureRun) lines(p *page, round int) {
	p.line("\n  round %d, a shot every %s", round, seconds(r.Interval))
	p.line("    shots\t%d due, %d taken, %d passed over (no key frame near), %d shed, %d failed, %d unaccounted (those under way at begin and end)",
		r.Due, r.Taken, r.Passed, r.Shed, r.Failed, r.Due-r.Taken-r.Passed-r.Shed-r.Failed)
	p.line("    frame to stored picture\tp50 %.0f ms, p99 %.0f ms", r.StoredP50*1e3, r.StoredP99*1e3)
	p.line("    frame to event\tp50 %.0f ms, p99 %.0f ms, of %d events", r.EventP50*1e3, r.EventP99*1e3, r.Events)
	if r.Missing > 0 {
		p.line("    EVENTS WITHOUT A PICTURE\t%d", r.Missing)
	}
	p.line("    memory of the server (RSS)\t%s", over5(r.Memory, func(m MemorySample) int64 { return m.Server }))
	p.line("    memory of the workers (RSS)\t%s", over5(r.Memory, func(m MemorySample) int64 { return m.Workers }))
	if r.PSS > 0 {
		p.line("    memory of both (PSS)\t%d MiB at the end", r.PSS>>20)
	}
	p.line("    machine\t%.0f %% of it went to others or was stolen; the publishers took %.1f s of CPU and were at most %.0f ms late",
		r.OtherLoad*100, r.PublisherCPU, r.Late*1e3)
	if r.Warnings > 0 {
		p.line("    the server warned %d times, first: %s", r.Warnings, r.Warning)
	}
}

// over5 is memory at the begin, at each quarter and at the end, and its most.
func over5(samples []MemorySample, of func(MemorySample) int64) string {
	if len(samples) == 0 {
		return "unknown"
	}
	var b strings.Builder
	most := int64(0)
	for _, s := range samples {
		most = max(most, of(s))
	}
	for quarter := range 5 {
		s := samples[(len(samples)-1)*quarter/4]
		fmt.Fprintf(&b, "%d MiB at %s, ", of(s)>>20, seconds(s.At))
	}
	fmt.Fprintf(&b, "at most %d MiB", most>>20)
	return b.String()
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(100 * time.Millisecond).String()
}
