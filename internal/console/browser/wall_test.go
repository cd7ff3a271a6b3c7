package browser

import (
	_ "embed"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/testkit"
)

//go:embed wall.mjs
var wallScript string

//go:embed feed.mjs
var feedScript string

// TestWall looks at real pushes on the wall and on the page of a stream.
func TestWall(t *testing.T) {
	r := newRig(t)
	pushes := map[string]*testkit.Process{"red": r.push("red", "red"), "blue": r.push("blue", "blue"), "dark": r.push("dark", "black")}
	script{r, map[string]func(){
		"count connections": func() {
			if now, most := r.listening.Load(), r.mostHeard.Load(); now != 1 || most > 2 {
				t.Errorf("%d connections hear what is live, %d at most; want one of a browser", now, most)
			}
		},
		"stop": r.stop,
		"start": func() {
			r.start()
			for _, name := range []string{"red", "blue"} {
				pushes[name].Kill()
				pushes[name] = r.push(name, name)
			}
		},
		"end blue":  func() { pushes["blue"].Kill() },
		"push blue": func() { pushes["blue"] = r.push("blue", "blue") },
		"lose pictures": func() {
			lost := 0
			err := filepath.WalkDir(r.server.PicturesDir(), func(path string, d fs.DirEntry, err error) error {
				if err == nil && d.Type().IsRegular() && filepath.Ext(path) == ".jpg" {
					lost++
					return os.Remove(path)
				}
				return err
			})
			if err != nil || lost == 0 {
				t.Errorf("%d pictures were removed, %v", lost, err)
			}
		},
	}}.run(wallScript, nil)
}

// TestWallFeed looks at how walls hear what is live.
func TestWallFeed(t *testing.T) {
	r := newRig(t)
	script{r, map[string]func(){
		"push":          func() { r.push("red", "red") },
		"sleep":         func() { r.slept.Add(1) },
		"0 connections": func() { r.heardBy(0) },
		"1 connection":  func() { r.heardBy(1) },
		"2 connections": func() { r.heardBy(2) },
	}}.run(feedScript, nil)
}

// heardBy waits until so many connections hear what is live.
func (r *rig) heardBy(want int64) {
	r.t.Helper()
	deadline := time.After(20 * time.Second)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for r.listening.Load() != want {
		select {
		case <-again.C:
		case <-deadline:
			r.t.Errorf("%d connections hear what is live, want %d", r.listening.Load(), want)
			return
		}
	}
}
