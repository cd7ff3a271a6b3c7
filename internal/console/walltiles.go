package console

import (
	"container/list"
	"encoding/json"
	"math"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stillcast/stillcast"
)

const (
	// watchedFor is how long after somebody looked pictures are made for the wall.
	watchedFor = time.Hour
	// maxPreviewBytes bounds the pictures that are kept for the wall: those of some
	// 5000 streams. The oldest go first.
	maxPreviewBytes = 64 << 20
)

// PreviewSpec is the picture that is made for the wall with a shot, while
// somebody looks at it.
func PreviewSpec() stillcast.PictureSpec {
	return stillcast.PictureSpec{Size: stillcast.Size{Width: 320}, Quality: 70}
}

// Video is what is known of the video of a live push. Zero stands for what is not
// known yet.
type Video struct {
	Codec         string
	Width, Height int // in pixels, of the newest decoder configuration

	Frames, Keys int64 // so far, and the key frames among them
	Bytes        int64 // of the frames so far
	// Of the last seconds, by the timestamps of the stream.
	FrameRate                         float64 // per second
	Bitrate                           float64 // bits per second
	KeyEvery, KeyShortest, KeyLongest time.Duration
}

// Newest is the newest shot of a push, with what was made of it for the wall.
type Newest struct {
	Shot     stillcast.Shot
	Template stillcast.SnapshotTemplate // that it was made by, with its defaults
	Preview  []byte                     // a JPEG by PreviewSpec, never changed any more; nil for none
}

// Wall is what is live and what it looks like, as the walls of all viewers show
// it: the newest picture of each stream and no other. Nothing in it waits for a
// viewer. It is safe for concurrent use; [NewWall] makes one.
type Wall struct {
	looked atomic.Int64 // when somebody looked last, in Unix nanoseconds

	mu       sync.Mutex
	tiles    map[stillcast.Stream]*tile
	previews map[int64]*tile // by id of the shot
	ages     *list.List      // of the tiles in previews, the one that got its picture first in front
	bytes    int             // of the previews
	viewers  map[*viewer]struct{}
}

// tile is one live stream. The lock of its wall guards it.
type tile struct {
	push    stillcast.Push
	video   func() Video
	shot    stillcast.Shot // the newest; its ID is 0 for none
	stale   time.Duration  // the age from which on the shot is stale
	preview []byte
	age     *list.Element // nil without preview
	encoded json.RawMessage
}

// NewWall returns a wall without streams.
func NewWall() *Wall {
	return &Wall{
		tiles: make(map[stillcast.Stream]*tile), previews: make(map[int64]*tile), ages: list.New(),
		viewers: make(map[*viewer]struct{}),
	}
}

// Watched says whether somebody looked in the last hour, so that pictures are
// worth making for the wall.
func (w *Wall) Watched() bool {
	looked := w.looked.Load()
	return looked != 0 && time.Since(time.Unix(0, looked)) < watchedFor
}

// look notes that somebody looks.
func (w *Wall) look() { w.looked.Store(time.Now().UnixNano()) }

// Began shows a push that became live. Video says what is known of its video; it
// must not block and is called until Ended.
func (w *Wall) Began(p stillcast.Push, video func() Video) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if before, ok := w.tiles[p.Stream]; ok {
		w.release(before)
	}
	w.tiles[p.Stream] = &tile{push: p, video: video}
	w.changed(p.Stream)
}

// Ended takes a push off the wall.
func (w *Wall) Ended(p stillcast.Push) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.tiles[p.Stream]
	if !ok || t.push.ID != p.ID {
		return
	}
	w.release(t)
	delete(w.tiles, p.Stream)
	w.changed(p.Stream)
}

// Shot shows a shot that was recorded. One of a push that has ended, or that is
// older than what is shown, is not shown.
func (w *Wall) Shot(n Newest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.tiles[n.Shot.Stream]
	if !ok || t.push.ID != n.Shot.PushID || n.Shot.Captured.Before(t.shot.Captured) {
		return
	}
	w.release(t)
	t.shot, t.stale, t.encoded = n.Shot, staleAfter(n.Template), nil
	if len(n.Preview) > 0 {
		w.keep(t, n.Preview)
	}
	w.changed(n.Shot.Stream)
}

// staleAfter is the age from which on a picture is stale: two shots did not come
// that should have, and those that may be left out are over.
func staleAfter(t stillcast.SnapshotTemplate) time.Duration {
	const grace = 2 * time.Second
	if t.SkipBlack || t.SkipUnchanged {
		return t.Heartbeat + 2*t.Interval + grace
	}
	return 3*t.Interval + grace
}

// keep gives a tile its preview; w.mu is held.
func (w *Wall) keep(t *tile, preview []byte) {
	t.preview, t.age = preview, w.ages.PushBack(t)
	w.previews[t.shot.ID] = t
	w.bytes += len(preview)
	for w.bytes > maxPreviewBytes {
		oldest, ok := w.ages.Front().Value.(*tile)
		if !ok {
			return
		}
		w.release(oldest)
		oldest.encoded = nil
	}
}

// release forgets the preview of a tile; w.mu is held.
func (w *Wall) release(t *tile) {
	if t.age == nil {
		return
	}
	w.ages.Remove(t.age)
	delete(w.previews, t.shot.ID)
	w.bytes -= len(t.preview)
	t.preview, t.age = nil, nil
}

// changed tells all viewers about a stream; w.mu is held.
func (w *Wall) changed(s stillcast.Stream) {
	for v := range w.viewers {
		v.note(s, len(w.tiles))
	}
}

// preview returns the picture that is kept of a shot, nil for none.
func (w *Wall) preview(shot int64) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t, ok := w.previews[shot]; ok {
		return t.preview
	}
	return nil
}

// live returns a push that is live and what is known of its video.
func (w *Wall) live(s stillcast.Stream) (push stillcast.Push, video Video, ok bool) {
	w.mu.Lock()
	t, ok := w.tiles[s]
	w.mu.Unlock()
	if !ok {
		return stillcast.Push{}, Video{}, false
	}
	return t.push, t.video(), true
}

// all returns what is shown, in no order.
func (w *Wall) all() []shownTile {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]shownTile, 0, len(w.tiles))
	for _, t := range w.tiles {
		all = append(all, t.shown())
	}
	return all
}

// shownTile is a tile as pages and scripts get it. Times are Unix milliseconds.
type shownTile struct {
	ID     string `json:"id"` // the parts of its name, escaped
	Domain string `json:"domain"`
	App    string `json:"app"`
	Name   string `json:"name"`
	Since  int64  `json:"since"` // of the push

	// Of the newest shot; all zero without one.
	Shot      int64  `json:"shot,omitempty"`
	Picture   string `json:"picture,omitempty"` // URL
	At        int64  `json:"at,omitempty"`
	Stale     int64  `json:"stale,omitempty"` // the age from which on it is stale, in milliseconds
	Width     int    `json:"width,omitempty"`
	Height    int    `json:"height,omitempty"`
	Black     bool   `json:"black,omitempty"`
	Duplicate bool   `json:"duplicate,omitempty"`
}

// Href is the page of the stream.
func (t shownTile) Href() string {
	return streamURL(stillcast.Stream{Domain: t.Domain, App: t.App, Name: t.Name}, "")
}

// age is how old what is shown is: the picture, or else the push.
func (t shownTile) newest() int64 {
	if t.At > 0 {
		return t.At
	}
	return t.Since
}

// streamID names a stream in scripts.
func streamID(s stillcast.Stream) string {
	return url.PathEscape(s.Domain) + "/" + url.PathEscape(s.App) + "/" + url.PathEscape(s.Name)
}

func (t *tile) shown() shownTile {
	s := t.push.Stream
	shown := shownTile{ID: streamID(s), Domain: s.Domain, App: s.App, Name: s.Name, Since: t.push.Started.UnixMilli()}
	if t.shot.ID == 0 {
		return shown
	}
	shown.Shot, shown.At, shown.Stale = t.shot.ID, t.shot.Captured.UnixMilli(), t.stale.Milliseconds()
	shown.Width, shown.Height = t.shot.Width, t.shot.Height
	shown.Black, shown.Duplicate = t.shot.Facts.Black, t.shot.Facts.Duplicate
	if t.preview != nil {
		shown.Picture = previewURL(t.shot.ID)
	} else {
		shown.Picture = pictureURL(t.shot.ID, smallest(t.shot))
	}
	return shown
}

// json is the tile for scripts, made once for all viewers; the wall's lock is held.
func (t *tile) json() json.RawMessage {
	if t.encoded == nil {
		encoded, err := json.Marshal(t.shown())
		if err != nil {
			return nil // strings and numbers always can be written
		}
		t.encoded = encoded
	}
	return t.encoded
}

// smallest returns which picture of a shot the wall shows where it has no other:
// the smallest that is not too small for a tile.
func smallest(s stillcast.Shot) (index int) {
	const least = 200 // pixels
	best := math.MaxInt
	if s.Width >= least {
		best = s.Width * s.Height
	}
	for i, r := range s.Renditions {
		if r.Width >= least && r.Width*r.Height < best {
			best, index = r.Width*r.Height, 1+i
		}
	}
	return index
}
