package capture

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestNoRoom: while there is no room for shots they are shed, before they are
// decoded where that is known, and taken again when there is.
func TestNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, DefaultConfig(), 1)
		r.Start()
		s := r.open("s")
		run := func(full, refuse bool) (taken, decoded int) {
			r.mu.Lock()
			r.full, r.refuse = full, refuse
			before, orders := len(r.taken), len(r.orders)
			r.mu.Unlock()
			for range 60 { // a minute
				r.frame(s, true)
				time.Sleep(time.Second)
			}
			synctest.Wait()
			r.mu.Lock()
			defer r.mu.Unlock()
			return len(r.taken) - before, len(r.orders) - orders
		}
		if taken, _ := run(false, false); taken < 6 {
			t.Errorf("%d shots a minute, want six", taken)
		}
		if taken, decoded := run(true, false); taken != 0 || decoded > 1 {
			t.Errorf("%d shots were taken and %d decoded without room, want neither", taken, decoded)
		}
		if taken, decoded := run(false, true); taken != 0 || decoded < 5 || decoded > 8 {
			t.Errorf("%d shots were taken and %d decoded while they were refused, want none and each once", taken, decoded)
		}
		shed := testutil.ToFloat64(r.metrics.shed.WithLabelValues(shedRoom))
		failed := testutil.ToFloat64(r.metrics.failed.WithLabelValues(stageRecord))
		if shed < 10 || shed > 14 || failed != 0 {
			t.Errorf("counted %v shed and %v failed shots in two minutes, want about 12 and none", shed, failed)
		}
		if taken, _ := run(false, false); taken < 6 {
			t.Errorf("%d shots a minute after there was room again, want six", taken)
		}
		s.Close()
		r.Stop(t.Context())
	})
}
