package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// CommitShot makes a shot durable, in one step its row, its JPEG in the spool,
// its event and the deliveries, which wait until MarkStored, and returns the
// shot with the ID, Key and Size that it got.
//
// When the wanted key is taken in its bucket, the shot gets the variant with the
// milliseconds of its capture, and failing that the one with its event's id;
// that being taken too is a [stillcast.Error] of CodeConflict. An EventID that
// was committed before gives that shot and adds nothing, so a caller may try
// again without knowing whether the first time was lost.
func (s *Store) CommitShot(ctx context.Context, n state.NewShot) (stillcast.Shot, error) {
	if err := validateShot(n); err != nil {
		return stillcast.Shot{}, err
	}
	shot := n.Shot
	shot.Size = len(n.JPEG)
	err := s.writer.do(ctx, len(n.JPEG), func(t *tx) error {
		committed, ok, err := t.shotOfEvent(n.Shot.EventID)
		if err != nil {
			return err
		}
		if ok {
			shot = committed
			return nil
		}
		if err := t.addShot(&shot, n.JPEG); err != nil {
			return err
		}
		return t.addShotEvent(shot, n)
	})
	if err != nil {
		return stillcast.Shot{}, within("commit shot", err)
	}
	return shot, nil
}

func validateShot(n state.NewShot) error {
	switch {
	case n.Shot.EventID == "":
		return stillcast.Errorf(stillcast.CodeInvalid, "shot.event_id", "is empty")
	case n.Shot.Key == "":
		return stillcast.Errorf(stillcast.CodeInvalid, "shot.key", "is empty")
	case len(n.JPEG) == 0:
		return stillcast.Errorf(stillcast.CodeInvalid, "shot.jpeg", "is empty")
	case n.MakeEvent == nil:
		return stillcast.Errorf(stillcast.CodeInvalid, "shot.make_event", "is missing")
	}
	return validateDestinations(n.Destinations)
}

// addShot adds the row and the picture, and sets what the shot got.
func (t *tx) addShot(shot *stillcast.Shot, jpeg []byte) error {
	wanted := shot.Key
	for _, key := range []string{
		wanted,
		stillcast.KeyVariant(wanted, fmt.Sprintf("%03d", shot.Captured.Nanosecond()/int(time.Millisecond))),
		stillcast.KeyVariant(wanted, shot.EventID),
	} {
		shot.Key = key
		added, err := t.insertShot(shot)
		if err != nil {
			return err
		}
		if added {
			return t.addToSpool(shot.ID, jpeg)
		}
	}
	return stillcast.Errorf(stillcast.CodeConflict, "shot.key", "%q and its variants are taken in bucket %q", wanted, shot.Bucket)
}

// insertShot reports whether the key was free.
func (t *tx) insertShot(shot *stillcast.Shot) (bool, error) {
	return t.one(`INSERT INTO shot (bucket, region, key, due_at, captured_at, width, height, size)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (bucket, key) DO NOTHING RETURNING id`,
		[]any{shot.Bucket, shot.Region, shot.Key, micros(shot.Due), micros(shot.Captured), shot.Width, shot.Height, shot.Size},
		&shot.ID)
}

func (t *tx) addShotEvent(shot stillcast.Shot, n state.NewShot) error {
	event, err := n.MakeEvent(shot)
	if err != nil {
		return fmt.Errorf("make event: %w", err)
	}
	if err := validateEvent(event); err != nil {
		return err
	}
	// The tables keep these once for both.
	if event.ID != shot.EventID || event.Type != stillcast.EventShot || event.Stream != shot.Stream || event.PushID != shot.PushID {
		return stillcast.Errorf(stillcast.CodeInvalid, "event",
			"%s (%s) of push %s, stream %s is not that of its shot: event %s, push %s, stream %s",
			event.ID, event.Type, event.PushID, event.Stream, shot.EventID, shot.PushID, shot.Stream)
	}
	stream, err := t.stream(shot.Stream)
	if err != nil {
		return err
	}
	row := eventRow{Event: event, stream: stream, shot: shot.ID}
	return t.addEvent(row, n.Destinations, stateWaiting, time.Unix(0, 0))
}

// shotOfEvent returns the shot that was committed with that event.
func (t *tx) shotOfEvent(eventID string) (stillcast.Shot, bool, error) {
	var e eventScan
	var s shotScan
	ok, err := t.one(`SELECT `+eventColumns+`, `+shotColumns+` FROM event
		CROSS JOIN stream ON stream.id = event.stream LEFT JOIN shot ON shot.id = event.shot WHERE event.id = ?`,
		[]any{eventID}, append(e.dest(), s.dest()...)...)
	if err != nil || !ok {
		return stillcast.Shot{}, false, err
	}
	shot := s.shot(e.event())
	if shot.ID == 0 {
		return stillcast.Shot{}, false, stillcast.Errorf(stillcast.CodeConflict, "shot.event_id",
			"event %s exists already and is not that of a shot", eventID)
	}
	return shot, true, nil
}
