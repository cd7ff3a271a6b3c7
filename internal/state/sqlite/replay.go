package sqlite

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Replay makes a parked or delivered delivery due at once, in LaneRetry. Its
// attempts are numbered on, its tries begin anew; event and sequence stay. A
// delivery in another state, and one of a shot whose pictures are gone, is a
// [stillcast.Error] of CodeConflict; one that never was of CodeNotFound.
func (s *Store) Replay(ctx context.Context, deliveryID int64) error {
	return s.change(ctx, "replay delivery", func(t *tx) error {
		var destination int64
		var is deliveryState
		var gone int
		ok, err := t.one(`SELECT destination, delivery.state, picture_gone.state FROM delivery CROSS JOIN event ON event.num = delivery.event
			LEFT JOIN picture_gone ON picture_gone.shot = event.shot WHERE delivery.id = ?`, []any{deliveryID}, &destination, &is, orZero(&gone))
		if err != nil {
			return err
		}
		switch {
		case !ok:
			return notFound(deliveryID)
		case is != stateParked && is != stateDelivered:
			return stillcast.Errorf(stillcast.CodeConflict, "delivery",
				"%d is %s; only a parked or delivered one can be replayed", deliveryID, deliveryStates()[is])
		case gone != 0:
			return stillcast.Errorf(stillcast.CodeConflict, "delivery", "%d cannot be replayed: its picture is gone", deliveryID)
		}
		if _, err := t.exec("UPDATE delivery SET state = 1, series = attempt, due = ? WHERE id = ?", micros(time.Now()), deliveryID); err != nil {
			return err
		}
		return t.move(destination, is, statePending, 1)
	})
}

// ReplayMany is Replay for those that f selects, of which it looks at up to limit,
// and at most [state.MaxRows], after f.AfterID, in one commit. It returns how many
// are due now, and the id of the last one it looked at: the AfterID of the next
// call, 0 when there are no more. Those whose pictures are gone stay as they are.
//
// The state is that of parked ones unless f says delivered; any other, a
// Descending filter, and a limit below 1 are a [stillcast.Error] of CodeInvalid.
// What f says of a page beyond AfterID and BeforeID does not matter.
func (s *Store) ReplayMany(ctx context.Context, f state.DeliveryFilter, limit int) (replayed int, next int64, err error) {
	if err := validateReplay(&f, limit); err != nil {
		return 0, 0, err
	}
	limit = min(limit, state.MaxRows)
	var ids []int64
	err = s.snapshot(ctx, func(v view) error {
		search, err := newSearch(v, f, limit)
		if err == nil {
			ids, err = search.run()
		}
		return err
	})
	if err != nil || len(ids) == 0 {
		return 0, 0, within("find deliveries to replay", err)
	}
	if len(ids) == limit {
		next = ids[len(ids)-1]
	}
	from := stateParked
	if f.State == state.StateDelivered {
		from = stateDelivered
	}
	err = s.change(ctx, "replay deliveries", func(t *tx) (err error) {
		replayed, err = t.replay(ids, from)
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	return replayed, next, nil
}

func validateReplay(f *state.DeliveryFilter, limit int) error {
	if f.State == "" {
		f.State = state.StateParked
	}
	switch {
	case limit < 1:
		return stillcast.Errorf(stillcast.CodeInvalid, "limit", "is %d; at least 1 is needed", limit)
	case f.Descending:
		return stillcast.Errorf(stillcast.CodeInvalid, "descending", "is set; deliveries are replayed in ascending order")
	case f.State != state.StateParked && f.State != state.StateDelivered:
		return stillcast.Errorf(stillcast.CodeInvalid, "state", "is %q; %q and %q can be replayed", f.State, state.StateParked, state.StateDelivered)
	}
	return nil
}

// replay makes those that are still in the state due at once.
func (t *tx) replay(ids []int64, from deliveryState) (replayed int, err error) {
	wanted, err := list(ids)
	if err != nil {
		return 0, err
	}
	moved := make(map[int64]int64)
	err = t.query(replayQuery, []any{micros(time.Now()), wanted, int(from)}, func(scan scan) error {
		var destination int64
		err := scan(&destination)
		moved[destination]++
		replayed++
		return err
	})
	if err != nil {
		return 0, err
	}
	return replayed, t.moveAll(moved, from, statePending)
}

const replayQuery = `UPDATE delivery SET state = 1, series = attempt, due = ?1
	WHERE id IN (SELECT value FROM json_each(?2)) AND state = ?3 AND NOT EXISTS
		(SELECT 1 FROM event CROSS JOIN picture_gone ON picture_gone.shot = event.shot WHERE event.num = delivery.event)
	RETURNING destination`

// moveAll is move for several destinations.
func (t *tx) moveAll(counts map[int64]int64, from, to deliveryState) error {
	for destination, n := range counts {
		if err := t.move(destination, from, to, n); err != nil {
			return err
		}
	}
	return nil
}
