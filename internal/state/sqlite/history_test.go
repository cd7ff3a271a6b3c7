package sqlite

import (
	"testing"

	"github.com/stillcast/stillcast/internal/state"
)

// TestTotalsAreBounded: what counts rows stops at the limit, even where there is
// no end of them.
func TestTotalsAreBounded(t *testing.T) {
	endless := "FROM (WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n)"
	total, err := newStore(t).total(t.Context(), endless, nil)
	check(t, err)
	if total != state.MaxTotal {
		t.Errorf("counted %d, want the limit", total)
	}
}
