package faulttest

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/stillcast/stillcast/internal/testkit/lossfs"
)

// TestDiskFull fills the disk of a server that takes shots, and makes room again:
// pushes go on, shots that cannot be taken are counted, those that were are not lost,
// and all of it goes on by itself. In the end it is killed while the disk is full.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	disk := lossfs.Mount(t, "")
	w := newWorld(t, disk.Dir, "{upload: {breaker: {failures: 5, max_pause: 1s}}}", "")
	w.fleet.begin(t, streams)
	s := w.start().serving()
	enough := func(after int) func(context.Context) bool {
		return func(context.Context) bool { return len(w.log.acknowledged()) >= after+streams }
	}
	w.until("shots", enough(0))
	for range max(1, rounds(t, 1)/5) { // each takes several times as long as a kill
		disk.Fill(t, w.chance.Int64N(64<<10))
		const refused = `stillcast_spool_refused_total{reason="disk_full"}`
		before := w.metric(s, refused)
		w.until("shots that are refused", func(context.Context) bool { return w.metric(s, refused) > before+streams })
		if n := w.metric(s, "stillcast_ingest_streams"); n != streams {
			t.Errorf("%v streams are live while the disk is full, want all %d", n, streams)
		}
		if n := w.metric(s, "stillcast_spool_full"); n != 1 {
			t.Errorf("the metric of a full spool is %v, want 1", n)
		}
		disk.Fill(t, -1)
		taken := len(w.log.acknowledged())
		w.until("shots after there was room", enough(taken))
		w.until("events of shots from before there was room", func(context.Context) bool { return w.receiver.count() >= taken })
		w.until("end of the alarm", func(context.Context) bool { return w.metric(s, "stillcast_spool_full") == 0 })
	}
	if n := w.metric(s, "stillcast_ingest_pushes_total"); n != streams {
		t.Errorf("%v pushes in all, want the first %d: a full disk ends none", n, streams)
	}
	disk.Fill(t, 0)
	w.until("the alarm", func(context.Context) bool { return w.metric(s, "stillcast_spool_full") == 1 })
	s.kill()
	disk.Cut(t, 0)
	disk.Fill(t, -1)
	w.mustBeWhole(append(w.settle(), w.audit()...))
}

// metric returns the value of a metric, 0 for one that is not there.
func (w *world) metric(s *server, name string) float64 {
	w.t.Helper()
	page, err := w.receiver.download(w.t.Context(), "http://"+s.Ops+"/metrics")
	if err != nil {
		w.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "\n"+name+" ")
	value, _, _ := strings.Cut(after, "\n")
	if value == "" {
		return 0
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil {
		w.t.Fatalf("metric %s: %v", name, err)
	}
	return n
}
