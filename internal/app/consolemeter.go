package app

import (
	"slices"
	"sync"
	"time"

	"github.com/stillcast/stillcast/internal/capture"
	"github.com/stillcast/stillcast/internal/console"
	"github.com/stillcast/stillcast/internal/media"
)

const (
	meterWindow = 5 * time.Second // of the stream, over which rates are measured
	meterLeast  = time.Second     // less of it says nothing
	meterFrames = 64              // without a key frame, after which what was counted can be seen
	meterKeys   = 8               // distances of key frames that are remembered
)

// shownPush is the capture of a push that is on the console's wall.
type shownPush struct {
	*capture.Stream

	meter *meter
	ended func()
}

// Configure is that of [ingest.Sink], as the other methods are.
func (p *shownPush) Configure(c *media.Config) {
	p.meter.configure(c)
	p.Stream.Configure(c)
}

// Want is that of [ingest.Sink].
func (p *shownPush) Want(u media.Unit) bool {
	p.meter.frame(u)
	return p.Stream.Want(u)
}

// Close is that of [ingest.Sink].
func (p *shownPush) Close() {
	p.Stream.Close()
	p.ended()
}

// meter measures the video of a push. A frame costs a few additions and no look at
// the clock: what they came to can be seen from key frame to key frame.
type meter struct {
	// Of the push's goroutine.
	now   mark
	from  mark // where the window of the rates begins
	last  mark // frames and bytes when they could be seen last
	key   time.Duration
	keys  int64
	apart []time.Duration // of the last key frames
	keyed bool

	mu   sync.Mutex
	seen console.Video
}

// mark is how far a stream has come.
type mark struct {
	frames, bytes int64
	at            time.Duration // timestamp
}

func (m *meter) configure(c *media.Config) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen.Codec, m.seen.Width, m.seen.Height = c.Codec.String(), c.Width, c.Height
}

// frame counts a frame that has begun to arrive.
func (m *meter) frame(u media.Unit) {
	if m.now.frames == 0 || u.DTS < m.from.at || u.DTS-m.now.at > meterWindow {
		// The first one, or the timestamps leapt: what was before is of no use.
		m.from = mark{frames: m.now.frames, bytes: m.now.bytes, at: u.DTS}
		m.keyed = false
	}
	m.now.at = u.DTS
	if u.Key {
		m.keyFrame(u.DTS)
	}
	if u.Key || m.now.frames-m.last.frames >= meterFrames {
		m.show()
	}
	m.now.frames++
	m.now.bytes += int64(u.Size)
}

func (m *meter) keyFrame(at time.Duration) {
	m.keys++
	if m.keyed && at > m.key {
		if len(m.apart) == meterKeys {
			m.apart = slices.Delete(m.apart, 0, 1)
		}
		m.apart = append(m.apart, at-m.key)
	}
	m.key, m.keyed = at, true
}

// show lets be seen what was counted.
func (m *meter) show() {
	m.last = m.now
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &m.seen
	s.Frames, s.Keys, s.Bytes = m.now.frames, m.keys, m.now.bytes
	passed := m.now.at - m.from.at
	if passed >= meterLeast {
		s.FrameRate = float64(m.now.frames-m.from.frames) / passed.Seconds()
		s.Bitrate = 8 * float64(m.now.bytes-m.from.bytes) / passed.Seconds()
	}
	if passed >= meterWindow {
		m.from = m.now
	}
	if len(m.apart) == 0 {
		return
	}
	var sum time.Duration
	for _, d := range m.apart {
		sum += d
	}
	s.KeyEvery = sum / time.Duration(len(m.apart))
	s.KeyShortest, s.KeyLongest = slices.Min(m.apart), slices.Max(m.apart)
}

// video returns what can be seen. It is for other goroutines.
func (m *meter) video() console.Video {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen
}
