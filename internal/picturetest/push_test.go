package picturetest

import (
	"testing"

	"github.com/stillcast/stillcast/internal/testkit"
)

// publisher is who pushes a row.
type publisher int

const (
	byFFmpeg  publisher = iota // the ffmpeg that is installed
	byFFmpeg8                  // node-av: Enhanced RTMP
	byOwn                      // internal/ingest/rtmp/publish: what the others cannot send
)

func (p publisher) String() string {
	return []string{"ffmpeg", "FFmpeg 8", "own client"}[p]
}

// maker makes the files of what is pushed byOwn.
type maker struct{ t *testing.T }

func (m maker) flv(clip testkit.Clip) []testkit.Tag {
	return testkit.ReadTags(m.t, clip.File(m.t, "flv"))
}

func (m maker) ivf(clip testkit.Clip) []testkit.Tag {
	return testkit.ReadIVF(m.t, clip.File(m.t, "ivf"))
}

// prepared is a row whose files are made.
type prepared struct {
	row
	path string
	tags []testkit.Tag // for our own client
}

func (r row) prepare(t *testing.T) prepared {
	t.Helper()
	p := prepared{row: r}
	if r.push == byOwn {
		p.tags = r.tags(maker{t})
		return p
	}
	format := r.container
	if format == "" {
		format = "flv"
	}
	p.path = r.clip.File(t, format)
	return p
}

// start begins the push; the channel is closed at its end.
func (p prepared) start(t *testing.T, url string) <-chan struct{} {
	t.Helper()
	switch p.push {
	case byFFmpeg8:
		return testkit.PushFFmpeg8(t, url, p.path).Done()
	case byOwn:
		return testkit.PushTags(t, url, p.tags)
	default:
		return testkit.PushFile(t, url, p.path).Done()
	}
}
