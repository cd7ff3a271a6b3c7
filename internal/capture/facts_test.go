package capture

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stillcast/stillcast"
)

// pictures plays a stream with a key frame for each due time, which looks as the
// facts say, and returns the due times of the shots in intervals.
func (r *rig) pictures(t *testing.T, looks []stillcast.Facts) []int {
	t.Helper()
	n := 0
	r.shoot = func(Order) (stillcast.Facts, error) {
		n++
		return looks[n-1], nil
	}
	r.Start()
	s := r.open("s")
	began := time.Now()
	for range looks {
		r.frame(s, true)
		time.Sleep(r.template.Interval)
	}
	r.end(t, s)
	var due []int
	for _, taken := range r.taken {
		due = append(due, int(taken.Due.Sub(began)/r.template.Interval))
	}
	return due
}

func TestSkippedShots(t *testing.T) {
	black := stillcast.Facts{Black: true, Solid: true}
	scene := stillcast.Facts{Luma: 100, Hash: 0xffff_0000}
	other := stillcast.Facts{Luma: 100, Hash: 0x0000_ffff}
	white := stillcast.Facts{Luma: 235, Solid: true}
	drift := func(bits int) stillcast.Facts { return stillcast.Facts{Luma: 100, Hash: 1<<bits - 1} }
	few := stillcast.DuplicateDistance / 2

	tests := []struct {
		name             string
		black, unchanged bool
		heartbeat        int // in intervals
		looks            []stillcast.Facts
		want             []int
	}{
		{"nothing is skipped", false, false, 3, []stillcast.Facts{black, black, scene, scene}, []int{0, 1, 2, 3}},
		{"black", true, false, 100, []stillcast.Facts{scene, black, black, scene, scene}, []int{0, 3, 4}},
		{"the first one never", true, true, 100, []stillcast.Facts{black, black, scene}, []int{0, 2}},
		{"unchanged", false, true, 100, []stillcast.Facts{scene, scene, other, other, scene}, []int{0, 2, 4}},
		{"heartbeat of black", true, false, 3, []stillcast.Facts{scene, black, black, black, black, black, black, scene}, []int{0, 3, 6, 7}},
		{"heartbeat of unchanged", false, true, 2, []stillcast.Facts{scene, scene, scene, scene, scene}, []int{0, 2, 4}},
		{"heartbeat of one interval", true, true, 1, []stillcast.Facts{black, black, black}, []int{0, 1, 2}},
		{"other colour of no pattern", false, true, 100, []stillcast.Facts{black, white, white, black}, []int{0, 1, 3}},
		{"many small changes", false, true, 100, []stillcast.Facts{drift(0), drift(few), drift(2 * few), drift(3 * few), drift(4 * few)}, []int{0, 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, DefaultConfig(), 1)
				r.template.SkipBlack, r.template.SkipUnchanged = tt.black, tt.unchanged
				r.template.Heartbeat = time.Duration(tt.heartbeat) * r.template.Interval
				if diff := cmp.Diff(tt.want, r.pictures(t, tt.looks)); diff != "" {
					t.Errorf("due times of the shots (-want +got):\n%s", diff)
				}
				skipped := testutil.ToFloat64(r.metrics.skipped.WithLabelValues(skipBlack)) +
					testutil.ToFloat64(r.metrics.skipped.WithLabelValues(skipUnchanged))
				if want := len(tt.looks) - len(tt.want); int(skipped) != want {
					t.Errorf("%v skipped shots counted, want %d", skipped, want)
				}
			})
		})
	}
}

func TestDistances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		edge := uint64(1)<<stillcast.DuplicateDistance - 1
		r.pictures(t, []stillcast.Facts{{Hash: 0}, {Hash: edge}, {Hash: edge}, {Hash: ^edge}, {Hash: ^edge << 1}})
		type fact struct {
			Distance  int
			Duplicate bool
		}
		var got []fact
		for _, taken := range r.taken {
			got = append(got, fact{taken.Picture.Facts.Distance, taken.Picture.Facts.Duplicate})
		}
		want := []fact{{-1, false}, {stillcast.DuplicateDistance, true}, {0, true}, {64, false}, {1, true}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("distances (-want +got):\n%s", diff)
		}
	})
}
