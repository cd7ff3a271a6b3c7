// Package capture decides when a shot of each stream is due and which access
// unit it is of, and takes it: queue, decode, record. A full stage sheds shots,
// counted and visible, and never holds up the video.
package capture

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// Config is the capture's part of the configuration file.
type Config struct {
	// Queue is how many shots may wait to be decoded, over all streams. What is
	// more is shed.
	Queue int `yaml:"queue"`
	// QueueBytes bounds their key frames in bytes.
	QueueBytes int64 `yaml:"queue_bytes"`
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config { return Config{Queue: 1024, QueueBytes: 256 << 20} }

// Validate reports the first setting that is not allowed.
func (c Config) Validate() error {
	if c.Queue < 1 || c.Queue > 1<<20 {
		return stillcast.Errorf(stillcast.CodeInvalid, "queue", "is %d; allowed are 1 to %d", c.Queue, 1<<20)
	}
	if c.QueueBytes < minQueueBytes {
		return stillcast.Errorf(stillcast.CodeInvalid, "queue_bytes", "is %d; at least %d is allowed, room for one large key frame", c.QueueBytes, minQueueBytes)
	}
	return nil
}

const minQueueBytes = 16 << 20

// Order is a picture that is wanted of access units.
type Order struct {
	Config        *media.Config
	Units         []*media.AccessUnit // the first is a key frame; the picture is of the last
	Width, Height int                 // wanted, see SnapshotTemplate
	Quality       int
}

// Picture is what came of an [Order].
type Picture struct {
	JPEG                  []byte
	Width, Height         int // of the JPEG, in pixels
	Decode, Scale, Encode time.Duration
}

// Taken is a picture with everything that its shot is recorded with.
type Taken struct {
	Push     stillcast.Push
	Template stillcast.SnapshotTemplate
	Due      time.Time
	Captured time.Time // when the frame arrived
	Picture  Picture
}

// Options are what an [Engine] needs; all are required.
type Options struct {
	Config  Config
	Workers int // shots in the making at once
	// Template returns the snapshot template in force for a push now, with its
	// defaults filled in.
	Template func(stillcast.Push) (stillcast.SnapshotTemplate, bool)
	// Shoot makes the picture.
	Shoot func(context.Context, Order) (Picture, error)
	// Record makes the shot durable.
	Record     func(context.Context, Taken) (stillcast.Shot, error)
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Engine captures all live streams. It is safe for concurrent use.
type Engine struct {
	opts    Options
	metrics *metrics
	queue   *queue

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
	if opts.Workers < 1 {
		return nil, errors.New("capture needs at least one worker")
	}
	e := &Engine{
		opts: opts, queue: newQueue(opts.Config), streams: map[*Stream]struct{}{},
		cancel: func() {},
	}
	e.metrics = newMetrics(opts.Registerer, func() float64 { return float64(e.queue.len()) })
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
	for j := e.queue.tryPop(); j != nil; j = e.queue.tryPop() {
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
	s.reload()
	if !s.active {
		s.log.Info("no snapshot rule for this stream; nothing is captured")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.streams[s] = struct{}{}
	return s
}

func (e *Engine) forget(s *Stream) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.streams, s)
}

// Reload makes changed templates and rules act on the live streams.
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
