package ledger

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// ended waits for the end of a replay.
func (r *rig) ended(id string) ReplayJob {
	r.t.Helper()
	one, err := r.ledger.jobs.find(id)
	if err != nil {
		r.t.Fatal(err)
	}
	select {
	case <-one.ended:
	case <-time.After(10 * time.Second):
		r.t.Fatal("a replay does not end")
	}
	return get[ReplayJob](r, Path+"replays/"+id)
}

func TestAReplayRunsInSteps(t *testing.T) {
	r := newRig(t)
	r.fill(2*stepRows + 50)
	r.book.deliveries[7].State = state.StateDelivered
	job := post[ReplayJob](r, Path+"replays",
		`{"destination":"3-shot","domain":"push.example.com","app":"live","stream":"room1","event_type":"shot","from":"2026-11-26T20:00:00Z","until":"2026-11-26T21:00:00Z"}`, http.StatusAccepted)
	if job.State != "running" || job.By != writerID || job.Filter.State != "parked" || job.Filter.Destination.String() != "3-shot" {
		t.Errorf("job %+v", job)
	}
	job = r.ended(job.ID)
	if job.State != "done" || job.Replayed != 2*stepRows+49 || job.Progress != 1 || job.Ended.IsZero() {
		t.Errorf("job %+v", job)
	}
	f := r.book.filters
	if len(f) != 3 || f[0].AfterID != 0 || f[1].AfterID != stepRows || f[2].AfterID != 2*stepRows {
		t.Errorf("steps %+v", f)
	}
	if f[0].State != state.StateParked || *f[0].Destination != shotsTo || *f[0].Stream != room || *f[0].EventType != stillcast.EventShot ||
		f[0].From.IsZero() || f[0].Until.IsZero() {
		t.Errorf("filter %+v", f[0])
	}
	if !slices.Contains(r.courier.woken, shotsTo) {
		t.Error("nobody was told that something is due")
	}
	if list := get[ReplayList](r, Path+"replays").Replays; len(list) != 1 || list[0].ID != job.ID {
		t.Errorf("replays %+v", list)
	}
	if log := r.logged(); !strings.Contains(log, `"action":"startReplay","input":{"destination":"3-shot"`) || !strings.Contains(log, `"msg":"replay ended"`) {
		t.Errorf("log %s", log)
	}
}

func TestAReplayWithoutDestinationWakesAll(t *testing.T) {
	r := newRig(t)
	r.fill(2)
	r.book.deliveries[1].Destination = beginsTo
	r.ended(post[ReplayJob](r, Path+"replays", "", http.StatusAccepted).ID)
	if !slices.Contains(r.courier.woken, shotsTo) || !slices.Contains(r.courier.woken, beginsTo) {
		t.Errorf("woken %v", r.courier.woken)
	}
}

func TestReplaysAreBoundedAndCancelled(t *testing.T) {
	r := newRig(t)
	r.fill(3 * stepRows)
	r.book.hold = make(chan struct{})
	var jobs []ReplayJob
	for range maxJobs {
		jobs = append(jobs, post[ReplayJob](r, Path+"replays", "", http.StatusAccepted))
	}
	refused(t, r, r.send(http.MethodPost, Path+"replays", ""), http.StatusTooManyRequests, "limit", "", "4 replays are running")
	r.book.hold <- struct{}{} // the first step of one of them
	for _, job := range jobs {
		got := as[ReplayJob](r, r.send(http.MethodDelete, Path+"replays/"+job.ID, ""), http.StatusOK)
		if got.State != "cancelled" || got.Replayed > stepRows {
			t.Errorf("cancelled %+v", got)
		}
	}
	again := as[ReplayJob](r, r.send(http.MethodDelete, Path+"replays/"+jobs[0].ID, ""), http.StatusOK)
	if again.State != "cancelled" {
		t.Errorf("cancelled twice: %+v", again)
	}
	close(r.book.hold)
	if job := r.ended(post[ReplayJob](r, Path+"replays", "", http.StatusAccepted).ID); job.State != "done" {
		t.Errorf("after the others ended: %+v", job)
	}
}

func TestAReplayThatFailsSaysSo(t *testing.T) {
	r := newRig(t)
	r.fill(1)
	r.book.hold = make(chan struct{}, 1)
	job := post[ReplayJob](r, Path+"replays", "", http.StatusAccepted)
	r.book.mu.Lock()
	r.book.err = errTest
	r.book.mu.Unlock()
	r.book.hold <- struct{}{}
	if job = r.ended(job.ID); job.State != "failed" || strings.Contains(job.Error, errTest.Error()) || !strings.Contains(r.logged(), errTest.Error()) {
		t.Errorf("job %+v; log %s", job, r.logged())
	}
}

func TestOldReplaysAreForgotten(t *testing.T) {
	r := newRig(t)
	first := post[ReplayJob](r, Path+"replays", "", http.StatusAccepted)
	r.ended(first.ID)
	for range maxKept {
		r.ended(post[ReplayJob](r, Path+"replays", "", http.StatusAccepted).ID)
	}
	if n := len(get[ReplayList](r, Path+"replays").Replays); n != maxKept {
		t.Errorf("%d replays are known, want %d", n, maxKept)
	}
	refused(t, r, r.send(http.MethodGet, Path+"replays/"+first.ID, ""), http.StatusNotFound, "not_found", "id", "is no replay that is known")
}

func TestStopEndsReplays(t *testing.T) {
	r := newRig(t)
	r.fill(1)
	r.book.hold = make(chan struct{})
	job := post[ReplayJob](r, Path+"replays", "", http.StatusAccepted)
	r.ledger.Stop()
	if job = r.ended(job.ID); job.State != "cancelled" {
		t.Errorf("job %+v", job)
	}
	refused(t, r, r.send(http.MethodPost, Path+"replays", ""), http.StatusTooManyRequests, "limit", "", "shutting down")
}
