package capture

import (
	"encoding/binary"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// FuzzStream plays what a publisher may send: any frames with any timestamps at
// any time, while templates and configurations change and pictures fail. Eight
// bytes are one frame. Goroutines make its coverage differ from run to run, so it is best
// run with -fuzzminimizetime=10x.
func FuzzStream(f *testing.F) {
	seed := func(frames []frame) []byte {
		var b []byte
		for i, fr := range frames {
			b = append(b, byte(fr.kind), 0, byte(fr.size/64), 40, byte(i))
			b = binary.BigEndian.AppendUint16(b, uint16(fr.dts/time.Millisecond))
			b = append(b, byte((fr.pts-fr.dts)/(10*time.Millisecond)))
		}
		return b
	}
	f.Add(seed(steady(300, 25, 100)))
	f.Add(seed(pyramid(60, 6, true)))
	f.Add(seed(refreshing(200, 50)))
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 8*1000 {
			return
		}
		synctest.Test(t, func(t *testing.T) { playScript(t, script) })
	})
}

func playScript(t *testing.T, script []byte) {
	t.Helper()
	cfg := DefaultConfig()
	cfg.GOPBytes, cfg.GOPTotalBytes = minGOPBytes, minGOPBytes*3/2
	r := newRig(t, cfg, 2)
	r.exactly(2 * time.Second)
	var outcome byte
	r.shoot = func(o Order) (stillcast.Facts, error) {
		if len(o.Units) == 0 || len(o.Units) > 4096 {
			t.Errorf("an order of %d access units", len(o.Units))
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		switch outcome & 7 {
		case 5:
			return stillcast.Facts{}, errEmpty
		case 6:
			return stillcast.Facts{}, errPoison
		case 7:
			return stillcast.Facts{}, errFuzz
		}
		return stillcast.Facts{Hash: uint64(outcome)}, nil
	}
	r.Start()
	s := r.open("s")
	for n := 0; len(script) >= 8; n, script = n+1, script[8:] {
		do := script[:8]
		time.Sleep(time.Duration(do[3]) * time.Millisecond)
		r.mu.Lock()
		outcome = do[1] >> 3
		r.mu.Unlock()
		switch do[1] & 7 {
		case 1:
			s.Configure(h264Config())
		case 2:
			r.template.Accuracy = stillcast.AccuracyKeyframe
			r.Reload()
		case 3:
			r.exactly(time.Duration(2+do[4]%5) * time.Second)
			r.Reload()
		case 4:
			r.active = !r.active
			r.Reload()
		case 5, 6:
			r.setTasks(do[2], do[4])
		}
		dts := time.Duration(binary.BigEndian.Uint16(do[5:])) * time.Millisecond
		if do[4]&0x1f == 0x1f {
			dts *= 1 << 20
		}
		r.send(s, frame{
			n: n, kind: kind(do[0] % 7), flag: do[0]&0x80 == 0 && do[0]%7 < 4, size: int(do[2]) * 64,
			dts: dts, pts: dts + time.Duration(int8(do[7]))*10*time.Millisecond,
		})
		if kept := r.kept.used.Load(); kept < 0 || kept > cfg.GOPTotalBytes {
			t.Fatalf("%d bytes are kept, allowed are 0 to %d", kept, cfg.GOPTotalBytes)
		}
	}
	r.end(t, s)
	for _, taken := range r.taken {
		if f := taken.Picture.Facts; f.Age != taken.Due.Sub(taken.Captured) || taken.Captured.After(time.Now()) {
			t.Errorf("a shot that is due at %v of a frame from %v, age %v", taken.Due, taken.Captured, f.Age)
		}
	}
}

// setTasks puts up to three tasks in force, as two bytes say.
func (r *rig) setTasks(which, how byte) {
	r.mu.Lock()
	r.tasks = nil
	for i := range stillcast.MaxRunningTasks {
		if which>>i&1 == 0 {
			continue
		}
		accuracy := []stillcast.Accuracy{stillcast.AccuracyKeyframe, stillcast.AccuracyExact}[how>>i&1]
		w := task(fmt.Sprint(i), accuracy, time.Duration(2+how%5)*time.Second)
		if how>>(i+3)&1 == 1 {
			w.Until = time.Now().Add(time.Duration(how) * 100 * time.Millisecond)
		}
		r.tasks = append(r.tasks, w)
	}
	r.mu.Unlock()
	r.Reload()
}

var errFuzz = media.ErrBroken
