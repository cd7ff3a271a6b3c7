package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Shot is a shot as it stands.
type Shot struct {
	ID         ID        `json:"id"`
	EventID    string    `json:"event_id" doc:"Of its event 200; header Stillcast-Event-Id."`
	PushID     string    `json:"push_id"`
	Stream     Stream    `json:"stream"`
	State      string    `json:"state" enum:"spooled,stored,dropped,removed" doc:"spooled: its pictures are not stored yet; stored: they are in the store; dropped: they were given up before that; removed: they were stored, and removed for their age."`
	Reason     string    `json:"reason,omitempty" doc:"Why it was dropped."`
	Due        Time      `json:"due"`
	Captured   Time      `json:"captured" doc:"When the frame arrived."`
	Stored     Time      `json:"stored,omitzero" doc:"When all its pictures were in the store; missing while they are not, and for shots of older versions."`
	Bucket     string    `json:"bucket,omitempty"`
	Region     string    `json:"region,omitempty"`
	Mirror     string    `json:"mirror,omitempty" doc:"The second store that is to hold its pictures, until it is stored."`
	Format     string    `json:"format" enum:"jpeg,webp"`
	Picture    Picture   `json:"picture"`
	Renditions []Picture `json:"renditions,omitempty"`
	Facts      Facts     `json:"facts"`
}

// Picture is one file of a shot.
type Picture struct {
	Key    string `json:"key" doc:"Name of the object in its bucket."`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Bytes  int    `json:"bytes"`
	URL    string `json:"url,omitempty" doc:"Where it can be downloaded; missing while it is not stored."`
}

// Facts are what is known of a shot beside its picture.
type Facts struct {
	Accuracy    string  `json:"accuracy" enum:"keyframe,exact" doc:"How the frame was chosen."`
	TimestampMS float64 `json:"timestamp_ms" doc:"Of the frame in its stream."`
	AgeMS       float64 `json:"age_ms" doc:"Of the frame at its due time; negative when it arrived later."`
	DecodeMS    float64 `json:"decode_ms"`
	ScaleMS     float64 `json:"scale_ms"`
	EncodeMS    float64 `json:"encode_ms"`
	Luma        float64 `json:"luma" doc:"Mean brightness, 0 to 255."`
	Variance    float64 `json:"variance" doc:"Of the brightness."`
	Black       bool    `json:"black"`
	Solid       bool    `json:"solid" doc:"One colour, almost."`
	Hash        string  `json:"hash" doc:"Perceptual, 16 hexadecimal digits."`
	Distance    *int    `json:"distance,omitempty" doc:"Bits of the hash that differ from the shot before; missing for the first one."`
	Duplicate   bool    `json:"duplicate" doc:"Looks like the shot before."`
}

// ShotPage is one page of shots.
type ShotPage struct {
	Shots []Shot `json:"shots"`
	Next  Cursor `json:"next,omitzero" doc:"Cursor of the next page; missing on the last one."`
}

// ShotDetail is a shot with what is owed of it.
type ShotDetail struct {
	Shot

	Deliveries []Delivery `json:"deliveries"`
}

type shotQuery struct {
	StreamParts
	Span
	Page

	State string `param:"state" enum:"spooled,stored,dropped,removed" doc:"Where the pictures are; any without it."`
}

func (c *call) listShots(ctx context.Context, q shotQuery) (ShotPage, error) {
	f := state.ShotFilter{State: state.ShotState(q.State)}
	var err error
	if f.Stream, err = q.given(); err != nil {
		return ShotPage{}, err
	}
	if f.From, f.Until, err = q.times(); err != nil {
		return ShotPage{}, err
	}
	if f.AfterID, f.BeforeID, f.Descending, f.Limit, err = q.bounds(); err != nil {
		return ShotPage{}, err
	}
	rows, err := c.opts.Book.Shots(ctx, f)
	if err != nil {
		return ShotPage{}, err
	}
	page := ShotPage{Shots: []Shot{}}
	rows, page.Next = cut(q.Page, rows, func(s state.ShotStatus) int64 { return s.ID })
	for _, s := range rows {
		page.Shots = append(page.Shots, c.shot(s))
	}
	return page, nil
}

type idQuery struct {
	ID ID `param:"id" doc:"As a listing gave it."`
}

// maxOfShot is more than the destinations of one shot can be.
const maxOfShot = 100

func (c *call) getShot(ctx context.Context, q idQuery) (ShotDetail, error) {
	s, err := c.opts.Book.Shot(ctx, int64(q.ID))
	if err != nil {
		return ShotDetail{}, named("id", err)
	}
	owed, err := c.opts.Book.Deliveries(ctx, state.DeliveryFilter{ShotID: s.ID, Limit: maxOfShot})
	if err != nil {
		return ShotDetail{}, err
	}
	detail := ShotDetail{Shot: c.shot(s), Deliveries: []Delivery{}}
	for _, d := range owed {
		detail.Deliveries = append(detail.Deliveries, deliveryOf(d))
	}
	return detail, nil
}

// named is an error of the row that a parameter names.
func named(param string, err error) error {
	e, ok := errors.AsType[*stillcast.Error](err)
	if !ok {
		return err
	}
	return &stillcast.Error{Code: e.Code, Field: param, Message: e.Message}
}

func (c *call) shot(s state.ShotStatus) Shot {
	shot := Shot{
		ID: ID(s.ID), EventID: s.EventID, PushID: s.PushID, Stream: streamOf(s.Stream), State: string(s.State), Reason: s.Reason,
		Due: Time(s.Due), Captured: Time(s.Captured), Stored: Time(s.Stored), Bucket: s.Bucket, Region: s.Region, Mirror: s.Mirror, Format: string(s.Format),
		Picture: Picture{Key: s.Key, Width: s.Width, Height: s.Height, Bytes: s.Size}, Facts: factsOf(s.Facts),
	}
	for _, r := range s.Renditions {
		shot.Renditions = append(shot.Renditions, Picture{Key: r.Key, Width: r.Width, Height: r.Height, Bytes: r.Size})
	}
	if s.State == state.ShotStored {
		c.locate(s.Shot, &shot)
	}
	return shot
}

// locate adds the URLs of a shot's pictures. A store that cannot make one hides
// no row.
func (c *call) locate(s stillcast.Shot, shot *Shot) {
	now := time.Now()
	url := func(key string) string {
		s.Key = key // a picture in the same bucket
		u, err := c.opts.Pictures.URL(s, now)
		if err != nil {
			c.opts.Logger.Warn("url of a picture cannot be made", "shot", s.ID, "key", key, "error", err)
		}
		return u
	}
	shot.Picture.URL = url(shot.Picture.Key)
	for i := range shot.Renditions {
		shot.Renditions[i].URL = url(shot.Renditions[i].Key)
	}
}

func factsOf(f stillcast.Facts) Facts {
	facts := Facts{
		Accuracy: string(f.Accuracy), TimestampMS: Milliseconds(f.Timestamp), AgeMS: Milliseconds(f.Age),
		DecodeMS: Milliseconds(f.Decode), ScaleMS: Milliseconds(f.Scale), EncodeMS: Milliseconds(f.Encode),
		Luma: f.Luma, Variance: f.Variance, Black: f.Black, Solid: f.Solid, Hash: fmt.Sprintf("%016x", f.Hash), Duplicate: f.Duplicate,
	}
	if f.Distance >= 0 {
		facts.Distance = &f.Distance
	}
	return facts
}
