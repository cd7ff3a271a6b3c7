package sqlite

import (
	"context"
	"slices"
	"time"

	"github.com/stillcast/stillcast"
)

// maxPruned is how many shots, with all that belongs to them, are removed in one
// commit: a dozen rows each.
const maxPruned = 50

// PruneShots removes shots that were captured before that time, with their facts,
// renditions, events, deliveries and attempts, and returns them. What is in the
// spool, or of which anything is not delivered, stays. Pictures in the store are
// left alone: ExpiredPictures finds them while there is a shot. At most
// [state.MaxRows] shots are removed, oldest first, in several commits; a limit
// below 1 means that many. An error may come with shots that were removed before.
//
// Sequences go on as if the deliveries were still there. What CountShots counted
// stays counted.
func (s *Store) PruneShots(ctx context.Context, before time.Time, limit int) ([]stillcast.Shot, error) {
	limit = rowLimit(limit)
	s.agedShots.mu.Lock()
	defer s.agedShots.mu.Unlock()
	ids, err := s.agedShots.collect(limit, s.visit(ctx, agedShotsQuery, before))
	if err != nil {
		return nil, within("find aged shots", err)
	}
	var removed []stillcast.Shot
	for some := range slices.Chunk(ids, maxPruned) {
		pruned, err := s.pruneShots(ctx, some)
		removed = append(removed, pruned...)
		if err != nil {
			s.agedShots.keep(ids...)
			return removed, err
		}
		if len(pruned) < len(some) {
			s.agedShots.keep(some...)
		}
	}
	return removed, nil
}

const agedShotsQuery = `SELECT event.shot, shot.captured_at < ?,
	NOT EXISTS (SELECT 1 FROM spool WHERE spool.shot = event.shot) AND ` + nothingOwed + `
	FROM event INDEXED BY event_shot CROSS JOIN shot ON shot.id = event.shot
	WHERE event.shot > ? ORDER BY event.shot LIMIT ?`

// pruneShots removes those of the shots that may go.
func (s *Store) pruneShots(ctx context.Context, ids []int64) ([]stillcast.Shot, error) {
	var shots []stillcast.Shot
	err := s.snapshot(ctx, func(v view) (err error) {
		shots, err = v.shots(ids)
		return err
	})
	if err != nil {
		return nil, within("read aged shots", err)
	}
	wanted, err := list(ids)
	if err != nil {
		return nil, err
	}
	var pruned []int64
	err = s.change(ctx, "remove aged shots", func(t *tx) (err error) {
		pruned, err = t.pruneShots(wanted)
		return err
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(shots, func(s stillcast.Shot) bool { return !slices.Contains(pruned, s.ID) }), nil
}

// pruneShots returns the ids of those that it removed.
func (t *tx) pruneShots(ids string) (shots []int64, err error) {
	var events []int64
	err = t.query(`SELECT event.num, event.shot FROM json_each(?) CROSS JOIN event INDEXED BY event_shot ON event.shot = json_each.value
		WHERE NOT EXISTS (SELECT 1 FROM spool WHERE spool.shot = event.shot) AND `+nothingOwed, []any{ids}, func(scan scan) error {
		var event, shot int64
		err := scan(&event, &shot)
		events, shots = append(events, event), append(shots, shot)
		return err
	})
	if err != nil || len(shots) == 0 {
		return nil, err
	}
	if err := t.pruneEvents(events); err != nil {
		return nil, err
	}
	if ids, err = list(shots); err != nil {
		return nil, err
	}
	for _, statement := range []string{
		"DELETE FROM facts WHERE shot IN (SELECT value FROM json_each(?))",
		"DELETE FROM rendition WHERE shot IN (SELECT value FROM json_each(?))",
		"DELETE FROM shot WHERE id IN (SELECT value FROM json_each(?))",
	} {
		if _, err := t.exec(statement, ids); err != nil {
			return nil, err
		}
	}
	return shots, nil
}

// pruneEvents removes events of which nothing is owed, with their deliveries and
// attempts.
func (t *tx) pruneEvents(events []int64) error {
	nums, err := list(events)
	if err != nil {
		return err
	}
	if _, err := t.exec(`DELETE FROM attempt WHERE delivery IN
		(SELECT delivery.id FROM json_each(?) CROSS JOIN delivery ON delivery.event = json_each.value)`, nums); err != nil {
		return err
	}
	destinations, err := t.numbers("DELETE FROM delivery WHERE event IN (SELECT value FROM json_each(?)) RETURNING destination", nums)
	if err != nil {
		return err
	}
	counts := make(map[int64]int64)
	for _, d := range destinations {
		counts[d]++
	}
	for destination, n := range counts {
		if _, err := t.exec("UPDATE destination SET delivered = delivered - ? WHERE id = ?", n, destination); err != nil {
			return err
		}
	}
	_, err = t.exec("DELETE FROM event WHERE num IN (SELECT value FROM json_each(?))", nums)
	return err
}

// PruneEvents removes events that belong to no shot and happened before that
// time, with their deliveries, all of which are delivered, and attempts. It
// returns how many; the limit is as that of PruneShots, in one commit.
func (s *Store) PruneEvents(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	var found []int64
	err = s.snapshot(ctx, func(v view) (err error) {
		found, err = v.numbers(agedEventsQuery, micros(before), rowLimit(limit))
		return err
	})
	if err != nil || len(found) == 0 {
		return 0, within("find aged events", err)
	}
	nums, err := list(found)
	if err != nil {
		return 0, err
	}
	err = s.change(ctx, "remove aged events", func(t *tx) error {
		events, err := t.numbers("SELECT num FROM json_each(?) CROSS JOIN event ON event.num = json_each.value WHERE "+nothingOwed, nums)
		if err != nil {
			return err
		}
		removed = len(events)
		return t.pruneEvents(events)
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

const agedEventsQuery = `SELECT num FROM event INDEXED BY event_alone
	WHERE shot IS NULL AND at < ? AND ` + nothingOwed + ` ORDER BY at LIMIT ?`

// PruneAttempts removes attempts that were begun before that time, of deliveries
// that are delivered. It returns how many; the limit is as that of PruneShots, in
// one commit.
func (s *Store) PruneAttempts(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	s.agedAttempts.mu.Lock()
	defer s.agedAttempts.mu.Unlock()
	found, err := s.agedAttempts.collect(rowLimit(limit), s.visit(ctx, agedAttemptsQuery, before))
	if err != nil || len(found) == 0 {
		return 0, within("find aged attempts", err)
	}
	ids, err := list(found)
	if err != nil {
		return 0, err
	}
	err = s.change(ctx, "remove aged attempts", func(t *tx) error {
		n, err := t.exec(`DELETE FROM attempt WHERE id IN (SELECT value FROM json_each(?))
			AND (SELECT state FROM delivery WHERE delivery.id = attempt.delivery) = 3`, ids)
		removed = int(n)
		return err
	})
	if err != nil || removed < len(found) {
		s.agedAttempts.keep(found...)
	}
	if err != nil {
		return 0, err
	}
	return removed, nil
}

const agedAttemptsQuery = `SELECT attempt.id, attempt.started_at < ?, delivery.state = 3
	FROM attempt CROSS JOIN delivery ON delivery.id = attempt.delivery
	WHERE attempt.id > ? ORDER BY attempt.id LIMIT ?`
