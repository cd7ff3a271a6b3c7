package sqlite

import (
	"context"
	"net/netip"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// BeginPush makes the push and its events durable in one step. A push or an
// event whose id exists already is a [stillcast.Error] of CodeConflict.
func (s *Store) BeginPush(ctx context.Context, p stillcast.Push, events []state.NewEvent) error {
	if err := validateEvents(events); err != nil {
		return err
	}
	if p.ID == "" {
		return stillcast.Errorf(stillcast.CodeInvalid, "push.id", "is empty")
	}
	return s.change(ctx, "begin push", func(t *tx) error {
		stream, err := t.stream(p.Stream)
		if err != nil {
			return err
		}
		remote := ""
		if p.Remote.IsValid() {
			remote = p.Remote.String()
		}
		added, err := t.exec(`INSERT INTO push (id, stream, domain, param, remote, node, started_at)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			p.ID, stream, p.Domain, p.Param, remote, p.Node, micros(p.Started))
		if err != nil {
			return err
		}
		if added == 0 {
			return stillcast.Errorf(stillcast.CodeConflict, "push.id", "push %s has begun already", p.ID)
		}
		return t.addEvents(events)
	})
}

// EndPush makes the end of a push and its events durable in one step. Ending a
// push that has ended already is no error and changes nothing: the first end
// stands, and the events are not added. A push that never began is a
// [stillcast.Error] of CodeNotFound.
func (s *Store) EndPush(ctx context.Context, pushID string, end stillcast.PushEnd, events []state.NewEvent) error {
	if err := validateEvents(events); err != nil {
		return err
	}
	return s.change(ctx, "end push", func(t *tx) error {
		changed, err := t.exec(`UPDATE push SET ended_at = ?, end_code = ?, end_message = ?, width = ?, height = ?
			WHERE id = ? AND ended_at IS NULL`,
			micros(end.At), int(end.Code), end.Message, end.Width, end.Height, pushID)
		if err != nil {
			return err
		}
		if changed > 0 {
			return t.addEvents(events)
		}
		var num int64
		ok, err := t.one("SELECT num FROM push WHERE id = ?", []any{pushID}, &num)
		if err == nil && !ok {
			return stillcast.Errorf(stillcast.CodeNotFound, "push.id", "there is no push %q", pushID)
		}
		return err
	})
}

// OpenPushes returns the pushes that have not ended, in the order of their
// beginning. At start they are those that a crash left open.
func (s *Store) OpenPushes(ctx context.Context) ([]stillcast.Push, error) {
	var pushes []stillcast.Push
	err := s.read(ctx, openPushesQuery, nil, func(scan scan) error {
		var p pushScan
		if err := scan(p.dest()...); err != nil {
			return err
		}
		open, err := p.push()
		pushes = append(pushes, open)
		return err
	})
	if err != nil {
		return nil, within("list open pushes", err)
	}
	return pushes, nil
}

const openPushesQuery = `SELECT ` + pushColumns + `
	FROM push INDEXED BY push_open CROSS JOIN stream ON stream.id = push.stream
	WHERE ended_at IS NULL ORDER BY num`

const pushColumns = `push.id, stream.domain, stream.app, stream.name, push.domain, push.param, push.remote, push.node, push.started_at`

// pushScan takes the pushColumns.
type pushScan struct {
	p       stillcast.Push
	remote  string
	started int64
}

func (s *pushScan) dest() []any {
	return []any{
		&s.p.ID, &s.p.Stream.Domain, &s.p.Stream.App, &s.p.Stream.Name, &s.p.Domain, &s.p.Param, &s.remote, &s.p.Node, &s.started,
	}
}

func (s *pushScan) push() (stillcast.Push, error) {
	s.p.Started = fromMicros(s.started)
	if s.remote == "" {
		return s.p, nil
	}
	var err error
	s.p.Remote, err = netip.ParseAddrPort(s.remote)
	return s.p, err
}
