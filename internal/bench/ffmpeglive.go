package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// How many streams each way is given at once, for each CPU: so many that their CPU
// time is far above what the kernel can tell apart, and few enough that the machine
// keeps up.
const (
	liveFilterStreams  = 3
	liveNoKeyStreams   = 20
	livePerShotStreams = 20
	// liveSettle is longer than ffmpeg looks at an input before it begins
	// (-analyzeduration, 5 s), and the time to catch up.
	liveSettle = 10 * time.Second
)

// liveWays measures all three as they run beside live streams.
func (b *bench) liveWays(ctx context.Context, c *clip, dir string) (w Ways, err error) {
	interval := b.options.Intervals[0]
	length := max(min(b.options.Duration, idleLength), 2*interval)
	many := func(each int) int { return min(cpus()*each, b.options.Streams) }
	way := &livePipe{pipe: pipe{clip: c, dir: dir, interval: interval, threads: threads(b.options.FFmpegThreads)}}
	if w.Filter, err = way.run(ctx, many(liveFilterStreams), length); err != nil {
		return w, fmt.Errorf("ffmpeg -vf fps: %w", err)
	}
	way.before = []string{"-skip_frame", "nokey"}
	if w.NoKey, err = way.run(ctx, many(liveNoKeyStreams), length); err != nil {
		return w, fmt.Errorf("ffmpeg -skip_frame nokey: %w", err)
	}
	w.Late = time.Duration(way.late.Load()).Seconds()
	shots := shotsAt{clip: c, dir: dir, interval: interval, every: interval / time.Duration(many(livePerShotStreams)), threads: way.threads}
	if w.PerShot, err = shots.live(ctx, length); err != nil {
		return w, fmt.Errorf("one ffmpeg for each shot: %w", err)
	}
	return w, nil
}

// livePipe is the way in which each of many ffmpegs reads the clip from a pipe at the
// pace of a live stream.
type livePipe struct {
	pipe
	late atomic.Int64 // nanoseconds, the most that a picture was
}

// run has n of them run and returns the CPU seconds of an hour of one, without the
// start.
func (p *livePipe) run(ctx context.Context, n int, length time.Duration) (perHour float64, err error) {
	cost, folders, err := p.together(ctx, n, length)
	if err != nil {
		return 0, err
	}
	// They have ended: with several threads the last pictures come when nothing follows.
	for _, folder := range folders {
		if err := havePictures(folder, int(length/p.interval), length); err != nil {
			return 0, err
		}
	}
	return cost * 3600 / float64(n), nil
}

// together returns the CPU seconds that n of them take in a second, and where their pictures are. They have ended then.
func (p *livePipe) together(ctx context.Context, n int, length time.Duration) (cost float64, folders []string, err error) {
	group, ctx := errgroup.WithContext(ctx)
	feeding, stop := context.WithCancel(ctx)
	defer stop()
	var all []*process
	defer func() {
		stop()
		for _, q := range all {
			err = errors.Join(err, q.stop())
		}
		err = errors.Join(group.Wait(), err)
	}()
	ramp := time.Duration(p.clip.facts().KeyInterval * float64(time.Second))
	for i := range n {
		q, folder, err := p.start()
		if err != nil {
			return 0, nil, err
		}
		all, folders = append(all, q), append(folders, folder)
		group.Go(func() error { return p.feed(feeding, q, ramp*time.Duration(i)/time.Duration(n)) })
	}
	cost, err = costOf(ctx, all, min(liveSettle, length)+ramp, length)
	return cost, folders, err
}

// start starts one ffmpeg that reads from its pipe.
func (p *livePipe) start() (q *process, folder string, err error) {
	if folder, err = os.MkdirTemp(p.dir, "ffmpeg-"); err != nil {
		return nil, "", fmt.Errorf("make a folder for its pictures: %w", err)
	}
	args, err := p.args(folder)
	if err != nil {
		return nil, "", err
	}
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, "", fmt.Errorf("find it: %w", err)
	}
	q, err = start("ffmpeg", &exec.Cmd{Path: path, Args: append([]string{"ffmpeg"}, args...)}, []byte{}, nil)
	return q, folder, err
}

// feed writes the clip to an ffmpeg, over and over at its own pace, until ctx ends.
func (p *livePipe) feed(ctx context.Context, q *process, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	begun := time.Now().Add(delay)
	s, err := newStream(q.stdin, p.clip, false)
	for shift := time.Duration(0); err == nil; shift += p.clip.length {
		for i, t := range p.clip.frames {
			if wait(ctx, timer, begun.Add(t.at+shift)) != nil {
				return nil // the end
			}
			if err = s.picture(i, shift); err != nil {
				break
			}
			if at := t.at + shift; at > liveSettle {
				raise(&p.late, int64(time.Since(begun)-at))
			}
		}
	}
	if ctx.Err() != nil {
		return nil // it was stopped meanwhile
	}
	return fmt.Errorf("write to its pipe: %w", err)
}

// costOf is the CPU seconds that processes take for each second of a time that
// begins after settle.
func costOf(ctx context.Context, all []*process, settle, length time.Duration) (float64, error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	sum := func() (total time.Duration, err error) {
		for _, q := range all {
			used, err := cpuTime(q.pid())
			if err != nil {
				return 0, err
			}
			total += used
		}
		return total, nil
	}
	if err := wait(ctx, timer, time.Now().Add(settle)); err != nil {
		return 0, err
	}
	begun := time.Now()
	before, err := sum()
	if err != nil {
		return 0, err
	}
	if err := wait(ctx, timer, begun.Add(length)); err != nil {
		return 0, err
	}
	after, err := sum()
	return ratio((after - before).Seconds(), time.Since(begun).Seconds()), err
}

// shotsAt starts a process for each shot, one every so often.
type shotsAt struct {
	clip            *clip
	dir             string
	interval, every time.Duration
	threads         threads
}

// live returns the CPU seconds that an hour of one stream's shots costs.
func (s shotsAt) live(parent context.Context, length time.Duration) (float64, error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	group, ctx := errgroup.WithContext(parent)
	costs := make([]float64, int(length/s.every))
	begun := time.Now()
	for i := range costs {
		if wait(ctx, timer, begun.Add(s.every*time.Duration(i))) != nil {
			break // one has failed, or the end
		}
		group.Go(func() (err error) {
			costs[i], err = oneShot(ctx, s.clip, s.dir, s.clip.keys[i%len(s.clip.keys)], s.threads)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	if parent.Err() != nil {
		return 0, context.Cause(parent)
	}
	var total float64
	for _, cost := range costs {
		total += cost
	}
	return ratio(total, float64(len(costs))*s.interval.Hours()), nil
}
