package console

import (
	"fmt"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// mostOfShot is more than the destinations of one shot can be.
const mostOfShot = 100

// shotView is a shot with what is known of it.
type shotView struct {
	state.ShotStatus

	Picture    string // URL of its own picture
	Pictures   []shotPicture
	Lags       []shotLag
	Deliveries []shotDelivery
}

// shotPicture is one file of a shot.
type shotPicture struct {
	Key, URL      string
	Width, Height int
	Bytes         int
}

// shotLag is how long one stage of a shot took.
type shotLag struct {
	Key  string // of its words
	Took time.Duration
}

// Text writes it in milliseconds.
func (l shotLag) Text() string { return inMilliseconds(l.Took) }

// inMilliseconds writes a time with as many digits as say something.
func inMilliseconds(d time.Duration) string {
	const digits = 10 // from so many milliseconds on, parts of one say nothing
	ms := float64(d) / float64(time.Millisecond)
	if ms < digits && ms > -digits {
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

// shotDelivery is what is owed of a shot to one destination.
type shotDelivery struct {
	state.DeliveryStatus

	Template string        // name of the callback template, "" when it is gone
	After    time.Duration // from the frame to the delivery; 0 when it is not delivered
}

// Lag writes how long after the frame it was delivered.
func (r shotDelivery) Lag() string {
	if r.After == 0 {
		return "–"
	}
	return inMilliseconds(r.After)
}

// HashText is the perceptual hash as 16 hexadecimal digits.
func (s shotView) HashText() string { return fmt.Sprintf("%016x", s.Facts.Hash) }

func (v *view) shotView(s state.ShotStatus) (*shotView, error) {
	h := v.hush()
	s.Reason = h.text(s.Reason)
	shown := &shotView{ShotStatus: s, Picture: pictureURL(s.ID, 0)}
	shown.Pictures = append(shown.Pictures, shotPicture{s.Key, pictureURL(s.ID, 0), s.Width, s.Height, s.Size})
	for i, r := range s.Renditions {
		shown.Pictures = append(shown.Pictures, shotPicture{r.Key, pictureURL(s.ID, 1+i), r.Width, r.Height, r.Size})
	}
	shown.Lags = []shotLag{
		{"stream.lag_due", s.Captured.Sub(s.Due)},
		{"stream.lag_decode", s.Facts.Decode},
		{"stream.lag_scale", s.Facts.Scale},
		{"stream.lag_encode", s.Facts.Encode},
	}
	if !s.Stored.IsZero() {
		shown.Lags = append(shown.Lags, shotLag{"stream.lag_stored", s.Stored.Sub(s.Captured)})
	}
	owed, err := v.opts.Streams.Deliveries(v.r.Context(), state.DeliveryFilter{ShotID: s.ID, Limit: mostOfShot})
	if err != nil {
		return nil, err
	}
	r := v.opts.Streams.Resources()
	for _, d := range owed {
		d.LastError, d.Reason = h.text(d.LastError), h.text(d.Reason)
		row := shotDelivery{DeliveryStatus: d}
		if t, ok := r.CallbackTemplateByID(d.Destination.TemplateID); ok {
			row.Template = t.Name
		}
		if d.State == state.StateDelivered && !d.Finished.IsZero() {
			row.After = d.Finished.Sub(s.Captured)
		}
		shown.Deliveries = append(shown.Deliveries, row)
	}
	return shown, nil
}

// Size writes the size of a video, a dash while it is not known.
func (d streamData) Size() string {
	switch {
	case d.Video.Width > 0:
		return fmt.Sprintf("%d×%d", d.Video.Width, d.Video.Height)
	case d.End.Width > 0:
		return fmt.Sprintf("%d×%d", d.End.Width, d.End.Height)
	}
	return "–"
}

// Bitrate writes the bitrate of the video.
func (d streamData) Bitrate() string {
	const kilo, mega = 1e3, 1e6
	switch b := d.Video.Bitrate; {
	case b <= 0:
		return "–"
	case b < mega:
		return fmt.Sprintf("%.0f kbit/s", b/kilo)
	default:
		return fmt.Sprintf("%.2f Mbit/s", b/mega)
	}
}

// Remote writes where a push comes from.
func (d streamData) Remote() string {
	if !d.Push.Remote.IsValid() {
		return "–"
	}
	return d.Push.Remote.Addr().Unmap().String()
}

// Duration is how long the push has lasted, in whole seconds.
func (d streamData) Duration() time.Duration {
	until := d.End.At
	if until.IsZero() {
		until = time.Now()
	}
	return max(0, until.Sub(d.Push.Started)).Round(time.Second)
}

// Event is the name of an event in the links to deliveries.
func (r shotDelivery) Event() string { return r.Destination.Event.String() }

// Seconds writes a time in seconds.
func (v Video) Seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// Accurate says whether the frame of a shot is the one on display at its due time.
func (s shotView) Accurate() bool { return s.Facts.Accuracy == stillcast.AccuracyExact }
