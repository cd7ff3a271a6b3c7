package main

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/stillcast/stillcast/internal/bench"
)

type benchCommand struct {
	Capture benchCaptureCommand `cmd:"" help:"Push streams to a server and measure what their shots cost."`
	Ingest  benchIngestCommand  `cmd:"" help:"Push streams to a server and measure what receiving them costs."`
	Part    benchPartCommand    `cmd:"" hidden:"" help:"Do one part of a measurement (started by bench)."`
}

type benchCaptureCommand struct {
	Clip     []string        `type:"existingfile" placeholder:"FILE" help:"FLV or MP4 file to push, of H.264, HEVC, AV1, VP9 or VP8; may be repeated."`
	Kinds    []string        `placeholder:"KIND" help:"Clips to make with ffmpeg and push: photo, stage, baseline, 720p, 2160p, hevc, av1, vp9. Without this flag and --clip: photo."`
	Streams  int             `default:"50" help:"Streams to push at once."`
	Interval []time.Duration `default:"10s" help:"Time from one shot of a stream to the next, 2s or longer. Further intervals are measured too, each in a run of its own."`
	Duration time.Duration   `default:"60s" help:"How long each run is measured, such as 10m."`
	Workers  int             `default:"0" help:"Codec workers of the server; 0 is one for each CPU."`
	VsFFmpeg bool            `name:"vs-ffmpeg" help:"Measure ffmpeg on the same clips, too: -vf fps, -skip_frame nokey, and one process for each shot."`
	Threads  int             `name:"ffmpeg-threads" default:"1" help:"Threads that ffmpeg may use to decode, and to encode: 1 is its cheapest, 0 what it chooses itself when nothing is said."`
	Rounds   int             `default:"3" help:"How often everything is measured, in turns."`
	ClipsDir string          `type:"path" placeholder:"DIR" help:"Folder that keeps clips which were made. Without this flag: one of this user among the temporary files."`
	JSON     string          `name:"json" type:"path" placeholder:"FILE" help:"Write all figures of all rounds into a file, too."`
}

// Help is the end of the command's help.
func (benchCaptureCommand) Help() string {
	return `A server with default settings is started in a new folder, with a receiver of its events, and the streams are pushed to it over RTMP from another process; ` +
		`their begins are spread over the first interval. CPU times are those of the server's processes alone. Nothing leaves this machine, and nothing is left behind.

A load test is a long run with many streams:

    stillcast bench capture --streams 300 --duration 10m --rounds 1`
}

// Run measures and prints.
func (c benchCaptureCommand) Run(ctx context.Context, o output) error {
	if len(c.Clip) == 0 && len(c.Kinds) == 0 {
		c.Kinds = []string{"photo"}
	}
	report, err := bench.Run(ctx, bench.Options{
		Clips: c.Clip, Kinds: c.Kinds, Streams: c.Streams, Intervals: c.Interval, Duration: c.Duration,
		Workers: c.Workers, VsFFmpeg: c.VsFFmpeg, FFmpegThreads: c.Threads, Rounds: c.Rounds, ClipsDir: c.ClipsDir,
		Program: bench.Program{Path: worker().Path, Name: os.Args[0], Args: []string{"bench", "part"}},
		Version: version, Progress: o.err,
	}, o.out)
	return finishBench(report, c.JSON, err)
}

type benchPartCommand struct {
	Role string `arg:""`
}

// Run does its part until the measurement ends it.
func (c benchPartCommand) Run(ctx context.Context, o output) error {
	return bench.Part(ctx, strings.ToLower(c.Role), os.Stdin, o.out)
}
