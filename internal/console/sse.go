package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	// flushEvery is how long changes are gathered before they are sent, so that
	// many streams cost a viewer few writes.
	flushEvery = 250 * time.Millisecond
	// tickEvery is how often something is sent at least: scripts that hear nothing
	// for longer know that the connection is dead.
	tickEvery = 15 * time.Second
	// sseReadTime is how long a browser may take to read what is sent.
	sseReadTime = 10 * time.Second
)

// events sends the wall to a browser and keeps it up to date: server-sent events
// (HTML Living Standard, 9.2). "snapshot" has all tiles, "tiles" those that
// changed and the ids of those that are gone, "tick" nothing, "bye" that the
// session ended.
func (v *view) events() error {
	viewer, ok := v.wall().join(v.session.ID)
	if !ok {
		return refusedf(http.StatusServiceUnavailable, "wall.full", maxViewers)
	}
	defer viewer.leave()
	h := v.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // for nginx before it
	out := &eventWriter{w: v.w, control: http.NewResponseController(v.w)}
	// The server's limit on reading a request is over, else it would end this.
	if err := out.control.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("keep a connection open: %w", err)
	}
	// The connection may serve other requests, which have no such limit.
	defer func() { _ = out.control.SetWriteDeadline(time.Time{}) }()
	v.w.WriteHeader(http.StatusOK)
	v.stream(viewer, out)
	return nil
}

// stream sends events until the browser, its session or the server goes away.
func (v *view) stream(viewer *viewer, out *eventWriter) {
	ctx := v.r.Context()
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errSessionEnded) {
				_ = out.send("bye", nil) // nobody is left to tell of an error
			}
			return
		case <-viewer.evicted:
			return
		case <-tick.C:
			err = out.send("tick", nil)
		case <-viewer.wake:
			err = out.update(viewer.take())
		}
		v.wall().look()
		if err != nil {
			return // it went away, or does not read
		}
		gather(ctx, viewer)
	}
}

// gather lets changes come together before the next are sent.
func gather(ctx context.Context, viewer *viewer) {
	timer := time.NewTimer(flushEvery)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-viewer.evicted:
	}
}

// eventWriter writes events to one browser.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buffer  bytes.Buffer
}

func (e *eventWriter) update(u update) error {
	if u.empty() {
		return nil
	}
	name := "tiles"
	if u.everything {
		name = "snapshot"
	}
	return e.send(name, func(b *bytes.Buffer) error {
		b.WriteString(`{"tiles":[`)
		for i, t := range u.tiles {
			if i > 0 {
				b.WriteByte(',')
			}
			b.Write(t)
		}
		b.WriteString(`],"gone":`)
		gone, err := json.Marshal(append([]string{}, u.gone...))
		if err != nil {
			return fmt.Errorf("write the streams that ended: %w", err)
		}
		b.Write(gone)
		b.WriteByte('}')
		return nil
	})
}

// send writes one event, whose data, in one line, body writes; nil for none.
func (e *eventWriter) send(name string, body func(*bytes.Buffer) error) error {
	e.buffer.Reset()
	e.buffer.WriteString("event: " + name + "\ndata: ")
	if body == nil {
		e.buffer.WriteString("{}")
	} else if err := body(&e.buffer); err != nil {
		return err
	}
	e.buffer.WriteString("\n\n")
	if err := e.control.SetWriteDeadline(time.Now().Add(sseReadTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.w.Write(e.buffer.Bytes()); err != nil {
		return err
	}
	return e.control.Flush()
}
