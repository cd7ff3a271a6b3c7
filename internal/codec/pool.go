package codec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Pool makes pictures in worker processes. Its methods are safe for concurrent
// use.
type Pool struct {
	config  Config
	limits  limits
	program Program
	log     *slog.Logger
	metrics *metrics

	jobs    chan *job // for whichever slot is idle first; unbuffered: who receives has an idle worker
	closing context.Context
	close   context.CancelCauseFunc
	slots   sync.WaitGroup

	seats   []*slot
	mu      sync.Mutex
	started bool
}

// NewPool makes a pool of workers that are started as program says. Start starts
// them.
func NewPool(config Config, program Program, log *slog.Logger, registerer prometheus.Registerer) (*Pool, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("configure the codec: %w", err)
	}
	m, err := newMetrics(registerer)
	if err != nil {
		return nil, err
	}
	closing, stop := context.WithCancelCause(context.Background())
	p := &Pool{
		config:  config,
		limits:  limits{pixels: config.MaxPixels, unitBytes: config.MaxUnitBytes, memory: config.MemoryLimit, cpu: config.CPULimit},
		program: program,
		log:     log,
		metrics: m,
		jobs:    make(chan *job),
		closing: closing,
		close:   stop,
		seats:   make([]*slot, config.workers()),
	}
	for i := range p.seats {
		p.seats[i] = &slot{pool: p, jobs: make(chan *job)}
	}
	return p, nil
}

// Start starts all workers and waits until each is ready. When one cannot be
// started it ends the others and returns an error with what that one wrote to standard error. It answers errors.Is with
// [ErrUnsandboxed] where the kernel lacks what confines workers and Config does not allow that.
// The context is for the start alone; Close ends the workers.
func (p *Pool) Start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.started {
		return errors.New("start the codec pool: it was started before")
	}
	if p.closing.Err() != nil {
		return ErrClosed
	}
	children, err := p.startAll(ctx)
	if err != nil {
		return err
	}
	p.started = true
	if err := children[0].box.check(); err != nil { // all run on one kernel
		p.log.Warn("codec workers run without a sandbox: a hostile stream could do what this program may do", "error", err)
	}
	for i, c := range children {
		p.slots.Go(func() { p.seats[i].run(c) })
	}
	p.log.Info("codec workers are ready", "workers", len(children))
	return nil
}

func (p *Pool) startChild(ctx context.Context) (*child, error) {
	return startChild(ctx, p.program, p.limits, p.config.AllowUnsandboxed)
}

func (p *Pool) startAll(ctx context.Context) ([]*child, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(p.closing, func() { cancel(ErrClosed) })
	defer stop()
	children := make([]*child, len(p.seats))
	faults := make([]error, len(children))
	var starting sync.WaitGroup
	for i := range children {
		starting.Go(func() { children[i], faults[i] = p.startChild(ctx) })
	}
	starting.Wait()
	for _, fault := range faults {
		if fault == nil {
			continue
		}
		for _, c := range children {
			if c != nil {
				c.kill()
			}
		}
		return nil, fault // the others will say the same
	}
	return children, nil
}

// Close ends all workers, those with a shot in hand by SIGKILL, and waits for
// them. Shots that are waiting or running fail with [ErrClosed]. More calls do
// nothing.
func (p *Pool) Close() error {
	p.close(ErrClosed)
	// A start that goes on has the lock.
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slots.Wait()
	return nil
}

// Shoot makes the pictures of a request. It waits for an idle worker, or until ctx ends. Units and configuration must not change
// until it returns, and are not kept afterwards.
//
// Errors answer errors.Is with one of the package's Err… variables, or with the
// error of ctx, or say what of the request is not allowed. [ErrWorkerDied] and [ErrTimeout]
// come after a second try in another worker: what was asked is poison, and a caller does well not to ask it again.
func (p *Pool) Shoot(ctx context.Context, r Request) (*Result, error) {
	result, err := p.shoot(ctx, &r)
	p.metrics.observe(result, err)
	return result, err
}

func (p *Pool) shoot(ctx context.Context, r *Request) (*Result, error) {
	if err := r.check(p.limits); err != nil {
		return nil, err
	}
	result, err := p.try(ctx, r)
	if errors.Is(err, ErrWorkerDied) || errors.Is(err, ErrTimeout) {
		// It may have been the worker's fault, or that of whoever killed it; twice it is the stream's.
		result, err = p.try(ctx, r)
	}
	return result, err
}

// try has an idle worker make the pictures, or the next that is.
func (p *Pool) try(ctx context.Context, r *Request) (*Result, error) {
	j := &job{request: r, written: make(chan struct{}), result: make(chan result, 1)}
	if !p.giveFirst(j) {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-p.closing.Done():
			return nil, ErrClosed
		case p.jobs <- j:
		}
	}
	select {
	case done := <-j.result:
		return done.made, done.err
	case <-ctx.Done():
		// The worker finishes by itself, within its deadline; only the units must not be needed any more.
		<-j.written
		return nil, context.Cause(ctx)
	}
}

// giveFirst gives a job to the first slot that is idle and reports whether there was one. With
// few shots most are made by the same worker, whose memory is in the processor's caches still.
func (p *Pool) giveFirst(j *job) bool {
	for _, s := range p.seats {
		select {
		case s.jobs <- j:
			return true
		default:
		}
	}
	return false
}
