package sqlite

import (
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// firstVersion makes a file of the first version that holds a template and two
// shots, of which the second one's picture is not stored.
func firstVersion(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "state.db")
	check(t, makeFile(path))
	db, err := openDatabase(path, connection{write: true, busy: time.Second}, nil)
	check(t, err)
	files, err := fs.Sub(migrations, "migrations")
	check(t, err)
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	check(t, err)
	_, err = provider.UpTo(t.Context(), 1)
	check(t, err)
	for _, statement := range []string{
		`INSERT INTO snapshot_template (id, name, description, interval_ns, width, height, bucket, app_id, region, prefix, file_name, quality)
			VALUES (1, 'old', '', 5000000000, 640, 360, '', 0, '', '', '', 80)`,
		`INSERT INTO domain (id, name, auth_disabled, auth_key, backup_key, delta_ns) VALUES (1, 'd', 1, '', '', 0)`,
		`INSERT INTO snapshot_rule (domain, app, stream, template) VALUES ('d', '', '', 1)`,
		`INSERT INTO callback_template (id, name, description, sign_key, snapshot_url, stream_begin_url, stream_end_url)
			VALUES (7, 'hooks', '', '', 'http://h/', '', '')`,
		`INSERT INTO callback_rule (domain, app, template) VALUES ('d', '', 7)`,
		`INSERT INTO stream (id, domain, app, name) VALUES (1, 'd', 'a', 's')`,
		`INSERT INTO push (id, stream, domain, param, remote, node, started_at, ended_at, end_code, end_message, width, height)
			VALUES ('p', 1, 'd', '', '', 'n', 1000000, 3000000, 1, 'm', 640, 360), ('q', 1, 'd', '', '', 'n', 2000000, NULL, NULL, NULL, NULL, NULL)`,
		`INSERT INTO shot (id, bucket, region, key, due_at, captured_at, width, height, size)
			VALUES (1, 'b', 'r', 'k1.jpg', 1000000, 2000000, 640, 360, 4), (2, 'b', 'r', 'k2.jpg', 1000000, 2000000, 640, 360, 4)`,
		`INSERT INTO event (num, id, type, stream, push, at, fields, shot)
			VALUES (1, 'e1', 200, 1, 'p', 2000000, '{}', 1), (2, 'e2', 200, 1, 'p', 2000000, '{}', 2)`,
		`INSERT INTO spool (shot, jpeg) VALUES (2, CAST('JPEG' AS BLOB))`,
		`UPDATE spool_total SET pictures = 1, bytes = 4`,
		`INSERT INTO destination (id, template, event_type, waiting) VALUES (1, 7, 200, 1)`,
		`INSERT INTO delivery (event, destination, sequence, state, at) VALUES (2, 1, 1, 0, 2000000)`,
		`INSERT INTO sequence (destination, stream, last) VALUES (1, 1, 1)`,
	} {
		_, err := db.ExecContext(t.Context(), statement)
		check(t, err)
	}
	check(t, db.Close())
	return path
}

// TestMigrate opens the file of the first version: nothing of it is lost, and
// what is owed of it goes on.
func TestMigrate(t *testing.T) {
	s := openStore(t, firstVersion(t), prometheus.NewRegistry(), defaultTuning())
	verifyWhole(t, s)
	set, err := s.Resources(t.Context())
	check(t, err)
	templates := []stillcast.SnapshotTemplate{{ID: 1, Name: "old", Interval: 5 * time.Second, Width: 640, Height: 360, Quality: 80}}
	at := set.Domains[0].Created
	if time.Since(at) < -time.Minute || time.Since(at) > time.Minute {
		t.Errorf("the domain was created at %s, want the time of the migration", at)
	}
	wanted := stillcast.ResourceSet{
		Domains:           []stillcast.Domain{{ID: 1, Name: "d", Auth: stillcast.PushAuth{Disabled: true}, Created: at}},
		SnapshotTemplates: templates,
		SnapshotRules:     []stillcast.SnapshotRule{{Domain: "d", TemplateID: 1, Created: at, Updated: at}},
		CallbackTemplates: []stillcast.CallbackTemplate{{ID: 7, Name: "hooks", SnapshotURL: "http://h/"}},
		CallbackRules:     []stillcast.CallbackRule{{Domain: "d", TemplateID: 7, Created: at, Updated: at}},
	}
	// One statement after the other has its own time.
	sameTime := cmp.Comparer(func(a, b time.Time) bool { return a.Sub(b).Abs() < time.Minute })
	if diff := cmp.Diff(wanted, set, sameTime); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	pushes, total, err := s.PushPage(t.Context(), state.PushFilter{Start: time.Unix(0, 0), End: time.Unix(9, 0)})
	check(t, err)
	if total != 2 || len(pushes) != 2 || pushes[0].ID != "q" || pushes[1].End.Message != "m" {
		t.Errorf("the pushes are %+v, want the live one and the one that ended", pushes)
	}
	counts, err := s.CountShots(t.Context(), nil, time.Unix(0, 0), time.Unix(300, 0), state.CountStep)
	check(t, err)
	if diff := cmp.Diff([]int64{2}, counts); diff != "" {
		t.Errorf("counts of shots (-want +got):\n%s", diff)
	}
	shots, err := s.Shots(t.Context(), state.ShotFilter{})
	check(t, err)
	want := stillcast.Shot{
		ID: 2, EventID: "e2", PushID: "p", Stream: stillcast.Stream{Domain: "d", App: "a", Name: "s"}, Bucket: "b", Region: "r", Key: "k2.jpg",
		Due: time.Unix(1, 0).UTC(), Captured: time.Unix(2, 0).UTC(), Width: 640, Height: 360, Size: 4, Format: stillcast.FormatJPEG,
		Facts: stillcast.Facts{Accuracy: stillcast.AccuracyKeyframe, Distance: -1},
	}
	if len(shots) != 2 {
		t.Fatalf("%d shots are left, want 2", len(shots))
	}
	if diff := cmp.Diff(state.ShotStatus{Shot: want, State: state.ShotSpooled}, shots[1]); diff != "" {
		t.Errorf("shot (-want +got):\n%s", diff)
	}
	picture, err := s.SpooledPicture(t.Context(), 2, 0)
	check(t, err)
	if string(picture) != "JPEG" {
		t.Errorf("the picture in the spool is %q", picture)
	}
	to, err := s.MarkStored(t.Context(), 2)
	check(t, err)
	if diff := cmp.Diff([]stillcast.Destination{hook(7)}, to); diff != "" {
		t.Errorf("destinations (-want +got):\n%s", diff)
	}
	verifyWhole(t, s)
}
