package api

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Control is what the actions need of the server. Methods that change something
// return when the change is durable and acts on live streams. Their errors are
// of type [*stillcast.Error] where the caller is at fault: CodeNotFound,
// CodeConflict for what exists already or is in use, CodeLimit, CodeInvalid.
type Control interface {
	Resources
	Streams
	Tasks
	History
	// Location is the time zone of times without one.
	Location() *time.Location
}

// Resources are domains, templates and rules.
type Resources interface {
	// Resources returns those in force.
	Resources() *stillcast.Resources

	// EditDomain changes a domain, or with create makes one; edit gets the
	// domain as it is, or with its name alone.
	EditDomain(ctx context.Context, name string, create bool, edit func(*stillcast.Domain) error) (before, after stillcast.Domain, err error)
	DeleteDomain(ctx context.Context, name string) (stillcast.Domain, error)

	// EditSnapshotTemplate changes a template, or with id 0 makes one.
	EditSnapshotTemplate(ctx context.Context, id int64, edit func(*stillcast.SnapshotTemplate) error) (before, after stillcast.SnapshotTemplate, err error)
	DeleteSnapshotTemplate(ctx context.Context, id int64) (stillcast.SnapshotTemplate, error)
	AddSnapshotRule(ctx context.Context, rule stillcast.SnapshotRule) (stillcast.SnapshotRule, error)
	// EditSnapshotRule changes the template of a rule, or what it is for, in one
	// step: no stream is without a rule in between.
	EditSnapshotRule(ctx context.Context, domain, app, stream string, edit func(*stillcast.SnapshotRule) error) (before, after stillcast.SnapshotRule, err error)
	DeleteSnapshotRule(ctx context.Context, domain, app, stream string) (stillcast.SnapshotRule, error)

	EditCallbackTemplate(ctx context.Context, id int64, edit func(*stillcast.CallbackTemplate) error) (before, after stillcast.CallbackTemplate, err error)
	DeleteCallbackTemplate(ctx context.Context, id int64) (stillcast.CallbackTemplate, error)
	AddCallbackRule(ctx context.Context, rule stillcast.CallbackRule) (stillcast.CallbackRule, error)
	EditCallbackRule(ctx context.Context, domain, app string, edit func(*stillcast.CallbackRule) error) (before, after stillcast.CallbackRule, err error)
	DeleteCallbackRule(ctx context.Context, domain, app string) (stillcast.CallbackRule, error)
}

// Streams are the live pushes, and streams that may not be pushed.
type Streams interface {
	Live() []stillcast.Push
	// Drop ends the push of a stream and reports whether there was one.
	Drop(s stillcast.Stream, end stillcast.PushEnd) bool
	// DropDomain ends the pushes that a registered domain took and returns how
	// many; where the domain was disabled or deleted before, none follows.
	DropDomain(name string, end stillcast.PushEnd) int
	// Forbid refuses pushes of a stream until a time, and ends a live one.
	Forbid(ctx context.Context, ban stillcast.Ban) error
	// Resume lifts a ban; no ban is no error.
	Resume(ctx context.Context, s stillcast.Stream) (stillcast.Ban, error)
	// Bans are those in force.
	Bans(ctx context.Context) ([]stillcast.Ban, error)
}

// Tasks are captures in a window of time.
type Tasks interface {
	AddTask(ctx context.Context, task stillcast.Task) (stillcast.Task, error)
	// StopTask ends a task for good, DeleteTask forgets it.
	StopTask(ctx context.Context, id string, at time.Time) (stillcast.Task, error)
	DeleteTask(ctx context.Context, id string) (stillcast.Task, error)
	// TaskPage returns tasks that lie wholly in a window, in the order of their
	// ids, after the one whose id is given.
	TaskPage(ctx context.Context, filter state.TaskFilter) ([]stillcast.Task, error)
}

// History is what was recorded.
type History interface {
	// PushPage returns pushes and how many there are in all.
	PushPage(ctx context.Context, filter state.PushFilter) ([]state.PushRecord, int64, error)
	// AttemptPage returns attempts of deliveries and how many there are in all.
	AttemptPage(ctx context.Context, filter state.AttemptFilter) ([]state.AttemptRecord, int64, error)
	// CountShots counts shots in steps of time from start up to end.
	CountShots(ctx context.Context, domains []string, start, end time.Time, step time.Duration) ([]int64, error)
}
