package trend

import (
	"errors"
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a sampler over metrics that tests change, with fake time.
type rig struct {
	*Sampler

	shots *prometheus.CounterVec
	live  prometheus.Gauge
	age   *prometheus.GaugeVec
	lag   prometheus.Histogram
}

func newRig(t *testing.T, keep int) *rig {
	t.Helper()
	r := &rig{
		shots: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "shots_total", Help: "x"}, []string{"result"}),
		live:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "live", Help: "x"}),
		age:   prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "age", Help: "x"}, []string{"to"}),
		lag:   prometheus.NewHistogram(prometheus.HistogramOpts{Name: "lag_seconds", Help: "x", Buckets: []float64{0.1, 0.2, 0.4}}),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(r.shots, r.live, r.age, r.lag)
	var err error
	r.Sampler, err = New(Options{
		Metrics: registry, Every: 10 * time.Second, Keep: keep, Logger: slog.New(slog.DiscardHandler),
		Series: []Series{
			{Name: "taken", Kind: Rate, Metric: "shots_total", Where: map[string]string{"result": "taken"}},
			{Name: "all", Kind: Rate, Metric: "shots_total"},
			{Name: "live", Kind: Value, Metric: "live"},
			{Name: "oldest", Kind: Largest, Metric: "age"},
			{Name: "lags", Kind: Rate, Metric: "lag_seconds"},
			{Name: "p50", Kind: Quantile, Metric: "lag_seconds", Q: 0.5},
			{Name: "p99", Kind: Quantile, Metric: "lag_seconds", Q: 0.99},
			{Name: "none", Kind: Value, Metric: "no_such_metric"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wait lets a number of looks happen.
func wait(looks int) {
	time.Sleep(time.Duration(looks) * 10 * time.Second)
	synctest.Wait()
}

func wantValues(t *testing.T, h History, name string, want ...float64) {
	t.Helper()
	if diff := cmp.Diff(want, h.Values[name], cmpopts.EquateNaNs(), cmpopts.EquateEmpty(), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("%s: -want +got\n%s", name, diff)
	}
}

func TestNumbersOfEachKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 100)
		r.shots.WithLabelValues("taken").Add(1000) // of before the first look
		r.lag.Observe(0.35)
		r.live.Set(-1) // not known
		r.Start()
		synctest.Wait()
		r.shots.WithLabelValues("taken").Add(20)
		r.shots.WithLabelValues("shed").Add(5)
		r.live.Set(3)
		r.age.WithLabelValues("a").Set(7)
		r.age.WithLabelValues("b").Set(2)
		for range 4 {
			r.lag.Observe(0.15)
		}
		wait(1)
		r.lag.Observe(9) // beyond all bounds
		wait(1)
		r.Stop()
		nan := math.NaN()
		h := r.History(time.Time{})
		wantValues(t, h, "taken", nan, 2, 0)
		wantValues(t, h, "all", nan, 2.5, 0)
		wantValues(t, h, "live", nan, 3, 3)
		wantValues(t, h, "oldest", nan, 7, 7)
		wantValues(t, h, "lags", nan, 0.4, 0.1)
		wantValues(t, h, "p50", nan, 0.15, 0.4)
		wantValues(t, h, "p99", nan, 0.199, 0.4)
		wantValues(t, h, "none", nan, nan, nan)
		if len(h.Times) != 3 || h.Times[2].Sub(h.Times[0]) != 20*time.Second {
			t.Errorf("times %v", h.Times)
		}
	})
}

// What is remembered is the last Keep numbers, in memory that does not grow.
func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 5)
		r.Start()
		for n := range 23 {
			r.live.Set(float64(n))
			wait(1)
		}
		// The look at the start saw 0; the ones after saw 0, 1, … 22.
		h := r.History(time.Time{})
		wantValues(t, h, "live", 18, 19, 20, 21, 22)
		wantValues(t, r.History(h.Times[2]), "live", 21, 22)
		wantValues(t, r.History(time.Now()), "live")
		for i := 1; i < len(h.Times); i++ {
			if !h.Times[i].After(h.Times[i-1]) {
				t.Errorf("times are not in order: %v", h.Times)
			}
		}
		for i, values := range r.values {
			if cap(values) != 5 {
				t.Errorf("series %d holds room for %d", i, cap(values))
			}
		}
		r.Stop()
		wait(3)
		if again := r.History(time.Time{}); !again.Times[4].Equal(h.Times[4]) {
			t.Error("it looks on after it was stopped")
		}
	})
}

// A sampler that was never started can be stopped.
func TestStopWithoutStart(t *testing.T) { newRig(t, 1).Stop() }

func TestOptionsAreRequired(t *testing.T) {
	if s, err := New(Options{}); err == nil {
		t.Errorf("%v was made of nothing", s)
	}
}

// What cannot be read of the metrics leaves a hole in its own series only.
func TestMetricThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		r.opts.Metrics = prometheus.Gatherers{r.opts.Metrics, prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
			return nil, errors.New("the database cannot be read")
		})}
		r.Start()
		wait(1)
		r.Stop()
		h := r.History(time.Time{})
		wantValues(t, h, "live", 0, 0)
		wantValues(t, h, "none", math.NaN(), math.NaN())
	})
}
