package sqlite

import (
	"strings"
	"testing"

	"github.com/stillcast/stillcast/internal/state"
)

// TestPlans: what runs often reads a few entries of an index, however much
// there is, and sorts nothing. Timing cannot be relied on here; the plan can.
func TestPlans(t *testing.T) {
	s := newStore(t)
	seven := hook(7)
	tests := []struct {
		name, query string
		want        []string
	}{
		{"claim of the fresh lane", claimFresh, []string{"SEARCH delivery USING INDEX delivery_fresh (destination=? AND due<?)"}},
		{"claim of the retry lane", claimRetry, []string{"SEARCH delivery USING INDEX delivery_retry (destination=? AND due<?)"}},
		{"backlogs", backlogsQuery, []string{
			"SEARCH delivery USING COVERING INDEX delivery_fresh (destination=?)",
			"SEARCH delivery USING INDEX delivery_retry (destination=?)",
			"SEARCH delivery USING INDEX delivery_oldest (destination=?)",
		}},
		{"spool", spoolQuery, []string{"SEARCH spool USING INTEGER PRIMARY KEY (rowid>?)"}},
		{"renditions of the spool", spoolQuery, []string{"SEARCH rendition USING INDEX rendition_shot (shot=?)"}},
		{"open pushes", openPushesQuery, []string{"SCAN push USING INDEX push_open"}},
		{"shots", shotsQuery, []string{"SEARCH shot USING INTEGER PRIMARY KEY (rowid>?)"}},
		{"shots of a stream", shotsOfStreamQuery, []string{"SEARCH event USING INDEX event_stream_shot (stream=? AND shot>?)"}},
		{
			"parked deliveries", deliveriesQuery(t, state.DeliveryFilter{State: state.StateParked, Destination: &seven}),
			[]string{"SEARCH delivery USING INDEX delivery_parked (destination=? AND rowid>?)"},
		},
		{"a page of deliveries", deliveriesQuery(t, state.DeliveryFilter{}), []string{"SEARCH delivery USING INTEGER PRIMARY KEY (rowid>?)"}},
	}
	for _, test := range tests {
		plan := explain(t, s, test.query)
		for _, want := range test.want {
			if !strings.Contains(plan, want) {
				t.Errorf("the plan for %s lacks %q:\n%s", test.name, want, plan)
			}
		}
		for line := range strings.Lines(plan) {
			scansAll := strings.HasPrefix(line, "SCAN") &&
				!strings.HasPrefix(line, "SCAN destination") && !strings.Contains(line, "push_open")
			if scansAll || strings.Contains(line, "TEMP B-TREE") {
				t.Errorf("the plan for %s has the step %q:\n%s", test.name, line, plan)
			}
		}
	}
}

func deliveriesQuery(t *testing.T, f state.DeliveryFilter) string {
	t.Helper()
	where, err := deliveryConditions(f)
	check(t, err)
	return listDeliveries(where)
}

func explain(t *testing.T, s *Store, query string) string {
	t.Helper()
	args := make([]any, strings.Count(query, "?"))
	for i := range args {
		args[i] = 1
	}
	var plan strings.Builder
	check(t, s.read(t.Context(), "EXPLAIN QUERY PLAN "+query, args, func(scan scan) error {
		var id, parent, unused int
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		plan.WriteString(detail + "\n")
		return err
	}))
	return plan.String()
}

// TestClaimNeedsItsIndex: without the index a claim fails, and says so, instead
// of reading the whole backlog.
func TestClaimNeedsItsIndex(t *testing.T) {
	s := newStore(t)
	_, err := s.MarkStored(t.Context(), commit(t, s, newShot("e1", []byte("jpeg"), hook(7))).ID)
	check(t, err)
	check(t, s.change(t.Context(), "test", func(tx *tx) error {
		_, err := tx.exec("DROP INDEX delivery_fresh")
		return err
	}))
	_, err = s.Claim(t.Context(), state.Claim{Destination: hook(7), Limit: 1, Lease: 1})
	if err == nil || !strings.Contains(err.Error(), "delivery_fresh") {
		t.Errorf("a claim without its index gave %v", err)
	}
}
