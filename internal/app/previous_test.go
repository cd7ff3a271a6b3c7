package app

import (
	"fmt"
	"testing"
	"time"

	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/testkit"
)

func TestPreviousShot(t *testing.T) {
	var p previous
	now := time.Unix(1622599925, 0)
	if got := p.follow("a", "1", now) + p.follow("b", "2", now) + "," + p.follow("a", "3", now); got != ",1" {
		t.Errorf("shots before: %q", got)
	}
	p.follow("a", "4", now)
	p.undo("a", "4") // did not become durable
	p.undo("a", "x")
	if got := p.follow("a", "5", now); got != "3" {
		t.Errorf("before: %q, want 3", got)
	}
	p.forget("a")
	if got := p.follow("a", "6", now); got != "" {
		t.Errorf("before the first of a push: %q", got)
	}
	// Pushes that were not forgotten do not pile up.
	for i := range 20 * previousSweep {
		p.follow(fmt.Sprint("push", i), "x", now.Add(time.Duration(i)*previousKeep/previousSweep))
	}
	if n := len(p.by); n > 4*previousSweep {
		t.Errorf("%d pushes are remembered", n)
	}
}

// Events say who they are and which shot was before, when the callback template
// asks for it.
func TestExtrasOfARealPush(t *testing.T) {
	h := newHooks(t)
	cfg := testConfig(t.TempDir(), h.URL)
	cfg.Resources.CallbackTemplates[0].Extras = true
	a := startApp(t, cfg)
	testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "cam"), testkit.Source{Width: 320, Height: 180, Rate: 25},
		testkit.Encoding{KeyFrames: time.Second, Duration: time.Minute})
	begin := h.next()
	b, ok := begin.Event.(callback.StreamBegin)
	if !ok || b.Stillcast == nil || b.Stillcast.PushID != b.Sequence || b.Stillcast.EventID != begin.Meta.EventID || b.Stillcast.EventAtMS/1000 != b.EventTime {
		t.Fatalf("%+v with extras %+v", begin.Event, b.Stillcast)
	}
	shots := map[int64]callback.Extras{} // they may overtake each other
	for range 3 {
		shot, e := h.shot()
		if shot.Stillcast == nil {
			t.Fatal("a shot without extras")
		}
		x := shot.Stillcast.Extras
		if x.EventID != e.Meta.EventID || x.Sequence != e.Meta.Sequence || x.Attempt != e.Meta.Attempt || x.PushID != b.Sequence ||
			x.CapturedAtMS != e.Meta.At.UnixMilli() || x.SentAtMS < x.CapturedAtMS || x.EventAtMS != 0 {
			t.Errorf("extras %+v of %+v", x, e.Meta)
		}
		if shot.Stillcast.Accuracy != "" || shot.Stillcast.Hash != "" {
			t.Errorf("facts that nobody asked for: %+v", shot.Stillcast)
		}
		shots[x.Sequence] = x
	}
	for n := int64(1); n <= 3; n++ {
		if x := shots[n]; x.PreviousEventID != shots[n-1].EventID {
			t.Errorf("shot %d names %q before it, want %q", n, x.PreviousEventID, shots[n-1].EventID)
		}
	}
}
