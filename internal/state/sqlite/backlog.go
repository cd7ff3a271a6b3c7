package sqlite

import (
	"context"
	"time"

	"github.com/stillcast/stillcast/internal/state"
)

// Backlogs returns what each destination is still owed, for every destination
// that is owed anything, parked ones included. Its cost grows with the number of
// destinations alone.
func (s *Store) Backlogs(ctx context.Context) ([]state.Backlog, error) {
	all, err := s.Destinations(ctx)
	if err != nil {
		return nil, err
	}
	var backlogs []state.Backlog
	for _, d := range all {
		if d.Waiting+d.Pending+d.Claimed+d.Parked > 0 {
			backlogs = append(backlogs, d.Backlog)
		}
	}
	return backlogs, nil
}

// Each inner query reads the first entry of its index and no more.
const destinationsQuery = `SELECT template, event_type, waiting, pending, claimed, delivered, parked,
	(SELECT due FROM delivery INDEXED BY delivery_fresh
		WHERE delivery.destination = destination.id AND state = 1 AND attempt = 0 ORDER BY due LIMIT 1),
	(SELECT due FROM delivery INDEXED BY delivery_retry
		WHERE delivery.destination = destination.id AND state IN (1, 2) AND attempt > 0 ORDER BY due LIMIT 1),
	(SELECT at FROM delivery INDEXED BY delivery_oldest
		WHERE delivery.destination = destination.id AND state IN (0, 1, 2) ORDER BY at LIMIT 1),
	paused_at, pause_reason FROM destination`

// nextDue returns when Claim finds something, given the first due times of the
// lanes, either of which may be missing. Fresh ones are due at once, also when
// the clock was set back since they were noted.
func nextDue(fresh, retry *int64) time.Time {
	if fresh == nil {
		return timeOf(retry)
	}
	due := min(*fresh, micros(time.Now()))
	if retry != nil {
		due = min(due, *retry)
	}
	return fromMicros(due)
}

// timeOf returns the zero time for NULL.
func timeOf(v *int64) time.Time {
	if v == nil {
		return time.Time{}
	}
	return fromMicros(*v)
}

// CountDeliveries returns how many deliveries are in each of the states, by the
// state's name; those with none are in it too.
func (s *Store) CountDeliveries(ctx context.Context) (map[string]int64, error) {
	names := deliveryStates()
	counts := make([]int64, len(names))
	err := s.read(ctx, `SELECT coalesce(sum(waiting), 0), coalesce(sum(pending), 0), coalesce(sum(claimed), 0),
		coalesce(sum(delivered), 0), coalesce(sum(parked), 0) FROM destination`, nil, func(scan scan) error {
		return scan(&counts[0], &counts[1], &counts[2], &counts[3], &counts[4])
	})
	if err != nil {
		return nil, within("count deliveries", err)
	}
	byName := make(map[string]int64, len(names))
	for i, name := range names {
		byName[string(name)] = counts[i]
	}
	return byName, nil
}
