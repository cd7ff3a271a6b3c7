package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/state"
)

// pictureTime is how long a browser may take for a picture.
const pictureTime = time.Minute

func previewURL(shot int64) string { return Path + "thumb/" + strconv.FormatInt(shot, 10) }

func pictureURL(shot int64, index int) string {
	return Path + "picture/" + strconv.FormatInt(shot, 10) + "/" + strconv.Itoa(index)
}

// thumb sends the small picture that was made of a shot for the wall. When it is
// kept no more, the stored picture stands in for it.
func (v *view) thumb() error {
	id, ok := v.number("shot")
	if !ok {
		return v.noPicture(http.StatusNotFound, "picture.no_shot")
	}
	v.wall().look()
	preview := v.wall().preview(id)
	if preview == nil {
		return v.instead(id)
	}
	if v.unchanged(fmt.Sprintf(`"t%d"`, id)) {
		return nil
	}
	v.sendPicture(stillcast.FormatJPEG, int64(len(preview)))
	_, _ = v.w.Write(preview) // a browser that went away needs no answer
	return nil
}

// instead sends the browser to the stored picture of a shot.
func (v *view) instead(id int64) error {
	shot, err := v.opts.Streams.Shot(v.r.Context(), id)
	if err != nil {
		return v.pictureFault(id, err)
	}
	http.Redirect(v.w, v.r, pictureURL(id, smallest(shot.Shot)), http.StatusTemporaryRedirect)
	return nil
}

// picture sends a picture of a shot as it is stored: 0 is its own, 1 that of its
// first rendition, and so on. It is as private as in the store: the session is
// looked at each time, the picture is sent when the browser has not got it yet.
func (v *view) picture() error {
	id, known := v.number("shot")
	index, err := strconv.Atoi(v.r.PathValue("index"))
	if !known || err != nil {
		return v.noPicture(http.StatusNotFound, "picture.no_shot")
	}
	v.wall().look()
	shot, err := v.opts.Streams.Shot(v.r.Context(), id)
	if err != nil {
		return v.pictureFault(id, err)
	}
	switch {
	case index < 0 || index > len(shot.Renditions):
		return v.noPicture(http.StatusNotFound, "picture.no_shot")
	case shot.State == state.ShotDropped:
		return v.noPicture(http.StatusGone, "picture.dropped")
	case shot.State == state.ShotRemoved:
		return v.noPicture(http.StatusGone, "picture.removed")
	case v.unchanged(fmt.Sprintf(`"p%d-%d"`, id, index)):
		return nil
	}
	body, size, err := v.opts.Streams.Picture(v.r.Context(), shot, index)
	if err != nil {
		return v.pictureFault(id, err)
	}
	defer func() { _ = body.Close() }() // nothing was written to it
	control := http.NewResponseController(v.w)
	// An error means that there is no connection to bound.
	_ = control.SetWriteDeadline(time.Now().Add(pictureTime))
	defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	v.sendPicture(shot.Format, size)
	if _, err := io.Copy(v.w, body); err != nil {
		v.log.LogAttrs(v.r.Context(), slog.LevelDebug, "a picture was not sent whole", slog.Int64("shot", id), slog.String("error", err.Error()))
	}
	return nil // the length that was announced tells the browser
}

// number returns the id in a path.
func (v *view) number(name string) (int64, bool) {
	id, err := strconv.ParseInt(v.r.PathValue(name), 10, 64)
	return id, err == nil && id > 0
}

// unchanged answers a browser that has a picture already.
func (v *view) unchanged(tag string) bool {
	h := v.w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, no-cache")
	if v.r.Header.Get("If-None-Match") != tag {
		return false
	}
	v.w.WriteHeader(http.StatusNotModified)
	return true
}

func (v *view) sendPicture(format stillcast.Format, size int64) {
	h := v.w.Header()
	h.Set("Content-Type", format.ContentType())
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	v.w.WriteHeader(http.StatusOK)
}

// pictureFault says why there is no picture.
func (v *view) pictureFault(shot int64, err error) error {
	status, key := http.StatusServiceUnavailable, "picture.unavailable"
	switch {
	case stillcast.CodeOf(err) == stillcast.CodeNotFound:
		return v.noPicture(http.StatusNotFound, "picture.no_shot")
	case errors.Is(err, context.Canceled):
		return nil
	case errors.Is(err, objstore.ErrNotFound), errors.Is(err, objstore.ErrName):
		status, key = http.StatusNotFound, "picture.missing"
	case errors.Is(err, objstore.ErrDenied):
		status, key = http.StatusBadGateway, "picture.denied"
	case errors.Is(err, objstore.ErrThrottled):
		key = "picture.throttled"
	}
	v.log.LogAttrs(v.r.Context(), slog.LevelWarn, "a picture cannot be shown", slog.Int64("shot", shot), slog.String("error", err.Error()))
	return v.noPicture(status, key)
}

// noPicture says in the viewer's language why there is no picture. It stands in
// the place of the picture.
func (v *view) noPicture(status int, key string) error {
	text, err := v.words.text(key)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Del("ETag")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = io.WriteString(v.w, text) // a browser that went away needs no answer
	return nil
}
