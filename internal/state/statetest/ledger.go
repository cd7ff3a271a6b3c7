package statetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// crowd makes shots of three streams for two destinations, in all states and
// out of the order of time, and events of pushes between them.
func crowd(t *testing.T, s Store) {
	t.Helper()
	kind := stillcast.EventPushException
	outcomes := []state.Outcome{state.OutcomeDelivered, state.OutcomeParked, state.OutcomeRetry}
	for i := range 24 {
		n := newShot(fmt.Sprintf("e%d", i), [][]stillcast.Destination{{hook(7), hook(8)}, {hook(8)}, {}}[i%3]...)
		n.Shot.Stream.Name = fmt.Sprintf("cam-%d", i%4/2*i%3)
		n.Shot.Captured = start().Add(time.Duration(i*7%24) * time.Minute)
		shot := commit(t, s, n)
		if i%5 != 4 {
			check(t, errorOf(s.MarkStored(t.Context(), shot.ID)))
		}
		if i%5 == 4 && i > 15 {
			check(t, s.DropShot(t.Context(), shot.ID, "gone"))
		}
		if i%2 == 0 {
			for j, d := range claim(t, s, hook(int64(7+i/2%2)), state.LaneFresh, soon()) {
				end(t, s, d, outcomes[(i/2+j)%3])
			}
		}
		e := event(fmt.Sprintf("x%d", i), kind, n.Shot.Stream)
		e.At = n.Shot.Captured
		check(t, s.RecordEvent(t.Context(), state.NewEvent{Event: e, Destinations: []stillcast.Destination{{TemplateID: 7, Event: kind}}}))
	}
	expired, err := s.ExpiredPictures(t.Context(), start().Add(12*time.Minute), 0)
	check(t, err)
	if len(expired) == 0 {
		t.Fatal("no picture expired; there must be some")
	}
	claim(t, s, hook(8), state.LaneRetry, soon())
}

// listLedger compares what every combination of filters finds with what is
// filtered here.
func (c suite) listLedger(t *testing.T) {
	s := c.open(t)
	crowd(t, s)
	all, err := s.Deliveries(t.Context(), state.DeliveryFilter{Limit: state.MaxPage})
	check(t, err)
	states := map[state.DeliveryState]int{}
	for _, d := range all {
		states[d.State]++
	}
	same(t, "states in the crowd", 5, len(states))
	same(t, "deliveries", 48, len(all))
	destinations := append(pointers(hook(7), hook(8), hook(9)), nil)
	streams := append(pointers(stream("cam-0"), stream("cam-1"), stream("unknown")), nil)
	types := append(pointers(stillcast.EventShot, stillcast.EventPushException), nil)
	windows := crowdWindows()
	for _, f := range deliveryFilters(destinations, streams, types, windows) {
		list, err := s.Deliveries(t.Context(), f)
		check(t, err)
		if diff := cmp.Diff(matching(all, f), list); diff != "" {
			t.Fatalf("deliveries of %+v (-want +got):\n%s", f, diff)
		}
	}
	for i := range all {
		one, err := s.Delivery(t.Context(), all[i].ID)
		check(t, err)
		same(t, "delivery by its id", all[i], one)
		same(t, "deliveries of its event", true, contains(t, s, state.DeliveryFilter{EventID: all[i].Event.ID, State: all[i].State}, all[i]))
		same(t, "deliveries of its shot", all[i].Shot.ID == 0 || contains(t, s, state.DeliveryFilter{ShotID: all[i].Shot.ID}, all[i]), true)
	}
	refused(t, errorOf(s.Delivery(t.Context(), 999)), stillcast.CodeNotFound, "delivery")
}

// crowdWindows are from and until; zero for none.
func crowdWindows() [][2]time.Time {
	at := func(minute int) time.Time { return start().Add(time.Duration(minute) * time.Minute) }
	return [][2]time.Time{{}, {at(3), at(13)}, {at(20), {}}, {{}, at(1)}, {{}, at(9)}}
}

func pointers[T any](values ...T) []*T {
	var list []*T
	for _, v := range values {
		list = append(list, &v)
	}
	return list
}

func contains(t *testing.T, s Store, f state.DeliveryFilter, want state.DeliveryStatus) bool {
	t.Helper()
	list, err := s.Deliveries(t.Context(), f)
	check(t, err)
	return slices.ContainsFunc(list, func(d state.DeliveryStatus) bool { return d.ID == want.ID })
}

func deliveryFilters(destinations []*stillcast.Destination, streams []*stillcast.Stream, types []*stillcast.EventType,
	windows [][2]time.Time,
) (list []state.DeliveryFilter) {
	pages := []state.DeliveryFilter{{}, {Descending: true}, {AfterID: 11, BeforeID: 41, Limit: 3}, {Descending: true, BeforeID: 30, Limit: 4}}
	for _, d := range destinations {
		for _, of := range streams {
			for _, kind := range types {
				for _, is := range []state.DeliveryState{"", state.StateWaiting, state.StatePending, state.StateDelivered, state.StateParked} {
					for i, w := range windows {
						f := pages[(len(list)+i)%len(pages)]
						f.Destination, f.Stream, f.EventType, f.State, f.From, f.Until = d, of, kind, is, w[0], w[1]
						list = append(list, f)
					}
				}
			}
		}
	}
	return list
}

// matching is what a listing must find.
func matching(all []state.DeliveryStatus, f state.DeliveryFilter) []state.DeliveryStatus {
	var found []state.DeliveryStatus
	for _, d := range all {
		if (f.Destination == nil || d.Destination == *f.Destination) && (f.Stream == nil || d.Event.Stream == *f.Stream) &&
			(f.EventType == nil || d.Event.Type == *f.EventType) && (f.State == "" || d.State == f.State) &&
			inWindow(d.Event.At, f.From, f.Until) && d.ID > f.AfterID && (f.BeforeID == 0 || d.ID < f.BeforeID) {
			found = append(found, d)
		}
	}
	return pageOf(found, f.Descending, f.Limit)
}

func inWindow(at, from, until time.Time) bool {
	return !at.Before(from) && (until.IsZero() || at.Before(until))
}

func pageOf[T any](found []T, descending bool, limit int) []T {
	if descending {
		slices.Reverse(found)
	}
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	return found
}

// lastAttempt: the listing says how the last attempt went.
func (c suite) lastAttempt(t *testing.T) {
	s := c.open(t)
	stored(t, s, newShot("e1", hook(7)))
	status := func() state.DeliveryStatus {
		list, err := s.Deliveries(t.Context(), state.DeliveryFilter{})
		check(t, err)
		return list[0]
	}
	is := status()
	same(t, "before an attempt", [2]any{0, ""}, [2]any{is.LastStatus, is.LastError})
	first := claim(t, s, hook(7), state.LaneFresh, soon())[0]
	end(t, s, first, state.OutcomeRetry)
	is = status()
	same(t, "after a failure", [2]any{503, "answered 503"}, [2]any{is.LastStatus, is.LastError})
	same(t, "end of a delivery that is pending", time.Time{}, is.Finished)
	second := claim(t, s, hook(7), state.LaneRetry, soon())[0]
	is = status()
	same(t, "while the next attempt is made", [2]any{503, "answered 503"}, [2]any{is.LastStatus, is.LastError})
	end(t, s, second, state.OutcomeDelivered)
	is = status()
	same(t, "in the end", [2]any{200, ""}, [2]any{is.LastStatus, is.LastError})
	same(t, "end of the delivery", start().Add(120*time.Millisecond), is.Finished)
}

// listShotStates compares like listLedger.
func (c suite) listShotStates(t *testing.T) {
	s := c.open(t)
	crowd(t, s)
	all, err := s.Shots(t.Context(), state.ShotFilter{Limit: state.MaxPage})
	check(t, err)
	seen := map[state.ShotState]bool{}
	for _, shot := range all {
		seen[shot.State] = true
	}
	same(t, "states in the crowd", 4, len(seen))
	windows := crowdWindows()
	pages := []state.ShotFilter{{}, {Descending: true}, {AfterID: 3, BeforeID: 20, Limit: 3}, {Descending: true, BeforeID: 15, Limit: 4}}
	for _, of := range append(pointers(stream("cam-0"), stream("cam-2"), stream("unknown")), nil) {
		for _, is := range []state.ShotState{"", state.ShotSpooled, state.ShotStored, state.ShotDropped, state.ShotRemoved} {
			for _, w := range windows {
				for _, f := range pages {
					f.Stream, f.State, f.From, f.Until = of, is, w[0], w[1]
					list, err := s.Shots(t.Context(), f)
					check(t, err)
					if diff := cmp.Diff(matchingShots(all, f), list); diff != "" {
						t.Fatalf("shots of %+v (-want +got):\n%s", f, diff)
					}
				}
			}
		}
	}
	_, err = s.Shots(t.Context(), state.ShotFilter{State: "lost"})
	refused(t, err, stillcast.CodeInvalid, "state")
}

func matchingShots(all []state.ShotStatus, f state.ShotFilter) []state.ShotStatus {
	var found []state.ShotStatus
	for _, s := range all {
		if (f.Stream == nil || s.Stream == *f.Stream) && (f.State == "" || s.State == f.State) &&
			inWindow(s.Captured, f.From, f.Until) && s.ID > f.AfterID && (f.BeforeID == 0 || s.ID < f.BeforeID) {
			found = append(found, s)
		}
	}
	return pageOf(found, f.Descending, f.Limit)
}
