package ledger

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// LiveStream is a push that is live.
type LiveStream struct {
	Stream           Stream       `json:"stream"`
	PushID           string       `json:"push_id"`
	PushDomain       string       `json:"push_domain" doc:"The registered push domain that took it; * for the one of all others."`
	Remote           string       `json:"remote" doc:"Address of the publisher."`
	Started          Time         `json:"started"`
	SnapshotTemplate *TemplateRef `json:"snapshot_template,omitempty" doc:"In force for it; missing where no rule is."`
	CallbackTemplate *TemplateRef `json:"callback_template,omitempty" doc:"Likewise."`
	NewestShot       *Shot        `json:"newest_shot,omitempty" doc:"Of this or an earlier push of the stream; missing where there is none."`
}

// TemplateRef names a template.
type TemplateRef struct {
	ID   ID     `json:"id"`
	Name string `json:"name"`
}

// StreamPage is one page of live streams, in the order of their names.
type StreamPage struct {
	Streams []LiveStream `json:"streams"`
	Total   int          `json:"total" doc:"Live streams that the parameters select, on all pages."`
	Next    StreamCursor `json:"next,omitzero" doc:"Cursor of the next page; missing on the last one."`
}

// StreamCursor says behind which stream a page begins. Its form is for the server alone.
type StreamCursor string

// MarshalText implements [encoding.TextMarshaler].
func (c StreamCursor) MarshalText() ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString([]byte(c))), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (c *StreamCursor) UnmarshalText(text []byte) error {
	raw, err := base64.RawURLEncoding.DecodeString(string(text))
	if err != nil || len(raw) == 0 || len(raw) > 3*maxText+2 {
		return stillcast.Errorf(stillcast.CodeInvalid, "", "is %q; expected the next of a page before", clip(string(text)))
	}
	*c = StreamCursor(raw)
	return nil
}

func (StreamCursor) schema() schema { return schema{"type": "string"} }

type streamQuery struct {
	Domain string       `param:"domain" doc:"Only of this push domain, as the publishers sent it."`
	App    string       `param:"app" doc:"Only of this app."`
	Stream string       `param:"stream" doc:"Only of this name."`
	Cursor StreamCursor `param:"cursor" doc:"The member next of the page before."`
	Limit  int          `param:"limit" min:"1" max:"500" default:"100" doc:"Streams of a page at most."`
}

func (c *call) listStreams(ctx context.Context, q streamQuery) (StreamPage, error) {
	live := slices.DeleteFunc(c.opts.Live(), func(p stillcast.Push) bool {
		other := func(want, is string) bool { return want != "" && want != is }
		return other(q.Domain, p.Stream.Domain) || other(q.App, p.Stream.App) || other(q.Stream, p.Stream.Name)
	})
	slices.SortFunc(live, func(a, b stillcast.Push) int {
		return cmp.Or(strings.Compare(a.Stream.String(), b.Stream.String()), strings.Compare(a.ID, b.ID))
	})
	page := StreamPage{Streams: []LiveStream{}, Total: len(live)}
	live = slices.DeleteFunc(live, func(p stillcast.Push) bool { return p.Stream.String() <= string(q.Cursor) })
	if len(live) > q.Limit {
		live = live[:q.Limit]
		page.Next = StreamCursor(live[q.Limit-1].Stream.String())
	}
	for _, p := range live {
		s, err := c.liveStream(ctx, p)
		if err != nil {
			return StreamPage{}, err
		}
		page.Streams = append(page.Streams, s)
	}
	return page, nil
}

func (c *call) liveStream(ctx context.Context, p stillcast.Push) (LiveStream, error) {
	s := LiveStream{Stream: streamOf(p.Stream), PushID: p.ID, PushDomain: p.Domain, Remote: p.Remote.String(), Started: Time(p.Started)}
	r := c.opts.Resources()
	if t, ok := r.SnapshotTemplate(p.Domain, p.Stream); ok {
		s.SnapshotTemplate = &TemplateRef{ID(t.ID), t.Name}
	}
	if t, ok := r.CallbackTemplate(p.Domain, p.Stream); ok {
		s.CallbackTemplate = &TemplateRef{ID(t.ID), t.Name}
	}
	newest, err := c.opts.Book.Shots(ctx, state.ShotFilter{Stream: &p.Stream, Descending: true, Limit: 1})
	if err != nil {
		return LiveStream{}, err
	}
	if len(newest) > 0 {
		shot := c.shot(newest[0])
		s.NewestShot = &shot
	}
	return s, nil
}
