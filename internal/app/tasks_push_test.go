package app

import (
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/testkit"
)

// TestTaskSurvivesARestart captures a stream without a rule: before and after a
// restart of the server, until the task is stopped and the stream is banned.
func TestTaskSurvivesARestart(t *testing.T) {
	h := newHooks(t)
	cfg := testConfig(t.TempDir(), h.URL)
	cfg.Resources.SnapshotRules = nil
	cfg.Resources.SnapshotTemplates[0].Facts = true
	push := func(a *App) {
		testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "cam"), testkit.Source{Width: 320, Height: 180, Rate: 25},
			testkit.Encoding{KeyFrames: time.Second, Duration: time.Minute})
	}
	a := startApp(t, cfg)
	now := time.Now()
	task, err := a.state.AddTask(t.Context(), stillcast.Task{
		Stream: stillcast.Stream{Domain: "127.0.0.1", App: "live", Name: "cam"}, Start: now, End: now.Add(time.Hour),
		TemplateID: a.Resources().SnapshotTemplates()[0].ID, Created: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.reloadTasks(t.Context()); err != nil {
		t.Fatal(err)
	}
	push(a)
	h.shot()
	if shot, _ := h.shot(); shot.Stillcast == nil || shot.Stillcast.Accuracy != string(stillcast.AccuracyExact) {
		t.Errorf("facts of the second shot %+v, want an exact one", shot.Stillcast)
	}
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.end()

	a = startApp(t, cfg)
	push(a)
	h.shot()
	if _, err := a.state.StopTask(t.Context(), task.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := a.reloadTasks(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := a.plans(a.gate.Live()[0]); len(left) != 0 {
		t.Errorf("%d plans of a stream whose task was stopped", len(left))
	}
	ban := stillcast.Ban{Stream: task.Stream, Until: time.Now().Add(time.Hour), Reason: "test"}
	if err := a.state.PutBan(t.Context(), ban); err != nil {
		t.Fatal(err)
	}
	if err := a.reloadBans(t.Context()); err != nil {
		t.Fatal(err)
	}
	if end := h.end(); end.ErrCode != int(stillcast.EndControl) {
		t.Errorf("the push of a banned stream ended with %d (%s), want %d", end.ErrCode, end.ErrMsg, stillcast.EndControl)
	}
}
