package sqlite

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// maxCounts is how many steps CountShots counts at most: a year in steps of five
// minutes.
const maxCounts = 366 * 24 * 12

// CountShots counts shots by when they were captured, in steps from start up to
// end, of which the last may be shorter. Domains are those of the shots' streams,
// as pushes have them; none are all. Shots that were deleted since count.
//
// Start and step that are no multiples of [state.CountStep] and windows that hold
// no step or more than 105408 are a [stillcast.Error] of CodeInvalid. An end
// within a CountStep counts all of it. Its cost grows with the window and with
// the domains that were pushed to in it, not with the shots.
func (s *Store) CountShots(ctx context.Context, domains []string, start, end time.Time, step time.Duration) ([]int64, error) {
	unit := state.CountStep.Microseconds()
	switch {
	case step <= 0 || step%state.CountStep != 0:
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "step", "is %s; multiples of %s are allowed", step, state.CountStep)
	case micros(start)%unit != 0 || start.Nanosecond() != 0:
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "start", "is %s; multiples of %s are allowed", start.Format(time.RFC3339Nano), state.CountStep)
	case !end.After(start) || (end.Sub(start)-1)/step >= maxCounts:
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "end", "is %s after the start; up to %d steps of %s are allowed", end.Sub(start), maxCounts, step)
	}
	counts := make([]int64, (end.Sub(start)+step-1)/step)
	wanted := make(map[string]bool, len(domains))
	for _, d := range domains {
		wanted[d] = true
	}
	err := s.read(ctx, countShotsQuery, []any{micros(start), micros(end)}, func(scan scan) error {
		var at, shots int64
		var domain string
		err := scan(&at, &domain, &shots)
		if err == nil && (len(domains) == 0 || wanted[domain]) {
			counts[(at-micros(start))/step.Microseconds()] += shots
		}
		return err
	})
	if err != nil {
		return nil, within("count shots", err)
	}
	return counts, nil
}

const countShotsQuery = "SELECT at, domain, shots FROM shot_count WHERE at >= ? AND at < ?"

// countEvent notes in shot_count an event that was made just now, and the shots
// that it is of: one or none.
func (t *tx) countEvent(domain string, at time.Time, num, shots int64) error {
	micros := micros(at)
	_, err := t.exec(`INSERT INTO shot_count (at, domain, shots, first_event, last_event) VALUES (?1, ?2, ?3, ?4, ?4)
		ON CONFLICT (at, domain) DO UPDATE SET shots = shots + ?3, last_event = ?4`,
		micros-micros%state.CountStep.Microseconds(), domain, shots, num)
	return err
}
