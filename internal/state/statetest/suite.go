// Package statetest is the suite that every state passes. The test of an
// implementation calls [Run] with a function that opens an empty one.
package statetest

import (
	"context"
	"testing"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Store is the whole contract. What each method promises is said once, at the
// methods of package sqlite; consumers declare the few that they call.
type Store interface {
	Resources(ctx context.Context) (stillcast.ResourceSet, error)
	ApplyDeclaration(ctx context.Context, d stillcast.Declaration) ([]state.Change, error)

	BeginPush(ctx context.Context, p stillcast.Push, events []state.NewEvent) error
	EndPush(ctx context.Context, pushID string, end stillcast.PushEnd, events []state.NewEvent) error
	OpenPushes(ctx context.Context) ([]stillcast.Push, error)

	CommitShot(ctx context.Context, n state.NewShot) (stillcast.Shot, error)
	SpoolPage(ctx context.Context, afterID int64, limit int) ([]stillcast.Shot, error)
	SpooledPicture(ctx context.Context, shotID int64, index int) ([]byte, error)
	MarkStored(ctx context.Context, shotID int64) ([]stillcast.Destination, error)
	SpoolStats(ctx context.Context) (pictures, bytes int64, err error)

	Claim(ctx context.Context, c state.Claim) ([]state.Delivery, error)
	Finish(ctx context.Context, r state.Result) error
	Replay(ctx context.Context, deliveryID int64) error
	Backlogs(ctx context.Context) ([]state.Backlog, error)
	CountDeliveries(ctx context.Context) (map[string]int64, error)

	Deliveries(ctx context.Context, f state.DeliveryFilter) ([]state.DeliveryStatus, error)
	Attempts(ctx context.Context, deliveryID int64) ([]state.Result, error)
	Shots(ctx context.Context, f state.ShotFilter) ([]stillcast.Shot, error)
}

// Run runs the suite. Open returns an empty store and registers its closing
// with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	s := suite{open: open}
	t.Run("DeclareCreates", s.declareCreates)
	t.Run("DeclareUpdates", s.declareUpdates)
	t.Run("DeclareRefersToStored", s.declareRefersToStored)
	t.Run("DeclareRefuses", s.declareRefuses)
	t.Run("DeclareIsOneStep", s.declareIsOneStep)
	t.Run("Pushes", s.pushes)
	t.Run("PushConflicts", s.pushConflicts)
	t.Run("EndPushTwice", s.endPushTwice)
	t.Run("PushIsOneStep", s.pushIsOneStep)
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
	t.Run("ClaimOrder", s.claimOrder)
	t.Run("ClaimLanes", s.claimLanes)
	t.Run("ClaimIsolation", s.claimIsolation)
	t.Run("ClaimRefuses", s.claimRefuses)
	t.Run("Lease", s.lease)
	t.Run("Fencing", s.fencing)
	t.Run("Finish", s.finish)
	t.Run("FinishRefuses", s.finishRefuses)
	t.Run("Replay", s.replay)
	t.Run("ConcurrentClaims", s.concurrentClaims)
	t.Run("Backlogs", s.backlogs)
	t.Run("NextDue", s.nextDue)
	t.Run("Counts", s.counts)
	t.Run("ListDeliveries", s.listDeliveries)
	t.Run("ListShots", s.listShots)
	t.Run("OddText", s.oddText)
}

type suite struct {
	open func(t *testing.T) Store
}
