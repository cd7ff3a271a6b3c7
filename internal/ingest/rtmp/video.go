package rtmp

import (
	"bytes"
	"fmt"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media"
)

// beginVideo decides about a video message by its first bytes.
func (s *session) beginVideo(h chunk.Header, head []byte) (*chunk.Budget, error) {
	if s.push == nil {
		return nil, nil
	}
	s.undecided.remove(h.ChunkStream)
	tag, err := media.ParseVideoTag(head)
	switch {
	case err != nil:
		return s.beginLongHeader(h, head), nil //nolint:nilerr // the header may go on behind the first bytes
	case tag.Many:
		return s.beginTracks(h, tag), nil
	case !s.follows(tag):
		return nil, nil
	case tag.Kind == media.TagConfig:
		return s.beginConfig(h, tag)
	}
	return s.beginFrame(h, tag, head[tag.HeaderSize:])
}

func (s *session) beginConfig(h chunk.Header, tag media.VideoTag) (*chunk.Budget, error) {
	if tag.Codec == media.CodecNone {
		return nil, s.unknownCodec(tag)
	}
	if size := h.Length - tag.HeaderSize; size > media.MaxRecord {
		return nil, refuseVideo(fmt.Errorf("%s sequence header has %d bytes; at most %d are allowed", tag.Format(), size, media.MaxRecord))
	}
	return s.video, nil
}

// beginFrame decides about a picture; head is its first bytes.
func (s *session) beginFrame(h chunk.Header, tag media.VideoTag, head []byte) (*chunk.Budget, error) {
	if tag.Codec == media.CodecNone {
		return nil, s.unknownCodec(tag)
	}
	dts := s.clock.Unroll(h.Timestamp)
	if h.Length <= tag.HeaderSize {
		return nil, nil
	}
	if want, err := s.wants(unitOf(h, tag, dts), tag, head); err != nil || !want {
		return nil, err
	}
	return s.video, nil
}

// wants asks whether a picture is wanted that begins with head, once it is clear
// that it can be decoded.
func (s *session) wants(unit media.Unit, tag media.VideoTag, head []byte) (bool, error) {
	if tag.Key && configuresItself(tag.Codec) {
		if err := s.configureByKey(tag, head); err != nil {
			return false, err
		}
	}
	if !s.configured(tag) {
		if tag.Key {
			s.counts.unconfigured++
		}
		return false, nil
	}
	want := s.push.Want(unit)
	s.demand.asked(unit, want)
	return want, nil
}

// configuresItself says whether a codec's key frames need no sequence header.
func configuresItself(c media.Codec) bool {
	return c == media.AV1 || c == media.VP9 || c == media.VP8
}

// configureByKey configures the push by a key frame, where that says something
// new: publishers may send no sequence header, and change the size without one.
func (s *session) configureByKey(tag media.VideoTag, head []byte) error {
	config, err := media.KeyFrameConfig(tag.Codec, s.config, head, s.cfg.MaxPixels)
	if err != nil {
		return refuseVideo(err)
	}
	if config == s.config {
		return nil
	}
	return s.apply(config)
}

// configured says whether the decoder configuration of the tag's codec is here.
func (s *session) configured(tag media.VideoTag) bool {
	return s.config != nil && s.config.Codec == tag.Codec
}

// completeVideo takes a video message that was kept.
func (s *session) completeVideo(h chunk.Header, payload []byte) error {
	asked := !s.undecided.remove(h.ChunkStream)
	tag, err := media.ParseVideoTag(payload)
	switch {
	case err != nil || s.push == nil:
		s.pool.Put(payload)
		return nil //nolint:nilerr // a message that ends inside its header is skipped: publishers do send them
	case tag.Many || !asked:
		return s.completeTracks(h, payload, asked)
	case tag.Kind == media.TagConfig:
		err := s.configure(tag, tag.Record(payload))
		s.pool.Put(payload)
		return err
	}
	s.take(h, tag, payload)
	return nil
}

// take hands a picture to the push. The payload goes with it.
func (s *session) take(h chunk.Header, tag media.VideoTag, payload []byte) {
	arrived := time.Now()
	// A message between may have changed the codec.
	if !s.configured(tag) {
		s.pool.Put(payload)
		return
	}
	unit := unitOf(h, tag, s.clock.At(h.Timestamp))
	release := func([]byte) { s.pool.Put(payload) }
	s.push.Take(media.NewAccessUnit(unit, s.config, tag.Data(payload), arrived, release))
}

// configure tells the push of a decoder configuration that is new to it. Some
// publishers repeat theirs before every key frame.
func (s *session) configure(tag media.VideoTag, record []byte) error {
	if s.configured(tag) && bytes.Equal(s.config.Record, record) {
		return nil
	}
	config, err := media.ParseConfig(tag.Codec, record, s.cfg.MaxPixels)
	if err != nil {
		return refuseVideo(err)
	}
	return s.apply(config)
}

func (s *session) apply(config *media.Config) error {
	s.config = config
	if err := s.push.Configure(config); err != nil {
		return refuseVideo(err)
	}
	return nil
}

func unitOf(h chunk.Header, tag media.VideoTag, dts time.Duration) media.Unit {
	return media.Unit{Codec: tag.Codec, Key: tag.Key, DTS: dts, PTS: dts + tag.Composition, Size: h.Length}
}

func (s *session) unknownCodec(tag media.VideoTag) error {
	return refuseVideo(fmt.Errorf("%s is not supported; allowed: %s", tag.Format(), media.CodecNames(s.gate.Codecs())))
}

func refuseVideo(err error) error {
	return closeWith(reasonVideo, stillcast.EndRefused, err.Error()).telling(statusPublishFailed)
}
