package capture

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
)

// TestAnotherTemplateIsOneChange gives a live stream another template. Its due times
// go on from the last shot, in the new interval: there is no gap, and no shot more.
func TestAnotherTemplateIsOneChange(t *testing.T) {
	for name, test := range map[string]struct {
		interval time.Duration // of the other template
		accuracy stillcast.Accuracy
		want     []take // by it
	}{
		"the same interval":  {10 * time.Second, key, onTime(30*time.Second, 10*time.Second, 4, key, key)},
		"a shorter interval": {4 * time.Second, key, append([]take{{24 * time.Second, 26 * time.Second, key}}, onTime(28*time.Second, 4*time.Second, 9, key, key)...)},
		"a longer interval":  {30 * time.Second, key, onTime(50*time.Second, 30*time.Second, 1, key, key)},
		"exact":              {10 * time.Second, accurate, onTime(30*time.Second, 10*time.Second, 4, accurate, accurate)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, DefaultConfig(), 2)
				r.template.Name = "first"
				r.Start()
				s := r.open("s")
				began := time.Now()
				at(t, began, 25*time.Second, func() {
					r.mu.Lock()
					r.template = stillcast.SnapshotTemplate{Name: "second", Interval: test.interval, Accuracy: test.accuracy, Width: 320}.WithDefaults()
					r.mu.Unlock()
					r.Reload()
				})
				r.play(s, steady(25*62, 25, 50), nil)
				r.end(t, s)
				if diff := cmp.Diff(onTime(0, 10*time.Second, 3, key, key), r.takes("first", began)); diff != "" {
					t.Errorf("shots by the first template (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(test.want, r.takes("second", began)); diff != "" {
					t.Errorf("shots by the second template (-want +got):\n%s", diff)
				}
			})
		})
	}
}
