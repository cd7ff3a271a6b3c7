package sqlite

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
)

// SpoolPage returns the shots whose picture is not stored yet and whose id is
// greater than afterID, in ascending order of their ids. The limit is as that of
// state.ShotFilter.
func (s *Store) SpoolPage(ctx context.Context, afterID int64, limit int) ([]stillcast.Shot, error) {
	shots, err := s.shots(ctx, spoolQuery, []any{afterID, pageLimit(limit)})
	return shots, within("list spool", err)
}

const spoolQuery = `SELECT ` + eventColumns + `, ` + shotColumns + ` FROM spool
	CROSS JOIN shot ON shot.id = spool.shot
	CROSS JOIN event INDEXED BY event_shot ON event.shot = shot.id
	CROSS JOIN stream ON stream.id = event.stream
	WHERE spool.shot > ? ORDER BY spool.shot LIMIT ?`

func (s *Store) shots(ctx context.Context, query string, args []any) ([]stillcast.Shot, error) {
	var shots []stillcast.Shot
	err := s.read(ctx, query, args, func(scan scan) error {
		var e eventScan
		var s shotScan
		if err := scan(append(e.dest(), s.dest()...)...); err != nil {
			return err
		}
		shots = append(shots, s.shot(e.event()))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return shots, nil
}

// SpooledPicture returns the JPEG of a shot. It is a [stillcast.Error] of
// CodeNotFound when there is no such shot or its picture is stored.
func (s *Store) SpooledPicture(ctx context.Context, shotID int64) ([]byte, error) {
	var jpeg []byte
	err := s.read(ctx, "SELECT jpeg FROM spool WHERE shot = ?", []any{shotID}, func(scan scan) error {
		return scan(&jpeg)
	})
	if err != nil {
		return nil, within("read spooled picture", err)
	}
	if jpeg == nil {
		return nil, stillcast.Errorf(stillcast.CodeNotFound, "shot", "there is no picture of shot %d in the spool", shotID)
	}
	return jpeg, nil
}

// SpoolStats returns how many pictures are not stored yet, and their size.
func (s *Store) SpoolStats(ctx context.Context) (pictures, bytes int64, err error) {
	err = s.read(ctx, "SELECT pictures, bytes FROM spool_total", nil, func(scan scan) error {
		return scan(&pictures, &bytes)
	})
	return pictures, bytes, within("read size of the spool", err)
}

func (t *tx) addToSpool(shot int64, jpeg []byte) error {
	if _, err := t.exec("INSERT INTO spool (shot, jpeg) VALUES (?, ?)", shot, jpeg); err != nil {
		return err
	}
	return t.countSpool(1, int64(len(jpeg)))
}

func (t *tx) countSpool(pictures, bytes int64) error {
	_, err := t.exec("UPDATE spool_total SET pictures = pictures + ?, bytes = bytes + ?", pictures, bytes)
	return err
}

// MarkStored says that the shot's picture is durable in the object store: it
// leaves the spool, and the waiting deliveries are due at once. It returns the
// destinations of those. For a shot that is marked already it changes nothing
// and returns none; a shot that never was is a [stillcast.Error] of CodeNotFound.
func (s *Store) MarkStored(ctx context.Context, shotID int64) ([]stillcast.Destination, error) {
	var destinations []stillcast.Destination
	err := s.change(ctx, "mark shot as stored", func(t *tx) error {
		var size int64
		ok, err := t.one("SELECT size FROM shot WHERE id = ?", []any{shotID}, &size)
		if err != nil {
			return err
		}
		if !ok {
			return stillcast.Errorf(stillcast.CodeNotFound, "shot", "there is no shot %d", shotID)
		}
		deleted, err := t.exec("DELETE FROM spool WHERE shot = ?", shotID)
		if err != nil || deleted == 0 {
			return err
		}
		if err := t.countSpool(-1, -size); err != nil {
			return err
		}
		destinations, err = t.releaseWaiting(shotID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return destinations, nil
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
