package statetest

import (
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// task is one of stream "cam" in a window of minutes after start.
func task(from, until int) stillcast.Task {
	return stillcast.Task{
		Stream: stream("cam"), TemplateID: 99, Created: start(),
		Start: start().Add(time.Duration(from) * time.Minute), End: start().Add(time.Duration(until) * time.Minute),
	}
}

func addTask(t *testing.T, s Store, wanted stillcast.Task) stillcast.Task {
	t.Helper()
	added, err := s.AddTask(t.Context(), wanted)
	check(t, err)
	return added
}

func taskPage(t *testing.T, s Store, f state.TaskFilter) []stillcast.Task {
	t.Helper()
	tasks, err := s.Tasks(t.Context(), f)
	check(t, err)
	return tasks
}

func activeTasks(t *testing.T, s Store, minute int) []stillcast.Task {
	t.Helper()
	tasks, err := s.ActiveTasks(t.Context(), start().Add(time.Duration(minute)*time.Minute))
	check(t, err)
	return tasks
}

func (c suite) addTask(t *testing.T) {
	s := c.open(t)
	wanted := task(10, 20)
	wanted.ID, wanted.Stopped = "ignored", start()
	added := addTask(t, s, wanted)
	if added.ID == "" || added.ID == "ignored" {
		t.Errorf("the new task has the id %q", added.ID)
	}
	wanted.ID, wanted.Stopped = added.ID, time.Time{}
	same(t, "new task", wanted, added)
	same(t, "tasks", []stillcast.Task{wanted}, taskPage(t, s, state.TaskFilter{}))
	same(t, "active tasks before the window", []stillcast.Task{wanted}, activeTasks(t, s, 0))
	same(t, "active tasks in the window", []stillcast.Task{wanted}, activeTasks(t, s, 19))
	same(t, "active tasks after the window", nil, activeTasks(t, s, 20))

	for field, spoil := range map[string]func(*stillcast.Task){
		"end":         func(t *stillcast.Task) { t.End = t.Start },
		"stream name": func(t *stillcast.Task) { t.Stream.Name = "" },
	} {
		spoilt := task(10, 20)
		spoil(&spoilt)
		_, err := s.AddTask(t.Context(), spoilt)
		refused(t, err, stillcast.CodeInvalid, field)
	}
	dated := task(10, 20)
	dated.Created = time.Time{}
	recent(t, "creation of a task", addTask(t, s, dated).Created)
}

func (c suite) taskLimit(t *testing.T) {
	s := c.open(t)
	full := func(from, until int) {
		t.Helper()
		_, err := s.AddTask(t.Context(), task(from, until))
		refused(t, err, stillcast.CodeLimit, "stream")
	}
	// Never more than two at once, but four in all, leave room for one.
	first := addTask(t, s, task(0, 10))
	second := addTask(t, s, task(0, 10))
	addTask(t, s, task(10, 20))
	addTask(t, s, task(10, 20))
	third := addTask(t, s, task(0, 20))
	full(0, 20)
	full(9, 30)
	full(15, 16)
	addTask(t, s, task(20, 30)) // when the others have ended

	other := task(0, 20)
	other.Stream.Name = "other"
	addTask(t, s, other)

	// What was stopped or deleted gives its place back, for its whole window.
	_, err := s.StopTask(t.Context(), first.ID, start().Add(5*time.Minute))
	check(t, err)
	full(0, 20)
	addTask(t, s, task(0, 10))
	full(0, 10)
	_, err = s.DeleteTask(t.Context(), second.ID)
	check(t, err)
	addTask(t, s, task(0, 10))
	full(0, 10)

	// What lies before the creation of a task is over, whatever it says.
	_, err = s.DeleteTask(t.Context(), third.ID)
	check(t, err)
	addTask(t, s, task(0, 10))
	full(0, 20)
	late := task(0, 20)
	late.Created = start().Add(10 * time.Minute)
	addTask(t, s, late)
	_, err = s.AddTask(t.Context(), late)
	refused(t, err, stillcast.CodeLimit, "stream")
}

func (c suite) endTask(t *testing.T) {
	s := c.open(t)
	at := func(minute int) time.Time { return start().Add(time.Duration(minute) * time.Minute) }
	a, b := addTask(t, s, task(10, 20)), addTask(t, s, task(10, 30))
	isStopped := func(task stillcast.Task, want bool) {
		t.Helper()
		got, err := s.TaskStopped(t.Context(), task)
		check(t, err)
		if got != want {
			t.Errorf("task %s is stopped: %t", task.ID, got)
		}
	}
	isStopped(a, false)
	for _, minute := range []int{15, 17} { // the first time stands
		stopped, err := s.StopTask(t.Context(), a.ID, at(minute))
		check(t, err)
		a.Stopped = at(15)
		same(t, "stopped task", a, stopped)
	}
	isStopped(a, true)
	ended, err := s.StopTask(t.Context(), b.ID, at(30))
	check(t, err)
	same(t, "a task that had ended when it was stopped", b, ended)
	same(t, "tasks", []stillcast.Task{a, b}, taskPage(t, s, state.TaskFilter{}))
	same(t, "active tasks", []stillcast.Task{b}, activeTasks(t, s, 15))

	deleted, err := s.DeleteTask(t.Context(), b.ID)
	check(t, err)
	same(t, "deleted task", b, deleted)
	isStopped(b, false)
	same(t, "tasks", []stillcast.Task{a}, taskPage(t, s, state.TaskFilter{}))
	same(t, "active tasks", nil, activeTasks(t, s, 15))
	if again := addTask(t, s, task(10, 20)); again.ID == b.ID {
		t.Errorf("a new task has the id %s, which was used already", again.ID)
	}

	for _, id := range []string{b.ID, "", "t", "x1", "t01", "t+1", "t99999999999999999999"} {
		_, err := s.StopTask(t.Context(), id, at(1))
		refused(t, err, stillcast.CodeNotFound, "id")
		_, err = s.DeleteTask(t.Context(), id)
		refused(t, err, stillcast.CodeNotFound, "id")
	}
	_, err = s.StopTask(t.Context(), a.ID, time.Time{})
	refused(t, err, stillcast.CodeInvalid, "at")
}

func (c suite) listTasks(t *testing.T) {
	s := c.open(t)
	var tasks []stillcast.Task
	for i, names := range []stillcast.Stream{
		{Domain: "a.example.com", App: "live", Name: "cam"},
		{Domain: "a.example.com", App: "live", Name: "other"},
		{Domain: "b.example.com", App: "live", Name: "cam"},
		{Domain: "b.example.com", App: "test", Name: "cam"},
	} {
		wanted := task(10*i, 10*i+10)
		wanted.Stream = names
		tasks = append(tasks, addTask(t, s, wanted))
	}
	at := func(minute int) time.Time { return start().Add(time.Duration(minute) * time.Minute) }
	for name, test := range map[string]struct {
		filter state.TaskFilter
		want   []stillcast.Task
	}{
		"all":        {state.TaskFilter{}, tasks},
		"a page":     {state.TaskFilter{Limit: 2}, tasks[:2]},
		"the next":   {state.TaskFilter{Limit: 2, After: tasks[1].ID}, tasks[2:]},
		"the end":    {state.TaskFilter{After: tasks[3].ID}, nil},
		"domain":     {state.TaskFilter{Stream: stillcast.Stream{Domain: "b.example.com"}}, tasks[2:]},
		"app":        {state.TaskFilter{Stream: stillcast.Stream{App: "test"}}, tasks[3:]},
		"name":       {state.TaskFilter{Stream: stillcast.Stream{Name: "other"}}, tasks[1:2]},
		"all names":  {state.TaskFilter{Stream: tasks[2].Stream}, tasks[2:3]},
		"window":     {state.TaskFilter{Start: at(10), End: at(30)}, tasks[1:3]},
		"from":       {state.TaskFilter{Start: at(11)}, tasks[2:]},
		"until":      {state.TaskFilter{End: at(39)}, tasks[:3]},
		"everything": {state.TaskFilter{Stream: tasks[3].Stream, Start: at(0), End: at(60), After: tasks[0].ID, Limit: 1}, tasks[3:]},
	} {
		same(t, name, test.want, taskPage(t, s, test.filter))
	}
	_, err := s.Tasks(t.Context(), state.TaskFilter{After: "7"})
	refused(t, err, stillcast.CodeInvalid, "after")
	_, err = s.DeleteTask(t.Context(), tasks[1].ID)
	check(t, err)
	same(t, "the page after a task that was deleted", tasks[2:], taskPage(t, s, state.TaskFilter{After: tasks[1].ID}))
}
