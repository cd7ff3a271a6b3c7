package sqlite

import (
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/state"
)

// TestTotalsAreBounded: beyond the limit, pages go on, and counting does not.
func TestTotalsAreBounded(t *testing.T) {
	s := newStore(t)
	check(t, s.change(t.Context(), "test", func(tx *tx) error {
		if _, err := tx.exec("INSERT INTO stream (id, domain, app, name) VALUES (1, 'd', 'a', 's')"); err != nil {
			return err
		}
		_, err := tx.exec(`WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO push (num, id, stream, domain, param, remote, node, started_at) SELECT i, i, 1, 'd', '', '', 'n', i FROM n`,
			state.MaxTotal+5)
		return err
	}))
	pushes, total, err := s.PushPage(t.Context(), state.PushFilter{
		Start: time.Unix(0, 0), End: time.Unix(60, 0), Ascending: true, Offset: state.MaxTotal + 4,
	})
	check(t, err)
	if total != state.MaxTotal {
		t.Errorf("there are %d pushes, want the limit", total)
	}
	if len(pushes) != 1 || pushes[0].ID != "100005" {
		t.Errorf("the last page is %+v", pushes)
	}
}
