package codec

import (
	"testing"
	"time"
)

// What is told of a worker is what it is, from its start to its end.
func TestWorkersTellHowTheyAre(t *testing.T) {
	t.Parallel()
	p := newPool(t, testConfig(2), "real")
	if all := p.Workers(); len(all) != 0 {
		t.Errorf("workers before the start: %+v", all)
	}
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	made, err := p.Shoot(t.Context(), small(t))
	if err != nil {
		t.Fatal(err)
	}
	// Its slot notes the shot after it has handed it over.
	told := func() (w WorkerState, all int) {
		for _, one := range p.Workers() {
			all++
			if one.PID == made.Worker {
				w = one
			}
		}
		return w, all
	}
	deadline := time.After(30 * time.Second)
	for {
		w, all := told()
		if all == 2 && w.Shots == 1 && w.RSS > 1<<20 && time.Since(w.Started) < time.Hour {
			break
		}
		select {
		case <-deadline:
			t.Fatalf("%d workers, the one that made the shot is %+v", all, w)
		case <-time.After(time.Millisecond):
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if all := p.Workers(); len(all) != 0 {
		t.Errorf("workers after the end: %+v", all)
	}
}
