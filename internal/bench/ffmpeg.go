package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// FFmpeg is what ffmpeg's ways to the same pictures cost. Each reads the clip from a
// pipe, which is cheaper than over RTMP; a process for each shot does not even
// receive the stream, its key frame is in a file.
type FFmpeg struct {
	Live Ways `json:"live"` // at the pace of live streams, many at once
	Flat Ways `json:"flat"` // as fast as one can, alone on the machine
}

// Ways are CPU seconds for an hour of one stream.
type Ways struct {
	Filter  float64 `json:"filter"`  // -vf fps=1/INTERVAL: decodes everything
	NoKey   float64 `json:"nokey"`   // the same with -skip_frame nokey: decodes key frames
	PerShot float64 `json:"pershot"` // a process that decodes one key frame, for each shot

	Late float64 `json:"late,omitempty"` // seconds, the most that ffmpeg took a picture of a live stream too late
}

// How much each way is given: enough that its start hardly counts, and that a
// round does not take minutes.
const (
	filterLength = time.Minute
	noKeyLength  = 5 * time.Minute
	perShotRuns  = 12
)

// flatWays measures all three, one after another.
func (b *bench) flatWays(ctx context.Context, c *clip, dir string) (w Ways, err error) {
	interval := b.options.Intervals[0]
	way := pipe{clip: c, dir: dir, interval: interval, threads: threads(b.options.FFmpegThreads)}
	if w.Filter, err = way.run(ctx, max(filterLength, 3*interval)); err != nil {
		return w, fmt.Errorf("ffmpeg -vf fps: %w", err)
	}
	way.before = []string{"-skip_frame", "nokey"}
	if w.NoKey, err = way.run(ctx, max(noKeyLength, 3*interval)); err != nil {
		return w, fmt.Errorf("ffmpeg -skip_frame nokey: %w", err)
	}
	if w.PerShot, err = perShot(ctx, c, dir, interval, way.threads); err != nil {
		return w, fmt.Errorf("one ffmpeg for each shot: %w", err)
	}
	return w, nil
}

// threads is how many threads ffmpeg may use to decode, and to encode; 0 leaves it to
// ffmpeg, as a command does that does not say it.
type threads int

func (n threads) args() []string {
	if n == 0 {
		return nil
	}
	return []string{"-threads", strconv.Itoa(int(n))}
}

// quiet are the arguments of every ffmpeg before its input.
func quiet(n threads, more ...string) []string {
	return slices.Concat([]string{"-hide_banner", "-loglevel", "error", "-nostdin", "-y"}, n.args(), more)
}

// pipe is a way in which ffmpeg reads the clip from a pipe.
type pipe struct {
	clip     *clip
	dir      string   // for the pictures
	before   []string // arguments before the input
	interval time.Duration
	threads  threads
}

// run has ffmpeg read so much of the clip, over and over, and returns its CPU
// seconds for an hour of it.
func (p pipe) run(ctx context.Context, length time.Duration) (float64, error) {
	out, err := os.MkdirTemp(p.dir, "ffmpeg-")
	if err != nil {
		return 0, fmt.Errorf("make a folder for its pictures: %w", err)
	}
	args, err := p.args(out)
	if err != nil {
		return 0, err
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "ffmpeg", args...) //nolint:gosec // our own arguments
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, fmt.Errorf("make its pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start it: %w", err)
	}
	s, err := newStream(in, p.clip, false)
	var given time.Duration
	if err == nil {
		given, err = s.fill(length)
	}
	err = errors.Join(err, in.Close())
	if waitErr := cmd.Wait(); waitErr != nil || err != nil {
		return 0, fmt.Errorf("%w: %s", preferCause(ctx, errors.Join(waitErr, err)), bytes.TrimSpace(said.Bytes()))
	}
	if err := havePictures(out, int(given/p.interval)-1, given); err != nil {
		return 0, err
	}
	return perHour(cmd.ProcessState, given), os.RemoveAll(out)
}

// havePictures reports an error unless so many pictures at least were made.
func havePictures(folder string, wanted int, of time.Duration) error {
	made, err := filepath.Glob(filepath.Join(folder, "*.jpg"))
	if err != nil {
		return fmt.Errorf("list its pictures: %w", err)
	}
	if len(made) < wanted {
		return fmt.Errorf("it made %d pictures of %s, expected %d at least", len(made), of, wanted)
	}
	return nil
}

// args are ffmpeg's.
func (p pipe) args(folder string) ([]string, error) {
	probe, err := newStream(new(bytes.Buffer), p.clip, false)
	if err != nil {
		return nil, err
	}
	args := append(quiet(p.threads, p.before...), "-f", probe.demuxer())
	if probe.sets != nil { // a raw stream has no times
		args = append(args, "-framerate", fmt.Sprint(p.clip.facts().FrameRate))
	}
	args = append(append(args, "-i", "pipe:0", "-an"), p.threads.args()...)
	return append(args, "-vf", fmt.Sprintf("fps=1/%g", p.interval.Seconds()), "-q:v", "3", filepath.Join(folder, "%d.jpg")), nil
}

// fill writes whole clips until there is enough.
func (s *stream) fill(length time.Duration) (given time.Duration, err error) {
	for ; given < length; given += s.clip.length {
		for i := range s.clip.frames {
			if err := s.picture(i, given); err != nil {
				return given, err
			}
		}
	}
	return given, nil
}

func perHour(p *os.ProcessState, stream time.Duration) float64 {
	return ratio((p.UserTime() + p.SystemTime()).Seconds(), stream.Hours())
}

// preferCause returns why ctx ended, if it did, rather than what that led to.
func preferCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// perShot starts one ffmpeg for one key frame, some times, and returns the CPU
// seconds that an hour of shots would cost.
func perShot(ctx context.Context, c *clip, dir string, interval time.Duration, n threads) (float64, error) {
	var total float64
	for i := range perShotRuns {
		cost, err := oneShot(ctx, c, dir, c.keys[i%len(c.keys)], n)
		if err != nil {
			return 0, err
		}
		total += cost
	}
	return ratio(total/perShotRuns, interval.Hours()), nil
}

// oneShot is the CPU seconds of one ffmpeg for one key frame.
func oneShot(ctx context.Context, c *clip, dir string, key int, n threads) (float64, error) {
	path, demuxer, err := writeKey(c, dir, key)
	if err != nil {
		return 0, err
	}
	args := slices.Concat(quiet(n, "-f", demuxer, "-i", path, "-frames:v", "1"), n.args(), []string{"-q:v", "3", path + ".jpg"})
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "ffmpeg", args...) //nolint:gosec // our own arguments
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%w: %s", preferCause(ctx, err), bytes.TrimSpace(said.Bytes()))
	}
	if _, err := os.Stat(path + ".jpg"); err != nil {
		return 0, fmt.Errorf("it made no picture: %w", err)
	}
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), errors.Join(os.Remove(path), os.Remove(path+".jpg"))
}

// writeKey writes a key frame into a file of its own.
func writeKey(c *clip, dir string, key int) (path, demuxer string, err error) {
	f, err := os.CreateTemp(dir, "key-*")
	if err != nil {
		return "", "", fmt.Errorf("make a file for a key frame: %w", err)
	}
	s, err := newStream(f, c, true)
	if err == nil {
		err = s.picture(key, -c.frames[key].at)
		demuxer = s.demuxer()
	}
	return f.Name(), demuxer, errors.Join(err, f.Close())
}
