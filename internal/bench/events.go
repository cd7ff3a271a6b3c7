package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/receiver"
)

// arrived is one event about a picture, as its receiver saw it.
type arrived struct {
	frame  time.Time     // when the frame arrived at the server
	stored time.Duration // from then until the picture was in the store; negative when it was not there
	event  time.Duration // from then until the event was here
	bytes  int           // of the picture
}

// events receives the events of a measured server. Each picture is looked at and
// removed, so that a long run needs no disk for all of them.
type events struct {
	receiver *receiver.Receiver
	pictures string // folder

	mu    sync.Mutex
	all   []arrived
	wrong error // the first event that was not as it should be
}

func listenForEvents(key, pictures string) (*events, error) {
	e := &events{pictures: pictures}
	var err error
	e.receiver, err = receiver.New(receiver.Options{Addr: "127.0.0.1:0", Keys: []string{key}, OnEvent: e.take})
	if err != nil {
		return nil, fmt.Errorf("listen for events: %w", err)
	}
	e.receiver.Start()
	return e, nil
}

func (e *events) url() string { return "http://" + e.receiver.Addr().String() + "/" }

func (e *events) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), killTime)
	defer cancel()
	return e.receiver.Stop(ctx)
}

// take notes an event.
func (e *events) take(r receiver.Received) {
	shot, ok := r.Event.(callback.Screenshot)
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.Verified != nil || !ok || r.Meta.At.IsZero() {
		if e.wrong == nil {
			e.wrong = fmt.Errorf("an event arrived that is not as it should be: %T, signature: %w", r.Event, r.Verified)
		}
		return
	}
	a := arrived{frame: r.Meta.At, event: r.At.Sub(r.Meta.At), bytes: shot.FileSize, stored: -1}
	path := filepath.Join(e.pictures, filepath.FromSlash(shot.PicURL))
	// The change time is that of the rename to the final name. It is as fine as the kernel's tick, 1 to 10 ms.
	if info, err := os.Stat(path); err == nil {
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			a.stored = max(0, time.Unix(s.Ctim.Unix()).Sub(r.Meta.At))
		}
		_ = os.Remove(path) // the folder is removed in the end
	}
	e.all = append(e.all, a)
}

// between returns the events of frames that arrived from begin to end.
func (e *events) between(begin, end time.Time) ([]arrived, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var some []arrived
	for _, a := range e.all {
		if !a.frame.Before(begin) && a.frame.Before(end) {
			some = append(some, a)
		}
	}
	return some, e.wrong
}
