package app

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/state"
)

// commitShots records n shots of a stream as a server would that is killed before
// it stored them.
func commitShots(t *testing.T, a *App, n int) []stillcast.Shot {
	t.Helper()
	var all []stillcast.Shot
	push := stillcast.Push{
		ID: "0190", Stream: stillcast.Stream{Domain: "127.0.0.1", App: "live", Name: "s"}, Domain: stillcast.AnyDomain, Started: time.Now(),
	}
	for i := range n {
		id := fmt.Sprintf("event-%d", i)
		at := time.Now()
		shot, err := a.state.CommitShot(t.Context(), state.NewShot{
			Shot: stillcast.Shot{
				EventID: id, PushID: push.ID, Stream: push.Stream, Bucket: "shots-1250000000", Key: fmt.Sprintf("2026/%d.jpg", i),
				Captured: at, Due: at, Width: 16, Height: 16,
			},
			Picture: []byte("\xff\xd8\xff picture"), Destinations: a.destinations(push, stillcast.EventShot),
			MakeEvent: func(s stillcast.Shot) (stillcast.Event, error) {
				fields := fmt.Appendf(nil, `{"event_type":200,"stream_id":"s","pic_url":%q,"create_time":%d}`, s.PicURL(), at.Unix())
				return event(id, stillcast.EventShot, push, at, fields), nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, shot)
	}
	return all
}

// makeApp makes a server that is not started.
func makeApp(t *testing.T, cfg *config.Config) *App {
	t.Helper()
	a, err := New(t.Context(), Options{Config: cfg, Worker: testWorker(), Version: "test", Logger: testLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestReconcile: a data folder in which spool, store and rows disagree, each in
// another way.
func TestReconcile(t *testing.T) {
	h := newHooks(t)
	cfg := testConfig(t.TempDir(), h.URL)
	a := makeApp(t, cfg)
	shots := commitShots(t, a, 4)
	put := func(s stillcast.Shot) {
		if err := a.pictures.primary.Put(t.Context(), objstore.Object{Bucket: s.Bucket, Key: s.Key, Body: []byte("\xff\xd8\xff picture")}); err != nil {
			t.Fatal(err)
		}
	}
	put(shots[1]) // a crash between the store and the mark
	put(shots[2])
	dir := a.PicturesDir()
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Shots 2 and 3 lose their pictures in the spool; of 3 none is in the store either.
	damage(t, cfg, "DELETE FROM spool WHERE shot IN (3, 4)", "UPDATE spool_total SET pictures = 2, bytes = 2 * (bytes / 4)")
	// What a crash left of an unfinished put.
	leftover := filepath.Join(dir, "shots-1250000000", ".~unfinished", "put-ABC.tmp")
	if err := os.WriteFile(leftover, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}

	again := startApp(t, cfg)
	arrivedKeys := map[string]bool{}
	for len(arrivedKeys) < 3 {
		shot, _ := h.shot() // which downloads the picture
		arrivedKeys[shot.PicURL] = true
	}
	for _, s := range shots[:3] {
		if !arrivedKeys[s.PicURL()] {
			t.Errorf("shot %d got no event; events are of %v", s.ID, arrivedKeys)
		}
	}
	lost, err := again.state.Shot(t.Context(), shots[3].ID)
	if err != nil || lost.State != state.ShotDropped || !strings.Contains(lost.Reason, "neither in the spool nor in the object store") {
		t.Errorf("the shot without a picture is %q for %q (%v), want dropped with the reason", lost.State, lost.Reason, err)
	}
	parked, err := again.state.Deliveries(t.Context(), state.DeliveryFilter{ShotID: shots[3].ID})
	if err != nil || len(parked) != 1 || parked[0].State != state.StateParked {
		t.Errorf("its deliveries are %+v (%v), want one that is parked", parked, err)
	}
	if _, err := os.Stat(leftover); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the unfinished picture is still there: %v", err)
	}
	waiting, err := again.state.Deliveries(t.Context(), state.DeliveryFilter{State: state.StateWaiting})
	if err != nil || len(waiting) != 0 {
		t.Errorf("%d deliveries still wait (%v)", len(waiting), err)
	}
}

// damage changes the database of a server that does not run.
func damage(t *testing.T, cfg *config.Config, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(cfg.DataDir, "stillcast.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}
