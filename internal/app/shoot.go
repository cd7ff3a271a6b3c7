package app

import (
	"context"
	"errors"
	"strconv"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/capture"
	"github.com/stillcast/stillcast/internal/codec"
	"github.com/stillcast/stillcast/internal/exif"
)

// shoot makes pictures in a codec worker.
func (a *App) shoot(ctx context.Context, o capture.Order) (capture.Picture, error) {
	made, err := a.shootWithPreview(ctx, o, codec.Request{Config: o.Config, Units: o.Units, First: o.First, Pictures: o.Pictures})
	if err != nil {
		return capture.Picture{}, err
	}
	images := make([]capture.Image, len(made.Pictures))
	for i, p := range made.Pictures {
		images[i] = capture.Image{Data: p.Data, Width: p.Width, Height: p.Height}
	}
	var preview capture.Image
	if len(images) > len(o.Pictures) {
		preview, images = images[len(o.Pictures)], images[:len(o.Pictures):len(o.Pictures)]
	}
	m := made.Measures
	return capture.Picture{Images: images, Preview: preview, Facts: stillcast.Facts{
		Decode: made.Decode, Scale: made.Scale, Encode: made.Encode,
		Luma: m.Luma, Variance: m.Variance, Black: m.Black, Solid: m.Solid, Hash: m.Hash,
	}}, nil
}

// noPicture says of an error of shoot that more access units might give one.
func noPicture(err error) bool { return errors.Is(err, codec.ErrNoPicture) }

// poison says of an error of shoot that the access units killed two workers, or held
// them up.
func poison(err error) bool {
	return errors.Is(err, codec.ErrWorkerDied) || errors.Is(err, codec.ErrTimeout)
}

// shotOf returns the shot of what was taken, without its event, and its pictures:
// its own, then its renditions'.
func (a *App) shotOf(t capture.Taken) (shot stillcast.Shot, pictures [][]byte) {
	at := t.Captured.In(a.opts.Config.Location())
	shot = stillcast.Shot{
		PushID: t.Push.ID, Stream: t.Push.Stream, Bucket: a.pictures.primary.bucket(bucketOf(t.Template)), Region: t.Template.Region,
		Due: t.Due, Captured: t.Captured, Format: t.Template.Format, Facts: t.Picture.Facts, Mirror: t.Template.Mirror,
	}
	for i, image := range t.Picture.Images {
		name := stillcast.PictureName{
			Stream: t.Push.Stream, At: at, Width: image.Width, Height: image.Height, Ext: t.Template.Format.Ext(),
		}
		if i == 0 {
			shot.Key = name.ObjectKey(t.Template.Prefix, t.Template.FileName)
			shot.Width, shot.Height = image.Width, image.Height
		} else {
			shot.Renditions = append(shot.Renditions, stillcast.Rendition{
				Key: name.RenditionKey(t.Template.Prefix, t.Template.FileName), Width: image.Width, Height: image.Height,
			})
		}
		pictures = append(pictures, image.Data)
	}
	if t.Template.EXIF {
		a.writeEXIF(pictures, t.Template.Format, exif.Fields{Captured: at, Stream: t.Push.Stream, Software: "Stillcast " + a.opts.Version})
	}
	return shot, pictures
}

// writeEXIF writes EXIF into pictures. One that cannot have it stays as it is: it is
// worth more than what would stand in it.
func (a *App) writeEXIF(pictures [][]byte, format stillcast.Format, fields exif.Fields) {
	for i, picture := range pictures {
		signed, err := exif.Insert(picture, format, fields)
		if err != nil {
			a.log.Error("picture is stored without EXIF", "stream", fields.Stream, "format", format, "error", err)
			continue
		}
		pictures[i] = signed
	}
}

// bucketOf returns "NAME-APPID", the name that Tencent COS gives a bucket.
func bucketOf(t stillcast.SnapshotTemplate) string {
	if t.Bucket == "" || t.AppID == 0 {
		return t.Bucket
	}
	return t.Bucket + "-" + strconv.FormatInt(t.AppID, 10)
}
