package capture

import (
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// Order is the wish for the pictures of one frame.
type Order struct {
	Config *media.Config
	// Units are the access units in decoding order, from one that decoding can
	// start at. They are only valid until Options.Shoot returns.
	Units [][]byte
	// First asks for the first picture that the decoder gives; otherwise it is
	// that of the last unit.
	First bool
	// Pictures[0] is the shot's own, the others its renditions in the template's
	// order.
	Pictures []stillcast.PictureSpec
}

// Image is one picture in its file format.
type Image struct {
	Data          []byte
	Width, Height int // in pixels
}

// Picture is what came of an [Order]: an Image for each of its Pictures. Of the
// Facts, Options.Shoot sets Decode to Hash; the others are the capture's.
type Picture struct {
	Images  []Image
	Preview Image // for people who look on, and no part of the shot; zero for none
	Facts   stillcast.Facts
}

// Taken is a picture with everything that its shot is recorded with.
type Taken struct {
	Push     stillcast.Push
	Template stillcast.SnapshotTemplate
	Due      time.Time
	Captured time.Time // when the frame arrived
	Picture  Picture   // its Facts are complete
}
