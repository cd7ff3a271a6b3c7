package ledger

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

const (
	maxJobs  = 4   // that run at once
	maxKept  = 100 // that are known, those that ended included
	stepRows = 200 // deliveries that one step replays at most
	// stepPause lets the shots have the database between two steps.
	stepPause = 20 * time.Millisecond
)

// jobs are the replays in the background. It owns their goroutines: stop waits
// for them.
type jobs struct {
	book    Book
	courier Courier
	log     *slog.Logger

	ctx  context.Context //nolint:containedctx // owned: cancelled in stop
	end  context.CancelFunc
	wait sync.WaitGroup

	mu  sync.Mutex
	all []*job // the oldest first
}

// job is one replay.
type job struct {
	filter state.DeliveryFilter
	last   int64 // id of the newest delivery when it began, with which it ends
	cancel context.CancelFunc
	ended  chan struct{}

	mu   sync.Mutex
	view ReplayJob
}

func newJobs(book Book, courier Courier, log *slog.Logger) *jobs {
	j := &jobs{book: book, courier: courier, log: log}
	j.ctx, j.end = context.WithCancel(context.Background())
	return j
}

func (j *jobs) stop() {
	j.end()
	j.wait.Wait()
}

// start begins a replay of what filter selects up to the delivery last.
func (j *jobs) start(filter state.DeliveryFilter, last int64, view ReplayJob) (ReplayJob, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ctx.Err() != nil {
		return ReplayJob{}, stillcast.Errorf(stillcast.CodeLimit, "", "this server is shutting down")
	}
	running := 0
	for _, other := range j.all {
		if other.now().State == jobRunning {
			running++
		}
	}
	if running >= maxJobs {
		return ReplayJob{}, stillcast.Errorf(stillcast.CodeLimit, "", "%d replays are running, the most that may; wait for one or cancel it", maxJobs)
	}
	j.forget()
	filter.BeforeID = last + 1
	view.ID, view.State, view.Started = uuid.NewString(), jobRunning, Time(time.Now())
	one := &job{filter: filter, last: last, ended: make(chan struct{}), view: view}
	ctx, cancel := context.WithCancel(j.ctx)
	one.cancel = cancel
	j.all = append(j.all, one)
	j.wait.Go(func() {
		defer cancel()
		defer close(one.ended)
		j.run(ctx, one)
	})
	return view, nil
}

// forget makes room for one: the oldest go that ended.
func (j *jobs) forget() {
	for len(j.all) >= maxKept {
		i := slices.IndexFunc(j.all, func(one *job) bool { return one.now().State != jobRunning })
		if i < 0 {
			return
		}
		j.all = slices.Delete(j.all, i, i+1)
	}
}

// The states of a replay.
const (
	jobRunning   = "running"
	jobDone      = "done"
	jobCancelled = "cancelled"
	jobFailed    = "failed"
)

// run replays step by step. Each delivery is looked at once: one that is parked
// again meanwhile is not replayed again.
func (j *jobs) run(ctx context.Context, one *job) {
	for {
		n, next, err := j.book.ReplayMany(ctx, one.filter, stepRows)
		if n > 0 {
			j.wake(ctx, one.filter)
		}
		switch {
		case ctx.Err() != nil:
			j.finish(one, n, jobCancelled, nil)
		case err != nil:
			j.finish(one, n, jobFailed, err)
		case next == 0 || next >= one.last:
			j.finish(one, n, jobDone, nil)
		default:
			one.step(n, next)
			select {
			case <-time.After(stepPause):
				continue
			case <-ctx.Done():
				j.finish(one, 0, jobCancelled, nil)
			}
		}
		return
	}
}

// wake tells those to whom something is sent again.
func (j *jobs) wake(ctx context.Context, f state.DeliveryFilter) {
	if f.Destination != nil {
		j.courier.Wake(*f.Destination)
		return
	}
	all, err := j.book.Destinations(ctx)
	if err != nil {
		if ctx.Err() == nil {
			j.log.Warn("destinations of a replay cannot be read; what it replayed is sent a little later", "error", err)
		}
		return
	}
	for _, d := range all {
		j.courier.Wake(d.Destination)
	}
}

func (one *job) step(n int, next int64) {
	one.mu.Lock()
	defer one.mu.Unlock()
	one.filter.AfterID = next
	one.view.Replayed += int64(n)
	one.view.Progress = float64(next) / float64(one.last)
}

func (j *jobs) finish(one *job, n int, outcome string, err error) {
	one.mu.Lock()
	one.view.Replayed += int64(n)
	one.view.State, one.view.Ended = outcome, Time(time.Now())
	if outcome == jobDone {
		one.view.Progress = 1
	}
	if err != nil {
		one.view.Error = "something went wrong on the server; its log has more"
		if stillcast.CodeOf(err) != "" {
			one.view.Error = err.Error()
		}
	}
	view := one.view
	one.mu.Unlock()
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelError
	}
	j.log.Log(context.Background(), level, "replay ended", "audit", true, "by", view.By, "replay", view.ID,
		"state", view.State, "replayed", view.Replayed, "error", errors.Join(err))
}

func (one *job) now() ReplayJob {
	one.mu.Lock()
	defer one.mu.Unlock()
	return one.view
}

func (j *jobs) list() []ReplayJob {
	j.mu.Lock()
	defer j.mu.Unlock()
	views := []ReplayJob{}
	for _, one := range slices.Backward(j.all) {
		views = append(views, one.now())
	}
	return views
}

func (j *jobs) find(id string) (*job, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, one := range j.all {
		if one.view.ID == id { // set once, before others could see it
			return one, nil
		}
	}
	return nil, stillcast.Errorf(stillcast.CodeNotFound, "id", "%q is no replay that is known; those of before the server's start are not", clip(id))
}

func (j *jobs) get(id string) (ReplayJob, error) {
	one, err := j.find(id)
	if err != nil {
		return ReplayJob{}, err
	}
	return one.now(), nil
}

// cancel ends a replay and waits for its last step.
func (j *jobs) cancel(ctx context.Context, id string) (ReplayJob, error) {
	one, err := j.find(id)
	if err != nil {
		return ReplayJob{}, err
	}
	one.cancel()
	select {
	case <-one.ended:
		return one.now(), nil
	case <-ctx.Done():
		return ReplayJob{}, context.Cause(ctx)
	}
}
