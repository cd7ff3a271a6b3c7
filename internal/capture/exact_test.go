package capture

import (
	stdcmp "cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// onDisplay returns the numbers of the frames that are on display at each due
// time, by their timestamps alone.
func onDisplay(frames []frame, interval time.Duration) []int {
	shown := slices.Clone(frames)
	slices.SortStableFunc(shown, func(a, b frame) int { return stdcmp.Compare(a.pts, b.pts) })
	end := frames[len(frames)-1].dts
	var all []int
	for due := frames[0].pts; due <= end; due += interval {
		i, _ := slices.BinarySearchFunc(shown, due+1, func(f frame, t time.Duration) int { return stdcmp.Compare(f.pts, t) })
		all = append(all, shown[i-1].n)
	}
	return all
}

// variable returns frames of 5 to 200 ms.
func variable(n int) []frame {
	frames := steady(n, 25, 250)
	random := rand.New(rand.NewPCG(1, 2))
	at := time.Duration(0)
	for i := range frames {
		frames[i].dts, frames[i].pts = at, at
		at += time.Duration(5+random.IntN(195)) * time.Millisecond
	}
	return frames
}

// pyramid returns frames at 24 fps in decoding order, of groups I or P, B, b, b:
// shown as b B b P. Every gop-th group begins with an I, which is an IDR picture or, if open is set,
// one that the b and B after it are shown before.
func pyramid(groups, gop int, open bool) []frame {
	const tick = time.Second / 24
	var all []frame
	add := func(k kind, shown int) {
		n := len(all)
		at := func(ticks int) time.Duration { return (time.Duration(ticks) * tick).Truncate(time.Millisecond) }
		all = append(all, frame{n: n, kind: k, flag: k == idr || k == openI, dts: at(n), pts: at(shown + 2)})
	}
	add(idr, 0)
	for g := range groups {
		k := inter
		first := 4*g + 1
		switch {
		case (g+1)%gop != 0:
		case open:
			k = openI
		default: // a closed group ends without leading pictures
			add(inter, first)
			add(inter, first+1)
			add(disposable, first+2)
			add(idr, first+3)
			continue
		}
		add(k, first+3)
		add(inter, first+1)
		add(disposable, first)
		add(disposable, first+2)
	}
	return all
}

func TestExactShowsTheFrameOnDisplay(t *testing.T) {
	jitter := func(f frame) time.Duration { // up to 1.2 s, as a receive buffer makes it
		return time.Duration(f.n%7) * 200 * time.Millisecond
	}
	tests := []struct {
		name     string
		interval time.Duration
		frames   []frame
		late     func(frame) time.Duration
	}{
		{"constant frame rate", 2 * time.Second, steady(1500, 30, 300), nil},
		{"frames between the due times", 2 * time.Second, paced(700, 77*time.Millisecond, 130), nil},
		{"groups of two seconds", 10 * time.Second, steady(1500, 30, 60), nil},
		{"uneven network", 2 * time.Second, steady(1500, 30, 300), jitter},
		{"variable frame rate", 2 * time.Second, variable(600), nil},
		{"B-pyramids", 2 * time.Second, pyramid(300, 60, false), nil},
		{"B-pyramids and an uneven network", 3 * time.Second, pyramid(300, 60, false), jitter},
		{"open groups", 2 * time.Second, pyramid(300, 11, true), nil},
		{"open groups, frame by frame", 2*time.Second + time.Second/24 + time.Millisecond, pyramid(600, 12, true), nil},
		{"one frame in five seconds", 10 * time.Second, func() []frame {
			all := steady(40, 1, 10)
			for i := range all {
				all[i].dts, all[i].pts = 5*all[i].dts, 5*all[i].pts
			}
			return all
		}(), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, DefaultConfig(), 4)
				r.exactly(tt.interval)
				r.Start()
				s := r.open("s")
				r.play(s, tt.frames, tt.late)
				r.end(t, s)
				if diff := cmp.Diff(onDisplay(tt.frames, tt.interval), r.targets()); diff != "" {
					t.Errorf("frames of the shots (-want +got):\n%s", diff)
				}
				for i, taken := range r.taken {
					if f := taken.Picture.Facts; i > 0 && f.Accuracy != stillcast.AccuracyExact {
						t.Errorf("shot %d is called %s", i, f.Accuracy)
					}
				}
			})
		})
	}
}

// TestExactOrdersWhatTheFrameNeeds looks at the access units of each order: they
// begin where decoding can start, and lack what nothing refers to.
func TestExactOrdersWhatTheFrameNeeds(t *testing.T) {
	tests := []struct {
		name   string
		frames []frame
	}{
		{"closed groups", pyramid(300, 13, false)},
		{"open groups", pyramid(300, 13, true)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, DefaultConfig(), 4)
				r.exactly(2*time.Second + time.Second/24 + time.Millisecond)
				r.Start()
				s := r.open("s")
				r.play(s, tt.frames, nil)
				r.end(t, s)
				for i, o := range r.orders {
					first, target := tt.frames[o.frames[0]], tt.frames[o.frames[len(o.frames)-1]]
					if first.kind != idr && first.kind != openI || first.pts > target.pts {
						t.Errorf("order %d begins with frame %+v; it is of %+v", i, first, target)
					}
					want := []int{first.n}
					for _, f := range tt.frames[first.n+1 : max(target.n, first.n+1)] {
						if f.kind != disposable {
							want = append(want, f.n)
						}
					}
					if target.n != first.n {
						want = append(want, target.n)
					}
					if diff := cmp.Diff(want, o.frames); diff != "" {
						t.Errorf("order %d of frame %d (-want +got):\n%s", i, target.n, diff)
					}
				}
			})
		})
	}
}

func TestExactFactsAreThoseOfTheFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.exactly(2 * time.Second)
		r.template.Renditions = stillcast.Renditions{{Width: 320}, {Width: 64, Height: 64}}
		var pictures []stillcast.PictureSpec
		r.shoot = func(o Order) (stillcast.Facts, error) { pictures = o.Pictures; return stillcast.Facts{}, nil }
		r.Start()
		s := r.open("s")
		began := time.Now()
		r.play(s, paced(60, 77*time.Millisecond, 130), nil)
		r.end(t, s)
		if len(r.taken) != 3 {
			t.Fatalf("%d shots, want 3", len(r.taken))
		}
		// Frame 51 is on display at 4 s, from 3.927 s on.
		want := stillcast.Facts{
			Accuracy: stillcast.AccuracyExact, Timestamp: 3927 * time.Millisecond, Age: 73 * time.Millisecond,
			Decode: 52 * 5 * time.Millisecond, Duplicate: true,
		}
		got := r.taken[2]
		if diff := cmp.Diff(want, got.Picture.Facts); diff != "" {
			t.Errorf("facts (-want +got):\n%s", diff)
		}
		if due, captured := got.Due.Sub(began), got.Captured.Sub(began); due != 4*time.Second || captured != 3927*time.Millisecond {
			t.Errorf("due at %v, captured at %v; want 4s and 3.927s", due, captured)
		}
		if diff := cmp.Diff(r.template.Pictures(), pictures); diff != "" || len(pictures) != 3 {
			t.Errorf("pictures of the order (-want +got):\n%s", diff)
		}
	})
}

func TestStalledStreamGetsNoShot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.exactly(2 * time.Second)
		r.Start()
		s := r.open("s")
		frames := steady(500, 25, 250)
		r.play(s, frames[:130], nil) // 5.2 s
		time.Sleep(9 * time.Second)  // the publisher's clock stands as well
		synctest.Wait()
		if n := len(r.taken); n != 3 {
			t.Fatalf("%d shots before the stall ended, want 3", n)
		}
		began := time.Now()
		r.play(s, frames[130:], nil)
		r.end(t, s)
		for _, taken := range r.taken[3:] {
			if off := taken.Captured.Sub(taken.Due); off < -5*time.Second || taken.Captured.Before(began) {
				t.Errorf("a frame from %v before its due time was shot after the stall", -off)
			}
		}
	})
}

// TestOldFrameIsNoShot stands still after due times were passed over for another reason.
func TestOldFrameIsNoShot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.exactly(2 * time.Second)
		r.Start()
		s := r.open("s")
		frames := steady(300, 25, 250)
		for i := range frames[130:] {
			frames[130+i].dts += 15 * time.Second
			frames[130+i].pts += 15 * time.Second
		}
		r.play(s, frames[:130], nil)
		s.mu.Lock()
		s.plans[0].schedule.skip(pick{index: 3, grid: s.plans[0].schedule.grid}, 1) // 10 s is the next due time
		s.mu.Unlock()
		time.Sleep(15 * time.Second)
		r.play(s, frames[130:], nil)
		r.end(t, s)
		if diff := cmp.Diff([]int{0, 50, 100, 175, 225, 275}, r.targets()); diff != "" {
			t.Errorf("frames of the shots; the one before the stall is not among them (-want +got):\n%s", diff)
		}
	})
}

// TestSlideShow sends a frame a minute: each has a shot, as the frame on display at the first
// due time after it, once the next one shows that it was.
func TestSlideShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.exactly(7 * time.Second)
		r.Start()
		s := r.open("s")
		began := time.Now()
		r.play(s, paced(10, time.Minute, 3), nil)
		r.end(t, s)
		if diff := cmp.Diff([]int{0, 1, 2, 3, 4, 5, 6, 7, 8}, r.targets()); diff != "" {
			t.Errorf("frames of the shots (-want +got):\n%s", diff)
		}
		for i, taken := range r.taken {
			if due, want := taken.Due.Sub(began), time.Duration((60*i+6)/7)*7*time.Second; due != want {
				t.Errorf("shot %d is due at %v, want %v", i, due, want)
			}
		}
		if n := testutil.ToFloat64(r.metrics.due); n < 70 {
			t.Errorf("%v due times counted in nine minutes", n)
		}
	})
}

func TestExactCatchesUpAfterTheNetworkStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.exactly(2 * time.Second)
		r.Start()
		s := r.open("s")
		frames := steady(1000, 25, 250)
		// What was sent from 5 s to 9 s arrives at once at 9 s.
		r.play(s, frames, func(f frame) time.Duration {
			if f.dts > 5*time.Second && f.dts < 9*time.Second {
				return 9*time.Second - f.dts
			}
			return 0
		})
		r.end(t, s)
		want := onDisplay(frames, 2*time.Second)
		want = slices.DeleteFunc(want, func(n int) bool { return n == 150 }) // shed: its due time and the next came at once
		got := slices.DeleteFunc(r.targets(), func(n int) bool { return n == 150 })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("frames of the shots (-want +got):\n%s", diff)
		}
	})
}

func TestConfigurationChangesInMidPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.exactly(2 * time.Second)
		configs := map[*media.Config]bool{}
		r.shoot = func(o Order) (stillcast.Facts, error) {
			configs[o.Config] = true
			for _, n := range framesOf(o) {
				if after := n >= 130; after != (len(configs) == 2) {
					return stillcast.Facts{}, fmt.Errorf("frame %d has the other's configuration", n)
				}
			}
			return stillcast.Facts{}, nil
		}
		r.Start()
		s := r.open("s")
		frames := steady(300, 25, 130)
		r.play(s, frames[:130], nil)
		synctest.Wait()
		s.Configure(h264Config())
		if n := r.kept.used.Load(); n != 0 {
			t.Errorf("%d bytes of the old configuration are kept", n)
		}
		time.Sleep(40 * time.Millisecond)
		r.play(s, frames[130:], nil)
		r.end(t, s)
		if len(r.taken) != 6 || len(configs) != 2 {
			t.Errorf("%d shots of %d configurations, want 6 of 2; frames %v", len(r.taken), len(configs), r.targets())
		}
	})
}

func TestAccuracyChangesOnARunningStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.template.Interval = 2 * time.Second
		r.Start()
		s := r.open("s")
		frames := steady(2000, 25, 75) // a key frame each three seconds
		r.play(s, frames[:500], nil)
		r.exactly(2 * time.Second)
		r.Reload()
		time.Sleep(40 * time.Millisecond)
		r.play(s, frames[500:1000], nil)
		r.template.Accuracy = stillcast.AccuracyKeyframe
		r.Reload()
		if n := r.kept.used.Load(); n != 0 {
			t.Errorf("%d bytes are kept with the accuracy keyframe", n)
		}
		time.Sleep(40 * time.Millisecond)
		r.play(s, frames[1000:], nil)
		r.end(t, s)
		for i, taken := range r.taken {
			at := int(taken.Picture.Facts.Timestamp / (40 * time.Millisecond))
			exact := taken.Picture.Facts.Accuracy == stillcast.AccuracyExact
			if want := at > 525 && at < 1000; exact != want {
				t.Errorf("shot %d is of frame %d; exact is %v", i, at, exact)
			}
			if age := taken.Picture.Facts.Age; exact && age != 0 {
				t.Errorf("exact shot %d is of a frame that is %v from its due time", i, age)
			}
		}
	})
}
