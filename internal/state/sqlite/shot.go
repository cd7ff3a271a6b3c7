package sqlite

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// CommitShot makes a shot durable, in one step its row, its pictures in the
// spool, its event and the deliveries, which wait until MarkStored, and returns
// the shot with the ID, the keys and the sizes that it got.
//
// When a wanted key is taken in its bucket, by whatever picture, the picture
// gets the variant with the milliseconds of its capture, and failing that the
// one with its event's id; that being taken too is a [stillcast.Error] of
// CodeConflict. (Renditions have one variant more, since they may want the same
// key as each other.) An EventID that was committed before gives that shot and
// adds nothing, so a caller may try again without knowing whether the first time
// was lost.
func (s *Store) CommitShot(ctx context.Context, n state.NewShot) (stillcast.Shot, error) {
	if err := validateShot(n); err != nil {
		return stillcast.Shot{}, err
	}
	shot, bytes := n.Shot, len(n.Picture)
	shot.Size = len(n.Picture)
	shot.Renditions = slices.Clone(shot.Renditions)
	for i, picture := range n.Renditions {
		shot.Renditions[i].Size = len(picture)
		bytes += len(picture)
	}
	err := s.writer.do(ctx, bytes, func(t *tx) error {
		if known, err := t.one("SELECT 1 FROM event WHERE id = ?", []any{n.Shot.EventID}, new(int)); known || err != nil {
			if err == nil {
				shot, err = t.shotOfEvent(n.Shot.EventID)
			}
			return err
		}
		if err := t.addShot(&shot, n.Picture); err != nil {
			return err
		}
		if err := t.addRenditions(&shot, n.Renditions); err != nil {
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
	case len(n.Picture) == 0:
		return stillcast.Errorf(stillcast.CodeInvalid, "shot.picture", "is empty")
	case len(n.Renditions) != len(n.Shot.Renditions):
		return stillcast.Errorf(stillcast.CodeInvalid, "shot.renditions", "are %d, but there are %d pictures of them",
			len(n.Shot.Renditions), len(n.Renditions))
	case n.MakeEvent == nil:
		return stillcast.Errorf(stillcast.CodeInvalid, "shot.make_event", "is missing")
	}
	for i, r := range n.Shot.Renditions {
		if r.Key == "" || len(n.Renditions[i]) == 0 {
			return stillcast.Errorf(stillcast.CodeInvalid, fmt.Sprintf("shot.renditions[%d]", i), "has no key or no picture")
		}
	}
	if f := n.Shot.Facts; !isNumber(f.Luma) || !isNumber(f.Variance) {
		return stillcast.Errorf(stillcast.CodeInvalid, "shot.facts", "holds the luma %v and the variance %v, of which one is no number", f.Luma, f.Variance)
	}
	return validateDestinations(n.Destinations)
}

func isNumber(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// addShot adds the rows and the shot's own picture, and sets what the shot got.
func (t *tx) addShot(shot *stillcast.Shot, picture []byte) error {
	wanted := shot.Key
	key, err := t.freeKey(keyVariants(wanted, *shot), func(key string) (bool, error) {
		shot.Key = key
		return t.insertShot(shot)
	})
	if err != nil {
		return err
	}
	if key == "" {
		return stillcast.Errorf(stillcast.CodeConflict, "shot.key", "%q and its variants are taken in bucket %q", wanted, shot.Bucket)
	}
	if err := t.addFacts(*shot); err != nil {
		return err
	}
	return t.addToSpool(*shot, picture)
}

// keyVariants lists the keys that a picture of a shot gets, the first that is
// free.
func keyVariants(wanted string, shot stillcast.Shot) []string {
	return []string{
		wanted,
		stillcast.KeyVariant(wanted, fmt.Sprintf("%03d", shot.Captured.Nanosecond()/int(time.Millisecond))),
		stillcast.KeyVariant(wanted, shot.EventID),
	}
}

// freeKey returns the first of keys that insert accepts; "" for none.
func (t *tx) freeKey(keys []string, insert func(key string) (bool, error)) (string, error) {
	for _, key := range keys {
		if added, err := insert(key); added || err != nil {
			return key, err
		}
	}
	return "", nil
}

// insertShot reports whether the key was free.
func (t *tx) insertShot(shot *stillcast.Shot) (bool, error) {
	return t.one(`INSERT INTO shot (bucket, key, region, due_at, captured_at, width, height, size) SELECT ?1, ?2, ?, ?, ?, ?, ?, ?
		WHERE NOT EXISTS (SELECT 1 FROM rendition WHERE bucket = ?1 AND key = ?2)
		ON CONFLICT (bucket, key) DO NOTHING RETURNING id`,
		[]any{shot.Bucket, shot.Key, shot.Region, micros(shot.Due), micros(shot.Captured), shot.Width, shot.Height, shot.Size},
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
	if event.ID != shot.EventID || event.Type != stillcast.EventShot || event.Stream != shot.Stream || event.PushID != shot.PushID ||
		!event.At.Equal(shot.Captured) {
		return stillcast.Errorf(stillcast.CodeInvalid, "event",
			"%s (%s) of push %s, stream %s at %s is not that of its shot: event %s, push %s, stream %s, captured at %s",
			event.ID, event.Type, event.PushID, event.Stream, event.At, shot.EventID, shot.PushID, shot.Stream, shot.Captured)
	}
	stream, err := t.stream(shot.Stream)
	if err != nil {
		return err
	}
	row := eventRow{Event: event, stream: stream, shot: shot.ID}
	return t.addEvent(row, n.Destinations, stateWaiting, time.Unix(0, 0))
}

// shotOfEvent returns the shot that was committed with that event, which exists.
func (t *tx) shotOfEvent(eventID string) (stillcast.Shot, error) {
	var e eventScan
	var s shotScan
	_, err := t.one(`SELECT `+eventColumns+`, `+shotColumns+`, spool_mirror.mirror FROM event
		CROSS JOIN stream ON stream.id = event.stream LEFT JOIN shot ON shot.id = event.shot`+factsJoin+mirrorJoin+`WHERE event.id = ?`,
		[]any{eventID}, append(append(e.dest(), s.dest()...), orZero(&s.s.Mirror))...)
	if err != nil {
		return stillcast.Shot{}, err
	}
	shot, err := s.shot(e.event())
	if err == nil && shot.ID == 0 {
		err = stillcast.Errorf(stillcast.CodeConflict, "shot.event_id",
			"event %s exists already and is not that of a shot", eventID)
	}
	return shot, err
}
