package sqlite

import (
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// TestPlans: what runs often reads a few entries of an index, however much
// there is, and sorts nothing. Timing cannot be relied on here; the plan can.
func TestPlans(t *testing.T) {
	s := newStore(t)
	tests := []struct {
		name, query string
		want        []string
	}{
		{"claim of the fresh lane", claimFresh, []string{"SEARCH delivery USING INDEX delivery_fresh (destination=?)"}},
		{"claim of the retry lane", claimRetry, []string{"SEARCH delivery USING INDEX delivery_retry (destination=? AND due<?)"}},
		{"destinations", destinationsQuery + " ORDER BY id", []string{
			"SEARCH delivery USING COVERING INDEX delivery_fresh (destination=?)",
			"SEARCH delivery USING INDEX delivery_retry (destination=?)",
			"SEARCH delivery USING INDEX delivery_oldest (destination=?)",
		}},
		{"spool", spoolQuery, []string{"SEARCH spool USING INTEGER PRIMARY KEY (rowid>?)"}},
		{"renditions of the spool", spoolQuery, []string{"SEARCH rendition USING INDEX rendition_shot (shot=?)"}},
		{"open pushes", openPushesQuery, []string{"SCAN push USING INDEX push_open"}},
		{"bans", bansQuery + " ORDER BY until_at, ban.stream", []string{"SEARCH ban USING INDEX ban_until (until_at>?)"}},
		{"active tasks", activeTasksQuery, []string{"SEARCH task USING INDEX task_active (end_at>?)"}},
		{"a page of tasks", tasksQuery(t, state.TaskFilter{Start: time.Unix(1, 0), Stream: stillcast.Stream{Name: "cam"}}), []string{
			"SEARCH task USING INTEGER PRIMARY KEY (rowid>?)",
		}},
		{"pushes", pushesQuery(state.PushFilter{Name: "a"}), []string{"SEARCH push USING INDEX push_until (<expr>>?)"}},
		{"pushes of a stream", pushesQuery(state.PushFilter{Domain: "d", App: "a", Name: "s", Strict: true, Ascending: true}), []string{
			"SEARCH push USING INDEX push_stream (stream=? AND <expr>>?)",
		}},
		{"how many attempts", attemptsCount(), []string{
			"SEARCH stream USING COVERING INDEX stream_name (name=?)",
			"SEARCH event USING COVERING INDEX event_stream_at (stream=? AND at>? AND at<?)",
			"SEARCH delivery USING COVERING INDEX sqlite_autoindex_delivery_1 (event=?)",
			"SEARCH attempt USING COVERING INDEX sqlite_autoindex_attempt_1 (delivery=?)",
		}},
		{"counts of shots", countShotsQuery, []string{"SEARCH shot_count USING PRIMARY KEY (at>? AND at<?)"}},
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
				!strings.HasPrefix(line, "SCAN destination") && !strings.Contains(line, "push_open") &&
				!strings.HasPrefix(line, "SCAN (subquery-1)") // of what the lines before found
			if scansAll || strings.Contains(line, "TEMP B-TREE") {
				t.Errorf("the plan for %s has the step %q:\n%s", test.name, line, plan)
			}
		}
	}
}

// TestPlanOfAttempts: it sorts, but numbers alone, and reads the rest of the rows
// of one page.
func TestPlanOfAttempts(t *testing.T) {
	selected, _ := selectAttempts(state.AttemptFilter{})
	plan := explain(t, newStore(t), pageAttempts(selected))
	inner, outer, ok := strings.Cut(plan, "SCAN page\n")
	if !ok {
		t.Fatalf("the plan does not go through a page:\n%s", plan)
	}
	for line := range strings.Lines(inner) {
		if strings.HasPrefix(line, "SCAN") || strings.Contains(line, "shot") {
			t.Errorf("the plan for the rows of a page has the step %q:\n%s", line, plan)
		}
	}
	if strings.Contains(outer, "SCAN event") || strings.Contains(outer, "SCAN delivery") || strings.Contains(outer, "SCAN attempt") {
		t.Errorf("what a page shows is not found by id:\n%s", plan)
	}
}

func pushesQuery(f state.PushFilter) string {
	selected, _ := selectPushes(f)
	return pagePushes(selected, f.Ascending)
}

func attemptsCount() string {
	selected, _ := selectAttempts(state.AttemptFilter{})
	return countSelected(selected)
}

func tasksQuery(t *testing.T, f state.TaskFilter) string {
	t.Helper()
	where, err := taskConditions(f)
	check(t, err)
	return listTasks(where.String())
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
