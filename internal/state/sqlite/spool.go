package sqlite

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
)

// SpoolPage returns the shots whose pictures are not stored yet and whose id is
// greater than afterID, in ascending order of their ids. The limit is as that of
// state.ShotFilter.
func (s *Store) SpoolPage(ctx context.Context, afterID int64, limit int) ([]stillcast.Shot, error) {
	var shots []stillcast.Shot
	err := s.read(ctx, spoolQuery, []any{afterID, pageLimit(limit)}, func(scan scan) error { return appendRow(&shots, scan, scanSpooled) })
	if err != nil {
		return nil, within("list spool", err)
	}
	return shots, nil
}

// mirrorJoin finds the mirror of a shot that is not stored.
const mirrorJoin = " LEFT JOIN spool_mirror ON spool_mirror.shot = shot.id "

const spoolQuery = `SELECT ` + eventColumns + `, ` + shotColumns + `, spool_mirror.mirror FROM spool
	CROSS JOIN shot ON shot.id = spool.shot
	CROSS JOIN event INDEXED BY event_shot ON event.shot = shot.id
	CROSS JOIN stream ON stream.id = event.stream` + factsJoin + mirrorJoin + `
	WHERE spool.shot > ? ORDER BY spool.shot LIMIT ?`

// scanSpooled reads a row of spoolQuery.
func scanSpooled(scan scan) (stillcast.Shot, error) {
	var e eventScan
	var s shotScan
	if err := scan(append(append(e.dest(), s.dest()...), orZero(&s.s.Mirror))...); err != nil {
		return stillcast.Shot{}, err
	}
	return s.shot(e.event())
}

// SpooledPicture returns one picture of a shot: 0 is its own, 1 that of its
// first rendition, and so on. It is a [stillcast.Error] of CodeNotFound when
// there is no such shot or rendition, or its pictures are stored.
func (s *Store) SpooledPicture(ctx context.Context, shotID int64, index int) ([]byte, error) {
	query, args := "SELECT picture FROM spool WHERE shot = ?", []any{shotID}
	if index > 0 {
		query = `SELECT picture FROM spool_rendition WHERE rendition =
			(SELECT id FROM rendition WHERE shot = ? ORDER BY id LIMIT 1 OFFSET ?)`
		args = append(args, index-1)
	}
	var picture []byte
	err := s.read(ctx, query, args, func(scan scan) error {
		return scan(&picture)
	})
	if err != nil {
		return nil, within("read spooled picture", err)
	}
	if picture == nil {
		return nil, stillcast.Errorf(stillcast.CodeNotFound, "shot", "there is no picture %d of shot %d in the spool", index, shotID)
	}
	return picture, nil
}

// SpoolStats returns how many pictures are not stored yet, renditions included,
// and their size.
func (s *Store) SpoolStats(ctx context.Context) (pictures, bytes int64, err error) {
	err = s.read(ctx, "SELECT pictures, bytes FROM spool_total", nil, func(scan scan) error {
		return scan(&pictures, &bytes)
	})
	return pictures, bytes, within("read size of the spool", err)
}

func (t *tx) addToSpool(shot stillcast.Shot, picture []byte) error {
	if _, err := t.exec("INSERT INTO spool (shot, picture) VALUES (?, ?)", shot.ID, picture); err != nil {
		return err
	}
	if shot.Mirror != "" {
		if _, err := t.exec("INSERT INTO spool_mirror (shot, mirror) VALUES (?, ?)", shot.ID, shot.Mirror); err != nil {
			return err
		}
	}
	return t.countSpool(1, int64(len(picture)))
}

func (t *tx) countSpool(pictures, bytes int64) error {
	_, err := t.exec("UPDATE spool_total SET pictures = pictures + ?, bytes = bytes + ?", pictures, bytes)
	return err
}

// MarkStored says that all of the shot's pictures are durable in the object
// store, and in its mirror if it has one: they leave the spool, and the waiting
// deliveries are due at once. It returns the destinations of those. For a shot
// that is marked already it changes nothing and returns none; a shot that never
// was is a [stillcast.Error] of CodeNotFound, and one that was dropped meanwhile,
// of whose pictures nobody will be told, of CodeConflict.
//
// The mark is durable shortly after (see the package). A crash before puts the
// shot back into the spool: its pictures are stored once more, and its event is
// sent once more if it was sent already.
func (s *Store) MarkStored(ctx context.Context, shotID int64) ([]stillcast.Destination, error) {
	var destinations []stillcast.Destination
	err := s.changeSoon(ctx, "mark shot as stored", func(t *tx) (err error) {
		destinations, err = t.markStored(shotID)
		return err
	}, func(t *tx) error {
		_, err := t.markStored(shotID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return destinations, nil
}

func (t *tx) markStored(shotID int64) ([]stillcast.Destination, error) {
	var size int64
	// The first time counts, when it is said again.
	ok, err := t.one("UPDATE shot SET stored_at = coalesce(stored_at, ?) WHERE id = ? RETURNING size", []any{micros(now()), shotID}, &size)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, stillcast.Errorf(stillcast.CodeNotFound, "shot", "there is no shot %d", shotID)
	}
	deleted, err := t.exec("DELETE FROM spool WHERE shot = ?", shotID)
	if err != nil {
		return nil, err
	}
	if deleted == 0 {
		return t.markStranded(shotID)
	}
	pictures, bytes, err := t.dropRenditions(shotID)
	if err != nil {
		return nil, err
	}
	if err := t.countSpool(-1-pictures, -size-bytes); err != nil {
		return nil, err
	}
	return t.releaseWaiting(shotID)
}

// markStranded is markStored for a shot that is not in the spool.
func (t *tx) markStranded(shotID int64) ([]stillcast.Destination, error) {
	dropped, err := t.one("SELECT 1 FROM picture_gone WHERE shot = ? AND state = 1", []any{shotID}, new(int))
	if err != nil {
		return nil, err
	}
	if dropped {
		return nil, stillcast.Errorf(stillcast.CodeConflict, "shot", "the pictures of shot %d were dropped from the spool", shotID)
	}
	return t.releaseWaiting(shotID)
}

// releaseWaiting makes the deliveries of a shot's event due at once.
func (t *tx) releaseWaiting(shotID int64) ([]stillcast.Destination, error) {
	var event int64
	if _, err := t.one("SELECT num FROM event INDEXED BY event_shot WHERE shot = ?", []any{shotID}, &event); err != nil {
		return nil, err
	}
	var destinations []stillcast.Destination
	var ids []int64
	err := t.query(`SELECT destination.id, template, event_type FROM delivery
		CROSS JOIN destination ON destination.id = delivery.destination
		WHERE event = ? AND state = 0 ORDER BY delivery.id`, []any{event}, func(scan scan) error {
		var id int64
		var d stillcast.Destination
		err := scan(&id, &d.TemplateID, &d.Event)
		ids, destinations = append(ids, id), append(destinations, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	if _, err := t.exec("UPDATE delivery SET state = 1, due = ? WHERE event = ? AND state = 0", micros(time.Now()), event); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if err := t.move(id, stateWaiting, statePending, 1); err != nil {
			return nil, err
		}
	}
	return destinations, nil
}
