package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/publish"
	"github.com/stillcast/stillcast/internal/media/flv"
)

type pushCommand struct {
	File   string `arg:"" help:"FLV file, for instance made by: ffmpeg -i VIDEO -c:v libx264 -g 50 -c:a aac FILE.flv"`
	URL    string `arg:"" help:"Push URL: rtmp://DOMAIN/APP/STREAM?txSecret=…&txTime=…"`
	Loop   bool   `help:"Start again at the end of the file, until interrupted."`
	Copies int    `default:"1" help:"Push so many streams at once, named STREAM-1, STREAM-2, … (with --key, since each needs its own signature)."`
	Key    string `env:"STILLCAST_PUSH_KEY" placeholder:"KEY" help:"Push key of the domain, to sign the URL with. Without it, the URL is used as it is."`
}

// signedFor is how long the URLs that push signs for itself are valid.
const signedFor = 24 * time.Hour

// Run pushes until the end of the file or an interrupt.
func (c pushCommand) Run(ctx context.Context, o output) error {
	if c.Copies < 1 {
		return fmt.Errorf("--copies is %d; at least 1 is needed", c.Copies)
	}
	if err := c.check(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for i := range c.Copies {
		wg.Go(func() {
			if err := c.push(ctx, i, o); err != nil {
				cancel(err) // it ends the others
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// check says what is wrong with the file before a server is troubled.
func (c pushCommand) check() error {
	f, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("open the file to push: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	if _, err := flv.NewReader(f); err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
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
	defer f.Close() //nolint:errcheck // it was only read
	client, err := publish.Dial(ctx, url, publish.Options{})
	if err == nil {
		fmt.Fprintf(o.err, "pushing %s to %s\n", c.File, withoutQuery(url))
		err = publish.PushFile(ctx, client, f, publish.PushOptions{Loop: c.Loop})
	}
	if err == nil || ctx.Err() != nil {
		return nil // the end of the file, an interrupt, or the failure of another copy
	}
	if refusal, ok := errors.AsType[*publish.StatusError](err); ok {
		err = refusal // what is around it repeats the address
	}
	return fmt.Errorf("push to %s: %w", withoutQuery(url), err)
}

// url is what the copy with that index is pushed to.
func (c pushCommand) url(copyIndex int) (string, error) {
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
		param = ingest.SignedParam(stillcast.Secret(c.Key), u, time.Now().Add(signedFor))
	}
	if param != "" {
		base += "?" + param
	}
	return base, nil
}

// withoutQuery keeps the signature out of messages.
func withoutQuery(url string) string {
	base, _, _ := strings.Cut(url, "?")
	return base
}
