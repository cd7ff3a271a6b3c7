package trend

import (
	"math"

	dto "github.com/prometheus/client_model/go"
)

// Kind says how the numbers of a series are made of a metric.
type Kind int

// The kinds of series.
const (
	// Value is the sum of a gauge or counter as it is. Values below zero, by which
	// gauges say that they do not know, are unknown.
	Value Kind = iota
	// Rate is by how much a counter grew each second since the look before. For a
	// histogram it is that of its observations.
	Rate
	// Quantile is a quantile of what a histogram observed since the look before. It
	// is unknown where that was nothing, and at most the histogram's greatest bound.
	Quantile
	// Largest is the greatest of a gauge.
	Largest
)

// Series is one series of numbers.
type Series struct {
	Name   string
	Kind   Kind
	Metric string            // its name
	Where  map[string]string // the values of its labels; those that are not named may have any
	Q      float64           // of a Quantile, 0 to 1
}

// reading is what a look found for one series.
type reading struct {
	sum     float64   // of values, or the number of observations
	most    float64   // of values
	found   bool      // there is such a metric
	bounds  []float64 // of a histogram
	buckets []float64 // its observations up to each bound
}

// read adds up what families hold for a series.
func (s Series) read(family *dto.MetricFamily) (r reading) {
	for _, m := range family.GetMetric() {
		if !s.takes(m) {
			continue
		}
		value := m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue()
		if h := m.GetHistogram(); h != nil {
			value = float64(h.GetSampleCount())
			r.add(h)
		}
		if !r.found || value > r.most {
			r.most = value
		}
		r.sum += value
		r.found = true
	}
	return r
}

func (s Series) takes(m *dto.Metric) bool {
	left := len(s.Where)
	for _, l := range m.GetLabel() {
		want, named := s.Where[l.GetName()]
		switch {
		case named && want != l.GetValue():
			return false
		case named:
			left--
		}
	}
	return left == 0
}

// add adds the buckets of a histogram; those of one metric all have the same bounds.
func (r *reading) add(h *dto.Histogram) {
	if r.bounds == nil {
		r.bounds, r.buckets = make([]float64, len(h.GetBucket())), make([]float64, len(h.GetBucket()))
	}
	for i, b := range h.GetBucket()[:min(len(h.GetBucket()), len(r.bounds))] {
		r.bounds[i] = b.GetUpperBound()
		r.buckets[i] += float64(b.GetCumulativeCount())
	}
}

// number makes the number of a series of this look and the one before, seconds
// ago. It is NaN where it is not known.
func (s Series) number(now, before reading, seconds float64) float64 {
	unknown := math.NaN()
	switch s.Kind {
	case Rate:
		if seconds <= 0 || now.sum < before.sum {
			return unknown
		}
		return (now.sum - before.sum) / seconds
	case Quantile:
		return quantile(s.Q, now, before)
	case Largest:
		if now.found && now.most >= 0 {
			return now.most
		}
	case Value:
		if now.found && now.sum >= 0 {
			return now.sum
		}
	}
	return unknown
}

// quantile estimates a quantile of what was observed between two looks, as if
// observations lay evenly within their bucket.
func quantile(q float64, now, before reading) float64 {
	observed := func(i int) float64 {
		if i < len(before.buckets) {
			return now.buckets[i] - before.buckets[i]
		}
		return now.buckets[i]
	}
	total := now.sum - before.sum
	if total <= 0 || len(now.bounds) == 0 {
		return math.NaN()
	}
	rank := q * total
	lower, below := 0.0, 0.0
	for i, upper := range now.bounds {
		if up := observed(i); up >= rank && !math.IsInf(upper, 1) {
			if up == below {
				return upper
			}
			return lower + (upper-lower)*(rank-below)/(up-below)
		}
		if !math.IsInf(upper, 1) {
			lower = upper
		}
		below = observed(i)
	}
	return lower
}
