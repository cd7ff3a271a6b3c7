package bench

import (
	"math"
	"slices"
)

// Spread is the least, the median and the most of a figure over the rounds.
type Spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// spread is zero for no values. The median of an even number is the mean of the
// middle two.
func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	v := slices.Sorted(slices.Values(values))
	middle := len(v) / 2
	s := Spread{Min: v[0], Median: v[middle], Max: v[len(v)-1]}
	if len(v)%2 == 0 {
		s.Median = (v[middle-1] + v[middle]) / 2
	}
	return s
}

// over is the spread of f over rounds.
func over(rounds []Round, f func(Round) float64) Spread {
	values := make([]float64, 0, len(rounds))
	for _, r := range rounds {
		values = append(values, f(r))
	}
	return spread(values)
}

// percentile returns the value that a part p of the values does not exceed, by
// nearest rank; 0 for no values. p is above 0 and at most 1.
func percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p * float64(len(v))))
	return v[min(max(rank, 1), len(v))-1]
}

// ratio is 0 where there is nothing to divide by.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
