package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"time"

	"github.com/stillcast/stillcast"
)

// demoSource is one stream of the demo: a moving picture of ffmpeg's with the
// time of day in it.
type demoSource struct {
	name, pattern string
	width, height int
}

//nolint:gochecknoglobals // a table
var demoSources = []demoSource{
	{"bars", "smptehdbars", 1280, 720},
	{"fractal", "mandelbrot=end_scale=0.003", 854, 480},
	{"upright", "testsrc2", 360, 640},
}

const demoRate = 25 // frames per second

// args pushes the source to url in real time.
func (s demoSource) args(url string) []string {
	separator := ":"
	if s.pattern == "smptehdbars" || s.pattern == "testsrc2" {
		separator = "="
	}
	clock := fmt.Sprintf("drawtext=text='%s %%{localtime\\:%%H\\\\\\:%%M\\\\\\:%%S}':fontsize=min(w/14\\,h/12):"+
		"fontcolor=white:box=1:boxcolor=black:boxborderw=8:x=(w-tw)/2:y=h-2*th", s.name)
	graph := fmt.Sprintf("%s%ssize=%dx%d:rate=%d,%s,format=yuv420p", s.pattern, separator, s.width, s.height, demoRate, clock)
	return []string{
		"-hide_banner", "-loglevel", "error", "-re", "-f", "lavfi", "-i", graph,
		"-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-g", fmt.Sprint(demoRate), "-b:v", "1M", "-maxrate", "1M", "-bufsize", "1M",
		"-f", "flv", url,
	}
}

// publishers are the running ffmpeg processes.
type publishers struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
	failed chan error
}

func lookForFFmpeg() error {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		return errors.New("the demo pushes its streams with ffmpeg, which is not installed (Debian and Ubuntu: apt-get install ffmpeg)")
	}
	return nil
}

func startSources(ctx context.Context, addr string, key stillcast.Secret) *publishers {
	ctx, cancel := context.WithCancel(ctx)
	p := &publishers{cancel: cancel, failed: make(chan error, len(demoSources))}
	expiry := time.Now().Add(24 * time.Hour)
	for _, s := range demoSources {
		url := "rtmp://" + addr + "/demo/" + s.name + "?" + stillcast.PushParam(key, s.name, expiry)
		p.wg.Go(func() { p.push(ctx, s, url) })
	}
	return p
}

func (p *publishers) push(ctx context.Context, s demoSource, url string) {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "ffmpeg", s.args(url)...)
	cmd.Stderr = &said
	err := cmd.Run()
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		err = errors.New("it ended by itself")
	}
	if words := bytes.TrimSpace(said.Bytes()); len(words) > 0 {
		err = fmt.Errorf("%w: %s", err, words)
	}
	p.failed <- fmt.Errorf("ffmpeg stopped pushing %s: %w", s.name, err)
}

func (p *publishers) stop() {
	p.cancel()
	p.wg.Wait()
}
