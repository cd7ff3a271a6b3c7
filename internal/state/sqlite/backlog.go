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
	var backlogs []state.Backlog
	err := s.read(ctx, backlogsQuery, nil, func(scan scan) error {
		var b state.Backlog
		var fresh, retry, oldest *int64
		err := scan(&b.Destination.TemplateID, &b.Destination.Event,
			&b.Waiting, &b.Pending, &b.Claimed, &b.Parked, &fresh, &retry, &oldest)
		if err != nil {
			return err
		}
		b.NextDue = earlier(fresh, retry)
		b.Oldest = earlier(oldest, nil)
		backlogs = append(backlogs, b)
		return nil
	})
	if err != nil {
		return nil, within("read backlogs", err)
	}
	return backlogs, nil
}

// Each inner query reads the first entry of its index and no more.
const backlogsQuery = `SELECT template, event_type, waiting, pending, claimed, parked,
	(SELECT due FROM delivery INDEXED BY delivery_fresh
		WHERE delivery.destination = destination.id AND state = 1 AND attempt = 0 ORDER BY due LIMIT 1),
	(SELECT due FROM delivery INDEXED BY delivery_retry
		WHERE delivery.destination = destination.id AND state IN (1, 2) AND attempt > 0 ORDER BY due LIMIT 1),
	(SELECT at FROM delivery INDEXED BY delivery_oldest
		WHERE delivery.destination = destination.id AND state IN (0, 1, 2) ORDER BY at LIMIT 1)
	FROM destination WHERE waiting + pending + claimed + parked > 0 ORDER BY id`

// earlier returns the earlier of two times, either of which may be missing; the
// zero time when both are.
func earlier(a, b *int64) time.Time {
	switch {
	case a == nil && b == nil:
		return time.Time{}
	case a == nil:
		return fromMicros(*b)
	case b == nil:
		return fromMicros(*a)
	}
	return fromMicros(min(*a, *b))
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
