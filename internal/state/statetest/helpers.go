package statetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// start is a time in the past, with microseconds, since states keep no more.
func start() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 89_012_000, time.UTC) }

// soon is after everything that the store itself made due.
func soon() time.Time { return time.Now().Add(time.Hour) }

// recent checks a time that the store itself noted.
func recent(t *testing.T, what string, at time.Time) {
	t.Helper()
	if age := time.Since(at); age < -time.Minute || age > time.Minute || at.Location() != time.UTC {
		t.Errorf("%s was noted as %s, want the time of now in UTC", what, at)
	}
}

func stream(name string) stillcast.Stream {
	return stillcast.Stream{Domain: "push.example.com", App: "live", Name: name}
}

// hook is the destination of a template's events 200.
func hook(template int64) stillcast.Destination {
	return stillcast.Destination{TemplateID: template, Event: stillcast.EventShot}
}

func push(id string) stillcast.Push {
	return stillcast.Push{
		ID: id, Stream: stream("cam"), Domain: "*", Param: "txSecret=ab&txTime=6A", Node: "192.0.2.1:1935",
		Remote: netip.MustParseAddrPort("198.51.100.7:50123"), Started: start(),
	}
}

func event(id string, kind stillcast.EventType, s stillcast.Stream) stillcast.Event {
	return stillcast.Event{
		ID: id, Type: kind, Stream: s, PushID: "push-1", At: start(),
		Fields: json.RawMessage(`{"event_type":` + fmt.Sprint(int(kind)) + `}`),
	}
}

// newShot is a shot of stream "cam" whose names derive from id.
func newShot(id string, to ...stillcast.Destination) state.NewShot {
	return state.NewShot{
		Shot: stillcast.Shot{
			EventID: id, PushID: "push-1", Stream: stream("cam"), Bucket: "shots-1250000000", Region: "ap-guangzhou",
			Key: "cam/" + id + ".jpg", Due: start(), Captured: start().Add(time.Second), Width: 640, Height: 360,
			Format: stillcast.FormatJPEG,
		},
		Picture:      []byte("JPEG of " + id),
		Destinations: to,
		MakeEvent:    shotEvent,
	}
}

// withRenditions gives a shot renditions of those sizes, whose names derive from
// the shot's.
func withRenditions(n state.NewShot, widths ...int) state.NewShot {
	for _, w := range widths {
		name := fmt.Sprintf("%s of %d", n.Shot.EventID, w)
		n.Shot.Renditions = append(n.Shot.Renditions, stillcast.Rendition{Key: "cam/" + name + ".jpg", Width: w, Height: w / 2})
		n.Renditions = append(n.Renditions, []byte("JPEG of "+name))
	}
	return n
}

// taken is the shot as it is once n was committed with that id.
func taken(n state.NewShot, id int64) stillcast.Shot {
	shot := n.Shot
	shot.ID, shot.Size, shot.Renditions = id, len(n.Picture), nil
	for i, r := range n.Shot.Renditions {
		r.Size = len(n.Renditions[i])
		shot.Renditions = append(shot.Renditions, r)
	}
	return shot
}

// shotEvent makes the event 200 of a shot.
func shotEvent(s stillcast.Shot) (stillcast.Event, error) {
	fields, err := json.Marshal(map[string]any{"pic_url": s.PicURL(), "file_size": s.Size})
	return stillcast.Event{
		ID: s.EventID, Type: stillcast.EventShot, Stream: s.Stream, PushID: s.PushID, At: s.Captured, Fields: fields,
	}, err
}

// commit commits a shot that must be taken.
func commit(t *testing.T, s Store, n state.NewShot) stillcast.Shot {
	t.Helper()
	shot, err := s.CommitShot(t.Context(), n)
	check(t, err)
	return shot
}

// stored commits shots and marks them as stored, so that their deliveries are
// due.
func stored(t *testing.T, s Store, shots ...state.NewShot) {
	t.Helper()
	for _, n := range shots {
		_, err := s.MarkStored(t.Context(), commit(t, s, n).ID)
		check(t, err)
	}
}

// claim claims what is due by now.
func claim(t *testing.T, s Store, to stillcast.Destination, lane state.Lane, now time.Time) []state.Delivery {
	t.Helper()
	claimed, err := s.Claim(t.Context(), state.Claim{Destination: to, Lane: lane, Limit: 100, Now: now, Lease: time.Minute})
	check(t, err)
	return claimed
}

// result ends the attempt of d.
func result(d state.Delivery, outcome state.Outcome) state.Result {
	r := state.Result{
		DeliveryID: d.ID, Attempt: d.Attempt, Outcome: outcome, Started: start(), Took: 120 * time.Millisecond,
		Status: 200, Reply: `{"code":0}`,
	}
	if outcome != state.OutcomeDelivered {
		r.Status, r.Error = 503, "answered 503"
	}
	if outcome == state.OutcomeRetry {
		r.RetryAt = start().Add(time.Minute)
	}
	return r
}

func end(t *testing.T, s Store, d state.Delivery, outcome state.Outcome) {
	t.Helper()
	check(t, s.Finish(t.Context(), result(d, outcome)))
}

// bare returns the shots without their states.
func bare(list []state.ShotStatus) []stillcast.Shot {
	var shots []stillcast.Shot
	for _, s := range list {
		shots = append(shots, s.Shot)
	}
	return shots
}

func eventIDs(deliveries []state.Delivery) []string {
	ids := []string{}
	for _, d := range deliveries {
		ids = append(ids, d.Event.ID)
	}
	return ids
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// same compares; want comes first.
func same[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// refused checks that err is made for a person, of that code and about that
// field ("" for any).
func refused(t *testing.T, err error, code stillcast.Code, field string) {
	t.Helper()
	var e *stillcast.Error
	if !errors.As(err, &e) {
		t.Errorf("got the error %v, want a stillcast.Error of code %q", err, code)
		return
	}
	if e.Code != code || field != "" && e.Field != field {
		t.Errorf("got the error %q with code %q and field %q, want code %q and field %q", e, e.Code, e.Field, code, field)
	}
}
