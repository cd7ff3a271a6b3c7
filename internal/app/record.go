package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/capture"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/notify"
	"github.com/stillcast/stillcast/internal/state"
	"github.com/stillcast/stillcast/internal/state/sqlite"
)

// record makes a shot durable, with its event and what is owed of it.
func (a *App) record(ctx context.Context, t capture.Taken) (stillcast.Shot, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return stillcast.Shot{}, fmt.Errorf("make an event id: %w", err)
	}
	shot, pictures := a.shotOf(t)
	shot.EventID = id.String()
	if err := a.quota.Admit(ctx, bytesOf(pictures)); err != nil {
		return stillcast.Shot{}, fmt.Errorf("%w: %w", capture.ErrNoRoom, err)
	}
	destinations := a.destinations(t.Push, stillcast.EventShot)
	extras := a.extras(destinations)
	shot, err = a.state.CommitShot(ctx, state.NewShot{
		Shot: shot, Picture: pictures[0], Renditions: pictures[1:],
		Destinations: destinations,
		MakeEvent: func(s stillcast.Shot) (stillcast.Event, error) {
			before := a.previous.follow(t.Push.ID, s.EventID, time.Now())
			if !extras {
				before = ""
			}
			fields, err := notify.ShotFields(s, t.Push, t.Template.Facts, before)
			return event(s.EventID, stillcast.EventShot, t.Push, s.Captured, fields), err
		},
	})
	if err != nil {
		a.previous.undo(t.Push.ID, id.String())
		if sqlite.NoSpace(err) {
			a.quota.DiskFull(err)
			err = fmt.Errorf("%w: %w", capture.ErrNoRoom, err)
		}
		return stillcast.Shot{}, err
	}
	a.quota.Recorded()
	a.uploader.Take(shot, pictures)
	a.show(shot, t)
	return shot, nil
}

func bytesOf(pictures [][]byte) (bytes int64) {
	for _, p := range pictures {
		bytes += int64(len(p))
	}
	return bytes
}

func event(id string, typ stillcast.EventType, p stillcast.Push, at time.Time, fields json.RawMessage) stillcast.Event {
	return stillcast.Event{ID: id, Type: typ, Stream: p.Stream, PushID: p.ID, At: at, Fields: fields}
}

func (a *App) destinations(p stillcast.Push, e stillcast.EventType) []stillcast.Destination {
	if d, ok := a.resources.Load().Destination(p.Domain, p.Stream, e); ok {
		return []stillcast.Destination{d}
	}
	return nil
}

// journal records pushes and their events 1, 321 and 0.
type journal struct{ app *App }

// BeginPush implements [ingest.Journal]. Retries after an error make new event
// ids, since nothing of the failed one was kept.
func (j journal) BeginPush(ctx context.Context, p stillcast.Push) error {
	fields, err := notify.PushBeginFields(p, j.appID(p))
	if err != nil {
		return err
	}
	events, err := j.events(stillcast.EventPushBegin, p, p.Started, fields)
	if err != nil {
		return err
	}
	if err := j.app.state.BeginPush(ctx, p, events); err != nil {
		return err
	}
	j.wake(events)
	return nil
}

// EndPush implements [ingest.Journal]. While the server stops, it waits for the
// shots in the making: they are of pushes that end now.
func (j journal) EndPush(ctx context.Context, p stillcast.Push, end stillcast.PushEnd) error {
	if j.app.stopping.Load() {
		select {
		case <-j.app.captured:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	fields, err := notify.PushEndFields(p, end, j.appID(p))
	if err != nil {
		return err
	}
	events, err := j.events(stillcast.EventPushEnd, p, end.At, fields)
	if err != nil {
		return err
	}
	if err := j.app.state.EndPush(ctx, p.ID, end, events); err != nil {
		return err
	}
	j.app.previous.forget(p.ID)
	j.wake(events)
	return nil
}

// exception is the Exception of [ingest.GateOptions]. Retries make new event ids,
// as in BeginPush.
func (j journal) exception(ctx context.Context, p stillcast.Push, r ingest.ExceptionReport) error {
	fields, err := notify.PushExceptionFields(p, r.At, r.Interval, abnormalEvents(r), j.appID(p))
	if err != nil {
		return err
	}
	events, err := j.events(stillcast.EventPushException, p, r.At, fields)
	if err != nil || len(events) == 0 {
		return err // nobody is told any more
	}
	if err := j.app.state.RecordEvent(ctx, events[0]); err != nil {
		return err
	}
	j.wake(events)
	return nil
}

func abnormalEvents(r ingest.ExceptionReport) []callback.AbnormalEvent {
	events := make([]callback.AbnormalEvent, len(r.Exceptions))
	for i, e := range r.Exceptions {
		events[i] = callback.AbnormalEvent{Type: int(e.Kind), Count: e.Count}
		for _, d := range e.Details {
			events[i].Detail = append(events[i].Detail, callback.AbnormalDetail{Desc: d.Text, OccurTime: d.At.UnixMilli()})
		}
	}
	return events
}

func (j journal) events(typ stillcast.EventType, p stillcast.Push, at time.Time, fields json.RawMessage) ([]state.NewEvent, error) {
	destinations := j.app.destinations(p, typ)
	if len(destinations) == 0 {
		return nil, nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("make an event id: %w", err)
	}
	return []state.NewEvent{{Event: event(id.String(), typ, p, at, fields), Destinations: destinations}}, nil
}

func (j journal) wake(events []state.NewEvent) {
	for _, e := range events {
		j.app.notifier.Wake(e.Destinations...)
	}
}

// appID is the appid of the account that the stream's pictures belong to.
func (j journal) appID(p stillcast.Push) int64 {
	t, _ := j.app.template(p)
	return t.AppID
}

// endLostPushes ends the pushes that were live when a server before this one
// was killed, so that every begin has its end.
func (a *App) endLostPushes(ctx context.Context) error {
	lost, err := a.state.OpenPushes(ctx)
	if err != nil {
		return fmt.Errorf("read the pushes that a crash left open: %w", err)
	}
	for _, p := range lost {
		end := stillcast.PushEnd{At: time.Now(), Code: stillcast.EndInterrupted, Message: "the server was restarted"}
		if err := (journal{a}).EndPush(ctx, p, end); err != nil {
			return fmt.Errorf("end the push %s of %s: %w", p.ID, p.Stream, err)
		}
		a.log.Warn("push ended by a restart", "stream", p.Stream, "push", p.ID)
	}
	return nil
}
