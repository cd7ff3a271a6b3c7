package stillcast

import "time"

// Shot is one picture taken of one stream. It exists once its row and its
// pictures (its own and its renditions) are durable.
type Shot struct {
	ID       int64  // assigned by state, never reused
	EventID  string // of its event 200
	PushID   string
	Stream   Stream
	Bucket   string // "NAME-APPID" of the template, "" for none
	Region   string
	Key      string // object key, without leading slash; unique in its bucket
	Due      time.Time
	Captured time.Time // when the frame arrived: create_time
	Width    int       // of the picture, in pixels
	Height   int
	Size     int // of the picture, in bytes
	Format   Format
	Mirror   string // the second store that is to hold its pictures, "" for none

	Renditions []Rendition // further sizes of the picture, in the same format
	Facts      Facts
}

// Rendition is another size of a shot's picture, in the shot's bucket.
type Rendition struct {
	Key           string // object key
	Width, Height int    // in pixels
	Size          int    // in bytes
}

// PicURL is the pic_url of the shot's event: its path in the bucket.
func (s Shot) PicURL() string { return "/" + s.Key }

// PicURL is the pic_url of the rendition in its shot's event: its path in the
// shot's bucket.
func (r Rendition) PicURL() string { return "/" + r.Key }

// Keys returns the keys of the shot's pictures: its own, then its renditions'.
func (s Shot) Keys() []string {
	keys := []string{s.Key}
	for _, r := range s.Renditions {
		keys = append(keys, r.Key)
	}
	return keys
}
