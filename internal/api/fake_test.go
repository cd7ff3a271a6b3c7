package api

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeControl keeps everything in memory, by the rules of [Control].
type fakeControl struct {
	mu     sync.Mutex
	set    stillcast.ResourceSet
	lastID int64
	live   []stillcast.Push
	ends   []stillcast.PushEnd
	bans   []stillcast.Ban
	tasks  []stillcast.Task
	pushes []state.PushRecord
	calls  []state.AttemptRecord
	fail   error // of every change
	asked  []any // filters
}

var _ Control = (*fakeControl)(nil)

func (f *fakeControl) Location() *time.Location { return time.FixedZone("", 8*3600) }

func (f *fakeControl) Resources() *stillcast.Resources {
	f.mu.Lock()
	defer f.mu.Unlock()
	return stillcast.NewResources(stillcast.ResourceSet{
		Domains: slices.Clone(f.set.Domains), SnapshotTemplates: slices.Clone(f.set.SnapshotTemplates), SnapshotRules: slices.Clone(f.set.SnapshotRules),
		CallbackTemplates: slices.Clone(f.set.CallbackTemplates), CallbackRules: slices.Clone(f.set.CallbackRules),
	})
}

// change runs a change alone; after an error the set is as before.
func (f *fakeControl) change(do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	return do()
}

func notFound(field, name string) error {
	return stillcast.Errorf(stillcast.CodeNotFound, field, "there is no %q", name)
}

// edit is what the three kinds of named things have in common.
func edit[T interface{ Validate() error }](list *[]T, is func(T) bool, create bool, limit int, blank T, change func(*T) error) (before, after T, err error) {
	i := slices.IndexFunc(*list, is)
	switch {
	case create && i >= 0:
		return before, after, stillcast.Errorf(stillcast.CodeConflict, "name", "exists already")
	case create && len(*list) >= limit:
		return before, after, stillcast.Errorf(stillcast.CodeLimit, "", "there are %d already", limit)
	case !create && i < 0:
		return before, after, notFound("name", "")
	case create:
		after = blank
	default:
		before, after = (*list)[i], (*list)[i]
	}
	if err := change(&after); err != nil {
		return before, after, err
	}
	if err := after.Validate(); err != nil {
		return before, after, err
	}
	if create {
		*list = append(*list, after)
	} else {
		(*list)[i] = after
	}
	return before, after, nil
}

func remove[T any](list *[]T, field string, is func(T) bool) (T, error) {
	i := slices.IndexFunc(*list, is)
	if i < 0 {
		var none T
		return none, notFound(field, "")
	}
	gone := (*list)[i]
	*list = slices.Delete(*list, i, i+1)
	return gone, nil
}

func (f *fakeControl) EditDomain(_ context.Context, name string, create bool, change func(*stillcast.Domain) error) (before, after stillcast.Domain, err error) {
	err = f.change(func() error {
		before, after, err = edit(&f.set.Domains, func(d stillcast.Domain) bool { return d.Name == name }, create, MaxDomains,
			stillcast.Domain{Name: name, Created: time.Unix(1622599925, 0)}, change)
		return err
	})
	return before, after, err
}

func (f *fakeControl) DeleteDomain(_ context.Context, name string) (d stillcast.Domain, err error) {
	err = f.change(func() error {
		if slices.ContainsFunc(f.set.SnapshotRules, func(r stillcast.SnapshotRule) bool { return r.Domain == name }) {
			return stillcast.Errorf(stillcast.CodeConflict, "domain", "rules name it")
		}
		d, err = remove(&f.set.Domains, "domain", func(d stillcast.Domain) bool { return d.Name == name })
		return err
	})
	return d, err
}

func (f *fakeControl) EditSnapshotTemplate(_ context.Context, id int64, change func(*stillcast.SnapshotTemplate) error) (before, after stillcast.SnapshotTemplate, err error) {
	err = f.change(func() error {
		before, after, err = edit(&f.set.SnapshotTemplates, func(t stillcast.SnapshotTemplate) bool { return id != 0 && t.ID == id }, id == 0, MaxTemplates,
			stillcast.SnapshotTemplate{ID: f.lastID + 1}, func(t *stillcast.SnapshotTemplate) error {
				if err := change(t); err != nil {
					return err
				}
				if slices.ContainsFunc(f.set.SnapshotTemplates, func(o stillcast.SnapshotTemplate) bool { return o.Name == t.Name && o.ID != t.ID }) {
					return stillcast.Errorf(stillcast.CodeConflict, "name", "%q is taken", t.Name)
				}
				return nil
			})
		f.lastID = max(f.lastID, after.ID)
		return err
	})
	return before, after, err
}

func (f *fakeControl) DeleteSnapshotTemplate(_ context.Context, id int64) (t stillcast.SnapshotTemplate, err error) {
	err = f.change(func() error {
		if slices.ContainsFunc(f.set.SnapshotRules, func(r stillcast.SnapshotRule) bool { return r.TemplateID == id }) {
			return stillcast.Errorf(stillcast.CodeConflict, "template", "a rule uses it")
		}
		t, err = remove(&f.set.SnapshotTemplates, "template", func(t stillcast.SnapshotTemplate) bool { return t.ID == id })
		return err
	})
	return t, err
}

func (f *fakeControl) AddSnapshotRule(_ context.Context, rule stillcast.SnapshotRule) (stillcast.SnapshotRule, error) {
	err := f.change(func() error {
		switch {
		case !slices.ContainsFunc(f.set.Domains, func(d stillcast.Domain) bool { return d.Name == rule.Domain }):
			return notFound("domain", rule.Domain)
		case !slices.ContainsFunc(f.set.SnapshotTemplates, func(t stillcast.SnapshotTemplate) bool { return t.ID == rule.TemplateID }):
			return notFound("template", strconv.FormatInt(rule.TemplateID, 10))
		case slices.ContainsFunc(f.set.SnapshotRules, func(r stillcast.SnapshotRule) bool {
			return r.Domain == rule.Domain && r.App == rule.App && r.Stream == rule.Stream
		}):
			return stillcast.Errorf(stillcast.CodeConflict, "rule", "exists already")
		}
		rule.Created, rule.Updated = time.Unix(1622599925, 0), time.Unix(1622599925, 0)
		f.set.SnapshotRules = append(f.set.SnapshotRules, rule)
		return nil
	})
	return rule, err
}

func (f *fakeControl) EditSnapshotRule(_ context.Context, domain, app, stream string, change func(*stillcast.SnapshotRule) error) (before, after stillcast.SnapshotRule, err error) {
	of := func(domain, app, stream string) func(stillcast.SnapshotRule) bool {
		return func(r stillcast.SnapshotRule) bool { return r.Domain == domain && r.App == app && r.Stream == stream }
	}
	err = f.change(func() error {
		i := slices.IndexFunc(f.set.SnapshotRules, of(domain, app, stream))
		if i < 0 {
			return notFound("rule", domain)
		}
		before, after = f.set.SnapshotRules[i], f.set.SnapshotRules[i]
		if err := change(&after); err != nil {
			return err
		}
		switch other := slices.IndexFunc(f.set.SnapshotRules, of(after.Domain, after.App, after.Stream)); {
		case !slices.ContainsFunc(f.set.SnapshotTemplates, func(t stillcast.SnapshotTemplate) bool { return t.ID == after.TemplateID }):
			return notFound("template", strconv.FormatInt(after.TemplateID, 10))
		case !slices.ContainsFunc(f.set.Domains, func(d stillcast.Domain) bool { return d.Name == after.Domain }):
			return notFound("domain", after.Domain)
		case other >= 0 && other != i:
			return stillcast.Errorf(stillcast.CodeConflict, "rule", "exists already")
		}
		f.set.SnapshotRules[i] = after
		return nil
	})
	return before, after, err
}

func (f *fakeControl) DeleteSnapshotRule(_ context.Context, domain, app, stream string) (r stillcast.SnapshotRule, err error) {
	err = f.change(func() error {
		r, err = remove(&f.set.SnapshotRules, "rule", func(r stillcast.SnapshotRule) bool { return r.Domain == domain && r.App == app && r.Stream == stream })
		return err
	})
	return r, err
}

func (f *fakeControl) EditCallbackTemplate(_ context.Context, id int64, change func(*stillcast.CallbackTemplate) error) (before, after stillcast.CallbackTemplate, err error) {
	err = f.change(func() error {
		before, after, err = edit(&f.set.CallbackTemplates, func(t stillcast.CallbackTemplate) bool { return id != 0 && t.ID == id }, id == 0, MaxTemplates,
			stillcast.CallbackTemplate{ID: f.lastID + 1}, change)
		f.lastID = max(f.lastID, after.ID)
		return err
	})
	return before, after, err
}

func (f *fakeControl) DeleteCallbackTemplate(_ context.Context, id int64) (t stillcast.CallbackTemplate, err error) {
	err = f.change(func() error {
		if slices.ContainsFunc(f.set.CallbackRules, func(r stillcast.CallbackRule) bool { return r.TemplateID == id }) {
			return stillcast.Errorf(stillcast.CodeConflict, "template", "a rule uses it")
		}
		t, err = remove(&f.set.CallbackTemplates, "template", func(t stillcast.CallbackTemplate) bool { return t.ID == id })
		return err
	})
	return t, err
}

func (f *fakeControl) AddCallbackRule(_ context.Context, rule stillcast.CallbackRule) (stillcast.CallbackRule, error) {
	err := f.change(func() error {
		switch {
		case !slices.ContainsFunc(f.set.Domains, func(d stillcast.Domain) bool { return d.Name == rule.Domain }):
			return notFound("domain", rule.Domain)
		case !slices.ContainsFunc(f.set.CallbackTemplates, func(t stillcast.CallbackTemplate) bool { return t.ID == rule.TemplateID }):
			return notFound("template", strconv.FormatInt(rule.TemplateID, 10))
		case slices.ContainsFunc(f.set.CallbackRules, func(r stillcast.CallbackRule) bool { return r.Domain == rule.Domain && r.App == rule.App }):
			return stillcast.Errorf(stillcast.CodeConflict, "rule", "exists already")
		}
		rule.Created, rule.Updated = time.Unix(1622599925, 0), time.Unix(1622599925, 0)
		f.set.CallbackRules = append(f.set.CallbackRules, rule)
		return nil
	})
	return rule, err
}

func (f *fakeControl) EditCallbackRule(_ context.Context, domain, app string, change func(*stillcast.CallbackRule) error) (before, after stillcast.CallbackRule, err error) {
	err = f.change(func() error {
		i := slices.IndexFunc(f.set.CallbackRules, func(r stillcast.CallbackRule) bool { return r.Domain == domain && r.App == app })
		if i < 0 {
			return notFound("rule", domain)
		}
		before, after = f.set.CallbackRules[i], f.set.CallbackRules[i]
		if err := change(&after); err != nil {
			return err
		}
		f.set.CallbackRules[i] = after
		return nil
	})
	return before, after, err
}

func (f *fakeControl) DeleteCallbackRule(_ context.Context, domain, app string) (r stillcast.CallbackRule, err error) {
	err = f.change(func() error {
		r, err = remove(&f.set.CallbackRules, "rule", func(r stillcast.CallbackRule) bool { return r.Domain == domain && r.App == app })
		return err
	})
	return r, err
}

func (f *fakeControl) Live() []stillcast.Push {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.live)
}

func (f *fakeControl) Drop(s stillcast.Stream, end stillcast.PushEnd) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := len(f.live)
	f.live = slices.DeleteFunc(f.live, func(p stillcast.Push) bool { return p.Stream == s })
	if len(f.live) == before {
		return false
	}
	f.ends = append(f.ends, end)
	return true
}

func (f *fakeControl) DropDomain(name string, end stillcast.PushEnd) int {
	dropped := 0
	for _, p := range f.Live() {
		if p.Domain == name && f.Drop(p.Stream, end) {
			dropped++
		}
	}
	return dropped
}

func (f *fakeControl) Forbid(_ context.Context, ban stillcast.Ban) error {
	return f.change(func() error { f.bans = append(f.bans, ban); return nil })
}

func (f *fakeControl) Resume(_ context.Context, s stillcast.Stream) (ban stillcast.Ban, err error) {
	err = f.change(func() error {
		f.bans = slices.DeleteFunc(f.bans, func(b stillcast.Ban) bool { return b.Stream == s })
		return nil
	})
	return ban, err
}

func (f *fakeControl) Bans(context.Context) ([]stillcast.Ban, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.bans), nil
}

func (f *fakeControl) AddTask(_ context.Context, task stillcast.Task) (stillcast.Task, error) {
	err := f.change(func() error {
		running := 0
		for _, t := range f.tasks {
			if t.Stream == task.Stream && t.Start.Before(task.End) && task.Start.Before(t.End) && t.Stopped.IsZero() {
				running++
			}
		}
		if running >= stillcast.MaxRunningTasks {
			return stillcast.Errorf(stillcast.CodeLimit, "stream", "has %d tasks", running)
		}
		f.lastID++
		task.ID = strconv.FormatInt(f.lastID, 10)
		f.tasks = append(f.tasks, task)
		return nil
	})
	return task, err
}

func (f *fakeControl) StopTask(_ context.Context, id string, at time.Time) (task stillcast.Task, err error) {
	err = f.change(func() error {
		i := slices.IndexFunc(f.tasks, func(t stillcast.Task) bool { return t.ID == id })
		if i < 0 {
			return notFound("task", id)
		}
		f.tasks[i].Stopped = at
		task = f.tasks[i]
		return nil
	})
	return task, err
}

func (f *fakeControl) DeleteTask(_ context.Context, id string) (task stillcast.Task, err error) {
	err = f.change(func() error {
		task, err = remove(&f.tasks, "task", func(t stillcast.Task) bool { return t.ID == id })
		return err
	})
	return task, err
}

func (f *fakeControl) TaskPage(_ context.Context, filter state.TaskFilter) ([]stillcast.Task, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, filter)
	return slices.Clone(f.tasks), nil
}

func (f *fakeControl) PushPage(_ context.Context, filter state.PushFilter) ([]state.PushRecord, int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, filter)
	return f.pushes, int64(len(f.pushes)), nil
}

func (f *fakeControl) AttemptPage(_ context.Context, filter state.AttemptFilter) ([]state.AttemptRecord, int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, filter)
	return f.calls, int64(len(f.calls)), nil
}

func (f *fakeControl) CountShots(_ context.Context, domains []string, start, end time.Time, step time.Duration) ([]int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, domains)
	return make([]int64, (end.Sub(start)+step-1)/step), nil
}
