package app

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/capture"
	"github.com/stillcast/stillcast/internal/codec"
	"github.com/stillcast/stillcast/internal/console"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/notify"
)

// consoleRules is what the console's pages of rules need of the server.
type consoleRules struct{ control }

// Ask says whether a push with a URL would be admitted now.
func (c consoleRules) Ask(u ingest.PushURL, now time.Time) (stillcast.Domain, *ingest.Refusal) {
	return c.app.gate.Ask(u, now)
}

// Node is the address that publishers push to.
func (c consoleRules) Node() string { return c.app.RTMPAddr().String() }

// TasksOf returns the tasks that capture a live push now, beside its rule.
func (c consoleRules) TasksOf(p stillcast.Push) []stillcast.Task { return c.app.tasks.of(p) }

// CheckMirror reports a mirror that there is not.
func (c consoleRules) CheckMirror(name string) error {
	return c.app.opts.Config.Storage.CheckMirror(name)
}

// SampleShot returns the shot that would be taken of a push, whose video has the
// size of source, and where its picture could be downloaded.
func (c consoleRules) SampleShot(p stillcast.Push, at time.Time, source stillcast.Size) (shot stillcast.Shot, url string, err error) {
	t, ok := c.app.template(p)
	if !ok {
		return shot, "", stillcast.Errorf(stillcast.CodeNotFound, "template", "no snapshot rule is for %s", p.Stream)
	}
	t.EXIF = false // there is no picture to write it into
	taken := capture.Taken{Push: p, Template: t, Due: at, Captured: at}
	taken.Picture.Facts = stillcast.Facts{Accuracy: t.Accuracy, Distance: -1}
	for _, wanted := range t.Pictures() {
		size := codec.PictureSize(source, wanted.Size)
		taken.Picture.Images = append(taken.Picture.Images, capture.Image{Width: size.Width, Height: size.Height})
	}
	shot, _ = c.app.shotOf(taken)
	url, err = c.app.pictures.URL(shot, at)
	return shot, url, err
}

// SampleRequest returns the request that would be sent for an event of a push, as
// the callback template in force says. Shot is that of an event of a shot.
func (c consoleRules) SampleRequest(p stillcast.Push, typ stillcast.EventType, shot stillcast.Shot, at time.Time) (console.SampleRequest, error) {
	to, ok := c.app.Resources().Destination(p.Domain, p.Stream, typ)
	if !ok {
		return console.SampleRequest{}, stillcast.Errorf(stillcast.CodeNotFound, "url", "no callback template in force has a URL for it")
	}
	id, err := uuid.NewV7()
	if err != nil {
		return console.SampleRequest{}, fmt.Errorf("make an event id: %w", err)
	}
	fields, err := c.sampleFields(p, typ, shot, at)
	if err != nil {
		return console.SampleRequest{}, err
	}
	made, err := c.app.notifier.Preview(to, event(id.String(), typ, p, at, fields), shot, 1, at)
	return console.SampleRequest{URL: made.URL, Header: made.Header, Body: made.Body, Sign: made.Sign}, err
}

func (c consoleRules) sampleFields(p stillcast.Push, typ stillcast.EventType, shot stillcast.Shot, at time.Time) (json.RawMessage, error) {
	t, _ := c.app.template(p)
	switch typ {
	case stillcast.EventShot:
		return notify.ShotFields(shot, p, t.Facts, "")
	case stillcast.EventPushBegin:
		return notify.PushBeginFields(p, t.AppID)
	default:
		return notify.PushEndFields(p, stillcast.PushEnd{At: at, Code: stillcast.EndClient, Message: "the publisher stopped the push (FCUnpublish)"}, t.AppID)
	}
}
