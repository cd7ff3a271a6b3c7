package statetest

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

func openPushes(t *testing.T, s Store) []stillcast.Push {
	t.Helper()
	open, err := s.OpenPushes(t.Context())
	check(t, err)
	return open
}

func (c suite) pushes(t *testing.T) {
	s := c.open(t)
	begin := stillcast.Destination{TemplateID: 7, Event: stillcast.EventPushBegin}
	finish := stillcast.Destination{TemplateID: 7, Event: stillcast.EventPushEnd}
	first, second := push("push-1"), push("push-2")
	second.Remote = netip.MustParseAddrPort("[2001:db8::1]:443")
	second.Started = start().Add(time.Minute)

	began := event("began", stillcast.EventPushBegin, first.Stream)
	check(t, s.BeginPush(t.Context(), first, []state.NewEvent{{Event: began, Destinations: []stillcast.Destination{begin}}}))
	check(t, s.BeginPush(t.Context(), second, nil))
	same(t, "open pushes", []stillcast.Push{first, second}, openPushes(t, s))

	ended := event("ended", stillcast.EventPushEnd, first.Stream)
	how := stillcast.PushEnd{At: start().Add(time.Hour), Code: stillcast.EndNetwork, Message: "reset", Width: 640, Height: 360}
	check(t, s.EndPush(t.Context(), "push-1", how, []state.NewEvent{{Event: ended, Destinations: []stillcast.Destination{finish}}}))
	same(t, "open pushes", []stillcast.Push{second}, openPushes(t, s))

	for _, test := range []struct {
		to   stillcast.Destination
		want stillcast.Event
	}{{begin, began}, {finish, ended}} {
		claimed := claim(t, s, test.to, state.LaneFresh, soon())
		if len(claimed) != 1 {
			t.Fatalf("claimed %d deliveries to %+v, want one that is due at once", len(claimed), test.to)
		}
		same(t, "delivery", state.Delivery{
			ID: claimed[0].ID, Destination: test.to, Event: test.want, Sequence: 1, Attempt: 1, Try: 1,
		}, claimed[0])
	}
}

func (c suite) pushConflicts(t *testing.T) {
	s := c.open(t)
	check(t, s.BeginPush(t.Context(), push("push-1"), nil))
	refused(t, s.BeginPush(t.Context(), push("push-1"), nil), stillcast.CodeConflict, "push.id")
	refused(t, s.BeginPush(t.Context(), push(""), nil), stillcast.CodeInvalid, "push.id")
	refused(t, s.EndPush(t.Context(), "push-9", stillcast.PushEnd{At: start()}, nil), stillcast.CodeNotFound, "push.id")
	unknownRemote := push("push-2")
	unknownRemote.Remote = netip.AddrPort{}
	check(t, s.BeginPush(t.Context(), unknownRemote, nil))
	same(t, "open pushes", []stillcast.Push{push("push-1"), unknownRemote}, openPushes(t, s))
}

func (c suite) endPushTwice(t *testing.T) {
	s := c.open(t)
	to := stillcast.Destination{TemplateID: 7, Event: stillcast.EventPushEnd}
	check(t, s.BeginPush(t.Context(), push("push-1"), nil))
	for _, id := range []string{"end-1", "end-2"} {
		events := []state.NewEvent{{Event: event(id, stillcast.EventPushEnd, stream("cam")), Destinations: []stillcast.Destination{to}}}
		check(t, s.EndPush(t.Context(), "push-1", stillcast.PushEnd{At: start(), Code: stillcast.EndClient}, events))
	}
	same(t, "events", []string{"end-1"}, eventIDs(claim(t, s, to, state.LaneFresh, soon())))
}

func (c suite) pushIsOneStep(t *testing.T) {
	s := c.open(t)
	to := []stillcast.Destination{{TemplateID: 7, Event: stillcast.EventPushBegin}}
	good := state.NewEvent{Event: event("good", stillcast.EventPushBegin, stream("cam")), Destinations: to}
	bad := good
	bad.Event.ID, bad.Event.Fields = "bad", []byte("[1]")
	refused(t, s.BeginPush(t.Context(), push("push-1"), []state.NewEvent{good, bad}), stillcast.CodeInvalid, "event.fields")
	bad.Event.ID, bad.Event.Fields = "", good.Event.Fields
	refused(t, s.BeginPush(t.Context(), push("push-1"), []state.NewEvent{good, bad}), stillcast.CodeInvalid, "event.id")
	twice := good
	twice.Destinations = append(to, to[0])
	refused(t, s.BeginPush(t.Context(), push("push-1"), []state.NewEvent{twice}), stillcast.CodeInvalid, "destinations")
	refused(t, s.BeginPush(t.Context(), push("push-1"), []state.NewEvent{good, good}), stillcast.CodeConflict, "event.id")

	if open := openPushes(t, s); len(open) != 0 {
		t.Errorf("refused pushes were kept: %+v", open)
	}
	if claimed := claim(t, s, to[0], state.LaneFresh, soon()); len(claimed) != 0 {
		t.Errorf("events of refused pushes were kept: %v", eventIDs(claimed))
	}
	check(t, s.BeginPush(t.Context(), push("push-1"), []state.NewEvent{good}))
	claimed := claim(t, s, to[0], state.LaneFresh, soon())
	if len(claimed) != 1 || claimed[0].Sequence != 1 {
		t.Errorf("claimed %+v, want one delivery of sequence 1: what was refused leaves no gap", claimed)
	}
}

func (c suite) recordEvent(t *testing.T) {
	s := c.open(t)
	kind := stillcast.EventPushException
	to := stillcast.Destination{TemplateID: 7, Event: kind}
	for i := range 2 {
		check(t, s.RecordEvent(t.Context(), state.NewEvent{
			Event: event(fmt.Sprintf("e%d", i), kind, stream("cam")), Destinations: []stillcast.Destination{to},
		}))
	}
	claimed := claim(t, s, to, state.LaneFresh, soon())
	same(t, "events", []string{"e0", "e1"}, eventIDs(claimed))
	same(t, "event", event("e1", kind, stream("cam")), claimed[1].Event)
	same(t, "sequence", int64(2), claimed[1].Sequence)

	twice := state.NewEvent{Event: event("e1", kind, stream("cam"))}
	refused(t, s.RecordEvent(t.Context(), twice), stillcast.CodeConflict, "event.id")
	twice.Event.ID = ""
	refused(t, s.RecordEvent(t.Context(), twice), stillcast.CodeInvalid, "event.id")
	twice.Event.ID, twice.Destinations = "e2", []stillcast.Destination{to, to}
	refused(t, s.RecordEvent(t.Context(), twice), stillcast.CodeInvalid, "destinations")
}
