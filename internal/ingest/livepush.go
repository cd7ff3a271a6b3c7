package ingest

import (
	"sync"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// livePush is the [Push] that a [Gate] hands out.
type livePush struct {
	gate    *Gate
	push    stillcast.Push
	sink    Sink
	noVideo *time.Timer
	watch   *watch // nil when nobody is ever told what is wrong

	mu      sync.Mutex
	onStop  func(stillcast.PushEnd) // nil: nobody has asked yet, or was told
	stopped *stillcast.PushEnd      // the reason, once there is one

	width, height int // of the newest configuration

	entries  entries
	recorded chan struct{} // closed when the begin is durable
}

var _ Push = (*livePush)(nil)

// Configure implements [Push].
func (p *livePush) Configure(c *media.Config) error {
	p.noVideo.Stop()
	if !p.gate.opts.Supports(c.Codec) {
		p.gate.metrics.unsupported.WithLabelValues(c.Codec.String()).Inc()
		return stillcast.Errorf(stillcast.CodeInvalid, "video codec", "%s is not supported; allowed: %s",
			c.Codec, media.CodecNames(p.gate.Codecs()))
	}
	p.width, p.height = c.Width, c.Height
	if p.watch != nil {
		p.watch.configure(c.Codec)
	}
	p.sink.Configure(c)
	return nil
}

// Want implements [Push].
func (p *livePush) Want(u media.Unit) bool {
	if p.watch != nil {
		p.watch.frame(u)
	}
	return p.sink.Want(u)
}

// Take implements [Push].
func (p *livePush) Take(au *media.AccessUnit) { p.sink.Take(au) }

// OnStop implements [Push].
func (p *livePush) OnStop(f func(stillcast.PushEnd)) {
	p.mu.Lock()
	end := p.stopped
	if end == nil {
		p.onStop = f
	}
	p.mu.Unlock()
	if end != nil {
		f(*end)
	}
}

// stop wants the push to end. The first reason counts.
func (p *livePush) stop(end stillcast.PushEnd) {
	p.mu.Lock()
	if p.stopped == nil {
		p.stopped = &end
	}
	tell := p.onStop
	p.onStop = nil
	p.mu.Unlock()
	if tell != nil {
		tell(end)
	}
}

// End implements [Push].
func (p *livePush) End(end stillcast.PushEnd) {
	p.noVideo.Stop()
	p.sink.Close()
	p.gate.forget(p)
	if end.At.IsZero() {
		end.At = time.Now()
	}
	end.Width, end.Height = p.width, p.height
	p.gate.opts.Logger.Info("push ended", "stream", p.push.Stream, "push", p.push.ID,
		"code", int(end.Code), "reason", end.Message, "duration", end.At.Sub(p.push.Started).Round(time.Millisecond),
		"width", end.Width, "height", end.Height)
	p.recordEnd(end)
}

func (p *livePush) reportNoVideo() {
	p.gate.metrics.noVideo.Inc()
	p.gate.opts.Logger.Warn("push has no video; pictures need a video track",
		"allowed", media.CodecNames(p.gate.Codecs()), "stream", p.push.Stream, "push", p.push.ID, "after", p.gate.opts.NoVideo)
}
