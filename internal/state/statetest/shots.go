package statetest

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

func (c suite) commitShot(t *testing.T) {
	s := c.open(t)
	n := newShot("e1", hook(7), hook(8))
	var given stillcast.Shot
	n.MakeEvent = func(shot stillcast.Shot) (stillcast.Event, error) {
		given = shot
		return shotEvent(shot)
	}
	got := commit(t, s, n)
	want := n.Shot
	want.ID, want.Size = got.ID, len(n.Picture)
	if got.ID < 1 {
		t.Errorf("the shot has the id %d", got.ID)
	}
	same(t, "shot", want, got)
	same(t, "shot that its event was made of", want, given)

	picture, err := s.SpooledPicture(t.Context(), got.ID, 0)
	check(t, err)
	same(t, "picture", string(n.Picture), string(picture))
	page, err := s.SpoolPage(t.Context(), 0, 10)
	check(t, err)
	same(t, "spool", []stillcast.Shot{want}, page)

	wantEvent, err := shotEvent(want)
	check(t, err)
	list, err := s.Deliveries(t.Context(), state.DeliveryFilter{})
	check(t, err)
	if len(list) != 2 {
		t.Fatalf("there are %d deliveries, want 2", len(list))
	}
	for i, to := range n.Destinations {
		same(t, "delivery", state.DeliveryStatus{
			Delivery: state.Delivery{ID: list[i].ID, Destination: to, Event: wantEvent, Shot: want, Sequence: 1},
			State:    state.StateWaiting,
		}, list[i])
		if claimed := claim(t, s, to, state.LaneFresh, soon()); len(claimed) != 0 {
			t.Errorf("a delivery was claimed before its picture was stored: %v", eventIDs(claimed))
		}
	}
}

func (c suite) commitShotTwice(t *testing.T) {
	s := c.open(t)
	first := commit(t, s, newShot("e1", hook(7)))
	again := newShot("e1", hook(7), hook(8))
	again.Picture = []byte("another picture")
	again.Shot.Key = "another.jpg"
	again.MakeEvent = func(stillcast.Shot) (stillcast.Event, error) {
		return stillcast.Event{}, errors.New("called for a shot that is there")
	}
	same(t, "shot", first, commit(t, s, again))
	check(t, errorOf(s.MarkStored(t.Context(), first.ID)))
	same(t, "shot after its picture was stored", first, commit(t, s, again))

	pictures, _, err := s.SpoolStats(t.Context())
	check(t, err)
	same(t, "pictures in the spool", int64(0), pictures)
	list, err := s.Deliveries(t.Context(), state.DeliveryFilter{})
	check(t, err)
	same(t, "deliveries", 1, len(list))
}

func errorOf[T any](_ T, err error) error { return err }

func (c suite) commitShotRefuses(t *testing.T) {
	s := c.open(t)
	check(t, s.BeginPush(t.Context(), push("push-1"), []state.NewEvent{
		{Event: event("begin", stillcast.EventPushBegin, stream("cam"))},
	}))
	failure := errors.New("no event")
	tests := []struct {
		field string
		code  stillcast.Code
		spoil func(n *state.NewShot)
	}{
		{"shot.event_id", stillcast.CodeInvalid, func(n *state.NewShot) { n.Shot.EventID = "" }},
		{"shot.key", stillcast.CodeInvalid, func(n *state.NewShot) { n.Shot.Key = "" }},
		{"shot.picture", stillcast.CodeInvalid, func(n *state.NewShot) { n.Picture = nil }},
		{"shot.renditions", stillcast.CodeInvalid, func(n *state.NewShot) { n.Renditions = [][]byte{{1}} }},
		{"shot.renditions", stillcast.CodeInvalid, func(n *state.NewShot) { n.Shot.Renditions = make([]stillcast.Rendition, 1) }},
		{"shot.renditions[0]", stillcast.CodeInvalid, func(n *state.NewShot) { *n = withRenditions(*n, 320); n.Shot.Renditions[0].Key = "" }},
		{"shot.renditions[1]", stillcast.CodeInvalid, func(n *state.NewShot) { *n = withRenditions(*n, 320, 160); n.Renditions[1] = nil }},
		{"shot.facts", stillcast.CodeInvalid, func(n *state.NewShot) { n.Shot.Facts.Luma = math.NaN() }},
		{"shot.facts", stillcast.CodeInvalid, func(n *state.NewShot) { n.Shot.Facts.Variance = math.Inf(1) }},
		{"shot.make_event", stillcast.CodeInvalid, func(n *state.NewShot) { n.MakeEvent = nil }},
		{"destinations", stillcast.CodeInvalid, func(n *state.NewShot) { n.Destinations = append(n.Destinations, n.Destinations[0]) }},
		{"shot.event_id", stillcast.CodeConflict, func(n *state.NewShot) { n.Shot.EventID = "begin" }},
		{"event", stillcast.CodeInvalid, wrongEvent(func(e *stillcast.Event) { e.ID = "other" })},
		{"event", stillcast.CodeInvalid, wrongEvent(func(e *stillcast.Event) { e.Type = stillcast.EventPushEnd })},
		{"event", stillcast.CodeInvalid, wrongEvent(func(e *stillcast.Event) { e.PushID = "other" })},
		{"event", stillcast.CodeInvalid, wrongEvent(func(e *stillcast.Event) { e.Stream.Name = "other" })},
		{"event", stillcast.CodeInvalid, wrongEvent(func(e *stillcast.Event) { e.At = e.At.Add(time.Microsecond) })},
		{"event.fields", stillcast.CodeInvalid, wrongEvent(func(e *stillcast.Event) { e.Fields = []byte(`{"t":`) })},
	}
	for _, test := range tests {
		n := newShot("e1", hook(7))
		test.spoil(&n)
		refused(t, errorOf(s.CommitShot(t.Context(), n)), test.code, test.field)
	}
	n := withRenditions(newShot("e1", hook(7)), 320)
	n.MakeEvent = func(stillcast.Shot) (stillcast.Event, error) { return stillcast.Event{}, failure }
	if _, err := s.CommitShot(t.Context(), n); !errors.Is(err, failure) {
		t.Errorf("CommitShot gave %v, want the error of MakeEvent", err)
	}

	pictures, bytes, err := s.SpoolStats(t.Context())
	check(t, err)
	shots, err := s.Shots(t.Context(), state.ShotFilter{})
	check(t, err)
	if pictures != 0 || bytes != 0 || len(shots) != 0 {
		t.Errorf("refused shots left %d pictures of %d bytes and %d shots", pictures, bytes, len(shots))
	}
	// Neither a key nor a sequence number is used up.
	same(t, "key", "cam/e1.jpg", commit(t, s, newShot("e1", hook(7))).Key)
	list, err := s.Deliveries(t.Context(), state.DeliveryFilter{})
	check(t, err)
	if len(list) != 1 || list[0].Sequence != 1 {
		t.Errorf("deliveries are %+v, want one of sequence 1", list)
	}
}

// wrongEvent makes a shot's event and spoils it.
func wrongEvent(spoil func(e *stillcast.Event)) func(n *state.NewShot) {
	return func(n *state.NewShot) {
		n.MakeEvent = func(shot stillcast.Shot) (stillcast.Event, error) {
			e, err := shotEvent(shot)
			spoil(&e)
			return e, err
		}
	}
}

func (c suite) keyVariants(t *testing.T) {
	s := c.open(t)
	named := func(id, bucket string) state.NewShot {
		n := newShot(id, hook(7))
		n.Shot.Bucket, n.Shot.Key, n.Shot.Captured = bucket, "a.b/same.jpg", start()
		return n
	}
	for _, want := range []struct{ id, bucket, key string }{
		{"e1", "one", "a.b/same.jpg"},
		{"e2", "one", "a.b/same-089.jpg"}, // start is 89 ms into its second
		{"e3", "one", "a.b/same-e3.jpg"},
		{"e4", "two", "a.b/same.jpg"},
		{"e5", "", "a.b/same.jpg"},
	} {
		n := named(want.id, want.bucket)
		var seen string
		n.MakeEvent = func(shot stillcast.Shot) (stillcast.Event, error) {
			seen = shot.Key
			return shotEvent(shot)
		}
		same(t, "key of "+want.id, want.key, commit(t, s, n).Key)
		same(t, "key in the event of "+want.id, want.key, seen)
	}
	other := named("e6", "one")
	other.Shot.Key = "a.b/same-e7.jpg"
	commit(t, s, other)
	refused(t, errorOf(s.CommitShot(t.Context(), named("e7", "one"))), stillcast.CodeConflict, "shot.key")
}

func (c suite) sequences(t *testing.T) {
	s := c.open(t)
	for i, to := range [][]stillcast.Destination{{hook(7)}, {hook(7), hook(8)}, {}, {hook(8)}, {hook(7)}} {
		stored(t, s, newShot(fmt.Sprintf("cam-%d", i), to...))
	}
	other := newShot("other", hook(7))
	other.Shot.Stream.Name = "other"
	stored(t, s, other)
	begin := event("begin", stillcast.EventPushBegin, stream("cam"))
	check(t, s.BeginPush(t.Context(), push("push-1"), []state.NewEvent{
		{Event: begin, Destinations: []stillcast.Destination{{TemplateID: 7, Event: stillcast.EventPushBegin}}},
	}))

	for _, want := range []struct {
		to        stillcast.Destination
		sequences map[string]int64
	}{
		{hook(7), map[string]int64{"cam-0": 1, "cam-1": 2, "cam-4": 3, "other": 1}},
		{hook(8), map[string]int64{"cam-1": 1, "cam-3": 2}},
		{stillcast.Destination{TemplateID: 7, Event: stillcast.EventPushBegin}, map[string]int64{"begin": 1}},
	} {
		got := make(map[string]int64)
		for _, d := range claim(t, s, want.to, state.LaneFresh, soon()) {
			got[d.Event.ID] = d.Sequence
		}
		same(t, fmt.Sprintf("sequences to %+v", want.to), want.sequences, got)
	}
}

func (c suite) concurrentSequences(t *testing.T) {
	s := c.open(t)
	const callers, each = 8, 10
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for i := range each {
				n := newShot(fmt.Sprintf("e-%d-%d", caller, i), hook(7))
				n.Shot.Key = "all/the/same.jpg"
				if i%4 == 3 {
					n.Picture = nil // refused
				}
				if _, err := s.CommitShot(t.Context(), n); (err == nil) == (n.Picture == nil) {
					t.Errorf("CommitShot of %s gave %v", n.Shot.EventID, err)
				}
			}
		})
	}
	group.Wait()

	list, err := s.Deliveries(t.Context(), state.DeliveryFilter{})
	check(t, err)
	same(t, "deliveries", callers*(each-2), len(list))
	keys := make(map[string]bool)
	for i, d := range list {
		same(t, "sequence", int64(i)+1, d.Sequence)
		keys[d.Shot.Key] = true
	}
	same(t, "different keys", len(list), len(keys))
}

func (c suite) oddText(t *testing.T) {
	s := c.open(t)
	odd := []string{"'; DROP TABLE shot; --", `"quoted"`, "流/媒体?#%20", "\U0001F4F7", "a b\\c", "nul\x00nul"}
	for i, text := range odd {
		n := newShot(fmt.Sprintf("e%d", i), hook(7))
		n.Shot.Stream = stillcast.Stream{Domain: text, App: text, Name: text}
		n.Shot.Key, n.Shot.Region, n.Shot.PushID = text, text, text
		stored(t, s, n)
		claimed := claim(t, s, hook(7), state.LaneFresh, soon())
		if len(claimed) != 1 {
			t.Fatalf("claimed %d deliveries for %q, want 1", len(claimed), text)
		}
		want := n.Shot
		want.ID, want.Size = claimed[0].Shot.ID, len(n.Picture)
		same(t, "shot", want, claimed[0].Shot)
		r := result(claimed[0], state.OutcomeRetry)
		r.Error, r.Reply, r.Took = text, text+"\xff\xfe", time.Nanosecond
		check(t, s.Finish(t.Context(), r))
		attempts, err := s.Attempts(t.Context(), r.DeliveryID)
		check(t, err)
		same(t, "attempts", []state.Result{r}, attempts)
	}
}
