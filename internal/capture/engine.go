// Package capture decides when a shot of each stream is due and which access
// unit it is of, and takes it: queue, decode, record. A full stage sheds shots,
// counted and visible, and never holds up the video.
package capture

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
)

// Options are what an [Engine] needs; all are required.
type Options struct {
	Config   Config
	Workers  int // shots in the making at once
	Decoders int // of them, those that are decoded: what Config.ExactShare is of
	// MaxUnits and MaxUnitBytes are what Shoot takes at most in one order.
	MaxUnits, MaxUnitBytes int
	// Plans returns how a push is to be captured now; none is no capture. It must
	// not call the Engine.
	Plans func(stillcast.Push) []Plan
	// Shoot makes the picture.
	Shoot func(context.Context, Order) (Picture, error)
	// NoPicture says of an error of Shoot that the access units hold no whole
	// picture, so that more of them might.
	NoPicture func(error) bool
	// Poison says of an error of Shoot that the order killed two workers, or held them up
	// too long.
	Poison func(error) bool
	// Room says whether there is room to record a shot. Where there is none, shots
	// are shed before they are decoded.
	Room func(context.Context) bool
	// Record makes the shot durable, or fails with [ErrNoRoom].
	Record     func(context.Context, Taken) (stillcast.Shot, error)
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// ErrNoRoom says that a shot could not be recorded for lack of room. It is shed
// then, and has not failed.
var ErrNoRoom = errors.New("there is no room for the shot")

// Engine captures all live streams. It is safe for concurrent use.
type Engine struct {
	opts    Options
	metrics *metrics
	queue   *queue
	share   *share
	kept    budget // of the access units that streams keep
	seed    maphash.Seed

	mu      sync.Mutex
	streams map[*Stream]struct{}

	cancel context.CancelFunc
	wg     sync.WaitGroup // workers
	jobs   sync.WaitGroup // shots queued or in the making
}

// New returns an Engine that takes no shots before Start.
func New(opts Options) (*Engine, error) {
	if err := opts.Config.Validate(); err != nil {
		return nil, err
	}
	if opts.Workers < 1 || opts.Decoders < 1 || opts.MaxUnits < 1 || opts.MaxUnitBytes < 1 {
		return nil, errors.New("capture needs at least one worker and decoder, and room for an access unit")
	}
	e := &Engine{
		opts: opts, share: newShare(opts.Config.ExactShare, opts.Decoders), seed: maphash.MakeSeed(),
		kept: budget{limit: opts.Config.GOPTotalBytes}, streams: map[*Stream]struct{}{},
		cancel: func() {},
	}
	e.queue = newQueue(opts.Config, e.share.slots())
	e.metrics = newMetrics(opts.Registerer,
		func() float64 { return float64(e.queue.len()) }, func() float64 { return float64(e.kept.used.Load()) })
	return e, nil
}

// Start begins to take shots.
func (e *Engine) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	for range e.opts.Workers {
		e.wg.Go(func() { e.work(ctx) })
	}
}

// Stop finishes the shots that wait or are being made and returns when the
// workers are gone. The streams must be closed before. When ctx ends, the rest
// is shed, counted.
func (e *Engine) Stop(ctx context.Context) {
	idle := make(chan struct{})
	go func() {
		e.jobs.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	e.cancel()
	e.wg.Wait()
	for _, j := range e.queue.drain() {
		e.shed(j, shedStopping)
	}
	<-idle
}

// Open begins the capture of a push. Its shots are recorded once recorded is
// closed.
func (e *Engine) Open(push stillcast.Push, recorded <-chan struct{}) *Stream {
	s := &Stream{
		engine: e, push: push, recorded: recorded,
		log: e.opts.Logger.With("stream", push.Stream, "push", push.ID),
	}
	e.mu.Lock()
	e.streams[s] = struct{}{}
	e.mu.Unlock()
	s.reload() // last, so that it misses no change
	if !s.planned() {
		s.log.Info("no snapshot rule or task for this stream; nothing is captured")
	}
	return s
}

func (e *Engine) forget(s *Stream) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.streams, s)
}

// Reload makes changed plans act on the live streams before it returns.
func (e *Engine) Reload() {
	e.mu.Lock()
	streams := make([]*Stream, 0, len(e.streams))
	for s := range e.streams {
		streams = append(streams, s)
	}
	e.mu.Unlock()
	for _, s := range streams {
		s.reload()
	}
}
