package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/receiver"
)

type listenCommand struct {
	Addr   string        `default:"127.0.0.1:9000" help:"Address to listen on; every path takes events."`
	Key    []string      `env:"STILLCAST_CALLBACK_KEY" help:"Key of the callback template; repeat it during a change of keys. Without one, nothing is verified."`
	Save   string        `type:"path" placeholder:"DIR" help:"Download the pictures and keep them here."`
	Status int           `default:"200" help:"Status to answer verified events with."`
	Delay  time.Duration `help:"Hold the answer back for so long."`
}

// Run prints what arrives until interrupted.
func (c listenCommand) Run(ctx context.Context, o output) error {
	r, err := receiver.New(receiver.Options{
		Addr: c.Addr, Keys: c.Key, Save: c.Save, Status: c.Status, Delay: c.Delay,
		OnEvent: func(got receiver.Received) { fmt.Fprintln(o.out, describe(got)) },
		Logger:  slog.New(slog.NewTextHandler(o.err, nil)),
	})
	if err != nil {
		return err
	}
	r.Start()
	fmt.Fprintf(o.err, "receiving events on http://%s/ (stop with Ctrl-C)\n", r.Addr())
	if len(c.Key) == 0 {
		fmt.Fprintln(o.err, "no --key: signatures are not verified")
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return r.Stop(stop)
}

// describe is one line about one request.
func describe(r receiver.Received) string {
	line := r.At.Format("15:04:05.000 ")
	switch e := r.Event.(type) {
	case callback.Screenshot:
		line += fmt.Sprintf("shot   %s/%s/%s  %dx%d  %d bytes  created %s  %s", e.App, e.AppName, e.StreamID,
			e.Width, e.Height, e.FileSize, time.Unix(e.CreateTime, 0).Format(time.TimeOnly), e.PicFullURL)
	case callback.StreamBegin:
		line += fmt.Sprintf("begin  %s/%s/%s  from %s", e.App, e.AppName, e.StreamID, e.UserIP)
	case callback.StreamEnd:
		line += fmt.Sprintf("end    %s/%s/%s  after %s ms  %d %s", e.App, e.AppName, e.StreamID, e.PushDuration, e.ErrCode, e.ErrMsg)
	case callback.Unknown:
		line += fmt.Sprintf("event of type %d", e.Type())
	default:
		line += "not an event"
	}
	if r.Meta.Sequence > 0 {
		line += fmt.Sprintf("  sequence %d attempt %d", r.Meta.Sequence, r.Meta.Attempt)
	}
	if r.Verified != nil {
		line += "  REFUSED: " + r.Verified.Error()
	}
	if p := r.Picture; p != nil && p.Err != nil {
		line += "  PICTURE: " + p.Err.Error()
	} else if p != nil && p.Path != "" {
		line += "  saved " + p.Path
	}
	return fmt.Sprintf("%s  answered %d", line, r.Status)
}
