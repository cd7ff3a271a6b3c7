package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
)

// taskBook is a ledger that a test writes.
type taskBook struct {
	mu    sync.Mutex
	tasks []stillcast.Task
	err   error
}

func (b *taskBook) ActiveTasks(_ context.Context, now time.Time) ([]stillcast.Task, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	active := slices.DeleteFunc(slices.Clone(b.tasks), func(t stillcast.Task) bool {
		return !t.Stopped.IsZero() || !now.Before(t.End)
	})
	return active, b.err
}

func (b *taskBook) TaskStopped(_ context.Context, task stillcast.Task) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.tasks, func(t stillcast.Task) bool { return t.ID == task.ID && !t.Stopped.IsZero() }), b.err
}

// taskRig is tasks whose clock begins at 0.
type taskRig struct {
	*tasks
	t        *testing.T
	book     *taskBook
	began    time.Time
	template stillcast.SnapshotTemplate
	changes  []time.Duration // when others were said to be in force
}

func newTaskRig(t *testing.T, planned ...stillcast.Task) *taskRig {
	t.Helper()
	r := &taskRig{t: t, book: &taskBook{tasks: planned}, began: time.Now(), template: stillcast.SnapshotTemplate{ID: 7, Name: "t"}}
	r.tasks = newTasks(taskOptions{
		ledger:   r.book,
		template: func(id int64) (stillcast.SnapshotTemplate, bool) { return r.template, id == r.template.ID },
		changed:  func() { r.changes = append(r.changes, time.Since(r.began)) },
		logger:   slog.New(slog.DiscardHandler),
	})
	return r
}

func (r *taskRig) begin() {
	r.t.Helper()
	if err := r.start(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// change edits the ledger and lets it act.
func (r *taskRig) change(edit func([]stillcast.Task) []stillcast.Task) {
	r.t.Helper()
	r.book.mu.Lock()
	r.book.tasks = edit(r.book.tasks)
	r.book.mu.Unlock()
	if err := r.reload(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *taskRig) delete(id string) {
	r.t.Helper()
	r.change(func(all []stillcast.Task) []stillcast.Task {
		return slices.DeleteFunc(all, func(t stillcast.Task) bool { return t.ID == id })
	})
}

// at waits until the clock shows an offset.
func (r *taskRig) at(offset time.Duration) {
	time.Sleep(time.Until(r.began.Add(offset)))
	synctest.Wait()
}

var cam = stillcast.Stream{Domain: "d", App: "live", Name: "cam"}

func window(id string, since time.Time, start, end time.Duration) stillcast.Task {
	return stillcast.Task{ID: id, Stream: cam, TemplateID: 7, Start: since.Add(start), End: since.Add(end)}
}

// running returns the tasks that capture a push.
func (r *taskRig) running(push string) []string {
	ids := []string{}
	for _, p := range r.plans(stillcast.Push{ID: push, Stream: cam}) {
		ids = append(ids, p.ID)
	}
	return ids
}

func (r *taskRig) want(push string, ids ...string) {
	r.t.Helper()
	if diff := cmp.Diff(append([]string{}, ids...), r.running(push)); diff != "" {
		r.t.Errorf("after %s: tasks of %s (-want +got):\n%s", time.Since(r.began), push, diff)
	}
}

func TestTaskWindowsOpenAndCloseOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		r := newTaskRig(t, window("b", now, time.Minute, 5*time.Minute), window("a", now, -time.Hour, 2*time.Minute), window("past", now, -time.Hour, 0))
		r.begin()
		defer r.stop()
		r.want("p1", "a")
		r.at(time.Minute - time.Nanosecond)
		r.want("p1", "a")
		r.at(time.Minute)
		r.want("p1", "a", "b")
		r.at(2 * time.Minute)
		r.want("p2", "b") // another push in the same window
		r.change(func(all []stillcast.Task) []stillcast.Task {
			return append(all, window("c", now, 130*time.Second, 140*time.Second))
		})
		r.at(130 * time.Second)
		r.want("p2", "b", "c")
		r.at(24 * time.Hour)
		r.want("p2")
		r.at(48 * time.Hour)
		want := []time.Duration{0, time.Minute, 2 * time.Minute, 130 * time.Second, 140 * time.Second, 5 * time.Minute}
		if diff := cmp.Diff(want, r.changes); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		if len(r.known) != 0 {
			t.Errorf("%d tasks are known after their ends", len(r.known))
		}
	})
}

func TestStoppedAndDeletedTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		r := newTaskRig(t, window("stopped", now, 0, time.Hour), window("deleted", now, 0, time.Hour), window("later", now, time.Minute, time.Hour))
		r.begin()
		defer r.stop()
		r.want("p1", "deleted", "stopped")
		r.change(func(all []stillcast.Task) []stillcast.Task {
			all[0].Stopped = time.Now()
			return all
		})
		r.want("p1", "deleted")
		r.delete("deleted")
		r.delete("later")
		r.want("p1", "deleted") // the capture that runs goes on
		r.want("p2")
		r.at(2 * time.Minute)
		r.want("p1", "deleted")
		r.at(time.Hour)
		r.want("p1")
	})
}

// TestDeletedTasksGiveWay adds as many tasks as may run, beside one that was deleted
// and goes on.
func TestDeletedTasksGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		r := newTaskRig(t, window("a", now, 0, time.Hour))
		r.begin()
		defer r.stop()
		r.want("p1", "a")
		r.delete("a")
		for _, id := range []string{"b", "c"} {
			r.change(func(all []stillcast.Task) []stillcast.Task { return append(all, window(id, now, 0, time.Hour)) })
		}
		r.want("p1", "b", "c", "a")
		r.change(func(all []stillcast.Task) []stillcast.Task { return append(all, window("d", now, 0, time.Hour)) })
		r.want("p1", "b", "c", "d")
	})
}

func TestTaskTemplates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		nowhere := window("nowhere", now, 0, time.Hour)
		nowhere.TemplateID = 8
		elsewhere := window("elsewhere", now, 0, time.Hour)
		elsewhere.Stream.Name = "other"
		shouted := window("shouted", now, 0, time.Hour)
		shouted.Stream.Domain = "D"
		r := newTaskRig(t, nowhere, elsewhere, shouted)
		r.begin()
		defer r.stop()
		r.want("p1", "shouted")
		for accuracy, want := range map[stillcast.Accuracy]stillcast.Accuracy{
			"":                         stillcast.AccuracyExact,
			stillcast.AccuracyKeyframe: stillcast.AccuracyKeyframe,
			stillcast.AccuracyExact:    stillcast.AccuracyExact,
		} {
			r.template.Accuracy = accuracy
			p := r.plans(stillcast.Push{Stream: cam})[0]
			wanted := r.template
			wanted.Accuracy = want
			if diff := cmp.Diff(wanted.WithDefaults(), p.Template); diff != "" {
				t.Errorf("template with accuracy %q (-want +got):\n%s", accuracy, diff)
			}
			if !p.Until.Equal(now.Add(time.Hour)) {
				t.Errorf("until %v, want the end of the window", p.Until)
			}
		}
	})
}

func TestTasksThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTaskRig(t, window("a", time.Now(), 0, time.Hour))
		r.begin()
		defer r.stop()
		r.book.err = errors.New("disk full")
		if err := r.reload(t.Context()); !errors.Is(err, r.book.err) {
			t.Errorf("reload: %v, want the ledger's error", err)
		}
		r.want("p1", "a") // nothing changes
		if err := newTasks(r.opts).start(t.Context()); !errors.Is(err, r.book.err) {
			t.Errorf("start: %v, want the ledger's error", err)
		}
	})
}
