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

// GateOptions are what a [Gate] needs; every field but Config, NoVideo and
// Exception is required.
type GateOptions struct {
	Config    Config
	Resources func() *stillcast.Resources // the ones in force now
	Journal   Journal
	Open      func(p stillcast.Push, recorded <-chan struct{}) Sink // recorded is closed once BeginPush succeeded
	Supports  func(media.Codec) bool                                // whether pictures can be made of a codec
	NoVideo   time.Duration                                         // after which a push without video is reported; 0 means 10 s
	// Exception makes durable what was wrong with a live push, as a Journal does
	// its begin and end, between them. It is looked for where the resources have a
	// destination for it. nil: never.
	Exception  func(ctx context.Context, p stillcast.Push, r ExceptionReport) error
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Gate admits pushes and knows those that are live. It is safe for concurrent
// use.
type Gate struct {
	opts    GateOptions
	metrics *gateMetrics

	slow *slowdown

	mu       sync.Mutex
	live     map[stillcast.Stream]*livePush
	byDomain map[string]int // live pushes of each registered domain
	bans     map[stillcast.Stream]stillcast.Ban

	// Journal entries are written beside the push, so that a slow database never
	// holds up a publisher. ctx ends them; wg waits for them.
	ctx    context.Context //nolint:containedctx // owned: cancelled in Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	sweeping sync.WaitGroup // until ctx ends
}

// NewGate returns a Gate without pushes. The caller closes it.
func NewGate(opts GateOptions) *Gate {
	if opts.NoVideo == 0 {
		opts.NoVideo = 10 * time.Second
	}
	ctx, cancel := context.WithCancel(context.Background())
	g := &Gate{
		opts: opts, slow: newSlowdown(opts.Config.AuthSlowdown),
		live: map[stillcast.Stream]*livePush{}, byDomain: map[string]int{}, ctx: ctx, cancel: cancel,
	}
	g.metrics = newGateMetrics(opts.Registerer, g.count)
	if opts.Exception != nil {
		g.sweeping.Go(g.sweepAll)
	}
	return g
}

// Admit checks whether req may push now and, if so, makes it the live push of
// its stream. The error is a [*Refusal] that wraps an [stillcast.Error] for the
// publisher's eyes: CodeDenied for an unknown or disabled domain, a bad
// authorisation or a banned stream, CodeConflict when the stream is live already,
// CodeLimit when its domain has as many live pushes as it may.
func (g *Gate) Admit(_ context.Context, req Request) (Push, error) {
	p, refusal := g.admit(req)
	if refusal != nil {
		if refusal.badAuth() {
			refusal.Delay = g.slow.bad(req.Remote, time.Now())
		}
		g.metrics.refused[refusal.Reason].Inc()
		g.opts.Logger.Warn("push refused", "stream", req.URL.Stream, "remote", req.remote(), "error", refusal,
			"reason", string(refusal.Reason), "code", refusal.Code(), "answered_after", refusal.Delay)
		return nil, refusal
	}
	g.metrics.admitted.Inc()
	g.opts.Logger.Info("push accepted", "stream", p.push.Stream, "push", p.push.ID, "remote", req.remote())
	return p, nil
}

func (g *Gate) admit(req Request) (*livePush, *Refusal) {
	s, now := req.URL.Stream, time.Now()
	domain, refusal := g.authorise(req.URL, now)
	if refusal != nil {
		return nil, refusal
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, refuse(ReasonInternal, stillcast.Errorf(stillcast.CodeLimit, "", "no random numbers for a push id: %v", err))
	}
	return g.register(&livePush{
		gate: g,
		push: stillcast.Push{
			ID: id.String(), Stream: s, Domain: domain.Name, Param: req.URL.Param,
			Remote: req.Remote, Node: req.node(), Started: now,
		},
		recorded: make(chan struct{}),
	})
}

// authorise checks what a push URL alone decides, and returns the domain that
// takes its push.
func (g *Gate) authorise(u PushURL, now time.Time) (stillcast.Domain, *Refusal) {
	if err := u.Stream.Validate(); err != nil {
		return stillcast.Domain{}, refuse(ReasonName, err)
	}
	domain, refusal := g.open(u.Stream.Domain)
	if refusal != nil {
		return domain, refusal
	}
	if err := domain.Auth.Check(u.Stream.Name, u.Param, now); err != nil {
		return domain, refuseAuth(err)
	}
	return domain, nil
}

// Ask says whether a push with a URL would be admitted at a time: the domain that
// would take it, and nil or why it would be refused. It begins no push, counts
// nothing and slows nobody down.
func (g *Gate) Ask(u PushURL, now time.Time) (stillcast.Domain, *Refusal) {
	domain, refusal := g.authorise(u, now)
	if refusal != nil {
		return domain, refusal
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return domain, g.mayBegin(stillcast.Push{Stream: u.Stream, Domain: domain.Name, Started: now})
}

func (g *Gate) register(p *livePush) (*livePush, *Refusal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if refusal := g.mayBegin(p.push); refusal != nil {
		return nil, refusal
	}
	p.watch = g.watchNew(p.push)
	g.live[p.push.Stream] = p
	g.byDomain[p.push.Domain]++
	p.sink = g.opts.Open(p.push, p.recorded)
	p.noVideo = time.AfterFunc(g.opts.NoVideo, p.reportNoVideo)
	p.recordBegin()
	return p, nil
}

// mayBegin checks what other pushes and changes decide. g.mu is held, so that no
// push slips through while a domain is disabled. A ban is told only to who may
// push.
func (g *Gate) mayBegin(p stillcast.Push) *Refusal {
	if _, refusal := g.open(p.Stream.Domain); refusal != nil {
		return refusal
	}
	if err := g.banned(p.Stream, p.Started); err != nil {
		return refuse(ReasonBanned, err)
	}
	if other, ok := g.live[p.Stream]; ok {
		return refuse(ReasonLive, stillcast.Errorf(stillcast.CodeConflict, "stream",
			"%s is live already, pushed from %s since %s", p.Stream,
			nameOf(other.push.Remote.Addr()), other.push.Started.UTC().Format(time.RFC3339)))
	}
	if most := g.opts.Config.MaxPushesPerDomain; most > 0 && g.byDomain[p.Domain] >= most {
		return refuse(ReasonDomainFull, stillcast.Errorf(stillcast.CodeLimit, "push domain",
			"%q has %d live pushes; at most so many are allowed", p.Domain, most))
	}
	if g.ctx.Err() != nil {
		return refuse(ReasonStopping, stillcast.Errorf(stillcast.CodeDenied, "", "this server is shutting down"))
	}
	return nil
}

func (g *Gate) forget(p *livePush) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.live[p.push.Stream] == p {
		delete(g.live, p.push.Stream)
		if g.byDomain[p.push.Domain]--; g.byDomain[p.push.Domain] == 0 {
			delete(g.byDomain, p.push.Domain)
		}
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
	g.sweeping.Wait()
	return err
}

// Codecs returns the codecs that pictures can be made of.
func (g *Gate) Codecs() []media.Codec {
	return slices.DeleteFunc(media.Codecs(), func(c media.Codec) bool { return !g.opts.Supports(c) })
}
