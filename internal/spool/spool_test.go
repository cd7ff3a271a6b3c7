package spool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

func TestStoresWhatTheSpoolHoldsAtStart(t *testing.T) {
	for _, concurrency := range []int{1, 4} {
		t.Run(fmt.Sprint(concurrency), func(t *testing.T) {
			const shots = 2*pageSize + 50
			w := newWorld(shots)
			w.put = func(context.Context, objstore.Object) error { time.Sleep(time.Millisecond); return nil }
			synctest.Test(t, func(t *testing.T) {
				u := w.start(t, concurrency)
				if err := u.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if diff := cmp.Diff(ids(1, shots), w.look().sorted()); diff != "" {
					t.Errorf("stored shots (-want +got):\n%s", diff)
				}
				if w.look().mostRead != concurrency {
					t.Errorf("%d pictures were in memory at once, want %d", w.look().mostRead, concurrency)
				}
				want := objstore.Object{
					Bucket: "shots-1", Key: "f/7.jpg", Body: []byte("jpeg 7"), ContentType: "image/jpeg", CacheControl: "max-age=60",
				}
				if diff := cmp.Diff(want, w.object("f/7.jpg")); diff != "" {
					t.Errorf("object (-want +got):\n%s", diff)
				}
				if n := testutil.ToFloat64(u.metrics.stored.WithLabelValues(Primary)); n != shots {
					t.Errorf("counted %v as stored, want %d", n, shots)
				}
			})
			if concurrency == 1 {
				if diff := cmp.Diff(ids(1, shots), w.look().marked); diff != "" {
					t.Errorf("order (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestTellsOfDestinationsAfterTheMark(t *testing.T) {
	w := newWorld(2)
	synctest.Test(t, func(t *testing.T) {
		w.start(t, 1)
		synctest.Wait()
		want := []string{
			"put f/1.jpg", "marked 1", fmt.Sprint("told ", destinationOf(1)),
			"put f/2.jpg", "marked 2", fmt.Sprint("told ", destinationOf(2)),
		}
		if diff := cmp.Diff(want, w.look().steps); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
	})
}

func TestMarksAgainWhenTheMarkFails(t *testing.T) {
	w := newWorld(1)
	var fails atomic.Int64
	w.mark = func(int64) error {
		if fails.Add(1) <= 2 {
			return errors.New("disk full")
		}
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		u := w.start(t, 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		// What is in the store is not put there again.
		if diff := cmp.Diff([]string{"put f/1.jpg", "marked 1", fmt.Sprint("told ", destinationOf(1))}, w.look().steps); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
		if n := testutil.ToFloat64(u.metrics.failed.WithLabelValues(Primary, "state")); n != 2 {
			t.Errorf("counted %v failures, want 2", n)
		}
		if !strings.Contains(w.look().logs, `error="disk full"`) {
			t.Errorf("the log does not name the error:\n%s", w.look().logs)
		}
	})
}

// TestRenditions: an event goes only when every picture of its shot is there,
// and a picture that is there is not stored again.
func TestRenditions(t *testing.T) {
	w := &world{
		gone: map[int64]bool{}, objects: map[string]objstore.Object{}, seen: seen{tries: map[int64]int{}},
		renditions: 2, format: stillcast.FormatWebP,
	}
	w.record()
	w.record()
	var fails atomic.Int64
	w.put = func(_ context.Context, o objstore.Object) error {
		if o.Key == "f/1.jpg.2" && fails.Add(1) <= 2*patience { // so that it steps aside
			return objstore.ErrThrottled
		}
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		u := w.start(t, 1)
		time.Sleep(time.Hour)
		synctest.Wait()
		want := []string{
			"put f/1.jpg", "put f/1.jpg.1",
			"put f/2.jpg", "put f/2.jpg.1", "put f/2.jpg.2", "marked 2", fmt.Sprint("told ", destinationOf(2)),
			"put f/1.jpg.2", "marked 1", fmt.Sprint("told ", destinationOf(1)),
		}
		if diff := cmp.Diff(want, w.look().steps); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
		object := objstore.Object{
			Bucket: "shots-1", Key: "f/1.jpg.2", Body: []byte("jpeg 1.2"), ContentType: "image/webp", CacheControl: "max-age=60",
		}
		if diff := cmp.Diff(object, w.object("f/1.jpg.2")); diff != "" {
			t.Errorf("object (-want +got):\n%s", diff)
		}
		if n := testutil.ToFloat64(u.metrics.stored.WithLabelValues(Primary)); n != 6 {
			t.Errorf("counted %v pictures as stored, want 6", n)
		}
		if w.look().mostRead != 1 {
			t.Errorf("%d pictures were in memory at once, want 1", w.look().mostRead)
		}
	})
}

func TestStopInterruptsAPutThatTheNextStartRepeats(t *testing.T) {
	w := newWorld(5)
	w.put = func(ctx context.Context, _ objstore.Object) error { <-ctx.Done(); return context.Cause(ctx) }
	synctest.Test(t, func(t *testing.T) {
		u := w.start(t, 2)
		synctest.Wait()
		began := time.Now()
		u.Stop()
		if took := time.Since(began); took != 0 {
			t.Errorf("stop took %s, want none", took)
		}
		if len(w.look().steps) != 0 || w.look().logs != "" {
			t.Errorf("stop led to %v and the log %q, want nothing", w.look().steps, w.look().logs)
		}
		if w.look().reading != 0 {
			t.Errorf("%d pictures are still read", w.look().reading)
		}
	})
	w.put = nil
	synctest.Test(t, func(t *testing.T) {
		w.start(t, 2)
		synctest.Wait()
		if diff := cmp.Diff(ids(1, 5), w.look().sorted()); diff != "" {
			t.Errorf("stored shots (-want +got):\n%s", diff)
		}
	})
}

func TestStopEndsPausesAndIsHarmlessBeforeStart(t *testing.T) {
	w := newWorld(3 * maxAside)
	w.put = func(context.Context, objstore.Object) error { return objstore.ErrUnavailable }
	synctest.Test(t, func(t *testing.T) {
		w.uploader(t, 1).Stop()
		u := w.uploader(t, 3)
		u.Start()
		time.Sleep(10 * time.Minute)
		began := time.Now()
		u.Stop()
		if took := time.Since(began); took != 0 {
			t.Errorf("stop took %s, want none", took)
		}
	})
}

func TestATryThatTakesTooLongNamesTheSetting(t *testing.T) {
	w := newWorld(1)
	began := time.Time{}
	w.put = func(ctx context.Context, _ objstore.Object) error {
		if !began.IsZero() {
			return nil
		}
		began = time.Now()
		<-ctx.Done()
		return fmt.Errorf("write object: %w", ctx.Err())
	}
	synctest.Test(t, func(t *testing.T) {
		u := w.start(t, 1)
		time.Sleep(30*time.Second - time.Nanosecond)
		synctest.Wait()
		if w.look().logs != "" {
			t.Errorf("the try ended before its time: %s", w.look().logs)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		const want = `error="storage.upload.timeout (30s) passed: write object: context deadline exceeded"`
		if !strings.Contains(w.look().logs, want) {
			t.Errorf("log is\n%swant it to hold\n%s", w.look().logs, want)
		}
		if n := testutil.ToFloat64(u.metrics.failed.WithLabelValues(Primary, "timeout")); n != 1 {
			t.Errorf("counted %v timeouts, want 1", n)
		}
		if diff := cmp.Diff([]int64{1}, w.look().marked); diff != "" {
			t.Errorf("stored shots (-want +got):\n%s", diff)
		}
	})
}

func TestSkipsAPictureThatIsNotThere(t *testing.T) {
	w := newWorld(3)
	w.gone[2] = true
	synctest.Test(t, func(t *testing.T) {
		u := w.start(t, 1)
		time.Sleep(time.Hour)
		synctest.Wait()
		if diff := cmp.Diff([]int64{1, 3}, w.look().marked); diff != "" {
			t.Errorf("stored shots (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[int64]int{1: 1, 3: 1}, w.look().tries); diff != "" {
			t.Errorf("calls of Put (-want +got):\n%s", diff)
		}
		if n := testutil.CollectAndCount(u.metrics.failed); n != 0 || w.look().logs != "" {
			t.Errorf("counted %d kinds of failures and logged %q, want neither", n, w.look().logs)
		}
	})
}

func TestWakeLooksForNewShots(t *testing.T) {
	w := newWorld(1)
	synctest.Test(t, func(t *testing.T) {
		u := w.start(t, 1)
		synctest.Wait()
		w.record()
		synctest.Wait()
		if diff := cmp.Diff([]int64{1}, w.look().marked); diff != "" {
			t.Errorf("before Wake (-want +got):\n%s", diff)
		}
		u.Wake()
		u.Wake()
		synctest.Wait()
		if diff := cmp.Diff([]int64{1, 2}, w.look().marked); diff != "" {
			t.Errorf("after Wake (-want +got):\n%s", diff)
		}
	})
}

func TestGoesOnWhenTheSpoolCannotBeRead(t *testing.T) {
	w := newWorld(1)
	var reads atomic.Int64
	w.page = func() error {
		if reads.Add(1) <= 5 {
			return errors.New("database is locked")
		}
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		u := w.start(t, 1)
		u.Wake()
		time.Sleep(5*rereadTime - time.Millisecond)
		synctest.Wait()
		if n := reads.Load(); n != 5 {
			t.Errorf("read %d times in five seconds, want 5", n)
		}
		time.Sleep(rereadTime)
		synctest.Wait()
		if diff := cmp.Diff([]int64{1}, w.look().marked); diff != "" {
			t.Errorf("stored shots (-want +got):\n%s", diff)
		}
		if !strings.Contains(w.look().logs, `error="database is locked"`) {
			t.Errorf("the log does not name the error:\n%s", w.look().logs)
		}
	})
}

func TestConfigValidate(t *testing.T) {
	tests := []struct {
		change func(*Config)
		want   string
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.Concurrency = 1; c.Timeout = time.Second }, ""},
		{func(c *Config) { c.Concurrency = 1024; c.Timeout = time.Hour }, ""},
		{func(c *Config) { c.Concurrency = 0 }, "concurrency: is 0; allowed are 1 to 1024"},
		{func(c *Config) { c.Concurrency = 1025 }, "concurrency: is 1025; allowed are 1 to 1024"},
		{func(c *Config) { c.Timeout = 999 * time.Millisecond }, "timeout: is 999ms; allowed are 1s to 1h"},
		{func(c *Config) { c.Breaker.Failures = 0 }, "breaker.failures: is 0; allowed are 1 to 1000"},
		{func(c *Config) { c.Breaker.MaxPause = time.Millisecond }, "breaker.max_pause: is 1ms; allowed are 1s to 1h"},
		{func(c *Config) { c.Timeout = time.Hour + 1 }, "timeout: is 1h0m0.000000001s; allowed are 1s to 1h"},
	}
	for _, tt := range tests {
		c := DefaultConfig()
		tt.change(&c)
		got, code := "", stillcast.Code("")
		o := newWorld(0).options(1)
		o.Config = c
		if _, err := New(o); err != nil {
			got, code = err.Error(), stillcast.CodeOf(err)
		}
		if got != tt.want || tt.want != "" && code != stillcast.CodeInvalid {
			t.Errorf("%+v: error %q of code %q, want %q", c, got, code, tt.want)
		}
	}
}

func TestKindOf(t *testing.T) {
	tests := map[error]string{
		objstore.ErrDenied: "denied", objstore.ErrThrottled: "throttled", objstore.ErrUnavailable: "unavailable",
		objstore.ErrName: "name", context.DeadlineExceeded: "timeout", objstore.ErrNotFound: "other",
	}
	for err, want := range tests {
		if got := kindOf(fmt.Errorf("put: %w", err)); got != want {
			t.Errorf("kindOf(%v) = %q, want %q", err, got, want)
		}
	}
}

func TestGaugesReadTheSpool(t *testing.T) {
	w := newWorld(3)
	o := w.options(1)
	var broken atomic.Bool
	o.Stats = func(ctx context.Context) (int64, int64, error) {
		if broken.Load() {
			return 0, 0, errors.New("closed")
		}
		return w.stats(ctx)
	}
	registry := prometheus.NewRegistry()
	o.Registerer = registry
	if _, err := New(o); err != nil {
		t.Fatal(err)
	}
	names := []string{"stillcast_spool_pictures", "stillcast_spool_bytes"}
	expect := func(pictures, size int) {
		t.Helper()
		text := fmt.Sprintf(`# HELP stillcast_spool_bytes Bytes of the pictures that wait to be stored.
# TYPE stillcast_spool_bytes gauge
stillcast_spool_bytes %d
# HELP stillcast_spool_pictures Pictures that wait to be stored.
# TYPE stillcast_spool_pictures gauge
stillcast_spool_pictures %d
`, size, pictures)
		if err := testutil.GatherAndCompare(registry, strings.NewReader(text), names...); err != nil {
			t.Error(err)
		}
	}
	expect(3, 21)
	broken.Store(true)
	expect(-1, -1)
}
