package browser

import (
	_ "embed"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

//go:embed rules.mjs
var rulesScript string

// TestRules changes domains, templates and rules in the forms, as admin with the
// keyboard alone, while a stream is pushed.
func TestRules(t *testing.T) {
	r := newRig(t)
	publisher := r.push("room", "navy")
	r.pictureAfter(time.Time{})
	var before time.Time
	script{rig: r, do: map[string]func(){
		"before": func() { before = time.Now() },
		"acts": func() {
			saved := time.Now() // the browser shows the page after the change by now
			taken := r.pictureAfter(before)
			t.Logf("a picture by the new rule was stored %s after the form was sent, %s after its answer was shown",
				taken.Sub(before).Round(time.Millisecond), taken.Sub(saved).Round(time.Millisecond))
		},
	}}.run(rulesScript, nil)
	publisher.Interrupt()
}

// pictureAfter waits for a picture that is stored after a time, and returns when it was.
func (r *rig) pictureAfter(after time.Time) time.Time {
	r.t.Helper()
	deadline := time.After(30 * time.Second)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-again.C:
		case <-deadline:
			r.t.Fatal("no picture for 30 s")
		}
		var found time.Time
		err := filepath.WalkDir(r.server.PicturesDir(), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".jpg" {
				return err
			}
			info, err := d.Info()
			if err == nil && info.ModTime().After(after) && (found.IsZero() || info.ModTime().Before(found)) {
				found = info.ModTime()
			}
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			r.t.Fatal(err)
		}
		if !found.IsZero() {
			return found
		}
	}
}
