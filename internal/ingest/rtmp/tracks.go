package rtmp

import (
	"slices"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media"
)

// A publisher may send several video tracks: variants of one picture, mostly
// (Enhanced RTMP v2, "Multitrack Streaming via Enhanced RTMP"). One of them is
// captured: that with the lowest number of those that begin with a codec that is
// known here. By convention that is number 0, the default track, which is also
// what messages without a number belong to.

// follows says whether a tag belongs to the track that is captured.
func (s *session) follows(tag media.VideoTag) bool {
	switch {
	case tag.Kind != media.TagConfig && tag.Kind != media.TagFrame:
		return false
	case s.tracked && tag.Track >= s.track:
		return tag.Track == s.track
	case tag.Track > 0 && tag.Codec == media.CodecNone:
		return false // another one may be known
	}
	begins := tag.Kind == media.TagConfig || tag.Key && configuresItself(tag.Codec)
	if !begins && (s.tracked || tag.Track > 0) {
		return false
	}
	if s.tracked {
		s.config = nil // it is of another track
	}
	s.track, s.tracked = tag.Track, true
	return true
}

// undecided are the chunk streams whose message in flight is kept although its
// first bytes did not tell whether it is wanted. There are next to never any.
type undecided []uint32

func (u *undecided) add(chunkStream uint32) {
	*u = append(*u, chunkStream)
}

func (u *undecided) remove(chunkStream uint32) bool {
	i := slices.Index(*u, chunkStream)
	if i < 0 {
		return false
	}
	*u = slices.Delete(*u, i, i+1)
	return true
}

// beginLongHeader decides about a message whose first bytes end inside its
// header. Where many or large modifiers stand there, the message is kept until it
// is whole; where the message itself is so short, it is none.
func (s *session) beginLongHeader(h chunk.Header, head []byte) *chunk.Budget {
	const key = 0x10 // frame type 1
	if len(head) < chunk.HeadSize || h.Length <= len(head) || head[0]&0x70 != key && !s.demand.others {
		return nil
	}
	s.undecided.add(h.ChunkStream)
	return s.video
}

// beginTracks decides about a message with several tracks, of which tag is the
// first one's. All have the same frame type.
func (s *session) beginTracks(h chunk.Header, tag media.VideoTag) *chunk.Budget {
	switch {
	case tag.Kind == media.TagConfig:
	case tag.Kind != media.TagFrame:
		return nil
	case s.tracked && s.config != nil && (!tag.Key || !configuresItself(s.config.Codec)):
		unit := unitOf(h, tag, s.clock.Unroll(h.Timestamp))
		unit.Codec = s.config.Codec
		want := s.push.Want(unit)
		s.demand.asked(unit, want)
		if !want {
			return nil
		}
		return s.video
	case !tag.Key:
		return nil
	}
	s.undecided.add(h.ChunkStream)
	return s.video
}

// completeTracks takes a message that had to be whole to know what is in it.
// asked says whether it was asked before whether it is wanted.
func (s *session) completeTracks(h chunk.Header, payload []byte, asked bool) error {
	for tag := range media.Tracks(payload) {
		if !s.follows(tag) {
			continue
		}
		done, err := s.completeTrack(h, tag, payload, asked)
		if done || err != nil {
			if !done {
				s.pool.Put(payload)
			}
			return err
		}
	}
	s.pool.Put(payload)
	return nil
}

// completeTrack takes one track of a message; done says that the payload went
// with it.
func (s *session) completeTrack(h chunk.Header, tag media.VideoTag, payload []byte, asked bool) (done bool, err error) {
	switch {
	case tag.Codec == media.CodecNone:
		return false, s.unknownCodec(tag)
	case tag.Kind == media.TagConfig:
		return false, s.configure(tag, tag.Record(payload))
	}
	data := tag.Data(payload)
	if len(data) == 0 {
		return false, nil
	}
	if !asked {
		unit := unitOf(h, tag, s.clock.Unroll(h.Timestamp))
		if want, err := s.wants(unit, tag, data[:min(len(data), chunk.HeadSize)]); err != nil || !want {
			return false, err
		}
	}
	s.take(h, tag, payload)
	return true, nil
}
