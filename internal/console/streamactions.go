package console

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
)

const (
	maxBanDays   = 90  // as in the control API
	maxBanReason = 512 // bytes
)

// dropStream ends the push of a stream.
func (v *view) dropStream() error {
	s, err := v.streamOf()
	if err != nil {
		return err
	}
	end := stillcast.PushEnd{At: time.Now(), Code: stillcast.EndControl, Message: "21/100: the stream was dropped on the console"}
	if !v.opts.Streams.Drop(s, end) {
		return refusedf(http.StatusConflict, "stream.not_live")
	}
	v.audit("drop stream", slog.String("stream", s.String()))
	return v.redirect(streamURL(s, "", "done", "done.dropped"))
}

// forbidStream refuses pushes of a stream for some days, and ends a live one.
func (v *view) forbidStream() error {
	s, err := v.streamOf()
	if err != nil {
		return err
	}
	days, err := strconv.Atoi(v.r.PostFormValue("days"))
	if err != nil || days < 1 || days > maxBanDays {
		return stillcast.Errorf(stillcast.CodeInvalid, "days", "is %q; allowed are 1 to %d", v.r.PostFormValue("days"), maxBanDays)
	}
	reason := strings.TrimSpace(v.r.PostFormValue("reason"))
	if len(reason) > maxBanReason {
		return stillcast.Errorf(stillcast.CodeInvalid, "reason", "is %d bytes long; at most %d are allowed", len(reason), maxBanReason)
	}
	now := time.Now()
	ban := stillcast.Ban{Stream: lowerDomain(s), Until: now.Add(time.Duration(days) * 24 * time.Hour), Reason: reason, Created: now}
	// Who asked may be gone by now; what was asked acts all the same.
	if err := v.opts.Streams.Forbid(context.WithoutCancel(v.r.Context()), ban); err != nil {
		return err
	}
	v.audit("forbid stream", slog.String("stream", s.String()), slog.Time("until", ban.Until), slog.String("reason", reason))
	return v.redirect(streamURL(s, "", "done", "done.forbidden"))
}

// resumeStream lets a stream be pushed again.
func (v *view) resumeStream() error {
	s, err := v.streamOf()
	if err != nil {
		return err
	}
	if _, err := v.opts.Streams.Resume(context.WithoutCancel(v.r.Context()), lowerDomain(s)); err != nil {
		return err
	}
	v.audit("resume stream", slog.String("stream", s.String()))
	return v.redirect(streamURL(s, "", "done", "done.resumed"))
}
