package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

const (
	// resyncEvery is how often the schedule is compared with the ledger. It finds
	// what nobody told about: leases of other nodes, a Wake that was lost.
	resyncEvery = 30 * time.Second
	// claimAgain is when a claim that failed is tried again.
	claimAgain = time.Second
	// stopGrace is how long results may still be recorded after Stop's time is up.
	stopGrace = 2 * time.Second
)

// ledger keeps the deliveries; package state describes it.
type ledger interface {
	Claim(ctx context.Context, c state.Claim) ([]state.Delivery, error)
	Finish(ctx context.Context, r state.Result) error
	Backlogs(ctx context.Context) ([]state.Backlog, error)
	PauseDestination(ctx context.Context, d stillcast.Destination, reason string) error
}

// settings gives callback templates as they are now.
type settings interface {
	CallbackTemplateByID(id int64) (stillcast.CallbackTemplate, bool)
}

// pictures gives the URL at which a shot's picture can be downloaded.
type pictures interface {
	URL(shot stillcast.Shot, now time.Time) (string, error)
}

// Options are what a [Notifier] is made of. All are required.
type Options struct {
	Config   Config
	Ledger   ledger
	Settings settings // asked for each attempt, so that a change acts at once
	Pictures pictures // asked for each attempt, because URLs expire
	Version  string   // of Stillcast, for the User-Agent
	Logger   *slog.Logger
	Metrics  prometheus.Registerer
}

// Notifier sends events to their destinations. It is safe for concurrent use.
type Notifier struct {
	config    Config
	ledger    ledger
	settings  settings
	pictures  pictures
	userAgent string
	log       *slog.Logger
	metrics   *metrics
	clients   *clients
	clock     *clock

	mu       sync.Mutex
	schedule *schedule
	stats    stats
	pauses   int           // how often a destination was paused or resumed
	kick     chan struct{} // the schedule may have changed

	started      bool
	stopOnce     sync.Once
	stopped      chan struct{} // closed when Stop has ended all
	unrecorded   atomic.Int64  // results that were given up, see record
	claims       context.Context
	stopClaims   context.CancelFunc
	attempts     context.Context
	stopAttempts context.CancelCauseFunc
	results      context.Context
	stopResults  context.CancelFunc
	loops        sync.WaitGroup
	running      sync.WaitGroup // claims and attempts
}

// New returns a notifier that does nothing until Start. Its metrics are
// registered.
func New(o Options) (*Notifier, error) {
	return newNotifier(o, nil)
}

// newNotifier takes another way to dial, for tests: nil means the guarded one.
func newNotifier(o Options, dial dialFunc) (*Notifier, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, fmt.Errorf("check settings of callbacks: %w", err)
	}
	if o.Ledger == nil || o.Settings == nil || o.Pictures == nil || o.Logger == nil || o.Metrics == nil {
		return nil, errors.New("make notifier: an option is missing")
	}
	n := &Notifier{
		config:    o.Config,
		ledger:    o.Ledger,
		settings:  o.Settings,
		pictures:  o.Pictures,
		userAgent: "Stillcast/" + o.Version,
		log:       o.Logger,
		clients:   newClients(o.Config, dial),
		clock:     newClock(),
		stats:     stats{by: make(map[stillcast.Destination]*record)},
		kick:      make(chan struct{}, 1),
		stopped:   make(chan struct{}),
	}
	n.schedule = newSchedule(o.Config, n.rateLimit)
	// These outlive every caller's context: they end in Stop, one after another.
	n.claims, n.stopClaims = context.WithCancel(context.Background())
	n.attempts, n.stopAttempts = context.WithCancelCause(context.Background())
	n.results, n.stopResults = context.WithCancel(context.Background())
	var err error
	n.metrics, err = newMetrics(o.Metrics, n)
	return n, err
}

// Start reads what is owed and begins to send. It is called once; ctx limits
// only the reading.
func (n *Notifier) Start(ctx context.Context) error {
	if err := n.compare(ctx); err != nil {
		return fmt.Errorf("read what is owed: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.started || n.claims.Err() != nil {
		return errors.New("start notifier: it was started or stopped before")
	}
	n.started = true
	n.loops.Go(n.dispatch)
	n.loops.Go(n.resync)
	return nil
}

// Wake tells that something became due for the destinations. It never blocks.
func (n *Notifier) Wake(dest ...stillcast.Destination) {
	now := n.clock.now()
	n.mu.Lock()
	for _, d := range dest {
		n.schedule.wake(d, now)
	}
	n.mu.Unlock()
	n.poke()
}

// Stop claims nothing more and waits for the attempts under way to end and to be
// recorded. When ctx is done first, they are cut short and recorded as to be
// tried again at once; that may take another two seconds. The error says that
// results could not be recorded: their deliveries come back when their leases
// end. More calls wait for the first.
func (n *Notifier) Stop(ctx context.Context) error {
	n.stopOnce.Do(func() { n.stop(ctx) })
	<-n.stopped
	if lost := n.unrecorded.Load(); lost > 0 {
		return fmt.Errorf("stop notifier: %d results were not recorded; their deliveries will be sent again", lost)
	}
	return nil
}

func (n *Notifier) stop(ctx context.Context) {
	n.mu.Lock()
	n.stopClaims() // under the lock, so that Start is before or after
	n.mu.Unlock()
	n.loops.Wait()
	n.unrecorded.Store(0) // from here on they count as lost by stopping
	drained := make(chan struct{})
	go func() {
		n.running.Wait()
		close(drained)
	}()
	select {
	case <-drained:
	case <-ctx.Done():
		n.stopAttempts(errStopping)
		deadline := time.AfterFunc(stopGrace, n.stopResults)
		<-drained
		deadline.Stop()
	}
	n.stopAttempts(errStopping)
	n.stopResults()
	n.clients.forget(func(stillcast.Destination) bool { return false })
	close(n.stopped)
}

// dispatch hands out grants until Stop.
func (n *Notifier) dispatch() {
	for n.claims.Err() == nil {
		now := n.clock.now()
		n.mu.Lock()
		g, ok := n.schedule.next(now)
		due, timed := n.schedule.wait()
		n.mu.Unlock()
		if ok {
			n.running.Go(func() { n.serve(g) })
			continue
		}
		n.sleep(due, timed)
	}
}

// sleep returns at due if that is timed, or when the schedule may have changed.
func (n *Notifier) sleep(due time.Time, timed bool) {
	var tick <-chan time.Time
	if timed {
		timer := time.NewTimer(due.Sub(n.clock.now()))
		defer timer.Stop()
		tick = timer.C
	}
	select {
	case <-n.kick:
	case <-tick:
	case <-n.claims.Done():
	}
}

// poke makes dispatch look at the schedule again.
func (n *Notifier) poke() {
	select {
	case n.kick <- struct{}{}:
	default:
	}
}

// serve claims what a grant allows and starts the attempts.
func (n *Notifier) serve(g grant) {
	now := n.clock.now()
	deliveries, err := n.ledger.Claim(n.attempts, state.Claim{
		Destination: g.line.dest,
		Lane:        g.lane,
		Limit:       g.n,
		Now:         now,
		Lease:       n.lease(),
	})
	if err != nil {
		deliveries = nil
		n.log.Error("claim failed", "destination", n.label(g.line.dest), "error", err)
	}
	n.mu.Lock()
	n.schedule.claimed(g, len(deliveries), n.clock.now())
	if err != nil {
		n.schedule.at(g.line, now.Add(claimAgain))
	}
	n.mu.Unlock()
	n.poke()
	for i, d := range deliveries {
		if i == len(deliveries)-1 {
			n.attempt(g, d, now.Add(n.lease())) // this goroutine has nothing else to do
			return
		}
		n.running.Go(func() { n.attempt(g, d, now.Add(n.lease())) })
	}
}

// lease is longer than an attempt and the recording of its result can take.
func (n *Notifier) lease() time.Duration {
	return n.config.Retry.Timeout + recordTime + 10*time.Second
}

// resync compares the schedule with the ledger now and then.
func (n *Notifier) resync() {
	ticker := time.NewTicker(resyncEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-n.claims.Done():
			return
		}
		if err := n.compare(n.claims); err != nil {
			if n.claims.Err() == nil {
				n.log.Error("reading what is owed failed", "error", err)
			}
			continue
		}
		n.prune()
	}
}

// compare puts what the ledger knows to be due, and what is paused there, into
// the schedule.
func (n *Notifier) compare(ctx context.Context) error {
	n.mu.Lock()
	before := n.pauses
	n.mu.Unlock()
	backlogs, err := n.ledger.Backlogs(ctx)
	if err != nil {
		return err
	}
	n.mu.Lock()
	for _, b := range backlogs {
		if n.pauses == before { // else what was read may be older than what is known
			n.schedule.pause(b.Destination, b.Paused)
		}
		if !b.NextDue.IsZero() {
			n.schedule.at(n.schedule.line(b.Destination), b.NextDue)
		}
	}
	n.mu.Unlock()
	n.poke()
	return nil
}

// rateLimit is how many requests per second may go to a destination now.
func (n *Notifier) rateLimit(d stillcast.Destination) int {
	template, _ := n.settings.CallbackTemplateByID(d.TemplateID)
	return template.RateLimit
}

// prune lets go of destinations that are owed nothing.
func (n *Notifier) prune() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.schedule.prune()
	n.clients.forget(func(d stillcast.Destination) bool {
		_, ok := n.schedule.lines[d]
		return ok
	})
	n.stats.forget(func(d stillcast.Destination) bool {
		_, ok := n.settings.CallbackTemplateByID(d.TemplateID)
		return ok
	})
}
