package app

import (
	"testing"
	"time"
)

// A task captures what no rule does, outlives the push it was made for, and ends when it is stopped.
func TestTasksThroughTheAPI(t *testing.T) {
	h := newHooks(t)
	a := startApp(t, testConfig(t.TempDir(), h.URL))
	c := newCaller(t, a)
	snapshot, _ := c.templates()
	c.must("DeleteLiveSnapshotRule", map[string]any{"DomainName": "*"})
	var made struct {
		TaskID string `json:"TaskId"`
	}
	if err := c.Call(t.Context(), "CreateScreenshotTask", map[string]any{
		"DomainName": "127.0.0.1", "AppName": "live", "StreamName": "s", "TemplateId": snapshot, "EndTime": time.Now().Add(time.Hour).Unix(),
	}, &made); err != nil {
		t.Fatal(err)
	}
	l := tally{t: t}
	first := pushS(t, a)
	l.shot(h)
	l.shot(h)
	first.Interrupt()
	h.end()
	pushS(t, a)
	l.last = time.Time{} // each push has a grid of its own, which begins at once
	l.shot(h)
	c.must("StopScreenshotTask", map[string]any{"TaskId": made.TaskID})
	l.quiet(h, time.Now(), 4*time.Second)
}
