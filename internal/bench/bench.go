// Package bench measures what shots cost: a server in a process of its own,
// streams that are pushed to it from another one, and, in turns with them, the
// least that it could cost and what ffmpeg's ways cost.
//
// It knows of the server only what a user sees: its configuration, its log, its
// metrics and what the kernel says about its processes.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stillcast/stillcast"
)

// Options say what is measured and how.
type Options struct {
	Clips     []string        // FLV or MP4 files
	Kinds     []string        // clips to make, see [Kinds]
	Streams   int             // pushed at once
	Intervals []time.Duration // of shots; the first is that of all comparisons
	Duration  time.Duration   // of each run
	Workers   int             // of the server; 0 is one for each CPU
	VsFFmpeg  bool            // measure ffmpeg's ways too
	Rounds    int             // of everything, in turns
	ClipsDir  string          // keeps clips that were made; "" is a folder of this user among the temporary files

	FFmpegThreads int // that it may use to decode, and to encode; 0 leaves it to ffmpeg

	Program  Program // this program
	Version  string  // of it
	Progress io.Writer
}

// Bounds of [Options].
const (
	MaxStreams  = 10_000
	minDuration = time.Second
	maxDuration = 4 * time.Hour // timestamps of chunks have 24 bits of milliseconds until then
	maxRounds   = 100

	maxFFmpegThreads = 64
)

// Validate reports the first option that is not allowed.
func (o Options) Validate() error {
	switch {
	case o.Streams < 1 || o.Streams > MaxStreams:
		return stillcast.Errorf(stillcast.CodeInvalid, "streams", "is %d; allowed are 1 to %d", o.Streams, MaxStreams)
	case o.Duration < minDuration || o.Duration > maxDuration:
		return stillcast.Errorf(stillcast.CodeInvalid, "duration", "is %s; allowed are %s to %s", o.Duration, minDuration, maxDuration)
	case o.Rounds < 1 || o.Rounds > maxRounds:
		return stillcast.Errorf(stillcast.CodeInvalid, "rounds", "is %d; allowed are 1 to %d", o.Rounds, maxRounds)
	case o.Workers < 0:
		return stillcast.Errorf(stillcast.CodeInvalid, "workers", "is %d; it must not be negative", o.Workers)
	case o.FFmpegThreads < 0 || o.FFmpegThreads > maxFFmpegThreads:
		return stillcast.Errorf(stillcast.CodeInvalid, "ffmpeg-threads", "is %d; allowed are 0 to %d", o.FFmpegThreads, maxFFmpegThreads)
	case len(o.Intervals) == 0:
		return stillcast.Errorf(stillcast.CodeInvalid, "interval", "is missing")
	}
	for _, interval := range o.Intervals {
		t := stillcast.SnapshotTemplate{Name: "bench", Interval: interval}
		if err := t.Validate(); err != nil {
			return err
		}
		if interval == never {
			return stillcast.Errorf(stillcast.CodeInvalid, "interval", "is %s; it must be shorter", never)
		}
	}
	for _, name := range o.Kinds {
		if _, err := findKind(name); err != nil {
			return err
		}
	}
	return nil
}

func cpus() int { return runtime.NumCPU() }

// bench is one measurement.
type bench struct {
	options Options
	dir     string // temporary, removed in the end
}

// source is a clip with its name.
type source struct{ name, path string }

// Run measures, writes the figures to out, and returns them. It ends early, with
// an error, when ctx does; nothing is left behind then either.
func Run(ctx context.Context, o Options, out io.Writer) (r *Report, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if _, lookErr := exec.LookPath("ffmpeg"); lookErr != nil && (o.VsFFmpeg || len(o.Kinds) > 0) {
		return nil, errors.New("ffmpeg makes the clips and is what --vs-ffmpeg compares with, and it is not installed " +
			"(Debian and Ubuntu: apt-get install ffmpeg); with --clip alone it is not needed")
	}
	b := &bench{options: o}
	if b.dir, err = os.MkdirTemp("", "stillcast-bench-"); err != nil {
		return nil, fmt.Errorf("make a folder for the measurement: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	sources, err := b.sources(ctx)
	if err != nil {
		return nil, err
	}
	r = &Report{Version: o.Version, CPUs: cpus(), Began: time.Now(), Options: ReportedSet{
		Streams: o.Streams, Seconds: o.Duration.Seconds(), Workers: o.Workers, Rounds: o.Rounds,
	}}
	if o.VsFFmpeg {
		r.Options.FFmpegThreads = &o.FFmpegThreads
	}
	for _, interval := range o.Intervals {
		r.Options.Intervals = append(r.Options.Intervals, interval.Seconds())
	}
	fmt.Fprintln(out, r.heading())
	for _, s := range sources {
		c, err := b.measure(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		r.Clips = append(r.Clips, *c)
		fmt.Fprintln(out, c.text())
	}
	return r, nil
}

// sources finds the clips, and makes those that are missing.
func (b *bench) sources(ctx context.Context) ([]source, error) {
	var all []source
	for _, path := range b.options.Clips {
		if _, err := readClip(path); err != nil {
			return nil, err
		}
		name := filepath.Base(path)
		all = append(all, source{name: strings.TrimSuffix(name, filepath.Ext(name)), path: path})
	}
	if len(b.options.Kinds) == 0 {
		return all, nil
	}
	folder, err := b.clipsDir()
	if err != nil {
		return nil, err
	}
	photos := photosThere()
	for _, name := range b.options.Kinds {
		k, err := findKind(name)
		if err != nil {
			return nil, err
		}
		if k.photos && !photos {
			b.say("the photographs for %s are not installed (Debian and Ubuntu: apt-get install %s); moving patterns take their place", name, photoPackages)
			name += " (patterns)"
		}
		path, err := b.makeClip(ctx, k, folder, photos)
		if err != nil {
			return nil, err
		}
		all = append(all, source{name: name, path: path})
	}
	return all, nil
}

// clipsDir is where clips are kept. A folder among the temporary files must be
// this user's own, or another user could put clips there.
func (b *bench) clipsDir() (string, error) {
	if b.options.ClipsDir != "" {
		if err := os.MkdirAll(b.options.ClipsDir, 0o750); err != nil {
			return "", fmt.Errorf("make the folder of clips: %w", err)
		}
		return b.options.ClipsDir, nil
	}
	path := filepath.Join(os.TempDir(), "stillcast-clips-"+strconv.Itoa(os.Getuid()))
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("make the folder of clips: %w", err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return "", fmt.Errorf("look at the folder of clips: %w", err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || info.Mode().Perm()&0o022 != 0 || !ok || int(owner.Uid) != os.Getuid() {
		return "", fmt.Errorf("%s is not a folder of this user alone; name another one with --clips-dir", path)
	}
	return path, nil
}

// say tells how far it is.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.options.Progress, format+"\n", args...)
}

// measure measures with one clip, all rounds.
func (b *bench) measure(ctx context.Context, s source) (*ClipReport, error) {
	c, err := readClip(s.path)
	if err != nil {
		return nil, err
	}
	r := &ClipReport{Name: s.name, Facts: c.facts()}
	for n := range b.options.Rounds {
		round := Round{}
		b.say("%s, round %d of %d: decoding alone", s.name, n+1, b.options.Rounds)
		d, err := b.decodeFloor(ctx, s.path)
		if err != nil {
			return nil, err
		}
		round.Decode, r.Width, r.Height = ratio(d.CPU.Seconds(), float64(d.Decodes)), d.Width, d.Height
		if err := b.turn(ctx, s, c, &round); err != nil {
			return nil, err
		}
		r.Rounds = append(r.Rounds, round)
	}
	return r, nil
}

// turn does everything else once, one after another, so that what changes about the
// machine meets all alike.
func (b *bench) turn(ctx context.Context, s source, c *clip, round *Round) (err error) {
	short := min(b.options.Duration, idleLength)
	for _, interval := range b.options.Intervals {
		b.say("  %d streams with a shot every %s, for %s", b.options.Streams, interval, b.options.Duration)
		run, err := b.capture(ctx, s.path, interval, b.options.Duration)
		if err != nil {
			return err
		}
		round.Runs = append(round.Runs, run)
	}
	b.say("  the same streams with no shot due, for %s", short)
	if round.Idle, err = b.capture(ctx, s.path, never, short); err != nil {
		return err
	}
	b.say("  receiving alone, and with decoding beside it, for %s each", short)
	if round.Receive, round.Floor, err = b.floor(ctx, s.path, short); err != nil {
		return err
	}
	if b.options.VsFFmpeg {
		round.FFmpeg = &FFmpeg{}
		b.say("  ffmpeg's three ways, beside live streams")
		if round.FFmpeg.Live, err = b.liveWays(ctx, c, b.dir); err != nil {
			return err
		}
		b.say("  ffmpeg's three ways, as fast as they can")
		if round.FFmpeg.Flat, err = b.flatWays(ctx, c, b.dir); err != nil {
			return err
		}
	}
	return nil
}
