package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/capture"
	"github.com/stillcast/stillcast/internal/codec"
	"github.com/stillcast/stillcast/internal/console"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/state"
)

// openPush begins the capture of a push, and shows it on the console's wall.
func (a *App) openPush(p stillcast.Push, recorded <-chan struct{}) ingest.Sink {
	stream := a.capture.Open(p, recorded)
	if !a.opts.Config.Console.Enabled {
		return stream
	}
	m := &meter{}
	a.wall.Began(p, m.video)
	return &shownPush{Stream: stream, meter: m, ended: func() { a.wall.Ended(p) }}
}

// maxPreviewShape is how many times as high as wide, or the other way round, a
// video may be for which a picture for the wall is made: it is as wide as all
// others, so that its height follows.
const maxPreviewShape = 4

// fitsPreview says whether a video has a shape for which a picture for the wall is
// made. Its size may not be known yet.
func fitsPreview(c *media.Config) bool {
	return max(c.Width, c.Height) <= maxPreviewShape*min(c.Width, c.Height)
}

// shootWithPreview makes the pictures of an order, and one more for the wall, which
// must not keep the others from being made.
func (a *App) shootWithPreview(ctx context.Context, o capture.Order, r codec.Request) (*codec.Result, error) {
	if !a.wall.Watched() || !fitsPreview(o.Config) {
		return a.codec.Shoot(ctx, r)
	}
	with := r
	with.Pictures = append(append([]stillcast.PictureSpec{}, r.Pictures...), console.PreviewSpec())
	made, err := a.codec.Shoot(ctx, with)
	if errors.Is(err, codec.ErrTooLarge) {
		return a.codec.Shoot(ctx, r) // the video may have another shape than was announced
	}
	return made, err
}

// show shows a shot that was recorded on the wall.
func (a *App) show(shot stillcast.Shot, t capture.Taken) {
	a.wall.Shot(console.Newest{Shot: shot, Template: t.Template, Preview: t.Picture.Preview.Data})
}

// consoleStreams is what the wall and the pages of streams need of the server.
type consoleStreams struct{ control }

// Shots is that of the state, as Shot and Deliveries are.
func (c consoleStreams) Shots(ctx context.Context, f state.ShotFilter) ([]state.ShotStatus, error) {
	return c.app.state.Shots(ctx, f)
}

// Shot returns one shot.
func (c consoleStreams) Shot(ctx context.Context, id int64) (state.ShotStatus, error) {
	return c.app.state.Shot(ctx, id)
}

// Deliveries lists deliveries.
func (c consoleStreams) Deliveries(ctx context.Context, f state.DeliveryFilter) ([]state.DeliveryStatus, error) {
	return c.app.state.Deliveries(ctx, f)
}

// Running are the tasks that capture a stream now.
func (c consoleStreams) Running(ctx context.Context, s stillcast.Stream) ([]stillcast.Task, error) {
	now := time.Now()
	all, err := c.app.state.ActiveTasks(ctx, now)
	if err != nil {
		return nil, err
	}
	var running []stillcast.Task
	for _, t := range all {
		if t.Stream == s && t.Running(now) {
			running = append(running, t)
		}
	}
	return running, nil
}

// Picture opens a picture of a shot: in the spool until it is stored, then in the
// store.
func (c consoleStreams) Picture(ctx context.Context, shot state.ShotStatus, index int) (io.ReadCloser, int64, error) {
	if shot.State == state.ShotSpooled {
		picture, err := c.app.state.SpooledPicture(ctx, shot.ID, index)
		if err == nil {
			return io.NopCloser(bytes.NewReader(picture)), int64(len(picture)), nil
		}
		if stillcast.CodeOf(err) != stillcast.CodeNotFound {
			return nil, 0, err
		} // else it was stored meanwhile
	}
	keys := shot.Keys()
	if index < 0 || index >= len(keys) {
		return nil, 0, fmt.Errorf("open picture %d of shot %d: %w", index, shot.ID, objstore.ErrNotFound)
	}
	store, bucket := c.app.pictures.primary.at(shot.Shot)
	body, info, err := store.Get(ctx, bucket, keys[index])
	return body, info.Size, err
}
