package sqlite

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
)

// PutBan forbids pushes of a stream until ban.Until, instead of what was said of
// that stream before. A zero Created means now. Names are compared exactly. A
// ban whose stream or time is not allowed is a [stillcast.Error] of CodeInvalid.
func (s *Store) PutBan(ctx context.Context, ban stillcast.Ban) error {
	if err := ban.Stream.Validate(); err != nil {
		return err
	}
	if ban.Until.IsZero() {
		return stillcast.Errorf(stillcast.CodeInvalid, "until", "is missing; a ban needs an end")
	}
	if ban.Created.IsZero() {
		ban.Created = now()
	}
	return s.change(ctx, "put ban", func(t *tx) error {
		// Those that have expired have no other end.
		if _, err := t.exec("DELETE FROM ban WHERE until_at <= ?", micros(time.Now())); err != nil {
			return err
		}
		stream, err := t.stream(ban.Stream)
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO ban (stream, until_at, reason, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (stream) DO UPDATE
			SET until_at = excluded.until_at, reason = excluded.reason, created_at = excluded.created_at`,
			stream, micros(ban.Until), ban.Reason, micros(ban.Created))
		return err
	})
}

// DeleteBan lifts the ban of a stream and returns it, or the zero value if there
// is none or it has expired.
func (s *Store) DeleteBan(ctx context.Context, stream stillcast.Stream) (stillcast.Ban, error) {
	var lifted stillcast.Ban
	err := s.change(ctx, "delete ban", func(t *tx) error {
		ban, ok, err := first(t, bansQuery+" AND stream.domain = ? AND stream.app = ? AND stream.name = ?",
			[]any{micros(time.Now()), stream.Domain, stream.App, stream.Name}, scanBan)
		if err != nil || !ok {
			return err
		}
		lifted = ban
		_, err = t.exec("DELETE FROM ban WHERE stream = (SELECT id FROM stream WHERE domain = ? AND app = ? AND name = ?)",
			stream.Domain, stream.App, stream.Name)
		return err
	})
	if err != nil {
		return stillcast.Ban{}, err
	}
	return lifted, nil
}

// Bans returns the bans in force, those that end first first.
func (s *Store) Bans(ctx context.Context) ([]stillcast.Ban, error) {
	var bans []stillcast.Ban
	err := s.read(ctx, bansQuery+" ORDER BY until_at, ban.stream", []any{micros(time.Now())}, func(scan scan) error {
		return appendRow(&bans, scan, scanBan)
	})
	if err != nil {
		return nil, within("list bans", err)
	}
	return bans, nil
}

const bansQuery = `SELECT stream.domain, stream.app, stream.name, until_at, reason, created_at
	FROM ban JOIN stream ON stream.id = ban.stream WHERE until_at > ?`

func scanBan(scan scan) (b stillcast.Ban, err error) {
	var until, created int64
	err = scan(&b.Stream.Domain, &b.Stream.App, &b.Stream.Name, &until, &b.Reason, &created)
	b.Until, b.Created = fromMicros(until), fromMicros(created)
	return b, err
}
