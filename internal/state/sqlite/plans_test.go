package sqlite

import (
	"context"
	"database/sql/driver"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// statements remembers all statements that connections were given.
type statements struct {
	mu   sync.Mutex
	deaf bool // while a test looks at the tables by itself
	seen map[string]bool
}

// unheard runs fn and remembers nothing of it.
func (s *statements) unheard(fn func()) {
	s.setDeaf(true)
	defer s.setDeaf(false)
	fn()
}

func (s *statements) setDeaf(is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deaf = is
}

func (s *statements) note(query string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.deaf {
		s.seen[query] = true
	}
}

// wrap is tuning.wrap.
func (s *statements) wrap(base driver.Connector) driver.Connector { return noting{base, s} }

type noting struct {
	driver.Connector
	to *statements
}

func (n noting) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := n.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return notingConn{conn.(wholeConn), n.to}, nil
}

// wholeConn is what the driver's connections can do and the pool asks for.
type wholeConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

type notingConn struct {
	wholeConn
	to *statements
}

func (c notingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	c.to.note(query)
	return c.wholeConn.PrepareContext(ctx, query)
}

func (c notingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.to.note(query)
	return c.wholeConn.QueryContext(ctx, query, args)
}

// small are the tables that are read as a whole: what an operator sets up, and
// what is read of them alone.
var small = regexp.MustCompile(`^SCAN (destination|json_each VIRTUAL TABLE|CONSTANT ROW|page$|\(subquery-\d+\)|domain|ban|task|` +
	`snapshot_template|snapshot_rule|callback_template|callback_rule|spool_total|console_account|console_session$|goose_db_version|sqlite_schema|` +
	`push USING INDEX push_open|picture_gone USING COVERING INDEX picture_leaving)`)

// sorts are the statements that may sort: a few rows, or numbers alone.
func sorts(query, step string) bool {
	switch {
	case strings.Contains(step, "LAST TERM OF ORDER BY"), strings.Contains(step, "RIGHT PART OF ORDER BY"):
		return true // the deliveries of one event
	case strings.Contains(query, "WITH page"), strings.Contains(query, "json_each"), strings.HasPrefix(query, "SELECT DISTINCT event.shot"):
		return true // rows of one page
	case strings.Contains(query, "delivery.event = (SELECT"), strings.Contains(query, "WHERE event = ?"):
		return true // the deliveries of one event
	}
	return false
}

// verifyPlans checks how SQLite makes each of the statements: none reads a large
// table from its beginning to its end, or sorts one.
func (s *statements) verifyPlans(t *testing.T, store *Store) {
	t.Helper()
	explained := 0
	for query := range s.seen {
		verb, _, _ := strings.Cut(strings.TrimSpace(query), " ")
		if !strings.Contains("SELECT INSERT UPDATE DELETE WITH", verb) || strings.Contains(query, "pragma_") || strings.Contains(query, "goose") {
			continue
		}
		explained++
		plan := explain(t, store, query)
		for line := range strings.Lines(plan) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(query, "INSERT INTO stream ") {
				continue // looks for rows that refer to it only when some miss theirs
			}
			if strings.HasPrefix(line, "SCAN") && !small.MatchString(line) || strings.Contains(line, "TEMP B-TREE") && !sorts(query, line) {
				t.Errorf("the step %q is in the plan for\n%s\n%s", line, query, plan)
			}
		}
	}
	if explained == 0 {
		t.Error("no statement was explained")
	}
}
