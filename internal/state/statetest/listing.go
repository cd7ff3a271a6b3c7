package statetest

import (
	"fmt"
	"testing"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

func (c suite) listDeliveries(t *testing.T) {
	s := c.open(t)
	for i := range 4 {
		stored(t, s, newShot(fmt.Sprintf("e%d", i), hook(7), hook(8)))
	}
	commit(t, s, newShot("waiting", hook(7)))
	claimed := claim(t, s, hook(7), state.LaneFresh, soon())
	end(t, s, claimed[0], state.OutcomeParked)
	end(t, s, claimed[1], state.OutcomeDelivered)

	seven, eight := hook(7), hook(8)
	for _, test := range []struct {
		name   string
		filter state.DeliveryFilter
		want   []string
	}{
		{"all", state.DeliveryFilter{}, []string{"e0 7", "e0 8", "e1 7", "e1 8", "e2 7", "e2 8", "e3 7", "e3 8", "waiting 7"}},
		{"of a destination", state.DeliveryFilter{Destination: &eight}, []string{"e0 8", "e1 8", "e2 8", "e3 8"}},
		{"of an event", state.DeliveryFilter{EventID: "e2"}, []string{"e2 7", "e2 8"}},
		{"of an unknown event", state.DeliveryFilter{EventID: "e9"}, nil},
		{"waiting", state.DeliveryFilter{State: state.StateWaiting}, []string{"waiting 7"}},
		{"claimed", state.DeliveryFilter{State: state.StateClaimed}, []string{"e2 7", "e3 7"}},
		{"delivered", state.DeliveryFilter{State: state.StateDelivered}, []string{"e1 7"}},
		{"parked of a destination", state.DeliveryFilter{State: state.StateParked, Destination: &seven}, []string{"e0 7"}},
		{"parked of another", state.DeliveryFilter{State: state.StateParked, Destination: &eight}, nil},
		{"first page", state.DeliveryFilter{State: state.StatePending, Limit: 2}, []string{"e0 8", "e1 8"}},
	} {
		list, err := s.Deliveries(t.Context(), test.filter)
		check(t, err)
		var got []string
		for _, d := range list {
			got = append(got, fmt.Sprint(d.Event.ID, " ", d.Destination.TemplateID))
			hasDue := d.State == state.StatePending || d.State == state.StateClaimed
			if d.Due.IsZero() == hasDue {
				t.Errorf("%s delivery %s has the due time %s", d.State, d.Event.ID, d.Due)
			}
		}
		same(t, "deliveries "+test.name, test.want, got)
	}

	page, err := s.Deliveries(t.Context(), state.DeliveryFilter{Limit: 4})
	check(t, err)
	rest, err := s.Deliveries(t.Context(), state.DeliveryFilter{AfterID: page[3].ID})
	check(t, err)
	same(t, "deliveries on the second page", 5, len(rest))
	_, err = s.Deliveries(t.Context(), state.DeliveryFilter{State: "lost"})
	refused(t, err, stillcast.CodeInvalid, "state")
	none, err := s.Attempts(t.Context(), 999)
	check(t, err)
	same(t, "attempts of an unknown delivery", 0, len(none))
}

func (c suite) listShots(t *testing.T) {
	s := c.open(t)
	var all, cam []stillcast.Shot
	for i := range 6 {
		n := newShot(fmt.Sprintf("e%d", i), hook(7))
		if i%2 == 1 {
			n.Shot.Stream.Name = "other"
		}
		shot := commit(t, s, n)
		all = append(all, shot)
		if i%2 == 0 {
			cam = append(cam, shot)
		}
	}
	check(t, errorOf(s.MarkStored(t.Context(), all[0].ID)))
	one := stream("cam")
	unknown := stream("unknown")
	for _, test := range []struct {
		name   string
		filter state.ShotFilter
		want   []stillcast.Shot
	}{
		{"all", state.ShotFilter{}, all},
		{"a page", state.ShotFilter{AfterID: all[1].ID, Limit: 3}, all[2:5]},
		{"of a stream", state.ShotFilter{Stream: &one}, cam},
		{"a page of a stream", state.ShotFilter{Stream: &one, AfterID: cam[0].ID, Limit: 1}, cam[1:2]},
		{"of an unknown stream", state.ShotFilter{Stream: &unknown}, nil},
	} {
		got, err := s.Shots(t.Context(), test.filter)
		check(t, err)
		same(t, "shots, "+test.name, test.want, bare(got))
	}
}
