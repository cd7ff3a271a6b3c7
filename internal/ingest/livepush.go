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

	stopOnce sync.Once
	done     chan struct{}
	cause    stillcast.PushEnd // set before done is closed

	width, height int // of the newest configuration

	ended    chan stillcast.PushEnd // holds one
	recorded chan struct{}          // closed when the begin is durable
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
	p.sink.Configure(c)
	return nil
}

// Want implements [Push].
func (p *livePush) Want(u media.Unit) bool { return p.sink.Want(u) }

// Take implements [Push].
func (p *livePush) Take(au *media.AccessUnit) { p.sink.Take(au) }

// Done implements [Push].
func (p *livePush) Done() <-chan struct{} { return p.done }

// Cause implements [Push].
func (p *livePush) Cause() stillcast.PushEnd { return p.cause }

func (p *livePush) stop(end stillcast.PushEnd) {
	p.stopOnce.Do(func() {
		p.cause = end
		close(p.done)
	})
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
	p.ended <- end
}

func (p *livePush) reportNoVideo() {
	p.gate.metrics.noVideo.Inc()
	p.gate.opts.Logger.Warn("push has no video; pictures need a video track",
		"allowed", media.CodecNames(p.gate.Codecs()), "stream", p.push.Stream, "push", p.push.ID, "after", p.gate.opts.NoVideo)
}

// journal records the begin, waits for the end and records that. It runs on a
// goroutine of the gate.
func (p *livePush) journal() {
	g := p.gate
	if !p.retry("begin", func() error { return g.opts.Journal.BeginPush(g.ctx, p.push) }) {
		return
	}
	close(p.recorded)
	select {
	case end := <-p.ended:
		p.retry("end", func() error { return g.opts.Journal.EndPush(g.ctx, p.push, end) })
	case <-g.ctx.Done():
	}
}

// retry calls do until it succeeds or the gate is closed, and reports which.
func (p *livePush) retry(what string, do func() error) bool {
	const longest = 10 * time.Second
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, longest) {
		err := do()
		if err == nil {
			return true
		}
		p.gate.opts.Logger.Error("journal of a push failed; trying again", "what", what, "stream", p.push.Stream, "push", p.push.ID,
			"pause", pause, "error", err)
		select {
		case <-time.After(pause):
		case <-p.gate.ctx.Done():
			return false
		}
	}
}
