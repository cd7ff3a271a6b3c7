package capture

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// accuracies returns how the frames of the shots were chosen, and by how much of a
// second they are from their due times.
func (r *rig) accuracies() (all []string) {
	for _, taken := range r.taken {
		f := taken.Picture.Facts
		all = append(all, string(f.Accuracy)+" "+f.Age.Round(100*time.Millisecond).String())
	}
	return all
}

// TestExactFallsBackToKeyFrames plays groups of ten seconds with an interval of
// three. The first due times of a group are within the budgets.
func TestExactFallsBackToKeyFrames(t *testing.T) {
	frames := steady(750, 25, 250)
	for i := range frames {
		frames[i].size = 1000
	}
	// 3 s, 12 s and 21 s are in the first part of their groups. Of 6 s and 9 s, and of 15 s and 18 s,
	// only the later one gets the next key frame; the one before had its shot.
	want := []string{"keyframe 0s", "exact 0s", "keyframe -1s", "exact 0s", "keyframe -2s", "exact 0s"}
	tests := []struct {
		name   string
		reason string
		change func(*rig)
	}{
		{"more than a stream may keep", fallbackGOP, func(r *rig) { r.opts.Config.GOPBytes = 125_000 * 5 / 4 }},
		{"more than all streams may keep", fallbackTotal, func(r *rig) { r.kept.limit = 125_000 * 5 / 4 }},
		{"more than a decoder takes", fallbackUnits, func(r *rig) { r.opts.MaxUnits = 100 }},
		{"more bytes than a decoder takes", fallbackBytes, func(r *rig) { r.opts.MaxUnitBytes = 100_000 }},
		{"no good picture", fallbackFailed, func(r *rig) {
			r.shoot = func(o Order) (stillcast.Facts, error) {
				if len(o.Units) > 100 {
					return stillcast.Facts{}, errors.New("damaged")
				}
				return stillcast.Facts{}, nil
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, DefaultConfig(), 1)
				r.exactly(3 * time.Second)
				tt.change(r)
				r.Start()
				s := r.open("s")
				r.play(s, frames, nil)
				r.end(t, s)
				if diff := cmp.Diff(want, r.accuracies()); diff != "" {
					t.Errorf("shots (-want +got):\n%s", diff)
				}
				if r.fallbacks(tt.reason) == 0 {
					t.Errorf("no fallback because of %s is counted", tt.reason)
				}
				if n := testutil.ToFloat64(r.metrics.due); n < 8 {
					t.Errorf("%v due times counted, want the 8 up to the last shot", n)
				}
			})
		})
	}
}

// TestFallbackTakesTheNearestKeyFrame has an interval of 13 s: 3 s after a key frame
// that had no shot, then 6 s after one.
func TestFallbackTakesTheNearestKeyFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.exactly(13 * time.Second)
		r.opts.MaxUnits = 50
		r.Start()
		s := r.open("s")
		r.play(s, steady(1000, 25, 250), nil)
		r.end(t, s)
		if diff := cmp.Diff([]string{"keyframe 0s", "keyframe 3s", "keyframe -4s"}, r.accuracies()[:3]); diff != "" {
			t.Errorf("shots (-want +got):\n%s", diff)
		}
	})
}

// TestExactKeepsToItsShare gives it a tenth of one decoder and asks for far more.
func TestExactKeepsToItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.ExactShare = 0.1
		r := newRig(t, cfg, 1)
		r.exactly(2 * time.Second)
		var spent time.Duration
		r.shoot = func(o Order) (stillcast.Facts, error) {
			took := time.Duration(len(o.Units)) * 20 * time.Millisecond
			if len(o.Units) > 1 {
				spent += took
			}
			return stillcast.Facts{Decode: took}, nil
		}
		r.Start()
		s := r.open("s")
		r.play(s, steady(25*300, 25, 250), nil)
		r.end(t, s)
		// Saved at the start 1 s, filled in five minutes 30 s; the last shot may overdraw by one group.
		if most := 31*time.Second + 5*time.Second; spent > most {
			t.Errorf("exact shots took %v in five minutes, want at most %v", spent, most)
		}
		if spent < 25*time.Second {
			t.Errorf("exact shots took %v in five minutes; their share is 30 s", spent)
		}
		if n := len(r.taken); n < 40 {
			t.Errorf("%d shots, want one for each of 30 key frames, and the exact ones", n)
		}
		if r.fallbacks(fallbackShare) == 0 {
			t.Error("no fallback because of the share is counted")
		}
	})
}

func TestExactWithoutAShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.ExactShare = 0
		r := newRig(t, cfg, 1)
		r.exactly(10 * time.Second)
		r.Start()
		s := r.open("s")
		r.play(s, steady(25*60, 25, 75), nil)
		r.end(t, s)
		want := []string{"keyframe 0s", "keyframe 1s", "keyframe -1s", "exact 0s", "keyframe 1s", "keyframe -1s"}
		if diff := cmp.Diff(want, r.accuracies()); diff != "" {
			t.Errorf("shots; that of a key frame at its due time costs nothing more (-want +got):\n%s", diff)
		}
	})
}

// TestExactNeverDelaysKeyFrames holds up exact shots and takes others meanwhile.
func TestExactNeverDelaysKeyFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 2)
		gate := make(chan struct{})
		busy := 0
		r.shoot = func(o Order) (stillcast.Facts, error) {
			if len(o.Units) > 1 {
				r.mu.Lock()
				busy++
				r.mu.Unlock()
				<-gate
			}
			return stillcast.Facts{}, nil
		}
		r.exactly(2 * time.Second)
		r.Start()
		var streams []*Stream
		for _, name := range []string{"a", "b", "c"} {
			s := r.open(name)
			streams = append(streams, s)
			r.play(s, paced(40, 77*time.Millisecond, 250), nil)
		}
		synctest.Wait()
		if busy != 1 {
			t.Fatalf("%d exact shots in the making, want half of two workers", busy)
		}
		before := len(r.taken)
		for _, name := range []string{"d", "e"} {
			s := r.open(name)
			streams = append(streams, s)
			r.frame(s, true)
		}
		synctest.Wait()
		if n := len(r.taken) - before; n != 2 {
			t.Errorf("%d key frames were taken beside exact shots, want 2", n)
		}
		close(gate)
		r.end(t, streams...)
	})
}

func TestKeptMemoryIsBoundedAndGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.GOPBytes, cfg.GOPTotalBytes = 1<<20, 3<<20
		r := newRig(t, cfg, 2)
		r.exactly(2 * time.Second)
		r.Start()
		frames := steady(25*30, 25, 125)
		for i := range frames {
			frames[i].size = 4000
		}
		var streams []*Stream
		for range 10 {
			streams = append(streams, r.open("s"))
		}
		for _, f := range frames {
			time.Sleep(40 * time.Millisecond)
			for _, s := range streams {
				r.send(s, f)
			}
			if n := r.kept.used.Load(); n > cfg.GOPTotalBytes {
				t.Fatalf("%d bytes are kept, at most %d are allowed", n, cfg.GOPTotalBytes)
			}
		}
		synctest.Wait()
		if r.fallbacks(fallbackTotal) == 0 {
			t.Error("ten streams of half a megabyte never met the limit of three")
		}
		if n := r.kept.used.Load(); n < cfg.GOPTotalBytes/4 {
			t.Errorf("%d bytes are kept; the test shows nothing", n)
		}
		streams[0].Configure(h264Config())
		r.end(t, streams...)
	})
}

// TestJobsHoldWhatTheyAreMadeOf closes a stream while its shot is being made.
func TestJobsHoldWhatTheyAreMadeOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.exactly(2 * time.Second)
		gate := make(chan struct{})
		r.shoot = func(o Order) (stillcast.Facts, error) {
			if len(o.Units) == 1 {
				return stillcast.Facts{}, nil
			}
			<-gate
			if got := framesOf(o); len(got) != 51 || got[0] != 0 || got[50] != 50 {
				t.Errorf("the access units changed under the job: %v", got)
			}
			return stillcast.Facts{}, nil
		}
		r.Start()
		s := r.open("s")
		frames := steady(60, 25, 250)
		r.play(s, frames, nil)
		s.Close()
		if r.kept.used.Load() == 0 {
			t.Error("what the job is made of does not count")
		}
		close(gate)
		r.end(t)
		if r.released != len(frames) {
			t.Errorf("%d of %d access units were given back to ingest", r.released, len(frames))
		}
	})
}

func TestWantTakesNoMemory(t *testing.T) {
	r := newRig(t, DefaultConfig(), 1)
	s := r.open("s")
	r.frame(s, true)
	u := media.Unit{Codec: media.H264, Size: 1000}
	if n := testing.AllocsPerRun(1000, func() { s.Want(u) }); n != 0 {
		t.Errorf("Want allocates %v times", n)
	}
	r.template.Accuracy = stillcast.AccuracyExact
	r.Reload()
	if n := testing.AllocsPerRun(1000, func() { s.Want(u) }); n != 0 {
		t.Errorf("Want of an exact template allocates %v times", n)
	}
	s.Close()
	r.Start()
	r.Stop(t.Context())
}

func TestConfigValidate(t *testing.T) {
	tests := []struct {
		change func(*Config)
		field  string
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.Queue = 0 }, "queue"},
		{func(c *Config) { c.QueueBytes = 1 }, "queue_bytes"},
		{func(c *Config) { c.GOPBytes = minGOPBytes - 1 }, "gop_bytes"},
		{func(c *Config) { c.GOPTotalBytes = c.GOPBytes - 1 }, "gop_total_bytes"},
		{func(c *Config) { c.ExactShare = -0.1 }, "exact_share"},
		{func(c *Config) { c.ExactShare = 1.1 }, "exact_share"},
		{func(c *Config) { c.ExactShare, c.GOPBytes = 0, minGOPBytes }, ""},
	}
	for _, tt := range tests {
		c := DefaultConfig()
		tt.change(&c)
		err := c.Validate()
		e, _ := errors.AsType[*stillcast.Error](err)
		if tt.field == "" && err != nil || tt.field != "" && (e == nil || e.Field != tt.field) {
			t.Errorf("%+v: %v, want a fault of %q", c, err, tt.field)
		}
	}
}
