package sqlite

import (
	"context"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Shots lists shots as they stand. Its cost grows with the page; with a state
// that is rare in a stream, or of those that are stored when most are removed,
// with the shots that are passed over.
func (s *Store) Shots(ctx context.Context, f state.ShotFilter) ([]state.ShotStatus, error) {
	var found []state.ShotStatus
	err := s.snapshot(ctx, func(v view) error {
		query, args, err := v.selectShots(f)
		if err != nil || query == "" {
			return err
		}
		return v.query(query, args, func(scan scan) error { return appendRow(&found, scan, scanShotStatus) })
	})
	if err != nil {
		return nil, within("list shots", err)
	}
	return found, nil
}

// Shot returns one shot as it stands; one that is not there is a
// [stillcast.Error] of CodeNotFound.
func (s *Store) Shot(ctx context.Context, id int64) (state.ShotStatus, error) {
	var found []state.ShotStatus
	err := s.read(ctx, shotStatusColumns+"FROM shot"+shotStatusJoins+"WHERE shot.id = ?", []any{id}, func(scan scan) error {
		return appendRow(&found, scan, scanShotStatus)
	})
	if err == nil && len(found) == 0 {
		err = stillcast.Errorf(stillcast.CodeNotFound, "shot", "there is no shot %d", id)
	}
	if err != nil {
		return state.ShotStatus{}, within("read shot", err)
	}
	return found[0], nil
}

const (
	shotStatusColumns = `SELECT ` + eventColumns + `, ` + shotColumns + `, spool_mirror.mirror,
		CASE WHEN EXISTS (SELECT 1 FROM spool WHERE spool.shot = shot.id) THEN 'spooled'
			WHEN picture_gone.state = 1 THEN 'dropped' WHEN picture_gone.state > 1 THEN 'removed' ELSE 'stored' END, picture_gone.reason, shot.stored_at `
	shotStatusJoins = ` CROSS JOIN event INDEXED BY event_shot ON event.shot = shot.id` + shotStatusRest
	shotStatusRest  = ` CROSS JOIN stream ON stream.id = event.stream` + factsJoin + mirrorJoin +
		` LEFT JOIN picture_gone ON picture_gone.shot = shot.id `
)

func scanShotStatus(scan scan) (s state.ShotStatus, err error) {
	var e eventScan
	var shot shotScan
	var stored *int64
	err = scan(append(append(e.dest(), shot.dest()...), orZero(&shot.s.Mirror), orZero(&s.State), orZero(&s.Reason), &stored)...)
	if err != nil {
		return s, err
	}
	s.Stored = timeOf(stored)
	s.Shot, err = shot.shot(e.event())
	return s, err
}

// selectShots returns the query of a listing, "" when it would find nothing.
func (v view) selectShots(f state.ShotFilter) (query string, args []any, err error) {
	times := window{f.From, f.Until}
	ids := page(f.AfterID, f.BeforeID)
	events, err := v.eventsIn(times)
	if err != nil {
		return "", nil, err
	}
	if !times.open() {
		of, err := v.shotsOf(events)
		if err != nil {
			return "", nil, err
		}
		ids = ids.within(of)
	}
	if f.Stream != nil && !ids.empty() {
		events, err = v.eventsOfShots(ids)
	}
	if err != nil || ids.empty() || events.empty() {
		return "", nil, err
	}
	return shotsQuery(f, ids, events)
}

func shotsQuery(f state.ShotFilter, ids, events span) (query string, args []any, err error) {
	where := &conditions{}
	from, order, err := shotsByState(f.State, where)
	if err != nil {
		return "", nil, err
	}
	joins := shotStatusJoins
	if f.Stream != nil {
		from = "event INDEXED BY event_stream CROSS JOIN shot ON shot.id = event.shot"
		joins, order = shotStatusRest, "event.num"
		where.addStream("event.stream", *f.Stream)
		where.add("event.num >= ?", events.first)
		where.add("event.num <= ?", events.last)
	}
	column := order
	if f.Stream != nil {
		column = "shot.id"
	}
	where.add(column+" >= ?", ids.first)
	where.add(column+" <= ?", ids.last)
	window{f.From, f.Until}.restrict(where, "shot.captured_at")
	return shotStatusColumns + "FROM " + from + joins + "WHERE " + where.String() + orderBy(f.Descending, order) + " LIMIT ?",
		append(where.args, pageLimit(f.Limit)), nil
}

// shotsByState returns where those of a state are, and the column of their ids.
func shotsByState(s state.ShotState, where *conditions) (from, order string, err error) {
	switch s {
	case "":
		return "shot", "shot.id", nil
	case state.ShotSpooled:
		where.add("EXISTS (SELECT 1 FROM spool WHERE spool.shot = shot.id)")
		return "spool CROSS JOIN shot ON shot.id = spool.shot", "spool.shot", nil
	case state.ShotDropped:
		where.add("picture_gone.state = 1")
		return "picture_gone AS dropped INDEXED BY picture_dropped CROSS JOIN shot ON dropped.state = 1 AND shot.id = dropped.shot", "dropped.shot", nil
	case state.ShotRemoved:
		where.add("picture_gone.state > 1")
		return "picture_gone AS removed CROSS JOIN shot ON shot.id = removed.shot", "removed.shot", nil
	case state.ShotStored:
		where.add("picture_gone.state IS NULL")
		where.add("NOT EXISTS (SELECT 1 FROM spool WHERE spool.shot = shot.id)")
		return "shot", "shot.id", nil
	}
	return "", "", stillcast.Errorf(stillcast.CodeInvalid, "state", "is %q; allowed are %q", s,
		[]state.ShotState{state.ShotSpooled, state.ShotStored, state.ShotDropped, state.ShotRemoved})
}
