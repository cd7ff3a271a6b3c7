package sqlite

import (
	"cmp"
	"context"
	"encoding/json"
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

// Deliveries lists deliveries as they stand. Its cost grows with the page and the
// number of destinations; with a stream that is selected together with something
// else, with the deliveries of the stream in that time.
func (s *Store) Deliveries(ctx context.Context, f state.DeliveryFilter) ([]state.DeliveryStatus, error) {
	var list []state.DeliveryStatus
	err := s.snapshot(ctx, func(v view) error {
		search, err := newSearch(v, f, pageLimit(f.Limit))
		if err != nil {
			return err
		}
		ids, err := search.run()
		if err != nil {
			return err
		}
		list, err = v.deliveries(ids, f.Descending)
		return err
	})
	if err != nil {
		return nil, within("list deliveries", err)
	}
	return list, nil
}

// Delivery returns one delivery as it stands; one that is not there is a
// [stillcast.Error] of CodeNotFound.
func (s *Store) Delivery(ctx context.Context, id int64) (state.DeliveryStatus, error) {
	var found []state.DeliveryStatus
	err := s.snapshot(ctx, func(v view) (err error) {
		found, err = v.deliveries([]int64{id}, false)
		return err
	})
	if err == nil && len(found) == 0 {
		err = notFound(id)
	}
	if err != nil {
		return state.DeliveryStatus{}, within("read delivery", err)
	}
	return found[0], nil
}

// deliveries reads those with these ids, in the order of the ids.
func (v view) deliveries(ids []int64, descending bool) ([]state.DeliveryStatus, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	wanted, err := list(ids)
	if err != nil {
		return nil, err
	}
	var found []state.DeliveryStatus
	err = v.query(deliveriesQuery, []any{wanted}, func(scan scan) error { return appendRow(&found, scan, scanDeliveryStatus) })
	slices.SortFunc(found, func(a, b state.DeliveryStatus) int {
		if descending {
			a, b = b, a
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return found, err
}

const deliveriesQuery = `SELECT ` + deliveryColumns + `, destination.template, destination.event_type,
	attempt.started_at + attempt.took_ns / 1000, attempt.status, attempt.error, picture_gone.at, picture_gone.reason
	FROM json_each(?) CROSS JOIN delivery ON delivery.id = json_each.value
	CROSS JOIN destination ON destination.id = delivery.destination ` + deliveryJoins + `
	LEFT JOIN attempt ON attempt.id = (SELECT last.id FROM attempt AS last WHERE last.delivery = delivery.id ORDER BY last.attempt DESC LIMIT 1)
	LEFT JOIN picture_gone ON picture_gone.shot = event.shot AND picture_gone.state = 1`

func scanDeliveryStatus(scan scan) (state.DeliveryStatus, error) {
	var to stillcast.Destination
	var responded, dropped *int64
	var status state.DeliveryStatus
	d, err := scanDelivery(scan, &to.TemplateID, &to.Event, &responded, orZero(&status.LastStatus), orZero(&status.LastError),
		&dropped, orZero(&status.Reason))
	if err != nil {
		return status, err
	}
	status.Delivery, status.State = d.Delivery, deliveryStates()[d.state]
	status.Destination = to
	switch d.state {
	case statePending, stateClaimed:
		status.Due = fromMicros(d.due)
	case stateDelivered, stateParked:
		status.Finished = timeOf(responded)
		if responded == nil {
			status.Finished = timeOf(dropped)
		}
	case stateWaiting:
	}
	return status, nil
}

// Attempts returns the finished attempts of a delivery, oldest first. A claim
// whose process died has none.
func (s *Store) Attempts(ctx context.Context, deliveryID int64) ([]state.Result, error) {
	var list []state.Result
	err := s.read(ctx, attemptsQuery, []any{deliveryID}, func(scan scan) error {
		r := state.Result{DeliveryID: deliveryID}
		var retryAt, started, took int64
		var reply []byte
		var request *string
		err := scan(&r.Attempt, &r.Outcome, &retryAt, &started, &took, &r.Status, &r.Error, &reply, &request)
		if request != nil {
			r.Request = json.RawMessage(*request)
		}
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

const attemptsQuery = `SELECT attempt.attempt, outcome, retry_at, started_at, took_ns, status, error, reply, request
	FROM attempt LEFT JOIN attempt_request ON attempt_request.attempt = attempt.id WHERE delivery = ? ORDER BY attempt.attempt`
