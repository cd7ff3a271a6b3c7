package sqlite

import (
	"testing"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// TestStranded: pictures that are lost without a word, as from a file that was
// saved as far as it could be read, leave nothing that waits for ever.
func TestStranded(t *testing.T) {
	s := newStore(t)
	var shots []stillcast.Shot
	for _, id := range []string{"e1", "e2", "e3", "e4"} {
		shots = append(shots, commit(t, s, newShot(id, []byte("jpeg"), hook(1), hook(2))))
	}
	check(t, s.change(t.Context(), "test", func(tx *tx) error {
		if _, err := tx.exec("DELETE FROM spool WHERE shot <> ?", shots[1].ID); err != nil {
			return err
		}
		_, err := tx.exec("UPDATE spool_total SET pictures = 1, bytes = 4")
		return err
	}))
	page := func(after int64, limit int) (ids []int64) {
		list, err := s.Stranded(t.Context(), after, limit)
		check(t, err)
		for _, shot := range list {
			ids = append(ids, shot.ID)
		}
		return ids
	}
	if ids := page(0, 2); len(ids) != 2 || ids[0] != shots[0].ID || ids[1] != shots[2].ID {
		t.Errorf("the first page of stranded shots is %v", ids)
	}
	if ids := page(shots[2].ID, 0); len(ids) != 1 || ids[0] != shots[3].ID {
		t.Errorf("the second page of stranded shots is %v", ids)
	}
	to, err := s.MarkStored(t.Context(), shots[0].ID) // the store has it
	check(t, err)
	if len(to) != 2 {
		t.Errorf("the mark made %d deliveries due, want 2", len(to))
	}
	for _, shot := range shots[2:] {
		check(t, s.DropShot(t.Context(), shot.ID, "picture lost"))
	}
	if ids := page(0, 0); len(ids) != 0 {
		t.Errorf("%v are stranded still", ids)
	}
	counts, err := s.CountDeliveries(t.Context())
	check(t, err)
	if counts["waiting"] != 2 || counts["pending"] != 2 || counts["parked"] != 4 {
		t.Errorf("the counts are %v, want 2 waiting, 2 pending, 4 parked", counts)
	}
	status, err := s.Shot(t.Context(), shots[3].ID)
	check(t, err)
	if status.State != state.ShotDropped || status.Reason != "picture lost" {
		t.Errorf("the lost shot is %+v", status)
	}
	verifyWhole(t, s)
}
