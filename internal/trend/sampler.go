package trend

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Options are what a [Sampler] is made of. All are required.
type Options struct {
	Metrics prometheus.Gatherer
	Series  []Series
	Every   time.Duration // from one look to the next
	Keep    int           // numbers that are remembered of each series
	Logger  *slog.Logger
}

// Sampler looks at metrics and remembers. It is safe for concurrent use.
type Sampler struct {
	opts Options

	ctx    context.Context //nolint:containedctx // owned: cancelled in Stop
	cancel context.CancelFunc
	wait   sync.WaitGroup

	last     []reading // of the look before, by series; of the looking goroutine
	lastTime time.Time

	mu     sync.Mutex
	times  []time.Time // rings of Keep numbers; the oldest is at next, once they are full
	values [][]float64 // by series
	next   int
}

// New returns a sampler that does not look yet.
func New(o Options) (*Sampler, error) {
	if o.Metrics == nil || o.Logger == nil || o.Every <= 0 || o.Keep <= 0 {
		return nil, errors.New("make the memory of metrics: an option is missing")
	}
	s := &Sampler{opts: o, last: make([]reading, len(o.Series)), values: make([][]float64, len(o.Series))}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.times = make([]time.Time, 0, o.Keep)
	for i := range s.values {
		s.values[i] = make([]float64, 0, o.Keep)
	}
	return s, nil
}

// Start begins to look, with the first look at once. It may be called once.
func (s *Sampler) Start() {
	s.wait.Go(func() {
		ticker := time.NewTicker(s.opts.Every)
		defer ticker.Stop()
		for s.ctx.Err() == nil {
			s.look()
			select {
			case <-ticker.C:
			case <-s.ctx.Done():
			}
		}
	})
}

// Stop ends the looking and waits for it. What is remembered stays.
func (s *Sampler) Stop() {
	s.cancel()
	s.wait.Wait()
}

// look adds one number to each series.
func (s *Sampler) look() {
	families, err := s.opts.Metrics.Gather()
	if err != nil { // what could be read is there nevertheless
		s.opts.Logger.Warn("some metrics cannot be read for the plots of the console", "error", err)
	}
	now := time.Now()
	byName := make(map[string]*dto.MetricFamily, len(families))
	for _, f := range families {
		byName[f.GetName()] = f
	}
	numbers := make([]float64, len(s.opts.Series))
	for i, one := range s.opts.Series {
		r := one.read(byName[one.Metric])
		numbers[i] = math.NaN()
		// Of growth nothing is known until there is a look before.
		if !s.lastTime.IsZero() || one.Kind == Value || one.Kind == Largest {
			numbers[i] = one.number(r, s.last[i], now.Sub(s.lastTime).Seconds())
		}
		s.last[i] = r
	}
	s.lastTime = now
	s.keep(now, numbers)
}

func (s *Sampler) keep(now time.Time, numbers []float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.times) < s.opts.Keep {
		s.times = append(s.times, now)
		for i, n := range numbers {
			s.values[i] = append(s.values[i], n)
		}
		return
	}
	s.times[s.next] = now
	for i, n := range numbers {
		s.values[i][s.next] = n
	}
	s.next = (s.next + 1) % s.opts.Keep
}

// History is what is remembered, the oldest first.
type History struct {
	Times  []time.Time
	Values map[string][]float64 // by the name of the series, one for each time; NaN: not known
}

// History returns what was seen after a time.
func (s *Sampler) History(after time.Time) History {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := History{Values: make(map[string][]float64, len(s.values))}
	var at []int
	for i := range s.times {
		at = append(at, (s.next+i)%len(s.times))
	}
	for len(at) > 0 && !s.times[at[0]].After(after) {
		at = at[1:]
	}
	for _, i := range at {
		h.Times = append(h.Times, s.times[i])
	}
	for n, one := range s.opts.Series {
		values := make([]float64, 0, len(at))
		for _, i := range at {
			values = append(values, s.values[n][i])
		}
		h.Values[one.Name] = values
	}
	return h
}
