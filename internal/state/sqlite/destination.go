package sqlite

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Destinations returns every destination that was ever owed something, or is
// paused, in the order in which they came to be. Its cost is that of Backlogs.
func (s *Store) Destinations(ctx context.Context) ([]state.DestinationStatus, error) {
	var list []state.DestinationStatus
	err := s.read(ctx, destinationsQuery+" ORDER BY id", nil, func(scan scan) error {
		var d state.DestinationStatus
		var fresh, retry, oldest, paused *int64
		err := scan(&d.Destination.TemplateID, &d.Destination.Event, &d.Waiting, &d.Pending, &d.Claimed, &d.Delivered, &d.Parked,
			&fresh, &retry, &oldest, &paused, &d.PauseReason)
		if err != nil {
			return err
		}
		d.NextDue = nextDue(fresh, retry)
		d.Oldest = timeOf(oldest)
		d.Paused, d.PausedAt = paused != nil, timeOf(paused)
		list = append(list, d)
		return nil
	})
	if err != nil {
		return nil, within("read destinations", err)
	}
	return list, nil
}

// PauseDestination stops claims of a destination until ResumeDestination, across
// restarts. What is claimed already goes on, what is owed stays owed. For one
// that is paused already it only replaces the reason, of at most
// [state.MaxReason] bytes. A callback template that does not exist, and was never
// owed anything, is a [stillcast.Error] of CodeNotFound.
func (s *Store) PauseDestination(ctx context.Context, d stillcast.Destination, reason string) error {
	if len(reason) > state.MaxReason {
		return stillcast.Errorf(stillcast.CodeInvalid, "reason", "has %d bytes; at most %d are allowed", len(reason), state.MaxReason)
	}
	return s.change(ctx, "pause destination", func(t *tx) error {
		// Nothing may have been owed to it yet.
		_, err := t.exec(`INSERT INTO destination (template, event_type) SELECT ?1, ?2
			WHERE EXISTS (SELECT 1 FROM callback_template WHERE id = ?1) ON CONFLICT DO NOTHING`, d.TemplateID, int(d.Event))
		if err != nil {
			return err
		}
		changed, err := t.exec(`UPDATE destination SET paused_at = coalesce(paused_at, ?), pause_reason = ? WHERE template = ? AND event_type = ?`,
			micros(time.Now()), reason, d.TemplateID, int(d.Event))
		if err == nil && changed == 0 {
			return noDestination(d)
		}
		return err
	})
}

// ResumeDestination undoes PauseDestination: what is due is claimed again. For
// one that is not paused it changes nothing; one that was never owed anything is
// a [stillcast.Error] of CodeNotFound.
func (s *Store) ResumeDestination(ctx context.Context, d stillcast.Destination) error {
	return s.change(ctx, "resume destination", func(t *tx) error {
		changed, err := t.exec("UPDATE destination SET paused_at = NULL, pause_reason = '' WHERE template = ? AND event_type = ?",
			d.TemplateID, int(d.Event))
		if err == nil && changed == 0 {
			return noDestination(d)
		}
		return err
	})
}

func noDestination(d stillcast.Destination) error {
	return stillcast.Errorf(stillcast.CodeNotFound, "destination",
		"callback template %d has no destination for the events %s", d.TemplateID, d.Event)
}
