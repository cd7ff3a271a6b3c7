package sqlite

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// taskPrefix stands before the number of a task's row in its id, so that nobody
// takes ids for numbers to count with.
const taskPrefix = "t"

func taskID(number int64) string { return taskPrefix + strconv.FormatInt(number, 10) }

// taskNumber returns the number in an id; false for what never was an id.
func taskNumber(id string) (int64, bool) {
	digits, ok := strings.CutPrefix(id, taskPrefix)
	number, err := strconv.ParseInt(digits, 10, 64)
	return number, ok && err == nil && taskID(number) == id
}

// AddTask adds a task and returns it with its ID. ID and Stopped of task are
// ignored; a zero Created means now. The template need not exist. Names of
// streams are compared exactly.
//
// Errors are of type [stillcast.Error]: CodeInvalid, and CodeLimit if at any
// time after Created more than [stillcast.MaxRunningTasks] windows of the stream
// would be open. Windows of tasks that were stopped or deleted do not count.
func (s *Store) AddTask(ctx context.Context, task stillcast.Task) (stillcast.Task, error) {
	if err := task.Stream.Validate(); err != nil {
		return stillcast.Task{}, err
	}
	if task.Created.IsZero() {
		task.Created = now()
	}
	task.Stopped = time.Time{}
	for _, at := range []*time.Time{&task.Start, &task.End, &task.Created} {
		*at = fromMicros(micros(*at))
	}
	if !task.End.After(task.Start) {
		return stillcast.Task{}, stillcast.Errorf(stillcast.CodeInvalid, "end", "is %s, which is not after the start, %s",
			task.End.Format(time.RFC3339), task.Start.Format(time.RFC3339))
	}
	err := s.change(ctx, "add task", func(t *tx) error {
		stream, err := t.stream(task.Stream)
		if err != nil {
			return err
		}
		if err := t.roomForTask(stream, task); err != nil {
			return err
		}
		var number int64
		_, err = t.one("INSERT INTO task (stream, template, start_at, end_at, created_at) VALUES (?, ?, ?, ?, ?) RETURNING id",
			[]any{stream, task.TemplateID, micros(task.Start), micros(task.End), micros(task.Created)}, &number)
		task.ID = taskID(number)
		return err
	})
	if err != nil {
		return stillcast.Task{}, err
	}
	return task, nil
}

// roomForTask returns a CodeLimit error if the window of a task would be one too
// many.
func (t *tx) roomForTask(stream int64, task stillcast.Task) error {
	from, until := max(micros(task.Start), micros(task.Created)), micros(task.End)
	var windows [][2]int64
	err := t.query(`SELECT start_at, end_at FROM task INDEXED BY task_stream
		WHERE stream = ? AND stopped_at IS NULL AND end_at > ? AND start_at < ?`, []any{stream, from, until}, func(scan scan) error {
		var w [2]int64
		err := scan(&w[0], &w[1])
		windows = append(windows, [2]int64{max(w[0], from), w[1]})
		return err
	})
	if err != nil {
		return err
	}
	if most := mostOpen(windows); most >= stillcast.MaxRunningTasks {
		return stillcast.Errorf(stillcast.CodeLimit, "stream", "%s has %d tasks at once between %s and %s; at most %d may run at once",
			task.Stream, most, task.Start.Format(time.RFC3339), task.End.Format(time.RFC3339), stillcast.MaxRunningTasks)
	}
	return nil
}

// mostOpen returns how many windows, from their start up to their end, are open
// at once at most.
func mostOpen(windows [][2]int64) int {
	type step struct {
		at   int64
		more int
	}
	var steps []step
	for _, w := range windows {
		steps = append(steps, step{w[0], 1}, step{w[1], -1})
	}
	// At the same time, windows close before others open.
	slices.SortFunc(steps, func(a, b step) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.more, b.more)) })
	open, most := 0, 0
	for _, s := range steps {
		open += s.more
		most = max(most, open)
	}
	return most
}

// StopTask ends a task at a time, for good, and returns it as it is then. One
// that has ended or was stopped before that time stays as it is. No such task is
// a [stillcast.Error] of CodeNotFound.
func (s *Store) StopTask(ctx context.Context, id string, at time.Time) (stillcast.Task, error) {
	if at.IsZero() {
		return stillcast.Task{}, stillcast.Errorf(stillcast.CodeInvalid, "at", "is missing; give the time at which the task ends")
	}
	return s.changeTask(ctx, "stop task", id, func(t *tx, number int64, task *stillcast.Task) error {
		if !task.Stopped.IsZero() || !at.Before(task.End) {
			return nil
		}
		task.Stopped = fromMicros(micros(at))
		_, err := t.exec("UPDATE task SET stopped_at = ? WHERE id = ?", micros(at), number)
		return err
	})
}

// DeleteTask forgets a task and returns it. No such task is a [stillcast.Error]
// of CodeNotFound.
func (s *Store) DeleteTask(ctx context.Context, id string) (stillcast.Task, error) {
	return s.changeTask(ctx, "delete task", id, func(t *tx, number int64, _ *stillcast.Task) error {
		_, err := t.exec("DELETE FROM task WHERE id = ?", number)
		return err
	})
}

func (s *Store) changeTask(
	ctx context.Context, verb, id string, do func(t *tx, number int64, task *stillcast.Task) error,
) (stillcast.Task, error) {
	var changed stillcast.Task
	err := s.change(ctx, verb, func(t *tx) error {
		number, ok := taskNumber(id)
		var task stillcast.Task
		var err error
		if ok {
			task, ok, err = first(t, listTasks("task.id = ?"), []any{number, 1}, scanTask)
		}
		if err != nil {
			return err
		}
		if !ok {
			return stillcast.Errorf(stillcast.CodeNotFound, "id", "there is no task %q", id)
		}
		err = do(t, number, &task)
		changed = task
		return err
	})
	if err != nil {
		return stillcast.Task{}, err
	}
	return changed, nil
}

// TaskStopped reports whether a task was stopped; false if it was deleted.
func (s *Store) TaskStopped(ctx context.Context, task stillcast.Task) (bool, error) {
	number, ok := taskNumber(task.ID)
	if !ok {
		return false, nil
	}
	stopped := false
	err := s.read(ctx, "SELECT stopped_at IS NOT NULL FROM task WHERE id = ?", []any{number}, func(scan scan) error {
		return scan(&stopped)
	})
	return stopped, within("read task", err)
}

// Tasks lists tasks. An After that is no id of a task is a [stillcast.Error] of
// CodeInvalid; that task may be deleted.
func (s *Store) Tasks(ctx context.Context, f state.TaskFilter) ([]stillcast.Task, error) {
	where, err := taskConditions(f)
	if err != nil {
		return nil, err
	}
	return s.tasks(ctx, listTasks(where.String()), append(where.args, pageLimit(f.Limit)))
}

func taskConditions(f state.TaskFilter) (*conditions, error) {
	where := &conditions{}
	after, ok := int64(0), true
	if f.After != "" {
		after, ok = taskNumber(f.After)
	}
	if !ok {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "after", "is %q, which is no id of a task", f.After)
	}
	where.add("task.id > ?", after)
	if !f.Start.IsZero() {
		where.add("task.start_at >= ?", micros(f.Start))
	}
	if !f.End.IsZero() {
		where.add("task.end_at <= ?", micros(f.End))
	}
	where.addNames(f.Stream)
	return where, nil
}

// addNames asks for streams with those of the names that are not "".
func (c *conditions) addNames(s stillcast.Stream) {
	if s.Domain != "" {
		c.add("stream.domain = ?", s.Domain)
	}
	if s.App != "" {
		c.add("stream.app = ?", s.App)
	}
	if s.Name != "" {
		c.add("stream.name = ?", s.Name)
	}
}

// ActiveTasks returns the tasks that end after now and were neither stopped nor
// deleted, those that end first first.
func (s *Store) ActiveTasks(ctx context.Context, now time.Time) ([]stillcast.Task, error) {
	return s.tasks(ctx, activeTasksQuery, []any{micros(now)})
}

func (s *Store) tasks(ctx context.Context, query string, args []any) ([]stillcast.Task, error) {
	var tasks []stillcast.Task
	err := s.read(ctx, query, args, func(scan scan) error { return appendRow(&tasks, scan, scanTask) })
	if err != nil {
		return nil, within("list tasks", err)
	}
	return tasks, nil
}

const (
	taskColumns      = "task.id, stream.domain, stream.app, stream.name, template, start_at, end_at, created_at, stopped_at"
	activeTasksQuery = `SELECT ` + taskColumns + ` FROM task INDEXED BY task_active CROSS JOIN stream ON stream.id = task.stream
		WHERE stopped_at IS NULL AND end_at > ? ORDER BY end_at, task.id`
)

func listTasks(where string) string {
	return "SELECT " + taskColumns + " FROM task CROSS JOIN stream ON stream.id = task.stream WHERE " + where + " ORDER BY task.id LIMIT ?"
}

func scanTask(scan scan) (t stillcast.Task, err error) {
	var number, start, end, created int64
	var stopped *int64
	err = scan(&number, &t.Stream.Domain, &t.Stream.App, &t.Stream.Name, &t.TemplateID, &start, &end, &created, &stopped)
	t.ID = taskID(number)
	t.Start, t.End, t.Created = fromMicros(start), fromMicros(end), fromMicros(created)
	if stopped != nil {
		t.Stopped = fromMicros(*stopped)
	}
	return t, err
}
