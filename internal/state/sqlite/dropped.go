package sqlite

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// pictureState is picture_gone.state.
type pictureState int

const (
	pictureDropped pictureState = iota + 1
	pictureLeaving
	pictureRemoved
)

// maxDropped is how many shots DropSpooled drops in one commit: the pages of
// their pictures are the most of its work.
const maxDropped = 100

// reasonFull is why deliveries were parked by DropSpooled.
const reasonFull = "picture dropped: the spool was full"

// DropSpooled takes the pictures of the oldest shots out of the spool until at
// least so many bytes of them are gone, or those of 100 shots, and returns these
// shots. They stay, as dropped ones, and what is owed of them is parked for good.
// No or less than no bytes are a [stillcast.Error] of CodeInvalid.
func (s *Store) DropSpooled(ctx context.Context, bytes int64) ([]stillcast.Shot, error) {
	if bytes <= 0 {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "bytes", "is %d; at least 1 is needed", bytes)
	}
	var dropped []stillcast.Shot
	err := s.change(ctx, "drop pictures from the spool", func(t *tx) error {
		dropped = nil
		var oldest []stillcast.Shot
		err := t.query(spoolQuery, []any{0, maxDropped}, func(scan scan) error { return appendRow(&oldest, scan, scanSpooled) })
		if err != nil {
			return err
		}
		for left := bytes; left > 0 && len(dropped) < len(oldest); {
			shot := oldest[len(dropped)]
			if err := t.drop(shot.ID, reasonFull); err != nil {
				return err
			}
			dropped = append(dropped, shot)
			left -= sizeOf(shot)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return dropped, nil
}

// sizeOf returns the size of all pictures of a shot.
func sizeOf(s stillcast.Shot) int64 {
	bytes := int64(s.Size)
	for _, r := range s.Renditions {
		bytes += int64(r.Size)
	}
	return bytes
}

// DropShot says that there are no pictures of a shot and never will be: they
// leave the spool if they are in it, and what is owed of the shot is parked for
// good, for that reason of 1 to [state.MaxReason] bytes. For a shot that was
// dropped already it changes nothing. One whose pictures are stored is a
// [stillcast.Error] of CodeConflict, one that never was of CodeNotFound.
func (s *Store) DropShot(ctx context.Context, shotID int64, reason string) error {
	if reason == "" || len(reason) > state.MaxReason {
		return stillcast.Errorf(stillcast.CodeInvalid, "reason", "has %d bytes; 1 to %d are allowed", len(reason), state.MaxReason)
	}
	return s.change(ctx, "drop shot", func(t *tx) error {
		var spooled, waiting bool
		var gone pictureState
		ok, err := t.one(`SELECT EXISTS (SELECT 1 FROM spool WHERE spool.shot = shot.id),
			EXISTS (SELECT 1 FROM event INDEXED BY event_shot CROSS JOIN delivery ON delivery.event = event.num WHERE event.shot = shot.id AND +delivery.state = 0),
			picture_gone.state FROM shot LEFT JOIN picture_gone ON picture_gone.shot = shot.id WHERE shot.id = ?`,
			[]any{shotID}, &spooled, &waiting, orZero(&gone))
		switch {
		case err != nil:
			return err
		case !ok:
			return stillcast.Errorf(stillcast.CodeNotFound, "shot", "there is no shot %d", shotID)
		case gone == pictureDropped:
			return nil
		case !spooled && !waiting:
			return stillcast.Errorf(stillcast.CodeConflict, "shot", "the pictures of shot %d are stored", shotID)
		}
		return t.drop(shotID, reason)
	})
}

// drop takes a shot that is not stored out of the spool and parks what is owed
// of it.
func (t *tx) drop(shotID int64, reason string) error {
	if err := t.dropFromSpool(shotID); err != nil {
		return err
	}
	if _, err := t.exec("INSERT INTO picture_gone (shot, state, at, reason) VALUES (?, ?, ?, ?)",
		shotID, int(pictureDropped), micros(time.Now()), reason); err != nil {
		return err
	}
	moved := make(map[int64]int64)
	err := t.query(`UPDATE delivery SET state = 4 WHERE event = (SELECT num FROM event INDEXED BY event_shot WHERE shot = ?) AND +state = 0
		RETURNING destination`, []any{shotID}, func(scan scan) error {
		var destination int64
		err := scan(&destination)
		moved[destination]++
		return err
	})
	if err != nil {
		return err
	}
	return t.moveAll(moved, stateWaiting, stateParked)
}

// dropFromSpool deletes the pictures of a shot that are in the spool.
func (t *tx) dropFromSpool(shotID int64) error {
	var size int64
	spooled, err := t.one("SELECT size FROM shot WHERE id = ? AND EXISTS (SELECT 1 FROM spool WHERE spool.shot = shot.id)", []any{shotID}, &size)
	if err != nil || !spooled {
		return err
	}
	if _, err := t.exec("DELETE FROM spool WHERE shot = ?", shotID); err != nil {
		return err
	}
	pictures, bytes, err := t.dropRenditions(shotID)
	if err != nil {
		return err
	}
	return t.countSpool(-1-pictures, -size-bytes)
}

// Stranded returns shots of which deliveries wait for a picture that is not in
// the spool, and whose id is greater than afterID, in ascending order of their
// ids. The limit is as that of state.ShotFilter. No method leaves such shots;
// a damaged file that was saved as far as it could be read may. Its cost grows
// with the deliveries that wait.
func (s *Store) Stranded(ctx context.Context, afterID int64, limit int) ([]stillcast.Shot, error) {
	var found []stillcast.Shot
	err := s.snapshot(ctx, func(v view) error {
		ids, err := v.numbers(strandedQuery, afterID, pageLimit(limit))
		if err != nil {
			return err
		}
		found, err = v.shots(ids)
		return err
	})
	if err != nil {
		return nil, within("list stranded shots", err)
	}
	return found, nil
}

const strandedQuery = `SELECT DISTINCT event.shot FROM destination
	CROSS JOIN delivery INDEXED BY delivery_state ON delivery.destination = destination.id AND delivery.state = 0
	CROSS JOIN event ON event.num = delivery.event
	WHERE destination.waiting > 0 AND event.shot > ? AND NOT EXISTS (SELECT 1 FROM spool WHERE spool.shot = event.shot)
	ORDER BY event.shot LIMIT ?`

// shots reads those with these ids, which ascend.
func (v view) shots(ids []int64) ([]stillcast.Shot, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	wanted, err := list(ids)
	if err != nil {
		return nil, err
	}
	var found []stillcast.Shot
	err = v.query(shotStatusColumns+"FROM json_each(?) CROSS JOIN shot ON shot.id = json_each.value"+shotStatusJoins, []any{wanted},
		func(scan scan) error {
			s, err := scanShotStatus(scan)
			found = append(found, s.Shot)
			return err
		})
	return found, err
}
