package ingest

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// Sink takes the video of one push: what captures pictures of it.
// [Push] documents the methods; Close is called once, last.
type Sink interface {
	Configure(c *media.Config)
	Want(u media.Unit) bool
	Take(au *media.AccessUnit)
	Close()
}

// Journal makes the begin and the end of a push durable, with their events. Its
// methods return when that is so; they are retried after an error.
type Journal interface {
	BeginPush(ctx context.Context, p stillcast.Push) error
	EndPush(ctx context.Context, p stillcast.Push, end stillcast.PushEnd) error
}

// GateOptions are what a [Gate] needs; every field but NoVideo is required.
type GateOptions struct {
	Resources  func() *stillcast.Resources // the ones in force now
	Journal    Journal
	Open       func(p stillcast.Push, recorded <-chan struct{}) Sink // recorded is closed once BeginPush succeeded
	Supports   func(media.Codec) bool                                // whether pictures can be made of a codec
	NoVideo    time.Duration                                         // after which a push without video is reported; 0 means 10 s
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Gate admits pushes and knows those that are live. It is safe for concurrent
// use.
type Gate struct {
	opts    GateOptions
	metrics *gateMetrics

	mu   sync.Mutex
	live map[stillcast.Stream]*livePush
	bans map[stillcast.Stream]stillcast.Ban

	// Journal entries are written beside the push, so that a slow database never
	// holds up a publisher. ctx ends them; wg waits for them.
	ctx    context.Context //nolint:containedctx // owned: cancelled in Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// NewGate returns a Gate without pushes.
func NewGate(opts GateOptions) *Gate {
	if opts.NoVideo == 0 {
		opts.NoVideo = 10 * time.Second
	}
	ctx, cancel := context.WithCancel(context.Background())
	g := &Gate{opts: opts, live: map[stillcast.Stream]*livePush{}, ctx: ctx, cancel: cancel}
	g.metrics = newGateMetrics(opts.Registerer, g.count)
	return g
}

// Admit checks whether req may push now and, if so, makes it the live push of
// its stream. The error is an [stillcast.Error] for the publisher's eyes:
// CodeDenied for an unknown or disabled domain, a bad authorisation or a banned
// stream, CodeConflict when the stream is live already.
func (g *Gate) Admit(_ context.Context, req Request) (Push, error) {
	p, err := g.admit(req)
	if err != nil {
		g.metrics.refused.WithLabelValues(string(stillcast.CodeOf(err))).Inc()
		g.opts.Logger.Warn("push refused", "stream", req.URL.Stream, "remote", req.Remote, "error", err)
		return nil, err
	}
	g.metrics.admitted.Inc()
	g.opts.Logger.Info("push accepted", "stream", p.push.Stream, "push", p.push.ID, "remote", req.Remote)
	return p, nil
}

func (g *Gate) admit(req Request) (*livePush, error) {
	s := req.URL.Stream
	if err := s.Validate(); err != nil {
		return nil, err
	}
	domain, err := g.open(s.Domain)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if err := domain.Auth.Check(s.Name, req.URL.Param, now); err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, stillcast.Errorf(stillcast.CodeLimit, "", "no random numbers for a push id: %v", err)
	}
	return g.register(&livePush{
		gate: g,
		push: stillcast.Push{
			ID: id.String(), Stream: s, Domain: domain.Name, Param: req.URL.Param,
			Remote: req.Remote, Node: req.Local.Addr().Unmap().String(), Started: now,
		},
		done:     make(chan struct{}),
		ended:    make(chan stillcast.PushEnd, 1),
		recorded: make(chan struct{}),
	})
}

func (g *Gate) register(p *livePush) (*livePush, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	// Here, so that no push slips through while a domain is disabled. A ban is told
	// only to who may push.
	if _, err := g.open(p.push.Stream.Domain); err != nil {
		return nil, err
	}
	if err := g.banned(p.push.Stream, p.push.Started); err != nil {
		return nil, err
	}
	if other, ok := g.live[p.push.Stream]; ok {
		return nil, stillcast.Errorf(stillcast.CodeConflict, "stream",
			"%s is live already, pushed from %s since %s", p.push.Stream,
			other.push.Remote.Addr().Unmap(), other.push.Started.UTC().Format(time.RFC3339))
	}
	if g.ctx.Err() != nil {
		return nil, stillcast.Errorf(stillcast.CodeDenied, "", "this server is shutting down")
	}
	g.live[p.push.Stream] = p
	p.sink = g.opts.Open(p.push, p.recorded)
	p.noVideo = time.AfterFunc(g.opts.NoVideo, p.reportNoVideo)
	g.wg.Go(p.journal)
	return p, nil
}

func (g *Gate) forget(p *livePush) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.live[p.push.Stream] == p {
		delete(g.live, p.push.Stream)
	}
}

func (g *Gate) count() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return float64(len(g.live))
}

// Live returns the pushes that are live, in no order.
func (g *Gate) Live() []stillcast.Push {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]stillcast.Push, 0, len(g.live))
	for _, p := range g.live {
		all = append(all, p.push)
	}
	return all
}

// Drop ends the live push of s with end and reports whether there was one.
func (g *Gate) Drop(s stillcast.Stream, end stillcast.PushEnd) bool {
	g.mu.Lock()
	p, ok := g.live[s]
	g.mu.Unlock()
	if ok {
		p.stop(end)
	}
	return ok
}

// Close waits until the ends of all pushes are recorded, or until ctx ends;
// then it gives up on the rest, which the next start records. The protocols
// must have ended their pushes before.
func (g *Gate) Close(ctx context.Context) error {
	recorded := make(chan struct{})
	go func() {
		g.wg.Wait()
		close(recorded)
	}()
	var err error
	select {
	case <-recorded:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	g.cancel()
	<-recorded
	return err
}

// Codecs returns the codecs that pictures can be made of.
func (g *Gate) Codecs() []media.Codec {
	return slices.DeleteFunc(media.Codecs(), func(c media.Codec) bool { return !g.opts.Supports(c) })
}
