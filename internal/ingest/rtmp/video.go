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
	tag, err := media.ParseVideoTag(head)
	if err != nil {
		return nil, nil //nolint:nilerr // empty and cut messages are skipped: publishers do send them
	}
	switch tag.Kind {
	case media.TagConfig:
		return s.beginConfig(h, tag)
	case media.TagFrame:
		return s.beginFrame(h, tag, head[tag.HeaderSize:])
	}
	return nil, nil
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
	unit := unitOf(h, tag, s.clock.Unroll(h.Timestamp))
	if h.Length <= tag.HeaderSize {
		return nil, nil
	}
	if tag.Key && configuresItself(tag.Codec) {
		if err := s.configureByKey(tag, head); err != nil {
			return nil, err
		}
	}
	if !s.configured(tag) {
		if tag.Key {
			s.counts.unconfigured++
		}
		return nil, nil
	}
	want := s.push.Want(unit)
	s.demand.asked(unit, want)
	if !want {
		return nil, nil
	}
	return s.video, nil
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
	arrived := time.Now()
	tag, err := media.ParseVideoTag(payload)
	if err != nil || s.push == nil {
		s.pool.Put(payload)
		return nil //nolint:nilerr // beginVideo read the same bytes: it cannot fail here
	}
	data := payload[tag.HeaderSize:]
	if tag.Kind == media.TagConfig {
		err := s.configure(tag, data)
		s.pool.Put(payload)
		return err
	}
	// A message between may have changed the codec.
	if !s.configured(tag) {
		s.pool.Put(payload)
		return nil
	}
	unit := unitOf(h, tag, s.clock.At(h.Timestamp))
	release := func([]byte) { s.pool.Put(payload) }
	s.push.Take(media.NewAccessUnit(unit, s.config, data, arrived, release))
	return nil
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
