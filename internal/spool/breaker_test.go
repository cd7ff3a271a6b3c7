package spool

import (
	"fmt"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/objstore"
)

func TestBreaker(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b := &breaker{config: BreakerConfig{Failures: 3, MaxPause: 5 * time.Second}}
	put := func(err error, counts bool) turn {
		t.Helper()
		a, ok := b.enter(now)
		if !ok {
			t.Fatal("no leave to put")
		}
		return b.leave(a, err, counts, now)
	}
	down := fmt.Errorf("put: %w", objstore.ErrUnavailable)
	put(down, true)
	put(down, true)
	put(nil, true) // breaks the row
	put(down, true)
	put(down, true)
	put(objstore.ErrDenied, true) // an answer
	put(down, true)
	put(down, false) // of a picture that is known for it
	put(down, true)
	if b.isOpen() {
		t.Fatal("open before three failures in a row")
	}
	if turned := put(down, true); !turned.opened || !b.isOpen() {
		t.Fatal("not open after three failures in a row")
	}
	if look := b.look("x"); look.Store != "x" || !look.Open || look.Failures != 3 || !look.Since.Equal(now) || !look.NextTry.After(now) {
		t.Errorf("it looks like %+v", look)
	}
	for probe := range 10 {
		if g := b.gate(); g.open || g.at.After(now.Add(6*time.Second)) {
			t.Fatalf("gate %+v, want a probe within the longest pause", g)
		}
		now = b.gate().at
		a, ok := b.enter(now)
		if !ok || !a.probe {
			t.Fatal("no leave for a probe")
		}
		if _, ok := b.enter(now); ok || b.gate() != (gate{}) {
			t.Fatal("leave for a second probe at once")
		}
		if probe == 3 {
			b.giveBack(a) // as at a stop
			continue
		}
		b.leave(a, down, true, now)
		if _, ok := b.enter(now); ok {
			t.Fatal("leave for a probe without a pause")
		}
	}
	now = b.gate().at
	if turned := put(nil, true); !turned.closed || b.isOpen() {
		t.Error("still open after a probe that succeeded")
	}
	put(down, true)
	if b.isOpen() {
		t.Error("open after one failure")
	}
	if look := b.look("x"); look != (Breaker{Store: "x", Failures: 1}) {
		t.Errorf("it looks like %+v", look)
	}
}
