package rtmp

import (
	"fmt"
	"time"

	"github.com/stillcast/stillcast"
)

// bitrateWindow is the time over which the bitrate of a push is bounded: one
// large picture must not end it.
const bitrateWindow = 10 * time.Second

// meter counts what a push sent in the window that runs.
type meter struct {
	since time.Time
	bytes int64
}

// over counts n bytes and says whether more came than limit bits per second
// allow for a window.
func (m *meter) over(now time.Time, n int, limit int64) bool {
	if now.Sub(m.since) >= bitrateWindow {
		m.since, m.bytes = now, 0
	}
	m.bytes += int64(n)
	return m.bytes > limit/8*int64(bitrateWindow/time.Second)
}

// measure ends a push that sends more than is allowed.
func (c *conn) measure(n int) *closing {
	limit := c.session.cfg.MaxBitrate
	if limit == 0 || c.session.push == nil || !c.meter.over(c.lastByte, n, limit) {
		return nil
	}
	return closeWith(reasonBitrate, stillcast.EndRefused,
		fmt.Sprintf("bitrate: more than %d bits per second over %s; at most so many are allowed", limit, bitrateWindow)).telling(statusPublishFailed)
}
