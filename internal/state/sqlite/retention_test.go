package sqlite

import "testing"

// TestRetentionLooksAgain: what came to be owed since a reader found it stays.
func TestRetentionLooksAgain(t *testing.T) {
	s := newStore(t)
	shot := commit(t, s, newShot("e1", []byte("jpeg"), hook(1)))
	deliverOne(t, s, shot)
	deliveries := deliveriesByEvent(t, s)["e1"]
	check(t, s.Replay(t.Context(), deliveries[0].ID))
	ids := []int64{shot.ID}
	left, err := s.leave(t.Context(), ids)
	check(t, err)
	removed, err := s.pruneShots(t.Context(), ids)
	check(t, err)
	if len(left)+len(removed) > 0 {
		t.Errorf("the pictures of %v were given up and %v removed, of which something is owed", left, removed)
	}
	verifyWhole(t, s)
}
