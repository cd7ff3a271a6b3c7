package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

func hook(template int64) stillcast.Destination {
	return stillcast.Destination{TemplateID: template, Event: stillcast.EventShot}
}

// newShot is a shot whose stream is one of ten and whose key is its own.
func newShot(id string, jpeg []byte, to ...stillcast.Destination) state.NewShot {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	return state.NewShot{
		Shot: stillcast.Shot{
			EventID: id, PushID: "push-of-" + id,
			Stream: stillcast.Stream{Domain: "push.example.com", App: "live", Name: "cam-" + id[len(id)-1:]},
			Bucket: "shots-1250000000", Region: "ap-guangzhou", Key: "2026-03-04/" + id + ".jpg",
			Due: at, Captured: at, Width: 1920, Height: 1080,
		},
		Picture:      jpeg,
		Destinations: to,
		MakeEvent:    shotEvent,
	}
}

// withRenditions adds a small and a large rendition to a shot.
func withRenditions(n state.NewShot) state.NewShot {
	id := n.Shot.EventID
	n.Shot.Renditions = []stillcast.Rendition{
		{Key: "2026-03-04/" + id + "-small.jpg", Width: 320, Height: 180},
		{Key: "2026-03-04/" + id + "-large.jpg", Width: 1280, Height: 720},
	}
	n.Renditions = [][]byte{[]byte("small " + id), append(picture(id), "large"...)}
	return n
}

func shotEvent(s stillcast.Shot) (stillcast.Event, error) {
	fields, err := json.Marshal(map[string]any{
		"event_type": 200, "app": s.Stream.Domain, "appname": s.Stream.App, "stream_id": s.Stream.Name,
		"stream_param": "txSecret=f8a5a8c0a0f4a1b2c3d4e5f60718293a&txTime=6A3B2C1D", "channel_id": s.Stream.Name,
		"create_time": s.Captured.Unix(), "file_size": s.Size, "width": s.Width, "height": s.Height, "pic_url": s.PicURL(),
	})
	return stillcast.Event{
		ID: s.EventID, Type: stillcast.EventShot, Stream: s.Stream, PushID: s.PushID, At: s.Captured, Fields: fields,
	}, err
}

func commit(t testing.TB, s *Store, n state.NewShot) stillcast.Shot {
	t.Helper()
	shot, err := s.CommitShot(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return shot
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// number reads one integer past the methods of the store.
func number(t testing.TB, s *Store, query string, args ...any) int64 {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // also after the test
	s.writer.settle(ctx)
	var n int64
	if err := s.readers.QueryRowContext(ctx, query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// verifyWhole checks what must hold at any moment: the file is sound, counters
// say what the tables hold, sequences have no gaps, nothing is without its other
// half.
func verifyWhole(t testing.TB, s *Store) {
	t.Helper()
	verifyKept(t, s)
	verifyFaults(t, s, map[string]string{
		"five minutes whose shots are counted wrongly": `SELECT count(*) FROM (SELECT 1 FROM
			(SELECT at, domain, shots FROM shot_count UNION ALL
			SELECT captured_at / 300000000 * 300000000, stream.domain, -count(*) FROM shot
			JOIN event ON event.shot = shot.id JOIN stream ON stream.id = event.stream GROUP BY 1, 2)
			GROUP BY at, domain HAVING sum(shots) <> 0)`,
		"sequences that have gaps": `SELECT count(*) FROM (SELECT max(sequence) AS last, count(*) AS n, count(DISTINCT sequence) AS d
			FROM delivery JOIN event ON event.num = delivery.event GROUP BY destination, stream) WHERE last <> n OR d <> n`,
		"sequences that end wrongly": `SELECT count(*) FROM sequence WHERE last <> (SELECT max(sequence) FROM delivery
			JOIN event ON event.num = delivery.event WHERE delivery.destination = sequence.destination AND event.stream = sequence.stream)`,
	})
}

// verifyKept checks what holds also when something was removed for its age.
func verifyKept(t testing.TB, s *Store) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	s.writer.settle(ctx)
	var sound string
	check(t, s.readers.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&sound))
	if sound != "ok" {
		t.Errorf("the file is damaged: %s", sound)
	}
	faults := map[string]string{
		"rows that refer to no row": "SELECT count(*) FROM pragma_foreign_key_check",
		"a spool that is counted wrongly": `SELECT count(*) FROM spool_total WHERE (pictures, bytes) <> (
			SELECT count(*), coalesce(sum(length(picture)), 0) FROM
			(SELECT picture FROM spool UNION ALL SELECT picture FROM spool_rendition))`,
		"renditions with a wrong size":         "SELECT count(*) FROM spool_rendition JOIN rendition ON rendition.id = rendition WHERE size <> length(picture)",
		"renditions without the shot's bucket": "SELECT count(*) FROM rendition JOIN shot ON shot.id = rendition.shot WHERE rendition.bucket <> shot.bucket",
		"keys of both a shot and a rendition":  "SELECT count(*) FROM rendition JOIN shot ON rendition.bucket = shot.bucket AND rendition.key = shot.key",
		"renditions in the spool without their shot, or the other way round": `SELECT count(*) FROM rendition
			WHERE (id IN (SELECT rendition FROM spool_rendition)) <> (shot IN (SELECT shot FROM spool))`,
		"shots without an event":  "SELECT count(*) FROM shot WHERE id NOT IN (SELECT shot FROM event WHERE shot IS NOT NULL)",
		"shots with a wrong size": "SELECT count(*) FROM spool JOIN shot ON shot.id = spool.shot WHERE size <> length(picture)",
		"waiting deliveries of stored pictures": `SELECT count(*) FROM delivery JOIN event ON event.num = delivery.event
			WHERE state = 0 AND shot NOT IN (SELECT shot FROM spool)`,
		"due deliveries of spooled pictures": `SELECT count(*) FROM delivery JOIN event ON event.num = delivery.event
			WHERE state <> 0 AND shot IN (SELECT shot FROM spool)`,
		"deliveries of dropped pictures that are not parked": `SELECT count(*) FROM delivery JOIN event ON event.num = delivery.event
			WHERE state <> 4 AND shot IN (SELECT shot FROM picture_gone WHERE state = 1)`,
		"owed deliveries of removed pictures": `SELECT count(*) FROM delivery JOIN event ON event.num = delivery.event
			WHERE state <> 3 AND shot IN (SELECT shot FROM picture_gone WHERE state > 1)`,
		"pictures that are gone and in the spool": "SELECT count(*) FROM picture_gone JOIN spool ON spool.shot = picture_gone.shot",
		"events outside of the five minutes that name them": `SELECT count(*) FROM event JOIN stream ON stream.id = event.stream
			WHERE NOT EXISTS (SELECT 1 FROM shot_count WHERE shot_count.at = event.at / 300000000 * 300000000
			AND shot_count.domain = stream.domain AND num BETWEEN first_event AND last_event)`,
		"events that are not in the order of their shots": `SELECT count(*) FROM
			(SELECT shot - lag(shot) OVER (ORDER BY num) AS step FROM event WHERE shot IS NOT NULL) WHERE step <= 0`,
		"deliveries that are not in the order of their events": `SELECT count(*) FROM
			(SELECT event - lag(event) OVER (ORDER BY id) AS step FROM delivery) WHERE step < 0`,
	}
	for i, name := range deliveryStates() {
		faults[fmt.Sprintf("destinations whose %s are counted wrongly", name)] = fmt.Sprintf(
			"SELECT count(*) FROM destination WHERE %s <> (SELECT count(*) FROM delivery WHERE delivery.destination = destination.id AND state = %d)", name, i)
	}
	verifyFaults(t, s, faults)
}

// verifyFaults runs queries each of which counts what must not be.
func verifyFaults(t testing.TB, s *Store, faults map[string]string) {
	t.Helper()
	for fault, query := range faults {
		if n := number(t, s, query); n != 0 {
			t.Errorf("there are %d %s", n, fault)
		}
	}
}
