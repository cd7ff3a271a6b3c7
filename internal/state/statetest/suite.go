// Package statetest is the suite that every state passes. The test of an
// implementation calls [Run] with a function that opens an empty one.
package statetest

import (
	"context"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Store is the whole contract. What each method promises is said once, at the
// methods of package sqlite; consumers declare the few that they call.
type Store interface {
	Resources(ctx context.Context) (stillcast.ResourceSet, error)
	ApplyDeclaration(ctx context.Context, d stillcast.Declaration) ([]state.Change, error)

	EditDomain(ctx context.Context, name string, create bool, limit int, edit func(*stillcast.Domain) error) (before, after stillcast.Domain, err error)
	DeleteDomain(ctx context.Context, name string) (stillcast.Domain, error)
	EditSnapshotTemplate(ctx context.Context, id int64, limit int, edit func(*stillcast.SnapshotTemplate) error) (before, after stillcast.SnapshotTemplate, err error)
	DeleteSnapshotTemplate(ctx context.Context, id int64) (stillcast.SnapshotTemplate, error)
	AddSnapshotRule(ctx context.Context, rule stillcast.SnapshotRule) (stillcast.SnapshotRule, error)
	EditSnapshotRule(ctx context.Context, domain, app, stream string, edit func(*stillcast.SnapshotRule) error) (before, after stillcast.SnapshotRule, err error)
	DeleteSnapshotRule(ctx context.Context, domain, app, stream string) (stillcast.SnapshotRule, error)
	EditCallbackTemplate(ctx context.Context, id int64, limit int, edit func(*stillcast.CallbackTemplate) error) (before, after stillcast.CallbackTemplate, err error)
	DeleteCallbackTemplate(ctx context.Context, id int64) (stillcast.CallbackTemplate, error)
	AddCallbackRule(ctx context.Context, rule stillcast.CallbackRule) (stillcast.CallbackRule, error)
	EditCallbackRule(ctx context.Context, domain, app string, edit func(*stillcast.CallbackRule) error) (before, after stillcast.CallbackRule, err error)
	DeleteCallbackRule(ctx context.Context, domain, app string) (stillcast.CallbackRule, error)

	PutBan(ctx context.Context, ban stillcast.Ban) error
	DeleteBan(ctx context.Context, stream stillcast.Stream) (stillcast.Ban, error)
	Bans(ctx context.Context) ([]stillcast.Ban, error)

	ConsoleAccounts(ctx context.Context) ([]state.ConsoleAccount, error)
	AddConsoleAccount(ctx context.Context, a state.ConsoleAccount) error
	SetConsolePassword(ctx context.Context, name string, password stillcast.Secret, keep string) error
	SetConsoleRole(ctx context.Context, name string, role state.ConsoleRole) error
	DeleteConsoleAccount(ctx context.Context, name string) error
	ConsoleSessions(ctx context.Context) ([]state.ConsoleSession, error)
	AddConsoleSession(ctx context.Context, s state.ConsoleSession, ended []string) error
	SeeConsoleSession(ctx context.Context, s state.ConsoleSession) error
	EndConsoleSessions(ctx context.Context, ids []string) error

	AddTask(ctx context.Context, task stillcast.Task) (stillcast.Task, error)
	StopTask(ctx context.Context, id string, at time.Time) (stillcast.Task, error)
	DeleteTask(ctx context.Context, id string) (stillcast.Task, error)
	TaskStopped(ctx context.Context, task stillcast.Task) (bool, error)
	Tasks(ctx context.Context, f state.TaskFilter) ([]stillcast.Task, error)
	ActiveTasks(ctx context.Context, now time.Time) ([]stillcast.Task, error)

	BeginPush(ctx context.Context, p stillcast.Push, events []state.NewEvent) error
	EndPush(ctx context.Context, pushID string, end stillcast.PushEnd, events []state.NewEvent) error
	OpenPushes(ctx context.Context) ([]stillcast.Push, error)
	RecordEvent(ctx context.Context, e state.NewEvent) error

	CommitShot(ctx context.Context, n state.NewShot) (stillcast.Shot, error)
	SpoolPage(ctx context.Context, afterID int64, limit int) ([]stillcast.Shot, error)
	SpooledPicture(ctx context.Context, shotID int64, index int) ([]byte, error)
	MarkStored(ctx context.Context, shotID int64) ([]stillcast.Destination, error)
	SpoolStats(ctx context.Context) (pictures, bytes int64, err error)
	DropSpooled(ctx context.Context, bytes int64) ([]stillcast.Shot, error)
	Stranded(ctx context.Context, afterID int64, limit int) ([]stillcast.Shot, error)
	DropShot(ctx context.Context, shotID int64, reason string) error

	Claim(ctx context.Context, c state.Claim) ([]state.Delivery, error)
	Finish(ctx context.Context, r state.Result) error
	Replay(ctx context.Context, deliveryID int64) error
	ReplayMany(ctx context.Context, f state.DeliveryFilter, limit int) (replayed int, next int64, err error)
	Destinations(ctx context.Context) ([]state.DestinationStatus, error)
	PauseDestination(ctx context.Context, d stillcast.Destination, reason string) error
	ResumeDestination(ctx context.Context, d stillcast.Destination) error
	Backlogs(ctx context.Context) ([]state.Backlog, error)
	CountDeliveries(ctx context.Context) (map[string]int64, error)

	ExpiredPictures(ctx context.Context, before time.Time, limit int) ([]stillcast.Shot, error)
	PicturesRemoved(ctx context.Context, shotIDs []int64) error
	PruneShots(ctx context.Context, before time.Time, limit int) ([]stillcast.Shot, error)
	PruneEvents(ctx context.Context, before time.Time, limit int) (removed int, err error)
	PruneAttempts(ctx context.Context, before time.Time, limit int) (removed int, err error)

	Deliveries(ctx context.Context, f state.DeliveryFilter) ([]state.DeliveryStatus, error)
	Delivery(ctx context.Context, id int64) (state.DeliveryStatus, error)
	Attempts(ctx context.Context, deliveryID int64) ([]state.Result, error)
	Shots(ctx context.Context, f state.ShotFilter) ([]state.ShotStatus, error)
	Shot(ctx context.Context, id int64) (state.ShotStatus, error)
	PushPage(ctx context.Context, f state.PushFilter) ([]state.PushRecord, int64, error)
	AttemptPage(ctx context.Context, f state.AttemptFilter) ([]state.AttemptRecord, int64, error)
	CountShots(ctx context.Context, domains []string, start, end time.Time, step time.Duration) ([]int64, error)
}

// Run runs the suite. Open returns an empty store and registers its closing
// with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	s := suite{open: open}
	s.runControl(t)
	s.runEvents(t)
	s.runDeliveries(t)
	s.runHistory(t)
}

// runControl runs the tests of what is set up and asked while the program runs.
func (s suite) runControl(t *testing.T) {
	t.Helper()
	t.Run("DeclareCreates", s.declareCreates)
	t.Run("DeclareUpdates", s.declareUpdates)
	t.Run("DeclareLeavesTheRest", s.declareLeavesTheRest)
	t.Run("DeclareRefersToStored", s.declareRefersToStored)
	t.Run("DeclareRefuses", s.declareRefuses)
	t.Run("DeclareIsOneStep", s.declareIsOneStep)
	t.Run("EditDomain", s.editDomain)
	t.Run("EditDomainRefuses", s.editDomainRefuses)
	t.Run("DeleteDomain", s.deleteDomain)
	t.Run("SnapshotTemplates", s.snapshotTemplates)
	t.Run("CallbackTemplates", s.callbackTemplates)
	t.Run("ConcurrentEdits", s.concurrentEdits)
	t.Run("SnapshotRules", s.snapshotRules)
	t.Run("CallbackRules", s.callbackRules)
	t.Run("EditSnapshotRule", s.editSnapshotRule)
	t.Run("EditCallbackRule", s.editCallbackRule)
	t.Run("EditRuleRefuses", s.editRuleRefuses)
	t.Run("EditRuleIsOneStep", s.editRuleIsOneStep)
	t.Run("DeletedTemplateIsOwed", s.deletedTemplateIsOwed)
	t.Run("Bans", s.bans)
	t.Run("ConsoleAccounts", s.consoleAccounts)
	t.Run("ConsoleAccountLimit", s.consoleAccountLimit)
	t.Run("ConsoleRefuses", s.consoleRefuses)
	t.Run("LastConsoleAdmin", s.lastConsoleAdmin)
	t.Run("ConsoleSessions", s.consoleSessions)
	t.Run("ConsoleSessionsEnd", s.consoleSessionsEnd)
	t.Run("AddTask", s.addTask)
	t.Run("TaskLimit", s.taskLimit)
	t.Run("EndTask", s.endTask)
	t.Run("ListTasks", s.listTasks)
}

// runEvents runs the tests of pushes, shots and their pictures.
func (s suite) runEvents(t *testing.T) {
	t.Helper()
	t.Run("Pushes", s.pushes)
	t.Run("PushConflicts", s.pushConflicts)
	t.Run("EndPushTwice", s.endPushTwice)
	t.Run("PushIsOneStep", s.pushIsOneStep)
	t.Run("RecordEvent", s.recordEvent)
	t.Run("CommitShot", s.commitShot)
	t.Run("CommitShotTwice", s.commitShotTwice)
	t.Run("CommitShotRefuses", s.commitShotRefuses)
	t.Run("KeyVariants", s.keyVariants)
	t.Run("Facts", s.facts)
	t.Run("Renditions", s.renditions)
	t.Run("RenditionKeys", s.renditionKeys)
	t.Run("RenditionsAreOneStep", s.renditionsAreOneStep)
	t.Run("SpoolOfRenditions", s.spoolOfRenditions)
	t.Run("Sequences", s.sequences)
	t.Run("ConcurrentSequences", s.concurrentSequences)
	t.Run("Spool", s.spool)
	t.Run("MarkStored", s.markStored)
	t.Run("Mirror", s.mirror)
	t.Run("DropSpooled", s.dropSpooled)
	t.Run("DropSpooledInSteps", s.dropSpooledInSteps)
	t.Run("DropShot", s.dropShot)
}

// runDeliveries runs the tests of what is owed.
func (s suite) runDeliveries(t *testing.T) {
	t.Helper()
	t.Run("ClaimOrder", s.claimOrder)
	t.Run("ClaimLanes", s.claimLanes)
	t.Run("ClaimIsolation", s.claimIsolation)
	t.Run("ClaimRefuses", s.claimRefuses)
	t.Run("Lease", s.lease)
	t.Run("Fencing", s.fencing)
	t.Run("Finish", s.finish)
	t.Run("FinishRefuses", s.finishRefuses)
	t.Run("Replay", s.replay)
	t.Run("ReplayMany", s.replayMany)
	t.Run("ReplayManyInSteps", s.replayManyInSteps)
	t.Run("Pause", s.pause)
	t.Run("PauseAhead", s.pauseAhead)
	t.Run("ClockJumps", s.clockJumps)
	t.Run("ClockBack", s.clockBack)
	t.Run("ClockForth", s.clockForth)
	t.Run("ConcurrentClaims", s.concurrentClaims)
	t.Run("Backlogs", s.backlogs)
	t.Run("NextDue", s.nextDue)
	t.Run("Counts", s.counts)
}

// runHistory runs the tests of what is listed, and of what is removed for its age.
func (s suite) runHistory(t *testing.T) {
	t.Helper()
	t.Run("ExpiredPictures", s.expiredPictures)
	t.Run("PruneShots", s.pruneShots)
	t.Run("PruneShotsInSteps", s.pruneShotsInSteps)
	t.Run("PruneEvents", s.pruneEvents)
	t.Run("PruneAttempts", s.pruneAttempts)
	t.Run("ListDeliveries", s.listDeliveries)
	t.Run("ListShots", s.listShots)
	t.Run("ListLedger", s.listLedger)
	t.Run("LastAttempt", s.lastAttempt)
	t.Run("ListShotStates", s.listShotStates)
	t.Run("OddText", s.oddText)
	t.Run("PushPage", s.pushPage)
	t.Run("PushPageFilters", s.pushPageFilters)
	t.Run("AttemptPage", s.attemptPage)
	t.Run("CountShots", s.countShots)
}

type suite struct {
	open func(t *testing.T) Store
}
