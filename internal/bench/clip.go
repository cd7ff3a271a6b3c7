package bench

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/media/flv"
)

// maxClip is the largest clip in bytes: it is held in memory as a whole.
const maxClip = 1 << 30

// maxLength keeps timestamps below 2^24 ms, where chunks have no extended ones.
const maxLength = time.Hour

// tag is one message of a clip.
type tag struct {
	kind flv.TagType
	at   time.Duration // since the first frame; whole milliseconds
	data []byte
}

// clip is a piece of video that can be pushed over and over. It begins with a
// key frame.
type clip struct {
	codec  media.Codec
	record []byte // decoder configuration: avcC, hvcC, …
	head   []tag  // configurations and metadata, which go before the first frame
	frames []tag  // pictures and sound in the order of sending
	keys   []int  // indexes of the key frames in frames
	length time.Duration
}

// readClip reads a clip from an FLV or MP4 file. What is wrong with the file is a
// *stillcast.Error.
func readClip(path string) (*clip, error) {
	f, err := os.Open(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("open the clip: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	info, err := f.Stat()
	if err == nil && info.Size() > maxClip {
		err = stillcast.Errorf(stillcast.CodeInvalid, "", "has %d bytes; at most %d are allowed", info.Size(), maxClip)
	}
	if err != nil {
		return nil, fmt.Errorf("clip %s: %w", path, err)
	}
	c, err := parseClip(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("clip %s: %w", path, err)
	}
	return c, nil
}

// parseClip tells FLV from MP4 by the first bytes.
func parseClip(r io.ReaderAt, size int64) (*clip, error) {
	var start [8]byte
	n, err := r.ReadAt(start[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var tags []tag
	switch {
	case n >= 3 && string(start[:3]) == "FLV":
		tags, err = readFLV(io.NewSectionReader(r, 0, size))
	case n == 8 && string(start[4:]) == "ftyp":
		tags, err = readMP4(r, size)
	default:
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "",
			"is neither FLV nor MP4; make one of a video with: ffmpeg -i VIDEO -c copy clip.mp4")
	}
	if err != nil {
		return nil, err
	}
	return newClip(tags)
}

func readFLV(r io.Reader) ([]tag, error) {
	file, err := flv.NewReader(r)
	if err != nil {
		return nil, err
	}
	var tags []tag
	for {
		t, err := file.Read()
		if errors.Is(err, io.EOF) {
			return tags, nil
		}
		if err != nil {
			return nil, err
		}
		tags = append(tags, tag{
			kind: t.Type, at: time.Duration(t.Timestamp) * time.Millisecond,
			data: append([]byte(nil), t.Data...),
		})
	}
}

// newClip sorts out what is in tags.
func newClip(tags []tag) (*clip, error) {
	c := &clip{}
	for _, t := range tags {
		var err error
		switch kind := (flv.Tag{Type: t.kind, Data: t.data}).Kind(); {
		case kind == flv.KindEnd:
		case kind != flv.KindFrame:
			err = c.addHead(t)
		case t.kind == flv.Video:
			err = c.addPicture(t)
		case len(c.frames) > 0: // sound before the first key frame is left out
			c.frames = append(c.frames, t)
		}
		if err != nil {
			return nil, err
		}
	}
	return c, c.finish()
}

// addHead keeps a configuration, metadata and the like.
func (c *clip) addHead(t tag) error {
	if t.kind == flv.Video {
		v, err := media.ParseVideoTag(t.data)
		if err != nil {
			return fmt.Errorf("read a video tag: %w", err)
		}
		if v.Kind == media.TagConfig {
			if c.record != nil && (c.codec != v.Codec || string(c.record) != string(t.data[v.HeaderSize:])) {
				return stillcast.Errorf(stillcast.CodeInvalid, "", "changes its decoder configuration in the middle; give a clip with one")
			}
			c.codec, c.record = v.Codec, t.data[v.HeaderSize:]
		}
	}
	if len(c.frames) == 0 {
		t.at = 0
		c.head = append(c.head, t)
	}
	return nil
}

func (c *clip) addPicture(t tag) error {
	v, err := media.ParseVideoTag(t.data)
	if err != nil {
		return fmt.Errorf("read a video tag: %w", err)
	}
	switch {
	case v.Kind != media.TagFrame || v.HeaderSize >= len(t.data):
		return nil
	case c.record == nil || v.Codec != c.codec:
		return stillcast.Errorf(stillcast.CodeInvalid, "", "has %s without a decoder configuration before it", v.Format())
	case v.Key:
		c.keys = append(c.keys, len(c.frames))
	case len(c.frames) == 0:
		return nil // nobody can decode what comes before the first key frame
	}
	c.frames = append(c.frames, t)
	return nil
}

// finish makes times begin at zero and tells how long the clip is: to one mean
// frame after the last picture.
func (c *clip) finish() error {
	if len(c.keys) == 0 {
		return stillcast.Errorf(stillcast.CodeInvalid, "", "holds no key frame of H.264, HEVC, AV1, VP9 or VP8")
	}
	first := c.frames[0].at
	pictures, last := 0, time.Duration(0)
	for i := range c.frames {
		f := &c.frames[i]
		f.at -= first
		if f.kind != flv.Video {
			continue
		}
		if f.at < last {
			return stillcast.Errorf(stillcast.CodeInvalid, "", "has decoding times that go back, at %s", last)
		}
		pictures, last = pictures+1, f.at
	}
	if pictures < 2 || last == 0 || last > maxLength {
		return stillcast.Errorf(stillcast.CodeInvalid, "", "has %d pictures in %s; at least two and at most %s are needed", pictures, last, maxLength)
	}
	c.length = last + (last / time.Duration(pictures-1)).Round(time.Millisecond)
	return nil
}

// payload is a picture without the header of its tag. Times of presentation
// are those of decoding plus composition.
func (c *clip) payload(frame int) (data []byte, composition time.Duration) {
	v, err := media.ParseVideoTag(c.frames[frame].data)
	if err != nil {
		return nil, 0 // not reached: addPicture parsed it
	}
	return c.frames[frame].data[v.HeaderSize:], v.Composition
}

// Facts are what is known of a clip without decoding it.
type Facts struct {
	Codec       string  `json:"codec"`
	Seconds     float64 `json:"seconds"`
	FrameRate   float64 `json:"frame_rate"`    // pictures per second
	BitRate     float64 `json:"bit_rate"`      // bits of all messages per second
	KeyInterval float64 `json:"key_interval"`  // mean seconds from one key frame to the next
	KeyBytes    float64 `json:"key_bytes"`     // mean size of a key frame
	KeyShare    float64 `json:"key_byte_rate"` // part of all bytes that key frames are, 0 to 1
}

func (c *clip) facts() Facts {
	f := Facts{Codec: c.codec.String(), Seconds: c.length.Seconds(), KeyInterval: c.length.Seconds() / float64(len(c.keys))}
	var all, keys, pictures float64
	for _, t := range c.frames {
		all += float64(len(t.data))
		if t.kind == flv.Video {
			pictures++
		}
	}
	for _, k := range c.keys {
		keys += float64(len(c.frames[k].data))
	}
	f.FrameRate, f.BitRate = pictures/f.Seconds, all*8/f.Seconds
	f.KeyBytes, f.KeyShare = keys/float64(len(c.keys)), keys/all
	return f
}
