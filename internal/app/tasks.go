package app

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/capture"
)

// maxTaskSleep is how long nobody looks at the clock at most, which somebody may
// have set.
const maxTaskSleep = time.Minute

// taskLedger is what holds the tasks.
type taskLedger interface {
	// ActiveTasks returns the tasks that have not ended and were neither stopped
	// nor deleted.
	ActiveTasks(ctx context.Context, now time.Time) ([]stillcast.Task, error)
	// TaskStopped reports whether a task was stopped; false if it was deleted.
	TaskStopped(ctx context.Context, task stillcast.Task) (bool, error)
}

// taskOptions are what a [tasks] needs; all are required.
type taskOptions struct {
	ledger   taskLedger
	template func(id int64) (stillcast.SnapshotTemplate, bool) // as it was set up, without defaults
	changed  func()                                            // called when other plans are in force
	logger   *slog.Logger
}

// tasks says which tasks are in force, and begins and ends their windows on time.
// A window belongs to the stream: pushes that end and begin in it change nothing.
// It is safe for concurrent use.
type tasks struct {
	opts taskOptions

	reading sync.Mutex // held while the ledger is read, so that what was read first never comes last

	mu    sync.Mutex
	known map[string]*knownTask // by id
	open  map[stillcast.Stream][]*knownTask

	wake   chan struct{} // holds a token when known changed
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// knownTask is a task that has not ended.
type knownTask struct {
	stillcast.Task

	open    bool   // its window is open, and was said to be
	push    string // id of the newest push that it captures; "" for none
	deleted bool   // it captures that push and no other
}

func newTasks(opts taskOptions) *tasks {
	return &tasks{
		opts: opts, known: map[string]*knownTask{}, open: map[stillcast.Stream][]*knownTask{},
		wake: make(chan struct{}, 1), cancel: func() {},
	}
}

// start reads the tasks and begins to watch the clock.
func (t *tasks) start(ctx context.Context) error {
	if err := t.reload(ctx); err != nil {
		return err
	}
	ctx, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
	t.wg.Go(func() { t.watch(ctx) })
	return nil
}

// stop returns when nobody watches the clock any more.
func (t *tasks) stop() {
	t.cancel()
	t.wg.Wait()
}

func (t *tasks) watch(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-t.wake:
		case <-ctx.Done():
			return
		}
		timer.Reset(t.advance())
	}
}

// reload reads the tasks anew. What changed acts when it returns: one that was added
// begins, one that was stopped has ended, one that was deleted goes on with the push that it
// captures.
func (t *tasks) reload(ctx context.Context) error {
	t.reading.Lock()
	defer t.reading.Unlock()
	active, err := t.opts.ledger.ActiveTasks(ctx, time.Now())
	if err != nil {
		return fmt.Errorf("read the tasks: %w", err)
	}
	stopped := map[string]bool{}
	for _, task := range t.missing(active) {
		if stopped[task.ID], err = t.opts.ledger.TaskStopped(ctx, task); err != nil {
			return fmt.Errorf("read the task %s: %w", task.ID, err)
		}
	}
	t.put(active, stopped)
	t.advance()
	select {
	case t.wake <- struct{}{}:
	default:
	}
	return nil
}

// missing returns the known tasks that are not among the active ones, deleted ones
// aside.
func (t *tasks) missing(active []stillcast.Task) (missing []stillcast.Task) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range t.known {
		if !k.deleted && !slices.ContainsFunc(active, func(a stillcast.Task) bool { return a.ID == k.ID }) {
			missing = append(missing, k.Task)
		}
	}
	return missing
}

// put makes the active tasks known; stopped has an entry for each that is no longer
// active.
func (t *tasks) put(active []stillcast.Task, stopped map[string]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, stopped := range stopped {
		if k := t.known[id]; stopped || k.push == "" {
			delete(t.known, id)
		} else {
			k.deleted = true
		}
	}
	for _, task := range active {
		task.Stream.Domain = strings.ToLower(task.Stream.Domain) // as pushes have it
		if k, ok := t.known[task.ID]; ok {
			k.Task = task
		} else {
			t.known[task.ID] = &knownTask{Task: task}
		}
	}
}

// advance opens and closes windows, and returns how long nothing changes.
func (t *tasks) advance() time.Duration {
	next, changed := t.sweep(time.Now())
	if changed {
		t.opts.changed()
	}
	return max(time.Millisecond, time.Until(next))
}

// sweep says whether other tasks are in force than when it was called before, and
// when the next one begins or ends.
func (t *tasks) sweep(now time.Time) (next time.Time, changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next = now.Add(maxTaskSleep)
	open := map[stillcast.Stream][]*knownTask{}
	for id, k := range t.known {
		if !now.Before(k.End) {
			delete(t.known, id)
			continue
		}
		if !k.Running(now) {
			next = earlier(next, k.Start)
			continue
		}
		next = earlier(next, k.End)
		open[k.Stream] = append(open[k.Stream], k)
		if !k.open {
			k.open, changed = true, true
			t.opts.logger.Info("task begins", "task", k.ID, "stream", k.Stream, "until", k.End)
		}
	}
	for _, before := range t.open {
		for _, k := range before {
			if t.known[k.ID] != k || !k.Running(now) {
				k.open, changed = false, true
				t.opts.logger.Info("task has ended", "task", k.ID, "stream", k.Stream)
			}
		}
	}
	for _, of := range open {
		slices.SortFunc(of, byPrecedence)
	}
	t.open = open
	return next, changed
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// byPrecedence puts tasks first that were not deleted: of the others, no more run
// than leave their streams the number that is allowed.
func byPrecedence(a, b *knownTask) int {
	deleted := func(k *knownTask) int {
		if k.deleted {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(deleted(a), deleted(b)), a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
}

// plans returns the plans of the tasks in force for a push, and notes that they
// capture it. A task whose template does not exist has none.
func (t *tasks) plans(push stillcast.Push) (plans []capture.Plan) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range t.inForce(push) {
		k.push = push.ID
		template, _ := t.opts.template(k.TemplateID)
		plans = append(plans, capture.Plan{ID: k.ID, Template: taskTemplate(template), Until: k.End})
	}
	return plans
}

// of returns the tasks in force for a push.
func (t *tasks) of(push stillcast.Push) (all []stillcast.Task) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range t.inForce(push) {
		all = append(all, k.Task)
	}
	return all
}

func (t *tasks) inForce(push stillcast.Push) (all []*knownTask) {
	for _, k := range t.open[push.Stream] {
		if _, ok := t.opts.template(k.TemplateID); !ok || k.deleted && k.push != push.ID {
			continue
		}
		if len(all) == stillcast.MaxRunningTasks {
			break
		}
		all = append(all, k)
	}
	return all
}

// taskTemplate fills in the defaults of a template for a task. Its shots are of the
// frames on display at the due times unless the template asks for key frames: who sets up a
// task wants to see what is there then, and the few that run at once can have it.
func taskTemplate(t stillcast.SnapshotTemplate) stillcast.SnapshotTemplate {
	if t.Accuracy == "" {
		t.Accuracy = stillcast.AccuracyExact
	}
	return t.WithDefaults()
}

func (a *App) makeTasks(context.Context) error {
	a.tasks = newTasks(taskOptions{
		ledger:   a.state,
		template: func(id int64) (stillcast.SnapshotTemplate, bool) { return a.resources.Load().SnapshotTemplateByID(id) },
		changed:  func() { a.capture.Reload() },
		logger:   a.logger("tasks"),
	})
	a.onStop("tasks", func(context.Context) error {
		a.tasks.stop()
		return nil
	})
	return nil
}

// reloadTasks makes tasks that were added, stopped or deleted act.
func (a *App) reloadTasks(ctx context.Context) error { return a.tasks.reload(ctx) }
