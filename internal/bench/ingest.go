package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/publish"
)

// IngestOptions say what of receiving is measured, and how.
type IngestOptions struct {
	Streams    int
	ChunkSizes []int    // of the publishers, in bytes; each is a load of its own
	Writes     []string // how publishers write: WritesFrames, WritesFFmpeg; each is a load of its own

	Clip    string        // FLV or MP4 file; "" makes one as the next fields say
	BitRate int           // of a stream, in bits per second
	GOP     time.Duration // from one key frame to the next
	FPS     int           // pictures per second
	Size    string        // of the picture, "1920x1080"

	Duration time.Duration // of each run
	Interval time.Duration // of shots; 0 takes none
	Rounds   int           // of everything, in turns
	Floor    []int         // bare readers to measure, each with this SO_RCVLOWAT in bytes
	Vs       []string      // commands of other servers; "{addr}" in them is the address to listen on
	Idle     int           // connections that publish nothing; more than 0 measures these alone
	Profile  string        // folder for CPU profiles of the server; "" for none
	ClipsDir string        // as in Options

	Program  Program // this program
	Version  string  // of it
	Progress io.Writer
}

// Ways in which publishers write.
const (
	WritesFrames = "frames" // a message at once
	WritesFFmpeg = "ffmpeg" // a message in many small writes, as FFmpeg does
)

// Bounds of [IngestOptions].
const (
	minBitRate, maxBitRate = 50_000, 100_000_000
	minGOP, maxGOP         = 200 * time.Millisecond, 20 * time.Second
	maxFPS                 = 120
	minMark, maxMark       = 1, 1 << 20
	maxIdle                = 100_000
)

// addressPlaceholder is replaced in IngestOptions.Vs.
const addressPlaceholder = "{addr}"

// Validate reports the first option that is not allowed.
func (o IngestOptions) Validate() error {
	base := Options{Streams: o.Streams, Duration: o.Duration, Rounds: o.Rounds, Intervals: []time.Duration{stillcast.DefaultInterval}}
	if o.Interval != 0 {
		base.Intervals[0] = o.Interval
	}
	if err := base.Validate(); err != nil {
		return err
	}
	if err := o.validateStream(); err != nil {
		return err
	}
	for _, size := range o.ChunkSizes {
		if size < publish.MinChunkSize || size > publish.MaxChunkSize {
			return stillcast.Errorf(stillcast.CodeInvalid, "chunk-size", "is %d; allowed are %d to %d", size, publish.MinChunkSize, publish.MaxChunkSize)
		}
	}
	for _, way := range o.Writes {
		if way != WritesFrames && way != WritesFFmpeg {
			return stillcast.Errorf(stillcast.CodeInvalid, "writes", "is %q; allowed are %s and %s", way, WritesFrames, WritesFFmpeg)
		}
	}
	for _, mark := range o.Floor {
		if mark < minMark || mark > maxMark {
			return stillcast.Errorf(stillcast.CodeInvalid, "floor", "is %d; allowed are %d to %d", mark, minMark, maxMark)
		}
	}
	for _, command := range o.Vs {
		if !strings.Contains(command, addressPlaceholder) {
			return stillcast.Errorf(stillcast.CodeInvalid, "vs", "%q does not say where the server's address belongs; expected %s in it", command, addressPlaceholder)
		}
	}
	switch {
	case o.Idle < 0 || o.Idle > maxIdle:
		return stillcast.Errorf(stillcast.CodeInvalid, "idle", "is %d; allowed are 0 to %d", o.Idle, maxIdle)
	case len(o.ChunkSizes) == 0:
		return stillcast.Errorf(stillcast.CodeInvalid, "chunk-size", "is missing")
	case len(o.Writes) == 0:
		return stillcast.Errorf(stillcast.CodeInvalid, "writes", "is missing")
	case o.Interval > 0 && (len(o.Vs) > 0 || len(o.Floor) > 0):
		return stillcast.Errorf(stillcast.CodeInvalid, "interval", "takes shots, which no other server does; leave out --vs and --floor")
	case o.Idle > 0 && len(o.Floor) > 0:
		return stillcast.Errorf(stillcast.CodeInvalid, "floor", "receives no commands, so nothing can publish to it; leave it out with --idle")
	}
	return nil
}

func (o IngestOptions) validateStream() error {
	if o.Clip != "" {
		return nil
	}
	_, _, err := o.size()
	switch {
	case err != nil:
		return err
	case o.BitRate < minBitRate || o.BitRate > maxBitRate:
		return stillcast.Errorf(stillcast.CodeInvalid, "bitrate", "is %d; allowed are %d to %d bits per second", o.BitRate, minBitRate, maxBitRate)
	case o.FPS < 1 || o.FPS > maxFPS:
		return stillcast.Errorf(stillcast.CodeInvalid, "fps", "is %d; allowed are 1 to %d", o.FPS, maxFPS)
	case o.GOP < minGOP || o.GOP > maxGOP || o.keyFrames() < 1:
		return stillcast.Errorf(stillcast.CodeInvalid, "gop", "is %s; allowed are %s to %s, and at least one picture", o.GOP, minGOP, maxGOP)
	}
	return nil
}

// size reads the size of the picture.
func (o IngestOptions) size() (width, height int, err error) {
	n, err := fmt.Sscanf(o.Size, "%dx%d", &width, &height)
	if err != nil || n != 2 || fmt.Sprintf("%dx%d", width, height) != o.Size || width < 64 || height < 64 || width > 4096 || height > 2304 || width%2+height%2 > 0 {
		return 0, 0, stillcast.Errorf(stillcast.CodeInvalid, "size", "is %q; expected WIDTHxHEIGHT, both even, 64x64 to 4096x2304", o.Size)
	}
	return width, height, nil
}

// keyFrames is how many pictures there are from one key frame to the next.
func (o IngestOptions) keyFrames() int {
	return int((o.GOP*time.Duration(o.FPS) + time.Second/2) / time.Second)
}

// ingestBench is one measurement of receiving.
type ingestBench struct {
	*bench

	options IngestOptions
	clip    string // path; "" with Idle
	length  time.Duration
}

// RunIngest measures receiving, writes the figures to out, and returns them. It
// ends as [Run] does.
func RunIngest(ctx context.Context, o IngestOptions, out io.Writer) (r *IngestReport, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := allowFiles(max(o.Streams, o.Idle)); err != nil {
		return nil, err
	}
	b := &ingestBench{options: o, bench: &bench{options: Options{
		ClipsDir: o.ClipsDir, Program: o.Program, Progress: o.Progress, Streams: o.Streams,
	}}}
	if b.dir, err = os.MkdirTemp("", "stillcast-bench-"); err != nil {
		return nil, fmt.Errorf("make a folder for the measurement: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	r = &IngestReport{Version: o.Version, CPUs: cpus(), Began: time.Now(), Rounds: o.Rounds}
	if o.Idle > 0 {
		err = b.idle(ctx, r, out)
		return r, err
	}
	if err := b.source(ctx, r); err != nil {
		return nil, err
	}
	fmt.Fprintln(out, r.heading())
	for _, size := range o.ChunkSizes {
		for _, way := range o.Writes {
			load := IngestLoad{
				ChunkSize: size, Writes: way, Streams: o.Streams, BitRate: r.Facts.BitRate,
				Seconds: o.Duration.Seconds(), Interval: o.Interval.Seconds(),
			}
			if err := b.measureLoad(ctx, &load); err != nil {
				return nil, err
			}
			r.Loads = append(r.Loads, load)
			fmt.Fprintln(out, load.text())
		}
	}
	return r, nil
}

// source finds or makes the clip.
func (b *ingestBench) source(ctx context.Context, r *IngestReport) error {
	b.clip = b.options.Clip
	if b.clip == "" {
		if _, err := exec.LookPath("ffmpeg"); err != nil {
			return errors.New("ffmpeg makes the stream, and it is not installed (Debian and Ubuntu: apt-get install ffmpeg); with --clip it is not needed")
		}
		folder, err := b.clipsDir()
		if err != nil {
			return err
		}
		if b.clip, err = b.makeFile(ctx, "steady", "flv", b.options.clipArgs(), folder); err != nil {
			return err
		}
	}
	c, err := readClip(b.clip)
	if err != nil {
		return err
	}
	r.Facts, b.length = c.facts(), c.length
	return nil
}

// clipSeconds is about how long the clip is that a stream repeats.
const clipSeconds = 8

// clipArgs are ffmpeg's arguments for a stream of a constant bit rate, sound
// included, without the file to write.
func (o IngestOptions) clipArgs() []string {
	const soundRate = 32_000
	keys := o.keyFrames()
	gops := max(1, clipSeconds*o.FPS/keys)
	video := o.BitRate - soundRate
	return append(quietInput(),
		"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=%s:rate=%d,noise=alls=4:allf=t", o.Size, o.FPS),
		"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100",
		"-frames:v", fmt.Sprint(gops*keys), "-shortest", "-pix_fmt", "yuv420p",
		"-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", fmt.Sprint(keys), "-keyint_min", fmt.Sprint(keys), "-sc_threshold", "0",
		"-b:v", fmt.Sprint(video), "-minrate", fmt.Sprint(video), "-maxrate", fmt.Sprint(video), "-bufsize", fmt.Sprint(video),
		"-x264-params", "nal-hrd=cbr:force-cfr=1",
		"-c:a", "aac", "-b:a", fmt.Sprint(soundRate), "-f", "flv")
}

// measureLoad measures all servers with one load, all rounds.
func (b *ingestBench) measureLoad(ctx context.Context, load *IngestLoad) error {
	for n := range b.options.Rounds {
		var round IngestRound
		for _, t := range b.targets() {
			b.say("chunks of %d bytes, written as %s, round %d of %d: %s", load.ChunkSize, load.Writes, n+1, b.options.Rounds, t.name)
			run, err := b.run(ctx, t, load)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			round.Runs = append(round.Runs, run)
		}
		load.Rounds = append(load.Rounds, round)
	}
	return nil
}

// targets are what is measured in each round, this program's server first.
func (b *ingestBench) targets() []ingestTarget {
	targets := []ingestTarget{{name: targetStillcast}}
	for _, mark := range b.options.Floor {
		targets = append(targets, ingestTarget{name: fmt.Sprintf("bare reader, SO_RCVLOWAT %d", mark), mark: mark})
	}
	for _, command := range b.options.Vs {
		targets = append(targets, ingestTarget{name: commandName(command), command: command})
	}
	return targets
}

// commandName is what a command is called in the figures.
func commandName(command string) string {
	fields := slices.DeleteFunc(strings.Fields(command), func(f string) bool { return strings.Contains(f, addressPlaceholder) })
	if len(fields) == 0 {
		return command
	}
	name := fields[0]
	return strings.Join(append([]string{name[strings.LastIndexByte(name, '/')+1:]}, fields[1:]...), " ")
}

// freeAddress is an address that nothing listens on at the moment.
func freeAddress(ctx context.Context) (string, error) {
	l, err := listenLocal(ctx)
	if err != nil {
		return "", err
	}
	defer l.Close()
	a, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return a.String(), nil
}
