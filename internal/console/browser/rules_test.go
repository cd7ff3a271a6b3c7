package browser

import (
	"context"
	_ "embed"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

//go:embed rules.mjs
var rulesScript string

// inForce is the log of a server that keeps which snapshot template came into force
// for streams, in that order.
type inForce struct {
	mu        sync.Mutex
	templates []string
}

func (l *inForce) Enabled(context.Context, slog.Level) bool { return true }
func (l *inForce) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *inForce) WithGroup(string) slog.Handler            { return l }

// Handle implements [slog.Handler].
func (l *inForce) Handle(_ context.Context, r slog.Record) error {
	if !strings.HasPrefix(r.Message, "snapshot template ") {
		return nil
	}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "template" {
			l.mu.Lock()
			l.templates = append(l.templates, strings.TrimPrefix(r.Message, "snapshot template ")+": "+a.Value.String())
			l.mu.Unlock()
		}
		return true
	})
	return nil
}

// since returns what came into force, and went out of it, after the first n.
func (l *inForce) since(n int) (said string, all int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.templates[n:], ", "), len(l.templates)
}

// TestRules changes domains, templates and rules in the forms, as admin with the
// keyboard alone, while a stream is pushed. Whether a change acts is not timed, which a
// busy machine would decide: when the browser has its answer the stream's capture has
// taken the change on, as one, and the next picture is by the new template. That
// nothing waits on the way there is tested beside the code, on a clock of its own.
func TestRules(t *testing.T) {
	r := newRig(t)
	publisher := r.push("room", "navy")
	r.pictureAfter(time.Time{}, "")
	var (
		began  time.Time
		before int
	)
	acts := func(want, size string) func() {
		return func() {
			said, _ := r.log.since(before)
			if said != want {
				t.Errorf("when the change was answered, in force came %q, want %q", said, want)
			}
			if size != "" {
				r.pictureAfter(began, size)
			}
		}
	}
	script{rig: r, do: map[string]func(){
		"before":   func() { began = time.Now(); _, before = r.log.since(0) },
		"interval": acts("in force: every 2 s", ""),
		"changed":  acts("in force: small", "320x180"),
		"deleted":  acts("no longer in force: small", ""),
		"made":     acts("in force: every 2 s", "640x360"),
	}}.run(rulesScript, nil)
	publisher.Interrupt()
}

// pictureAfter waits for a picture of a size, "" for any, that is stored after a time.
func (r *rig) pictureAfter(after time.Time, size string) {
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
		found := false
		err := filepath.WalkDir(r.server.PicturesDir(), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".jpg" {
				return err
			}
			info, err := d.Info()
			found = found || err == nil && info.ModTime().After(after) && strings.Contains(path, size)
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			r.t.Fatal(err)
		}
		if found {
			return
		}
	}
}
