package statetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

func (c suite) mirror(t *testing.T) {
	s := c.open(t)
	n := newShot("e1", hook(7))
	n.Shot.Mirror = "second"
	shot := commit(t, s, n)
	same(t, "mirror of a shot", "second", shot.Mirror)
	same(t, "shot that is committed again", shot, commit(t, s, n))
	none := commit(t, s, newShot("e2", hook(7)))
	page, err := s.SpoolPage(t.Context(), 0, 10)
	check(t, err)
	same(t, "spool", []stillcast.Shot{shot, none}, page)
	status, err := s.Shot(t.Context(), shot.ID)
	check(t, err)
	same(t, "shot", state.ShotStatus{Shot: shot, State: state.ShotSpooled}, status)

	check(t, errorOf(s.MarkStored(t.Context(), shot.ID)))
	shot.Mirror = ""
	status, err = s.Shot(t.Context(), shot.ID)
	check(t, err)
	recent(t, "when it was stored", status.Stored)
	same(t, "stored shot", state.ShotStatus{Shot: shot, State: state.ShotStored, Stored: status.Stored}, status)
	check(t, errorOf(s.MarkStored(t.Context(), shot.ID)))
	again, err := s.Shot(t.Context(), shot.ID)
	check(t, err)
	same(t, "when it was stored, after that was said again", status.Stored, again.Stored)
	refused(t, errorOf(s.Shot(t.Context(), 999)), stillcast.CodeNotFound, "shot")
}

func (c suite) dropSpooled(t *testing.T) {
	s := c.open(t)
	none, err := s.DropSpooled(t.Context(), 1)
	check(t, err)
	same(t, "dropped of an empty spool", 0, len(none))
	var shots []stillcast.Shot
	for i := range 5 {
		n := withRenditions(newShot(fmt.Sprintf("e%d", i), hook(7), hook(8)), 320)
		n.Picture = make([]byte, 1000)
		n.Renditions[0] = make([]byte, 500)
		shots = append(shots, commit(t, s, n))
	}
	check(t, errorOf(s.MarkStored(t.Context(), shots[0].ID)))

	dropped, err := s.DropSpooled(t.Context(), 1501)
	check(t, err)
	same(t, "dropped shots, the oldest that are not stored", shots[1:3], dropped)
	same(t, "size of the spool", [2]int64{4, 3000}, spoolStats(t, s))
	refused(t, errorOf(s.SpooledPicture(t.Context(), shots[1].ID, 1)), stillcast.CodeNotFound, "shot")
	for i, want := range []state.ShotState{state.ShotStored, state.ShotDropped, state.ShotDropped, state.ShotSpooled, state.ShotSpooled} {
		status, err := s.Shot(t.Context(), shots[i].ID)
		check(t, err)
		reason := ""
		if want == state.ShotDropped {
			reason = "picture dropped: the spool was full"
		}
		same(t, "it was stored once", want == state.ShotStored, !status.Stored.IsZero())
		same(t, "shot", state.ShotStatus{Shot: shots[i], State: want, Reason: reason, Stored: status.Stored}, status)
	}

	// Its event is parked, without an attempt, and stays so.
	list, err := s.Deliveries(t.Context(), state.DeliveryFilter{ShotID: shots[1].ID})
	check(t, err)
	same(t, "deliveries of a dropped shot", 2, len(list))
	for _, d := range list {
		if d.State != state.StateParked || d.Attempt != 0 || d.Reason != "picture dropped: the spool was full" {
			t.Errorf("the delivery of a dropped picture is %+v", d)
		}
		recent(t, "the end of the delivery", d.Finished)
		refused(t, s.Replay(t.Context(), d.ID), stillcast.CodeConflict, "delivery")
	}
	replayed, next, err := s.ReplayMany(t.Context(), state.DeliveryFilter{}, 10)
	check(t, err)
	same(t, "replayed", [2]int64{0, 0}, [2]int64{int64(replayed), next})
	refused(t, errorOf(s.MarkStored(t.Context(), shots[1].ID)), stillcast.CodeConflict, "shot")
	status, err := s.Shot(t.Context(), shots[1].ID)
	check(t, err)
	same(t, "when a dropped shot was stored", time.Time{}, status.Stored)
	counts, err := s.CountDeliveries(t.Context())
	check(t, err)
	same(t, "deliveries", map[string]int64{"waiting": 4, "pending": 2, "claimed": 0, "delivered": 0, "parked": 4}, counts)

	dropped, err = s.DropSpooled(t.Context(), 1_000_000)
	check(t, err)
	same(t, "dropped of the rest", shots[3:], dropped)
	same(t, "size of an empty spool", [2]int64{}, spoolStats(t, s))
	refused(t, errorOf(s.DropSpooled(t.Context(), 0)), stillcast.CodeInvalid, "bytes")
}

// dropSpooledInSteps: one call holds the others up for 100 shots at most.
func (c suite) dropSpooledInSteps(t *testing.T) {
	s := c.open(t)
	for i := range 103 {
		commit(t, s, newShot(fmt.Sprintf("e%d", i)))
	}
	for _, want := range []int{100, 3, 0} {
		dropped, err := s.DropSpooled(t.Context(), 1_000_000)
		check(t, err)
		same(t, "shots dropped by one call", want, len(dropped))
	}
}

func (c suite) dropShot(t *testing.T) {
	s := c.open(t)
	spooled := commit(t, s, withRenditions(newShot("e1", hook(7)), 320))
	storedShot := commit(t, s, newShot("e2", hook(7)))
	check(t, errorOf(s.MarkStored(t.Context(), storedShot.ID)))
	stranded, err := s.Stranded(t.Context(), 0, 0)
	check(t, err)
	same(t, "stranded shots, of which methods leave none", 0, len(stranded))

	for range 2 {
		check(t, s.DropShot(t.Context(), spooled.ID, "the disk lost it"))
	}
	status, err := s.Shot(t.Context(), spooled.ID)
	check(t, err)
	same(t, "dropped shot", state.ShotStatus{Shot: spooled, State: state.ShotDropped, Reason: "the disk lost it"}, status)
	same(t, "size of the spool", [2]int64{}, spoolStats(t, s))
	list, err := s.Deliveries(t.Context(), state.DeliveryFilter{State: state.StateParked})
	check(t, err)
	if len(list) != 1 || list[0].Reason != "the disk lost it" || list[0].Event.ID != "e1" {
		t.Errorf("parked are %+v, want that of the dropped shot with its reason", list)
	}

	refused(t, s.DropShot(t.Context(), storedShot.ID, "r"), stillcast.CodeConflict, "shot")
	refused(t, s.DropShot(t.Context(), 999, "r"), stillcast.CodeNotFound, "shot")
	refused(t, s.DropShot(t.Context(), spooled.ID, ""), stillcast.CodeInvalid, "reason")
	refused(t, s.DropShot(t.Context(), spooled.ID, strings.Repeat("r", state.MaxReason+1)), stillcast.CodeInvalid, "reason")
}
