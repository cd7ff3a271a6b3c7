package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// conditions are the parts of a WHERE clause and their arguments.
type conditions struct {
	terms []string
	args  []any
}

func (c *conditions) add(term string, args ...any) {
	c.terms = append(c.terms, term)
	c.args = append(c.args, args...)
}

func (c *conditions) String() string { return strings.Join(c.terms, " AND ") }

// Deliveries lists deliveries as they stand.
func (s *Store) Deliveries(ctx context.Context, f state.DeliveryFilter) ([]state.DeliveryStatus, error) {
	where, err := deliveryConditions(f)
	if err != nil {
		return nil, err
	}
	var list []state.DeliveryStatus
	err = s.read(ctx, listDeliveries(where), append(where.args, pageLimit(f.Limit)), func(scan scan) error {
		var to stillcast.Destination
		d, err := scanDelivery(scan, &to.TemplateID, &to.Event)
		if err != nil {
			return err
		}
		status := state.DeliveryStatus{Delivery: d.Delivery, State: deliveryStates()[d.state]}
		status.Destination = to
		if d.state == statePending || d.state == stateClaimed {
			status.Due = fromMicros(d.due)
		}
		list = append(list, status)
		return nil
	})
	if err != nil {
		return nil, within("list deliveries", err)
	}
	return list, nil
}

func listDeliveries(where *conditions) string {
	return `SELECT ` + deliveryColumns + `, destination.template, destination.event_type FROM delivery
		CROSS JOIN destination ON destination.id = delivery.destination ` + deliveryJoins + `
		WHERE ` + where.String() + ` ORDER BY delivery.id LIMIT ?`
}

func deliveryConditions(f state.DeliveryFilter) (*conditions, error) {
	where := &conditions{}
	where.add("delivery.id > ?", f.AfterID)
	if f.Destination != nil {
		where.add("delivery.destination = (SELECT id FROM destination WHERE template = ? AND event_type = ?)",
			f.Destination.TemplateID, int(f.Destination.Event))
	}
	if f.EventID != "" {
		where.add("delivery.event = (SELECT num FROM event WHERE id = ?)", f.EventID)
	}
	if f.State != "" {
		i := slices.Index(deliveryStates(), f.State)
		if i < 0 {
			return nil, stillcast.Errorf(stillcast.CodeInvalid, "state", "is %q; allowed are %q", f.State, deliveryStates())
		}
		// As text, for the partial indexes.
		where.add(fmt.Sprintf("delivery.state = %d", i))
	}
	return where, nil
}

// Attempts returns the finished attempts of a delivery, oldest first. A claim
// whose process died has none.
func (s *Store) Attempts(ctx context.Context, deliveryID int64) ([]state.Result, error) {
	var list []state.Result
	err := s.read(ctx, `SELECT attempt, outcome, retry_at, started_at, took_ns, status, error, reply
		FROM attempt WHERE delivery = ? ORDER BY attempt`, []any{deliveryID}, func(scan scan) error {
		r := state.Result{DeliveryID: deliveryID}
		var retryAt, started, took int64
		var reply []byte
		err := scan(&r.Attempt, &r.Outcome, &retryAt, &started, &took, &r.Status, &r.Error, &reply)
		if r.Outcome == state.OutcomeRetry {
			r.RetryAt = fromMicros(retryAt)
		}
		r.Started, r.Took, r.Reply = fromMicros(started), time.Duration(took), string(reply)
		list = append(list, r)
		return err
	})
	if err != nil {
		return nil, within("list attempts", err)
	}
	return list, nil
}

// Shots lists shots, stored or not.
func (s *Store) Shots(ctx context.Context, f state.ShotFilter) ([]stillcast.Shot, error) {
	query, args := shotsQuery, []any{f.AfterID}
	if f.Stream != nil {
		query = shotsOfStreamQuery
		args = append(args, f.Stream.Domain, f.Stream.App, f.Stream.Name)
	}
	shots, err := s.shots(ctx, query, append(args, pageLimit(f.Limit)))
	return shots, within("list shots", err)
}

const (
	shotsQuery = `SELECT ` + eventColumns + `, ` + shotColumns + ` FROM shot
		CROSS JOIN event INDEXED BY event_shot ON event.shot = shot.id
		CROSS JOIN stream ON stream.id = event.stream` + factsJoin + `
		WHERE shot.id > ? ORDER BY shot.id LIMIT ?`
	shotsOfStreamQuery = `SELECT ` + eventColumns + `, ` + shotColumns + ` FROM stream
		CROSS JOIN event INDEXED BY event_stream_shot ON event.stream = stream.id
		CROSS JOIN shot ON shot.id = event.shot` + factsJoin + `
		WHERE event.shot > ? AND stream.domain = ? AND stream.app = ? AND stream.name = ?
		ORDER BY event.shot LIMIT ?`
)
