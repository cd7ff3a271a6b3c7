package capture

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stillcast/stillcast"
)

// refreshing returns frames at 25 fps with an IDR picture at the beginning and a
// recovery point each period.
func refreshing(n, period int) []frame {
	all := steady(n, 25, n)
	for i := range all {
		if i > 0 && i%period == 0 {
			all[i].kind, all[i].flag = recovery, true
		}
	}
	return all
}

// takes is a decoder that gives a picture only for so many access units, if the
// first of them is no IDR picture.
func takes(frames []frame, units int) func(Order) (stillcast.Facts, error) {
	return func(o Order) (stillcast.Facts, error) {
		if frames[framesOf(o)[0]].kind != idr && len(o.Units) < units {
			return stillcast.Facts{}, errEmpty
		}
		return stillcast.Facts{}, nil
	}
}

func TestRecoveryPointsAreFedUntilThePictureIsRight(t *testing.T) {
	tests := []struct {
		name     string
		accuracy stillcast.Accuracy
		units    int   // that the decoder needs
		want     []int // access units of each order
		captured time.Duration
	}{
		{"as announced", stillcast.AccuracyKeyframe, 11, []int{1, 11, 11}, 400 * time.Millisecond},
		{"later than announced", stillcast.AccuracyKeyframe, 40, []int{1, 11, 22, 44, 11, 22, 44}, 880 * time.Millisecond},
		{"exact", stillcast.AccuracyExact, 11, []int{1, 51, 51}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, DefaultConfig(), 1)
				r.template.Accuracy = tt.accuracy
				frames := refreshing(25*25, 50)
				r.shoot = takes(frames, tt.units)
				r.Start()
				s := r.open("s")
				r.play(s, frames, nil)
				r.end(t, s)
				var got []int
				for i, o := range r.orders {
					got = append(got, len(o.frames))
					if tt.accuracy == stillcast.AccuracyKeyframe && i > 0 && !o.first {
						t.Errorf("order %d does not ask for the first picture", i)
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("access units of the orders (-want +got):\n%s", diff)
				}
				if len(r.taken) != 3 {
					t.Fatalf("%d shots, want 3", len(r.taken))
				}
				for _, taken := range r.taken[1:] {
					if off := taken.Captured.Sub(taken.Due); off != tt.captured {
						t.Errorf("captured %v after the due time, want %v", off, tt.captured)
					}
				}
				if n := testutil.ToFloat64(r.metrics.failed.WithLabelValues(stageDecode)); n != 0 {
					t.Errorf("%v failures counted, want none", n)
				}
			})
		})
	}
}

func TestFirstShotIsOfARecoveryPoint(t *testing.T) {
	for _, accuracy := range []stillcast.Accuracy{stillcast.AccuracyKeyframe, stillcast.AccuracyExact} {
		t.Run(string(accuracy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, DefaultConfig(), 1)
				r.template.Accuracy = accuracy
				frames := refreshing(25*25, 50)[30:] // the IDR picture was missed
				r.shoot = takes(refreshing(25*25, 50), 11)
				r.Start()
				s := r.open("s")
				r.play(s, frames, nil)
				r.end(t, s)
				if len(r.taken) != 3 || r.orders[0].frames[0] != 50 || len(r.orders[0].frames) != 11 || !r.orders[0].first {
					t.Errorf("%d shots, the first one of %+v; want 3, that of 50 to 60", len(r.taken), r.orders[0])
				}
			})
		})
	}
}

// TestHopelessRecoveryPointsGetRarer is about a stream that costs hundreds of access
// units each time and never gives a picture.
func TestHopelessRecoveryPointsGetRarer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.template.Interval = 2 * time.Second
		decoded := 0
		r.shoot = func(o Order) (stillcast.Facts, error) {
			decoded += len(o.Units)
			return stillcast.Facts{}, errEmpty
		}
		r.Start()
		s := r.open("s")
		frames := refreshing(25*3600, 50)
		frames[0].kind = recovery
		r.play(s, frames, nil)
		r.end(t, s)
		if most := 12 * 3 * maxFeed; decoded > most {
			t.Errorf("%d access units decoded in an hour, want at most %d", decoded, most)
		}
		if testutil.ToFloat64(r.metrics.shed.WithLabelValues(shedHopeless)) == 0 {
			t.Error("no due time counted as passed over")
		}
	})
}

func TestFlagsThatLie(t *testing.T) {
	flag := func(frames []frame, on func(frame) bool) []frame {
		for i := range frames {
			frames[i].flag = on(frames[i])
		}
		return frames
	}
	all := func(frame) bool { return true }
	none := func(frame) bool { return false }
	wrong := func(f frame) bool { return f.n%45 == 7 }
	tests := []struct {
		name   string
		frames []frame
		shots  int
	}{
		{"every frame is flagged", flag(steady(1450, 25, 45), all), 6},
		{"no frame is flagged", flag(steady(1450, 25, 45), none), 6},
		{"the wrong frames are flagged", flag(steady(1450, 25, 45), wrong), 6},
		{"only the first is flagged", flag(steady(1450, 25, 45), func(f frame) bool { return f.n == 0 }), 6},
		{"no frame is flagged and few are whole", flag(steady(1450, 25, 225), none), 6},
	}
	for _, accuracy := range []stillcast.Accuracy{stillcast.AccuracyKeyframe, stillcast.AccuracyExact} {
		for _, tt := range tests {
			t.Run(string(accuracy)+"/"+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, DefaultConfig(), 1)
					r.template.Accuracy = accuracy
					failed := 0
					r.shoot = func(o Order) (stillcast.Facts, error) {
						if tt.frames[framesOf(o)[0]].kind == inter {
							failed++
							return stillcast.Facts{}, errEmpty
						}
						return stillcast.Facts{}, nil
					}
					r.Start()
					s := r.open("s")
					r.play(s, tt.frames, nil)
					r.end(t, s)
					if len(r.taken) != tt.shots {
						t.Errorf("%d shots, want %d; frames %v", len(r.taken), tt.shots, r.targets())
					}
					if failed > maxFailures {
						t.Errorf("%d frames that decoding cannot start at were tried, want at most %d", failed, maxFailures)
					}
				})
			})
		}
	}
}

func TestIntraPicturesAloneGiveShots(t *testing.T) {
	for _, accuracy := range []stillcast.Accuracy{stillcast.AccuracyKeyframe, stillcast.AccuracyExact} {
		t.Run(string(accuracy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, DefaultConfig(), 1)
				r.template.Accuracy = accuracy
				frames := steady(1500, 25, 50)
				for i := range frames {
					if frames[i].kind == idr {
						frames[i].kind = intra
					}
				}
				r.Start()
				s := r.open("s")
				r.play(s, frames, nil)
				r.end(t, s)
				if diff := cmp.Diff([]int{0, 250, 500, 750, 1000, 1250}, r.targets()); diff != "" {
					t.Errorf("frames of the shots (-want +got):\n%s", diff)
				}
				for i, o := range r.orders {
					if len(o.frames) != 1 || !o.first {
						t.Errorf("order %d is %+v, want that of one frame", i, o)
					}
				}
			})
		})
	}
}

// TestKeyFrameTakesTheTurnOfARecoveryPoint lets a whole key frame come while a
// recovery point is being fed.
func TestKeyFrameTakesTheTurnOfARecoveryPoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		frames := refreshing(600, 250)
		frames[255].kind, frames[255].flag = idr, true
		r.Start()
		s := r.open("s")
		r.play(s, frames, nil)
		r.end(t, s)
		if diff := cmp.Diff([]int{0, 255, 510}, r.targets()); diff != "" {
			t.Errorf("last frames of the orders (-want +got):\n%s", diff)
		}
	})
}

func TestStretchedIntervalIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		var log bytes.Buffer
		r.opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
		r.template.Interval = 2 * time.Second
		r.Start()
		s := r.open("s")
		r.play(s, steady(25*80, 25, 200), nil)
		synctest.Wait()
		if n := strings.Count(log.String(), "key frames are rarer than the interval"); n != 1 {
			t.Errorf("said %d times that the interval stretches, want once", n)
		}
		if n := testutil.ToFloat64(r.metrics.passed); n < 25 {
			t.Errorf("%v due times passed over, want three of four that came", n)
		}
		r.play(s, steady(25*80, 25, 25), nil)
		r.end(t, s)
		if n := strings.Count(log.String(), "no longer rarer"); n != 1 {
			t.Errorf("said %d times that it no longer does, want once", n)
		}
	})
}

func TestPoisonIsRememberedAndGetsRarer(t *testing.T) {
	for _, accuracy := range []stillcast.Accuracy{stillcast.AccuracyKeyframe, stillcast.AccuracyExact} {
		t.Run(string(accuracy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, DefaultConfig(), 1)
				r.template.Accuracy, r.template.Interval = accuracy, 2*time.Second
				r.shoot = func(Order) (stillcast.Facts, error) { return stillcast.Facts{}, errPoison }
				r.Start()
				s := r.open("s")
				r.play(s, steady(25*3600, 25, 50), nil)
				r.end(t, s)
				deaths := testutil.ToFloat64(r.metrics.poison)
				if deaths < 5 || deaths > 20 {
					t.Errorf("%v inputs killed workers in an hour, want a few", deaths)
				}
				if n := testutil.ToFloat64(r.metrics.shed.WithLabelValues(shedPoison)); n < 1000 {
					t.Errorf("%v due times passed over, want most of 1800", n)
				}
			})
		})
	}
}

func TestPoisonIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.template.Interval = 2 * time.Second
		tries := map[int]int{}
		r.shoot = func(o Order) (stillcast.Facts, error) {
			n := framesOf(o)[0]
			if tries[n]++; n%2 == 1 {
				return stillcast.Facts{}, errPoison
			}
			return stillcast.Facts{}, nil
		}
		r.Start()
		s := r.open("s")
		frames := steady(25*600, 25, 50)
		for i := range frames { // three pictures, over and over: two are poison
			frames[i].n = []int{1, 2, 3}[i/50%3]
		}
		r.play(s, frames, nil)
		r.end(t, s)
		if tries[1] > 1 || tries[3] > 1 {
			t.Errorf("poison was tried %d and %d times, want once each", tries[1], tries[3])
		}
		if tries[2] < 80 {
			t.Errorf("%d shots of the good picture, want nearly one for each of 100", tries[2])
		}
	})
}

func TestPoisonAmongGoodShotsIsRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.template.Interval = 2 * time.Second
		n := 0
		r.shoot = func(Order) (stillcast.Facts, error) {
			if n++; n%10 == 0 {
				return stillcast.Facts{}, errPoison
			}
			return stillcast.Facts{}, nil
		}
		r.Start()
		s := r.open("s")
		r.play(s, steady(25*3600, 25, 50), nil)
		r.end(t, s)
		if deaths := testutil.ToFloat64(r.metrics.poison); deaths > 20 {
			t.Errorf("%v inputs killed workers in an hour of a stream that is good nine times of ten", deaths)
		}
	})
}

func TestRememberedPoisonIsBounded(t *testing.T) {
	var p poison
	for i := range uint64(100) {
		p.add(i + 1)
	}
	if p.has(1) || !p.has(100) || !p.has(100-maxPoison+1) {
		t.Error("want the newest to be known and no others")
	}
}

func TestRecordThatFailsDoesNotBarExactShots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.exactly(2 * time.Second)
		fails := errors.New("disk full")
		record := r.opts.Record
		r.opts.Record = func(ctx context.Context, taken Taken) (stillcast.Shot, error) {
			if fails != nil && len(r.orders) > 1 {
				err := fails
				fails = nil
				return stillcast.Shot{}, err
			}
			return record(ctx, taken)
		}
		r.Start()
		s := r.open("s")
		r.play(s, steady(25*9, 25, 250), nil)
		r.end(t, s)
		if diff := cmp.Diff([]string{"keyframe 0s", "exact 0s", "exact 0s", "exact 0s"}, r.accuracies()); diff != "" {
			t.Errorf("shots (-want +got):\n%s", diff)
		}
	})
}
