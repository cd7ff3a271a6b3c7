package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/receiver"
)

type listenCommand struct {
	Addr   string        `default:"127.0.0.1:9000" help:"Address to listen on; every path takes events."`
	Key    []string      `env:"STILLCAST_CALLBACK_KEY" sep:"none" placeholder:"KEY" help:"Key of the callback template; repeat it during a change of keys. Without one, nothing is verified."`
	Secret []string      `env:"STILLCAST_CALLBACK_SECRET" sep:"none" placeholder:"SECRET" help:"Signing secret of the callback template, whsec_…; with it, events whose body it did not sign are refused."`
	Save   string        `type:"path" placeholder:"DIR" help:"Download the pictures and keep them here."`
	Status int           `default:"200" help:"Status to answer verified events with; the server tries again after any but 200."`
	Delay  time.Duration `default:"0s" help:"Hold the answer back for so long, such as 5s."`
}

// Help is the end of the command's help.
func (listenCommand) Help() string {
	return `To have the events of a server on the same machine, with its key "secret":

    callback:
      allow_networks: [127.0.0.0/8]
    resources:
      callback_templates: [{name: dev, key: secret, snapshot_url: "http://127.0.0.1:9000/"}]
      callback_rules: [{domain: "*", template: dev}]`
}

// Run prints what arrives until interrupted.
func (c listenCommand) Run(ctx context.Context, o output) error {
	r, err := receiver.New(receiver.Options{
		Addr: c.Addr, Keys: c.Key, Secrets: c.Secret, Save: c.Save, Status: c.Status, Delay: c.Delay,
		OnEvent: func(got receiver.Received) { fmt.Fprintln(o.out, c.describe(got)) },
		Logger:  slog.New(slog.NewTextHandler(o.err, nil)),
	})
	if err != nil {
		return err
	}
	r.Start()
	fmt.Fprintf(o.err, "receiving events on http://%s/ (stop with Ctrl-C)\n", r.Addr())
	if len(c.Key)+len(c.Secret) == 0 {
		fmt.Fprintln(o.err, "no --key or --secret: signatures are not verified")
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	err = r.Stop(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		fmt.Fprintln(o.err, "what was still held back or downloaded was given up; its sender sends it again")
		return nil
	}
	return err
}

// stopTime is how long what is under way may take once listen was interrupted.
const stopTime = 2 * time.Second

// describe is one line about one request.
func (c listenCommand) describe(r receiver.Received) string {
	words := []string{r.At.Format("15:04:05.000"), describeEvent(r.Event)}
	switch {
	case r.Verified != nil:
		words = append(words, "REFUSED: "+r.Verified.Error())
	case len(c.Key)+len(c.Secret) > 0:
		words = append(words, "verified")
	}
	if r.Meta.Sequence > 0 {
		words = append(words, fmt.Sprintf("sequence %d attempt %d", r.Meta.Sequence, r.Meta.Attempt))
	}
	words = append(words, fmt.Sprintf("answered %d", r.Status))
	if p := r.Picture; p != nil && p.Err != nil {
		words = append(words, "PICTURE: "+p.Err.Error())
	} else if p != nil && p.Path != "" {
		words = append(words, "saved "+p.Path)
	}
	if shot, ok := r.Event.(callback.Screenshot); ok {
		words = append(words, shot.PicFullURL) // last, as it is long
	}
	return strings.Join(words, "  ")
}

func describeEvent(event callback.Event) string {
	switch e := event.(type) {
	case callback.Screenshot:
		return fmt.Sprintf("shot   %s/%s/%s  %dx%d  %d bytes  created %s", e.App, e.AppName, e.StreamID,
			e.Width, e.Height, e.FileSize, time.Unix(e.CreateTime, 0).Format(time.TimeOnly))
	case callback.StreamBegin:
		return fmt.Sprintf("begin  %s/%s/%s  from %s", e.App, e.AppName, e.StreamID, e.UserIP)
	case callback.StreamEnd:
		return fmt.Sprintf("end    %s/%s/%s  after %s ms  %d %s", e.App, e.AppName, e.StreamID, e.PushDuration, e.ErrCode, e.ErrMsg)
	case callback.PushException:
		return fmt.Sprintf("error  %s/%s/%s  %s", e.Domain, e.Path, e.StreamID, describeAbnormal(e.AbnormalEvent))
	case callback.Unknown:
		return fmt.Sprintf("event of type %d", e.Type())
	}
	return "not an event"
}

// describeAbnormal says what was wrong, each type with the last that is told of it.
func describeAbnormal(events []callback.AbnormalEvent) string {
	var words []string
	for _, e := range events {
		text := fmt.Sprintf("%d times %s", e.Count, e.TypeDescEN)
		if n := len(e.Detail); n > 0 {
			text += ": " + e.Detail[n-1].Desc
		}
		words = append(words, text)
	}
	return strings.Join(words, "; ")
}
