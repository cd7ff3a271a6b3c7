package capture

import (
	"time"

	"github.com/stillcast/stillcast/internal/media"
)

// searchAfter is how long a stream may show no key frame until every access unit
// is looked at for a start point.
const searchAfter = 10 * time.Second

// starts is what is known of how a stream flags the access units that decoding
// can start at. Some publishers flag what is none; some flag none, or not all.
// The zero value is of a stream that showed nothing yet.
type starts struct {
	last   time.Time // of the newest key frame, as flagged or as found
	found  bool      // one of them was looked at and is a start point
	lying  bool      // the last flagged access unit that was looked at is none
	hidden bool      // the last start point that was looked at was not flagged
}

// search says whether access units that are not flagged are to be looked at.
func (s *starts) search(now time.Time, rhythm time.Duration) bool {
	return s.last.IsZero() || s.hidden || now.Sub(s.last) > max(searchAfter, 2*rhythm)
}

// looked notes what an access unit is.
func (s *starts) looked(flagged bool, kind media.StartKind, now time.Time) {
	if kind == media.StartNone {
		s.lying = s.lying || flagged
		return
	}
	s.found, s.last, s.hidden = true, now, !flagged
	if flagged {
		s.lying = false
	}
}

// usable says whether a picture may be had from an access unit. One that is
// flagged and no start point is left to the decoder while nothing better is known,
// if that is one that gives no picture when it lacks others: H.264's.
func (s *starts) usable(au *media.AccessUnit, kind media.StartKind) bool {
	return kind != media.StartNone || au.Key && !s.found && au.Codec == media.H264
}
