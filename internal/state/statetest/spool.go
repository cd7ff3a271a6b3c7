package statetest

import (
	"fmt"
	"testing"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

func spoolStats(t *testing.T, s Store) [2]int64 {
	t.Helper()
	pictures, bytes, err := s.SpoolStats(t.Context())
	check(t, err)
	return [2]int64{pictures, bytes}
}

func (c suite) spool(t *testing.T) {
	s := c.open(t)
	same(t, "size of an empty spool", [2]int64{}, spoolStats(t, s))
	var shots []stillcast.Shot
	var bytes int64
	for i := range 5 {
		n := newShot(fmt.Sprintf("e%d", i), hook(7))
		n.Picture = make([]byte, 1000*(i+1)+200_000*(i%2))
		bytes += int64(len(n.Picture))
		shots = append(shots, commit(t, s, n))
	}
	same(t, "size of the spool", [2]int64{5, bytes}, spoolStats(t, s))

	var paged []stillcast.Shot
	for after := int64(0); ; after = paged[len(paged)-1].ID {
		page, err := s.SpoolPage(t.Context(), after, 2)
		check(t, err)
		if len(page) == 0 {
			break
		}
		if len(page) > 2 {
			t.Fatalf("a page of 2 holds %d shots", len(page))
		}
		paged = append(paged, page...)
	}
	same(t, "spool", shots, paged)

	check(t, errorOf(s.MarkStored(t.Context(), shots[1].ID)))
	same(t, "size of the spool", [2]int64{4, bytes - int64(shots[1].Size)}, spoolStats(t, s))
	page, err := s.SpoolPage(t.Context(), shots[0].ID, 0)
	check(t, err)
	same(t, "spool", shots[2:], page)
	refused(t, errorOf(s.SpooledPicture(t.Context(), shots[1].ID, 0)), stillcast.CodeNotFound, "shot")
	refused(t, errorOf(s.SpooledPicture(t.Context(), 999, 0)), stillcast.CodeNotFound, "shot")
}

func (c suite) markStored(t *testing.T) {
	s := c.open(t)
	shot := commit(t, s, newShot("e1", hook(8), hook(7)))
	other := commit(t, s, newShot("e2", hook(7)))
	nobody := commit(t, s, newShot("e3"))

	got, err := s.MarkStored(t.Context(), shot.ID)
	check(t, err)
	same(t, "destinations", []stillcast.Destination{hook(8), hook(7)}, got)
	got, err = s.MarkStored(t.Context(), nobody.ID)
	check(t, err)
	same(t, "destinations of a shot without any", 0, len(got))
	for _, to := range []stillcast.Destination{hook(7), hook(8)} {
		same(t, "events due", []string{"e1"}, eventIDs(claim(t, s, to, state.LaneFresh, soon())))
	}

	// The second time must not touch what is under way.
	got, err = s.MarkStored(t.Context(), shot.ID)
	check(t, err)
	same(t, "destinations at the second time", 0, len(got))
	counts, err := s.CountDeliveries(t.Context())
	check(t, err)
	same(t, "deliveries", map[string]int64{"waiting": 1, "pending": 0, "claimed": 2, "delivered": 0, "parked": 0}, counts)
	same(t, "size of the spool", [2]int64{1, int64(other.Size)}, spoolStats(t, s))
	refused(t, errorOf(s.MarkStored(t.Context(), 999)), stillcast.CodeNotFound, "shot")
}
