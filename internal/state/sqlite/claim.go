package sqlite

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Claim takes up to c.Limit deliveries of one destination and lane that are due
// by c.Now, those due first first, for an attempt that must end before the lease
// does; in LaneFresh all are. Nobody else gets them until then, or until Finish.
// Those whose lease has run out are claimed again, in LaneRetry. Of a paused
// destination there are none.
//
// A claim is durable shortly after (see the package). A crash before is as if it
// had never been: the deliveries are due, and the next claim gives the number
// of the attempt once more.
func (s *Store) Claim(ctx context.Context, c state.Claim) ([]state.Delivery, error) {
	if err := validateClaim(c); err != nil {
		return nil, err
	}
	var claimed []state.Delivery
	var leases []lease
	var destination int64
	until := c.Now.Add(c.Lease)
	err := s.changeSoon(ctx, "claim deliveries", func(t *tx) error {
		ok, err := t.one("SELECT id FROM destination WHERE template = ? AND event_type = ? AND paused_at IS NULL",
			[]any{c.Destination.TemplateID, int(c.Destination.Event)}, &destination)
		if err != nil || !ok {
			return err
		}
		claimed, leases, err = t.claimable(c, destination)
		if err != nil {
			return err
		}
		return t.lease(destination, leases, until)
	}, func(t *tx) error { return t.lease(destination, leases, until) })
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

func validateClaim(c state.Claim) error {
	switch {
	case c.Limit < 1:
		return stillcast.Errorf(stillcast.CodeInvalid, "claim.limit", "is %d; at least 1 is needed", c.Limit)
	case c.Lease <= 0:
		return stillcast.Errorf(stillcast.CodeInvalid, "claim.lease", "is %s; it must be positive", c.Lease)
	case c.Lane != state.LaneFresh && c.Lane != state.LaneRetry:
		return stillcast.Errorf(stillcast.CodeInvalid, "claim.lane", "is %d; allowed are LaneFresh and LaneRetry", c.Lane)
	}
	return nil
}

// INDEXED BY makes SQLite refuse the statement rather than read a whole backlog,
// should a change of either side ever keep it from using the index.
//
// A first attempt is due whatever the clock says: compared with it, a clock that
// was set back would hold up what was noted before.
//
// The plus keeps the limit from being looked at when the statement is prepared:
// it would be prepared again for each claim.
const (
	claimFresh = `SELECT ` + deliveryColumns + ` FROM delivery INDEXED BY delivery_fresh ` + deliveryJoins + `
		WHERE delivery.destination = +? AND delivery.state = 1 AND delivery.attempt = 0
		ORDER BY delivery.due, delivery.id LIMIT +?`
	claimRetry = `SELECT ` + deliveryColumns + ` FROM delivery INDEXED BY delivery_retry ` + deliveryJoins + `
		WHERE delivery.destination = +? AND delivery.state IN (1, 2) AND delivery.attempt > 0 AND delivery.due <= +?
		ORDER BY delivery.due, delivery.id LIMIT +?`
)

// lease is one delivery that is to be claimed.
type lease struct {
	delivery int64
	attempt  int
	from     deliveryState
}

func (t *tx) claimable(c state.Claim, destination int64) ([]state.Delivery, []lease, error) {
	var deliveries []state.Delivery
	var leases []lease
	query, args := claimFresh, []any{destination, c.Limit}
	if c.Lane == state.LaneRetry {
		query, args = claimRetry, []any{destination, micros(c.Now), c.Limit}
	}
	err := t.query(query, args, func(scan scan) error {
		d, err := scanDelivery(scan)
		if err != nil {
			return err
		}
		d.Destination = c.Destination
		d.Attempt++
		d.Try++
		deliveries = append(deliveries, d.Delivery)
		leases = append(leases, lease{delivery: d.ID, attempt: d.Attempt, from: d.state})
		return nil
	})
	return deliveries, leases, err
}

func (t *tx) lease(destination int64, leases []lease, until time.Time) error {
	var pending int64 // the others' leases ran out: they count as claimed already
	for _, l := range leases {
		if _, err := t.exec("UPDATE delivery SET state = 2, attempt = ?, due = ? WHERE id = ?", l.attempt, micros(until), l.delivery); err != nil {
			return err
		}
		if l.from == statePending {
			pending++
		}
	}
	return t.move(destination, statePending, stateClaimed, pending)
}

// releaseLeases makes every claimed delivery due at once and returns how many
// there were. Nobody may be attempting them.
func (t *tx) releaseLeases(now time.Time) (int64, error) {
	var destinations []int64
	err := t.query("SELECT id FROM destination WHERE claimed > 0", nil, func(scan scan) error {
		var id int64
		err := scan(&id)
		destinations = append(destinations, id)
		return err
	})
	if err != nil {
		return 0, err
	}
	var released int64
	for _, id := range destinations {
		n, err := t.exec("UPDATE delivery INDEXED BY delivery_state SET state = 1, due = ? WHERE destination = ? AND state = 2", micros(now), id)
		if err != nil {
			return 0, err
		}
		if err := t.move(id, stateClaimed, statePending, n); err != nil {
			return 0, err
		}
		released += n
	}
	return released, nil
}
