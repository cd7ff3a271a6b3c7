package browser

import (
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/config"
)

//go:embed screenshots.mjs
var screenshotsScript string

// platform is a server with what a platform sets up, and two receivers: one that
// stumbles now and then, and one that fails.
func platform(t *testing.T) *rig {
	t.Helper()
	var asked atomic.Int64
	moderation := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		// An event that is sent again is taken.
		if n := asked.Add(1); n%9 == 4 && q.Header.Get(callback.HeaderAttempt) == "1" {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "queue is full, try again")
		}
	}))
	t.Cleanup(moderation.Close)
	archive := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"error":"no space left on device"}`)
	}))
	t.Cleanup(archive.Close)
	return newRig(t, func(c *config.Config) {
		c.Callback.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		c.Callback.Retry.Attempts, c.Callback.Retry.Interval = 2, time.Second
		c.Resources = config.Resources{
			Domains: []config.Domain{
				{Name: sceneDomain, Auth: config.Auth{Enabled: true, Key: sceneKey}},
				{Name: "push.example.cn", Auth: config.Auth{Enabled: true, Key: sceneKey + ", either"}},
			},
			SnapshotTemplates: []config.SnapshotTemplate{
				{Name: "moderation", Description: "all that is live", Interval: 2 * time.Second, Renditions: []config.Size{{Width: 320}}},
				{Name: "covers", Description: "large pictures for the app's front page", Interval: 10 * time.Second, Width: 1280, SkipBlack: true},
				{Name: "games", Interval: 2 * time.Second, Accuracy: "exact", Renditions: []config.Size{{Width: 320}}},
			},
			SnapshotRules: []config.SnapshotRule{
				{Domain: sceneDomain, Template: "moderation"},
				{Domain: sceneDomain, App: "game", Template: "games"},
				{Domain: sceneDomain, App: "game", Stream: "speedrun", Template: "moderation"},
				{Domain: "push.example.cn", Template: "covers"},
			},
			CallbackTemplates: []config.CallbackTemplate{
				{Name: "moderation", Key: "key of moderation", SnapshotURL: moderation.URL + "/live/shots", StreamBeginURL: moderation.URL + "/live/began", StreamEndURL: moderation.URL + "/live/ended"},
				{Name: "archive", Key: "key of the archive", SnapshotURL: archive.URL + "/v2/pictures"},
			},
			CallbackRules: []config.CallbackRule{
				{Domain: sceneDomain, Template: "moderation"},
				{Domain: sceneDomain, App: "show", Template: "archive"},
			},
		}
	})
}

// TestScreenshots shows a platform with many streams, checks what the wall shows of
// each, and takes a picture of every page, light and dark. With
// STILLCAST_SCREENSHOTS it waits until there is more to see, and the pictures stay
// in the folder of that name: those of docs/console.md.
func TestScreenshots(t *testing.T) {
	r := platform(t)
	for _, s := range scenes() {
		s.push(r)
	}
	var live []string
	for _, s := range scenes() {
		live = append(live, fmt.Sprintf("%s/%s", s.app, s.name))
	}
	gallery, long := os.Getenv(screenshotsKey), true
	if gallery == "" {
		gallery, long = t.ArtifactDir(), false
	} else if abs, err := filepath.Abs(gallery); err == nil {
		gallery = abs
	}
	// Pictures that nobody else is to see do not go to the same folder.
	script{rig: r}.run(screenshotsScript, map[string]any{"live": live, "long": long, "gallery": gallery, "screenshots": t.ArtifactDir()})
}
