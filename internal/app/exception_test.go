package app

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/publish"
	"github.com/stillcast/stillcast/internal/media/flv"
	"github.com/stillcast/stillcast/internal/testkit"
)

// exception returns the next event 321, and the end of the push when that comes
// before.
func (h *hooks) exception() (callback.PushException, *callback.StreamEnd) {
	h.t.Helper()
	for {
		switch e := h.next().Event.(type) {
		case callback.PushException:
			return e, nil
		case callback.StreamEnd:
			return callback.PushException{}, &e
		}
	}
}

// sendClip sends a file as fast as it goes, its timestamps shifted.
func sendClip(t *testing.T, c *publish.Client, file []byte, shift time.Duration) {
	t.Helper()
	r, err := flv.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for {
		tag, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if tag.Kind() == flv.KindEnd {
			continue
		}
		tag.Timestamp += uint32(shift.Milliseconds())
		if err := c.Write(tag); err != nil {
			t.Fatal(err)
		}
	}
}

// A publisher that stops sending is told of while its push goes on, and one whose
// timestamps jump both ways no later than at its end.
func TestPushExceptionsAreReported(t *testing.T) {
	h := newHooks(t)
	cfg := testConfig(t.TempDir(), h.URL)
	cfg.Resources.CallbackTemplates[0].PushExceptionURL = h.URL + "/exception"
	a := startApp(t, cfg)
	file, err := os.ReadFile(testkit.MakeFile(t, "flv", testkit.Source{Width: 320, Height: 180, Rate: 25},
		testkit.Encoding{KeyFrames: time.Second, Duration: 2 * time.Second}))
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now().Truncate(time.Millisecond)
	c, err := publish.Dial(t.Context(), pushURL(a.RTMPAddr(), "s"), publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	begin, ok := h.next().Event.(callback.StreamBegin)
	if !ok {
		t.Fatal("the first event is no begin")
	}
	sendClip(t, c, file, time.Hour)
	stall, end := h.exception()
	if end != nil {
		t.Fatalf("the push ended: %+v", end)
	}
	checkAbnormal(t, stall, started, callback.AbnormalVideoStall)
	if stall.StreamID != "s" || stall.Path != "live" || stall.Domain != "127.0.0.1" || stall.Sequence != begin.Sequence ||
		stall.AppID != 1250000000 || stall.UserIP != "127.0.0.1" || stall.ReportInterval != 5000 ||
		stall.StreamParam != begin.StreamParam || time.UnixMilli(stall.DataTime).Before(started) {
		t.Errorf("event %+v does not name its push", stall)
	}
	sendClip(t, c, file, 2*time.Hour)
	sendClip(t, c, file, time.Hour)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	jumps, end := h.exception()
	if end != nil {
		t.Fatal("the push ended without a word of its jumps")
	}
	checkAbnormal(t, jumps, started, callback.AbnormalVideoLeap, callback.AbnormalVideoBackwards)
	if _, end = h.exception(); end == nil {
		t.Error("more exceptions than there were")
	}
}

// checkAbnormal wants these types in an event, each with what happened and when.
// A stall that lasts may be told beside others.
func checkAbnormal(t *testing.T, e callback.PushException, started time.Time, types ...int) {
	t.Helper()
	got := map[int]callback.AbnormalEvent{}
	for _, a := range e.AbnormalEvent {
		got[a.Type] = a
		if a.Count < 1 || len(a.Detail) != a.Count || a.TypeDescEN == "" || a.TypeDescCN == "" || a.CustomerVisible != "true" {
			t.Errorf("%+v is not complete", a)
			continue
		}
		if at := time.UnixMilli(a.Detail[0].OccurTime); at.Before(started) || at.After(time.Now()) || a.Detail[0].Desc == "" {
			t.Errorf("type %d: %+v, want a text and a time within the push", a.Type, a.Detail[0])
		}
	}
	for _, typ := range types {
		if got[typ].Count == 0 {
			t.Errorf("%+v does not hold type %d", e.AbnormalEvent, typ)
		}
		delete(got, typ)
	}
	delete(got, callback.AbnormalVideoStall)
	if len(got) > 0 {
		t.Errorf("%+v was not expected", got)
	}
}
