package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/publish"
)

type pushCommand struct {
	File   string `arg:"" type:"existingfile" help:"FLV file, for instance made by: ffmpeg -i VIDEO -c:v libx264 -g 50 -c:a aac FILE.flv"`
	URL    string `arg:"" help:"Push URL: rtmp://DOMAIN/APP/STREAM?txSecret=…&txTime=…"`
	Loop   bool   `help:"Start again at the end of the file, until interrupted."`
	Copies int    `default:"1" help:"Push so many streams at once, named STREAM-1, STREAM-2, … (with --key, since each needs its own signature)."`
	Key    string `env:"STILLCAST_PUSH_KEY" help:"Push key to sign the URL with."`
}

// Run pushes until the end of the file or an interrupt.
func (c pushCommand) Run(ctx context.Context, o output) error {
	if c.Copies < 1 {
		return fmt.Errorf("--copies is %d; at least 1 is needed", c.Copies)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for i := range c.Copies {
		wg.Go(func() {
			if err := c.push(ctx, i, o); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
				cancel(err)
			}
		})
	}
	wg.Wait()
	if len(errs) > 0 {
		return errs[0] // the others were ended by it
	}
	return nil
}

func (c pushCommand) push(ctx context.Context, copyIndex int, o output) error {
	url, err := c.url(copyIndex)
	if err != nil {
		return err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("open the file to push: %w", err)
	}
	defer f.Close()
	client, err := publish.Dial(ctx, url, publish.Options{})
	if err != nil {
		return fmt.Errorf("push to %s: %w", withoutQuery(url), err)
	}
	fmt.Fprintf(o.err, "pushing %s to %s\n", c.File, withoutQuery(url))
	err = publish.PushFile(ctx, client, f, publish.PushOptions{Loop: c.Loop})
	if errors.Is(err, context.Canceled) {
		return nil // interrupted
	}
	if err != nil {
		return fmt.Errorf("push to %s: %w", withoutQuery(url), err)
	}
	return nil
}

func (c pushCommand) url(copyIndex int) (string, error) {
	if c.Copies == 1 && c.Key == "" {
		return c.URL, nil
	}
	base, u, err := splitPushURL(c.URL)
	if err != nil {
		return "", err
	}
	if c.Copies > 1 {
		suffix := "-" + strconv.Itoa(copyIndex+1)
		base += suffix
		u.Stream.Name += suffix
	}
	param := u.Param
	if c.Key != "" {
		param = signedParam(stillcast.Secret(c.Key), u, time.Now().Add(24*time.Hour))
	}
	if param != "" {
		base += "?" + param
	}
	return base, nil
}

// withoutQuery keeps the signature out of messages.
func withoutQuery(url string) string {
	base, _, err := splitPushURL(url)
	if err != nil {
		return "the given URL"
	}
	return base
}
