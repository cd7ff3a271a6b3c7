package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/app"
	"github.com/stillcast/stillcast/internal/receiver"
)

// watch prints and checks the events until enough of them are good.
func (d *demo) watch(ctx context.Context, server *app.App, p *publishers) error {
	quiet := time.NewTimer(d.command.Patience)
	defer quiet.Stop()
	for good := 0; d.command.Forever || good < d.command.Events; {
		select {
		case r := <-d.received:
			if err := d.check(r); err != nil {
				return err
			}
			good++
			if good == 1 {
				fmt.Fprintf(d.out.out, "first     verified event %.1f s after the start\n", time.Since(d.began).Seconds())
			}
			quiet.Reset(d.command.Patience)
		case err := <-p.failed:
			return err
		case err := <-server.Failed():
			return err
		case <-quiet.C:
			return fmt.Errorf("no event for %s", d.command.Patience)
		case <-ctx.Done():
			if d.command.Forever {
				return nil
			}
			return fmt.Errorf("interrupted after %d of %d verified events", good, d.command.Events)
		}
	}
	fmt.Fprintf(d.out.out, "done      %d events, each with a good signature and its picture\n", d.command.Events)
	return nil
}

// check says what is wrong with an event, or prints it.
func (d *demo) check(r receiver.Received) error {
	if r.Verified != nil {
		return fmt.Errorf("an event arrived whose signature is not good: %w", r.Verified)
	}
	shot, ok := r.Event.(callback.Screenshot)
	if !ok {
		return fmt.Errorf("an event arrived that is no screenshot: %T", r.Event)
	}
	if r.Picture == nil {
		return fmt.Errorf("the picture of %s was not fetched", shot.StreamID)
	}
	if r.Picture.Err != nil {
		return fmt.Errorf("the picture of %s at %s: %w", shot.StreamID, shot.PicFullURL, r.Picture.Err)
	}
	want, ok := sourceNamed(shot.StreamID)
	if !ok {
		return fmt.Errorf("an event arrived for the stream %q, which nobody pushed", shot.StreamID)
	}
	if r.Picture.Width != want.width || r.Picture.Height != want.height {
		return fmt.Errorf("the picture of %s is %dx%d; its stream is %dx%d",
			shot.StreamID, r.Picture.Width, r.Picture.Height, want.width, want.height)
	}
	if r.Meta.At.IsZero() {
		return errors.New("an event arrived without " + callback.HeaderEventTime)
	}
	fmt.Fprintf(d.out.out, "event     %-9s %4dx%-4d %7d bytes  lag %4d ms  signature ok  picture ok  %s\n",
		shot.StreamID, r.Picture.Width, r.Picture.Height, r.Picture.Bytes, r.At.Sub(r.Meta.At).Milliseconds(), shot.PicURL)
	return nil
}

func sourceNamed(name string) (demoSource, bool) {
	for _, s := range demoSources {
		if s.name == name {
			return s, true
		}
	}
	return demoSource{}, false
}
