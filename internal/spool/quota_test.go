package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stillcast/stillcast"
)

// shelf is a spool of shots of one size.
type shelf struct {
	shots  []stillcast.Shot
	last   int64 // id
	counts int   // calls of SpoolStats
	drops  int   // calls of DropSpooled
	broken error
	log    strings.Builder
}

const shotSize = 1000

// put records a shot that has a rendition, of shotSize bytes together.
func (s *shelf) put() {
	s.last++
	s.shots = append(s.shots, stillcast.Shot{ID: s.last, Size: shotSize - 100, Renditions: []stillcast.Rendition{{Size: 100}}})
}

func (s *shelf) SpoolStats(context.Context) (pictures, bytes int64, err error) {
	s.counts++
	return int64(len(s.shots)), int64(len(s.shots)) * shotSize, s.broken
}

func (s *shelf) DropSpooled(_ context.Context, bytes int64) ([]stillcast.Shot, error) {
	s.drops++
	n := min(int((bytes+shotSize-1)/shotSize), len(s.shots), 100)
	dropped := s.shots[:n]
	s.shots = s.shots[n:]
	return dropped, s.broken
}

func newQuota(t *testing.T, s *shelf, config QuotaConfig) (q *Quota, dropped func() int64) {
	t.Helper()
	var last int64
	q, err := NewQuota(QuotaOptions{
		Config: config, Spool: s, Dropped: func(id int64) { last = id },
		Logger: slog.New(slog.NewTextHandler(&s.log, nil)), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return q, func() int64 { return last }
}

// record is what the app does with a shot; it says whether it was taken.
func (s *shelf) record(t *testing.T, q *Quota) bool {
	t.Helper()
	if !q.Room(t.Context()) {
		return false
	}
	switch err := q.Admit(t.Context(), shotSize); {
	case errors.Is(err, ErrFull):
		return false
	case err != nil:
		t.Fatal(err)
	}
	s.put()
	q.Recorded()
	return true
}

func TestRefuseNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = minQuota / shotSize
		s := &shelf{}
		q, _ := newQuota(t, s, QuotaConfig{MaxBytes: minQuota, Policy: RefuseNew})
		taken, refused := 0, 0
		for range most + 600 { // ten minutes of refusals
			if s.record(t, q) {
				taken++
			} else {
				refused++
			}
			time.Sleep(time.Second)
		}
		if taken != most || refused != 600 {
			t.Errorf("%d shots were taken and %d refused, want %d and 600", taken, refused, most)
		}
		if n := testutil.ToFloat64(q.refused.WithLabelValues(refusedQuota)); n != 600 || testutil.ToFloat64(q.full) != 1 {
			t.Errorf("counted %v refusals, full is %v", n, testutil.ToFloat64(q.full))
		}
		if n := strings.Count(s.log.String(), "the spool is full: no shots are taken"); n != 10 {
			t.Errorf("%d alarms in ten minutes, want one each minute:\n%s", n, s.log.String())
		}
		for _, want := range []string{"repair the object store", "storage.spool.max_bytes", "drop_oldest", "max_bytes=1048576"} {
			if !strings.Contains(s.log.String(), want) {
				t.Errorf("the alarm does not say %q", want)
			}
		}
		s.shots = s.shots[5:] // five were stored
		time.Sleep(time.Second)
		for i := range 6 {
			if got := s.record(t, q); got != (i < 5) {
				t.Errorf("shot %d after there was room for five was taken: %v", i+1, got)
			}
		}
		if !strings.Contains(s.log.String(), "there is room again; shots are taken") {
			t.Errorf("the log does not say that there is room again:\n%s", s.log.String())
		}
		s.shots = nil
		time.Sleep(time.Second)
		if !s.record(t, q) || testutil.ToFloat64(q.full) != 0 {
			t.Errorf("no shot is taken by an empty spool, or full is %v", testutil.ToFloat64(q.full))
		}
	})
}

// TestQuotaSeldomCounts: the size of the spool is not read for each shot.
func TestQuotaSeldomCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		q, _ := newQuota(t, s, DefaultQuota())
		for range 10_000 {
			s.record(t, q)
			time.Sleep(10 * time.Millisecond)
		}
		if s.counts > 12 {
			t.Errorf("the spool was counted %d times in 100 s, want about ten", s.counts)
		}
		s.broken = errors.New("database is locked")
		time.Sleep(time.Minute)
		if !s.record(t, q) || !strings.Contains(s.log.String(), "database is locked") {
			t.Error("a shot is refused while the spool cannot be counted, or the log does not say why")
		}
	})
}

func TestDropOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		q, dropped := newQuota(t, s, QuotaConfig{MaxBytes: minQuota, Policy: DropOldest})
		for range 5000 {
			if !s.record(t, q) {
				t.Fatal("a shot is refused")
			}
			if n := len(s.shots) * shotSize; n > minQuota {
				t.Fatalf("the spool has %d bytes, want at most %d", n, minQuota)
			}
			time.Sleep(time.Second)
		}
		gone := 5000 - int64(len(s.shots))
		if s.shots[0].ID != gone+1 || dropped() != gone {
			t.Errorf("%d shots are gone up to %d, the first one left is %d; want the oldest", gone, dropped(), s.shots[0].ID)
		}
		if len(s.shots) < minQuota/shotSize*9/10 {
			t.Errorf("only %d shots are left, want nearly as many as there is room for", len(s.shots))
		}
		if n := testutil.ToFloat64(q.dropped); n != float64(gone) || testutil.ToFloat64(q.full) != 1 {
			t.Errorf("counted %v dropped shots of %d, full is %v", n, gone, testutil.ToFloat64(q.full))
		}
		if n := strings.Count(s.log.String(), "the pictures of the oldest shots are dropped"); n < 50 || n > 85 {
			t.Errorf("%d alarms in about 70 minutes, want at most one each minute", n)
		}
		// For one that is larger than all the room nothing is dropped.
		left := len(s.shots)
		if err := q.Admit(t.Context(), 2*minQuota); !errors.Is(err, ErrFull) || len(s.shots) != left {
			t.Errorf("a shot of twice the quota: %v, %d of %d left", err, len(s.shots), left)
		}
		s.broken = errors.New("database is locked")
		s.shots = nil
		if err := q.Admit(t.Context(), minQuota); !errors.Is(err, ErrFull) || !strings.Contains(s.log.String(), "dropping the oldest pictures") {
			t.Errorf("a failed drop: %v", err)
		}
	})
}

func TestDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		q, _ := newQuota(t, s, DefaultQuota())
		tried := 0
		for range 3000 { // five minutes
			if q.Room(t.Context()) && q.Admit(t.Context(), shotSize) == nil {
				tried++
				q.DiskFull(fmt.Errorf("commit shot: %w", errors.New("database or disk is full")))
			}
			time.Sleep(100 * time.Millisecond)
		}
		if tried != 300 {
			t.Errorf("the disk was tried %d times in five minutes, want once a second", tried)
		}
		if n := testutil.ToFloat64(q.refused.WithLabelValues(refusedDisk)); n != 3000 || testutil.ToFloat64(q.full) != 1 {
			t.Errorf("counted %v refusals of 3000, full is %v", n, testutil.ToFloat64(q.full))
		}
		if strings.Contains(s.log.String(), "there is room again") {
			t.Error("the log says that there is room while the disk is full")
		}
		if n := strings.Count(s.log.String(), "the disk of data_dir is full"); n != 5 || !strings.Contains(s.log.String(), "database or disk is full") {
			t.Errorf("%d alarms in five minutes, want 5 with the reason:\n%s", n, s.log.String())
		}
		time.Sleep(time.Second)
		for range 100 {
			if !s.record(t, q) {
				t.Fatal("a shot is refused though there is space again")
			}
		}
		if testutil.ToFloat64(q.full) != 0 || !strings.Contains(s.log.String(), "there is room again") {
			t.Errorf("full is %v, the log:\n%s", testutil.ToFloat64(q.full), s.log.String())
		}
	})
}

func TestQuotaConfigValidate(t *testing.T) {
	tests := []struct {
		config QuotaConfig
		want   string
	}{
		{DefaultQuota(), ""},
		{QuotaConfig{MaxBytes: 0, Policy: DropOldest}, ""},
		{QuotaConfig{MaxBytes: minQuota, Policy: RefuseNew}, ""},
		{QuotaConfig{MaxBytes: minQuota - 1, Policy: RefuseNew}, "max_bytes: is 1048575; allowed are 1048576 and more, and 0 for no limit"},
		{QuotaConfig{MaxBytes: -1, Policy: RefuseNew}, "max_bytes: is -1; allowed are 1048576 and more, and 0 for no limit"},
		{QuotaConfig{}, `policy: is ""; allowed are refuse_new and drop_oldest`},
	}
	for _, tt := range tests {
		got := ""
		if _, err := NewQuota(QuotaOptions{Config: tt.config, Registerer: prometheus.NewRegistry()}); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%+v: error %q, want %q", tt.config, got, tt.want)
		}
	}
}
