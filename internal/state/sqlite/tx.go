package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// tx is the transaction that the writer has open, as a change sees it.
//
// SQLite ends a transaction by itself after some errors (a full disk, a failed
// read or write), and what is executed after that would be committed statement
// by statement. So after its first error a tx refuses everything until the
// writer has rolled back.
type tx struct {
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt // prepared once per connection
	changes int                  // that were done in it
	careful bool                 // a change failed and made all others be done again
	failed  error
	refused bool // as failed, but the savepoint of the change may be undone since
}

// run runs one change and returns its error, also one that the change itself
// passed over. What it did until then is still there.
func (t *tx) run(do func(*tx) error) error {
	if err := do(t); err != nil {
		return err
	}
	if t.failed == nil {
		t.changes++
	}
	return t.failed
}

// runApart runs one change so that its failure undoes nothing but itself. The
// first result is the change's own; the second says that the transaction is lost.
func (t *tx) runApart(do func(*tx) error) (own, lost error) {
	if _, err := t.exec("SAVEPOINT change"); err != nil {
		return nil, fmt.Errorf("begin a change: %w", err)
	}
	own = t.run(do)
	if own == nil {
		_, lost = t.exec("RELEASE change")
		return nil, lost
	}
	t.failed = nil
	for _, undo := range []string{"ROLLBACK TO change", "RELEASE change"} {
		if _, err := t.exec(undo); err != nil {
			// SQLite has rolled everything back; the reason is the first error.
			return own, fmt.Errorf("commit state: %w", own)
		}
	}
	return own, nil
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	stmt, err := t.prepare(query) //nolint:sqlclosecheck // the writer closes it with the connection
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, t.fail(query, err)
	}
	changed, err := result.RowsAffected()
	return changed, t.fail(query, err)
}

// one runs a statement that gives at most one row, scans that row into dest,
// and reports whether there was one.
func (t *tx) one(query string, args []any, dest ...any) (bool, error) {
	stmt, err := t.prepare(query) //nolint:sqlclosecheck // the writer closes it with the connection
	if err != nil {
		return false, err
	}
	err = stmt.QueryRowContext(context.Background(), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, t.fail(query, err)
}

// query runs a statement and calls row for each row that it gives. Row must not
// use the transaction.
func (t *tx) query(query string, args []any, row func(scan) error) error {
	stmt, err := t.prepare(query) //nolint:sqlclosecheck // the writer closes it with the connection
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(context.Background(), args...)
	if err != nil {
		return t.fail(query, err)
	}
	return t.fail(query, eachRow(rows, row))
}

// numbers returns the first column of each row.
func (t *tx) numbers(query string, args ...any) ([]int64, error) {
	var list []int64
	err := t.query(query, args, func(scan scan) error {
		var n int64
		err := scan(&n)
		list = append(list, n)
		return err
	})
	return list, err
}

func (t *tx) prepare(query string) (*sql.Stmt, error) {
	if t.failed != nil {
		return nil, t.failed
	}
	if stmt, ok := t.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := t.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, t.fail(query, err)
	}
	t.stmts[query] = stmt
	return stmt, nil
}

func (t *tx) fail(query string, err error) error {
	if err == nil {
		return nil
	}
	const enough = 60
	if len(query) > enough {
		query = query[:enough] + "…"
	}
	t.failed = fmt.Errorf("execute %q: %w", query, err)
	t.refused = true
	return t.failed
}

// scan reads the columns of the current row.
type scan func(dest ...any) error

// eachRow calls row for each of rows and closes them.
func eachRow(rows *sql.Rows, row func(scan) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
