package capture

import (
	"time"

	"github.com/stillcast/stillcast/internal/media"
)

// Bounds within which a stream's timestamps are believed.
const (
	// clockTolerance is how far the timestamps may run ahead of the arrivals, or
	// behind them for longer than clockPatience. Networks and receive buffers
	// hold back less than that, or for a shorter time.
	clockTolerance = 2 * time.Second
	clockPatience  = 3 * time.Second
	// clockProbation is how long timestamps must agree with the arrivals after
	// they did not twice, until they are believed again.
	clockProbation = 30 * time.Second
	// stillUnits is how many access units in a row may share a decoding time.
	stillUnits = 4
	// Composition times outside of this are taken for wrong.
	minComposition = -time.Second
	maxComposition = 5 * time.Second
)

// timeline says when the pictures of a stream are on display, in the time of
// the arrivals. It follows the stream's own timestamps, which know nothing of
// the network, as long as they agree with the arrivals; a jump lays it anew.
// Where they are missing, frozen or keep jumping, a picture is on display from
// its arrival on. The zero value is ready; the first access unit is on display
// when it arrives.
type timeline struct {
	anchored bool
	base     time.Time     // an access unit with the decoding time zero would have arrived then
	zero     time.Duration // a decoding time
	lead     time.Duration // composition time of the first access unit: what is shown when it arrives
	lag      time.Duration // most that a composition time was below zero

	last       time.Duration // decoding time of the access unit before
	still      int           // access units in a row with that decoding time
	behind     time.Time     // since when the timestamps are too far behind; zero if they are not
	laid       time.Time     // when the timestamps were last given another base
	mistrusted time.Time     // until when arrivals count
}

// place returns from when on the picture of an access unit is on display, and
// the time up to which all pictures have arrived: what comes later is shown
// later than that.
func (t *timeline) place(u media.Unit, arrived time.Time) (shown, bound time.Time) {
	composition := u.PTS - u.DTS
	if !t.anchored {
		t.anchored, t.last = true, u.DTS
		if credible(composition) {
			t.lead = composition
		}
		t.lay(u.DTS, arrived)
	}
	if !credible(composition) {
		composition = t.lead
	}
	t.lag = max(t.lag, -composition)
	t.check(u.DTS, arrived)
	if arrived.Before(t.mistrusted) {
		return arrived, arrived
	}
	decoded := t.base.Add(u.DTS - t.zero - t.lead)
	return decoded.Add(composition), decoded.Add(-t.lag)
}

func credible(composition time.Duration) bool {
	return composition >= minComposition && composition <= maxComposition
}

func (t *timeline) lay(dts time.Duration, arrived time.Time) {
	t.base, t.zero, t.behind = arrived, dts, time.Time{}
}

// check compares a decoding time with its arrival.
func (t *timeline) check(dts time.Duration, arrived time.Time) {
	step := dts - t.last
	t.last = dts
	if t.still++; step != 0 {
		t.still = 0
	}
	if t.still >= stillUnits {
		t.mistrusted = arrived.Add(clockProbation)
	}
	late := arrived.Sub(t.base) - (dts - t.zero)
	switch {
	case step < 0, late < -clockTolerance:
		t.jump(dts, arrived)
	case late <= clockTolerance:
		t.behind = time.Time{}
	case t.behind.IsZero():
		t.behind = arrived
	case arrived.Sub(t.behind) > clockPatience:
		t.jump(dts, arrived)
	}
}

// jump goes on from a timestamp that the ones before do not lead to.
func (t *timeline) jump(dts time.Duration, arrived time.Time) {
	if !t.laid.IsZero() && arrived.Sub(t.laid) < clockProbation {
		t.mistrusted = arrived.Add(clockProbation)
	}
	t.laid = arrived
	t.lay(dts, arrived)
}
