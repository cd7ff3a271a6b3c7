package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stillcast/stillcast/internal/media/flv"
)

// PushOptions says how a file is pushed.
type PushOptions struct {
	// Loop starts the file again at its end, until the context ends. The
	// timestamps go on, and the decoder configurations are sent again.
	Loop bool
}

// errNoFrames says that a file has nothing to play.
var errNoFrames = errors.New("the FLV file holds no audio or video")

// PushFile pushes an FLV file in real time, by its tags' timestamps and the
// monotonic clock, and closes the client in any case. It returns nil at the end
// of the file, the context's cause when that ended first, the reason of the
// client when the server ended the push, and what reading the file gave. r is
// read from its start.
func PushFile(ctx context.Context, client *Client, r io.ReadSeeker, opts PushOptions) error {
	// A server that takes no more must not hold up the end for long.
	stop := context.AfterFunc(ctx, func() { client.hurry(closeGrace) })
	defer stop()
	p := &pusher{client: client, loop: opts.Loop, timer: time.NewTimer(0)}
	defer p.timer.Stop()
	err := p.run(ctx, r)
	closeErr := client.Close()
	switch {
	case err == nil:
		return closeErr
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return err
}

type pusher struct {
	client *Client
	loop   bool
	line   timeline
	begun  time.Time // when the first frame was sent; zero before
	timer  *time.Timer
}

func (p *pusher) run(ctx context.Context, r io.ReadSeeker) error {
	for {
		if err := p.play(ctx, r); err != nil {
			return err
		}
		if !p.line.loop() {
			return errNoFrames
		}
		if !p.loop {
			return nil
		}
	}
}

// play pushes the file once.
func (p *pusher) play(ctx context.Context, r io.ReadSeeker) error {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewind FLV file: %w", err)
	}
	file, err := flv.NewReader(r)
	if err != nil {
		return err
	}
	for {
		tag, err := file.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		// In a loop the sequence does not end.
		if p.loop && tag.Kind() == flv.KindEnd {
			continue
		}
		if err := p.push(ctx, tag); err != nil {
			return err
		}
	}
}

func (p *pusher) push(ctx context.Context, tag flv.Tag) error {
	timestamp, due := p.line.place(tag)
	if err := p.wait(ctx, due); err != nil {
		return err
	}
	if p.begun.IsZero() && tag.Kind() == flv.KindFrame {
		p.begun = time.Now()
	}
	tag.Timestamp = timestamp
	return p.client.Write(tag)
}

// wait waits until due after the first frame. It returns early when there is
// no reason to go on.
func (p *pusher) wait(ctx context.Context, due time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if p.begun.IsZero() {
		return nil
	}
	left := due - time.Since(p.begun)
	if left <= 0 {
		return nil
	}
	p.timer.Reset(left)
	select {
	case <-p.timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.client.Done():
		return p.client.Err()
	}
}
