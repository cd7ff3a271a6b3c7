package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/stillcast/stillcast/internal/bench"
)

type benchIngestCommand struct {
	Streams   int           `default:"100" help:"Streams to push at once."`
	ChunkSize []int         `default:"4096" placeholder:"BYTES" help:"Size of the publishers' chunks, 128 to 65536; further sizes are measured too."`
	Writes    []string      `default:"frames" enum:"frames,ffmpeg" placeholder:"WAY" help:"How publishers write: frames, a message at once, or ffmpeg, in small writes as FFmpeg does; both may be named."`
	Bitrate   int           `default:"4000000" placeholder:"BITS" help:"Bit rate of a stream, its sound included, in bits per second."`
	GOP       time.Duration `name:"gop" default:"2s" help:"Time from one key frame to the next."`
	FPS       int           `name:"fps" default:"25" help:"Pictures per second."`
	Size      string        `default:"1920x1080" placeholder:"WxH" help:"Size of the picture."`
	Clip      string        `type:"existingfile" placeholder:"FILE" help:"FLV or MP4 file to push, instead of a stream that ffmpeg makes as the flags say."`
	Duration  time.Duration `default:"20s" help:"How long each run is measured."`
	Interval  time.Duration `default:"0s" help:"Take shots of all streams, one in so long; without this flag none are taken."`
	Rounds    int           `default:"3" help:"How often everything is measured, in turns."`
	Floor     []int         `placeholder:"BYTES" help:"Measure a bare reader, too, which throws away what it receives, with SO_RCVLOWAT of so many bytes; may be repeated."`
	Vs        []string      `sep:"none" placeholder:"COMMAND" help:"Measure another server, too. {addr} in its command is the address that it must take pushes on; may be repeated."`
	Idle      int           `default:"0" help:"Measure nothing but so many connections that publish no media."`
	Profile   string        `type:"path" placeholder:"DIR" help:"Keep a CPU profile of each run of Stillcast's server, which makes it a little slower."`
	ClipsDir  string        `type:"path" placeholder:"DIR" help:"Folder that keeps streams which were made. Without this flag: one of this user among the temporary files."`
	JSON      string        `name:"json" type:"path" placeholder:"FILE" help:"Write all figures of all rounds into a file, too."`
}

// Help is the end of the command's help.
func (benchIngestCommand) Help() string {
	return `A server with default settings, but for the number of connections and their timeouts, is started in a new folder, and streams are pushed to it from other processes, at their own pace. ` +
		`Nothing leaves this machine, and nothing is left behind. Many connections need many open files: ulimit -Hn.

    stillcast bench ingest --streams 1000 --bitrate 1000000 --size 640x360 --interval 10s --duration 2m --rounds 1
    stillcast bench ingest --idle 10000`
}

// Run measures and prints.
func (c benchIngestCommand) Run(ctx context.Context, o output) error {
	report, err := bench.RunIngest(ctx, bench.IngestOptions{
		Streams: c.Streams, ChunkSizes: c.ChunkSize, Writes: c.Writes,
		Clip: c.Clip, BitRate: c.Bitrate, GOP: c.GOP, FPS: c.FPS, Size: c.Size,
		Duration: c.Duration, Interval: c.Interval, Rounds: c.Rounds, Floor: c.Floor, Vs: c.Vs, Idle: c.Idle,
		Profile: c.Profile, ClipsDir: c.ClipsDir,
		Program: bench.Program{Path: worker().Path, Name: os.Args[0], Args: []string{"bench", "part"}},
		Version: version, Progress: o.err,
	}, o.out)
	return finishBench(report, c.JSON, err)
}

// finishBench writes the figures into a file, if one is named.
func finishBench(report any, path string, err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted; everything was ended and removed")
	}
	if err != nil || path == "" {
		return err
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil { //nolint:gosec // figures are no secret
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}
