package sqlite

import (
	"context"
	"encoding/json"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Finish ends an attempt: its history and the new state of the delivery are
// kept in one step. It returns [state.ErrFenced] and changes nothing when the
// delivery was claimed again or finished since; a lease that has merely run out
// does not matter. A delivery that never was is a [stillcast.Error] of
// CodeNotFound; a request longer than [state.MaxRequest], or that is no JSON, one
// of CodeInvalid.
//
// The end is durable shortly after (see the package). A crash before is as if
// the attempt had never been made: the delivery is due at the next start and
// its event is sent once more.
func (s *Store) Finish(ctx context.Context, r state.Result) error {
	next, err := stateAfter(r)
	if err != nil {
		return err
	}
	if len(r.Request) > state.MaxRequest {
		return stillcast.Errorf(stillcast.CodeInvalid, "result.request", "has %d bytes; at most %d are allowed", len(r.Request), state.MaxRequest)
	}
	if len(r.Request) > 0 && !json.Valid(r.Request) {
		return stillcast.Errorf(stillcast.CodeInvalid, "result.request", "of delivery %d is no JSON", r.DeliveryID)
	}
	finish := func(t *tx) error { return t.finish(r, next) }
	return s.changeSoon(ctx, "finish attempt", finish, finish)
}

func (t *tx) finish(r state.Result, next deliveryState) error {
	due, retryAt := time.Unix(0, 0), time.Unix(0, 0)
	if next == statePending {
		due, retryAt = r.RetryAt, r.RetryAt
	}
	var destination int64
	// Without the plus, the number would be compared with the conditions of the
	// partial indexes, and the statement be prepared again for each.
	ok, err := t.one(`UPDATE delivery SET state = ?, due = ? WHERE id = ? AND +state = 2 AND +attempt = ?
		RETURNING destination`, []any{next, micros(due), r.DeliveryID, r.Attempt}, &destination)
	if err != nil {
		return err
	}
	if !ok {
		return t.whyFenced(r.DeliveryID)
	}
	if err := t.move(destination, stateClaimed, next, 1); err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO attempt (delivery, attempt, outcome, retry_at, started_at, took_ns, status, error, reply)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.DeliveryID, r.Attempt, int(r.Outcome), micros(retryAt), micros(r.Started), int64(r.Took), r.Status, r.Error, []byte(r.Reply))
	if err != nil || len(r.Request) == 0 {
		return err
	}
	_, err = t.exec("INSERT INTO attempt_request (attempt, request) VALUES (last_insert_rowid(), ?)", string(r.Request))
	return err
}

func stateAfter(r state.Result) (deliveryState, error) {
	switch r.Outcome {
	case state.OutcomeDelivered:
		return stateDelivered, nil
	case state.OutcomeParked:
		return stateParked, nil
	case state.OutcomeRetry:
		if r.RetryAt.IsZero() {
			return 0, stillcast.Errorf(stillcast.CodeInvalid, "result.retry_at", "is missing; OutcomeRetry needs it")
		}
		return statePending, nil
	}
	return 0, stillcast.Errorf(stillcast.CodeInvalid, "result.outcome",
		"is %d; allowed are OutcomeDelivered, OutcomeRetry and OutcomeParked", r.Outcome)
}

func (t *tx) whyFenced(deliveryID int64) error {
	var id int64
	ok, err := t.one("SELECT id FROM delivery WHERE id = ?", []any{deliveryID}, &id)
	if err != nil {
		return err
	}
	if !ok {
		return notFound(deliveryID)
	}
	return state.ErrFenced
}

func notFound(deliveryID int64) error {
	return stillcast.Errorf(stillcast.CodeNotFound, "delivery", "there is no delivery %d", deliveryID)
}
