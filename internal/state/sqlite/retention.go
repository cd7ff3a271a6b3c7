package sqlite

import (
	"context"
	"slices"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// ExpiredPictures returns shots that were captured before that time and whose
// pictures are to be removed from the store: they are stored, and all that was
// owed of them is delivered. From then on these deliveries cannot be replayed.
// The caller removes the pictures and says so by PicturesRemoved; until then
// further calls, also after a restart, return the same shots first. At most
// [state.MaxRows] are returned, oldest first; a limit below 1 means that many.
func (s *Store) ExpiredPictures(ctx context.Context, before time.Time, limit int) ([]stillcast.Shot, error) {
	limit = rowLimit(limit)
	s.pictures.mu.Lock()
	defer s.pictures.mu.Unlock()
	var shots []stillcast.Shot
	err := s.snapshot(ctx, func(v view) error {
		ids, err := v.numbers("SELECT shot FROM picture_gone INDEXED BY picture_leaving WHERE state = 2 ORDER BY shot LIMIT ?", limit)
		if err == nil {
			shots, err = v.shots(ids)
		}
		return err
	})
	if err != nil || len(shots) == limit {
		return shots, within("list pictures to remove", err)
	}
	ids, err := s.pictures.collect(limit-len(shots), s.visit(ctx, expiredQuery, before))
	if err != nil || len(ids) == 0 {
		return shots, within("find expired pictures", err)
	}
	left, err := s.leave(ctx, ids)
	for _, id := range ids {
		if !slices.Contains(left, id) {
			s.pictures.keep(id)
		}
	}
	if err != nil || len(left) == 0 {
		return shots, err
	}
	err = s.snapshot(ctx, func(v view) error {
		more, err := v.shots(left)
		shots = append(shots, more...)
		return err
	})
	return shots, within("list pictures to remove", err)
}

// expiredQuery tells of each shot whose pictures are not gone whether they may
// be. The first one after a start passes over all that are gone.
const expiredQuery = `SELECT event.shot, shot.captured_at < ?,
	NOT EXISTS (SELECT 1 FROM spool WHERE spool.shot = event.shot) AND ` + nothingOwed + `
	FROM event INDEXED BY event_shot CROSS JOIN shot ON shot.id = event.shot
	WHERE event.shot > ? AND NOT EXISTS (SELECT 1 FROM picture_gone WHERE picture_gone.shot = event.shot)
	ORDER BY event.shot LIMIT ?`

// nothingOwed says that all deliveries of an event are delivered.
const nothingOwed = "NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.event = event.num AND +delivery.state <> 3)"

// leave notes that the pictures of shots are being removed, except of those of
// which something is owed again meanwhile.
func (s *Store) leave(ctx context.Context, ids []int64) (left []int64, err error) {
	wanted, err := list(ids)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, "note expired pictures", func(t *tx) error {
		left, err = t.numbers(leaveQuery, micros(time.Now()), wanted)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(left)
	return left, nil
}

const leaveQuery = `INSERT INTO picture_gone (shot, state, at, reason)
	SELECT event.shot, 2, ?, '' FROM json_each(?) CROSS JOIN event INDEXED BY event_shot ON event.shot = json_each.value
	WHERE ` + nothingOwed + ` ON CONFLICT DO NOTHING RETURNING shot`

// PicturesRemoved says that the pictures of these shots, which ExpiredPictures
// returned, are removed. Ids of others do not matter. More than [state.MaxRows]
// are a [stillcast.Error] of CodeInvalid.
func (s *Store) PicturesRemoved(ctx context.Context, shotIDs []int64) error {
	if len(shotIDs) > state.MaxRows {
		return stillcast.Errorf(stillcast.CodeInvalid, "shots", "are %d; at most %d are allowed", len(shotIDs), state.MaxRows)
	}
	ids, err := list(shotIDs)
	if err != nil {
		return err
	}
	return s.change(ctx, "note removed pictures", func(t *tx) error {
		_, err := t.exec("UPDATE picture_gone SET state = 3, at = ? WHERE shot IN (SELECT value FROM json_each(?)) AND state = 2", micros(time.Now()), ids)
		return err
	})
}

// rowLimit returns how many rows are changed at most.
func rowLimit(wanted int) int {
	if wanted < 1 {
		return state.MaxRows
	}
	return min(wanted, state.MaxRows)
}
