package sqlite

import (
	"context"
	"sync"
	"time"
)

// sweep is how far something went through a large table in the order of its ids,
// over many calls: a pass ends where rows are too young, and the next one begins
// at the first row that this one had to leave.
type sweep struct {
	mu     sync.Mutex
	reused bool  // the table gives ids of removed rows again
	at     int64 // up to this id all was looked at in this pass
	left   int64 // the first id that this pass left as it is; 0: none
}

// visited is one row that a sweep came to.
type visited struct {
	id   int64
	old  bool // old enough
	free bool // nothing keeps it
}

// sweepPage is how many rows are looked at with one query, so that no reader
// keeps the log from being written back for long.
const sweepPage = 1000

// collect goes on until it has limit rows that are old and free, or comes to a
// page without an old one: then the next call begins a new pass. Since clocks are
// set, ids are not quite in the order of time; what is old behind a page of young
// ones is found when these are old.
func (w *sweep) collect(limit int, page func(after int64, rows int) ([]visited, error)) ([]int64, error) {
	var ids []int64
	for len(ids) < limit {
		rows, err := page(w.at, sweepPage)
		if err != nil {
			w.keep(ids...)
			return nil, err
		}
		if !w.take(rows, limit, &ids) {
			w.restart()
			return ids, nil
		}
	}
	return ids, nil
}

// take adds what is to be had to ids and reports whether there may be more.
func (w *sweep) take(rows []visited, limit int, ids *[]int64) (more bool) {
	old := false
	for _, r := range rows {
		if len(*ids) == limit {
			return true
		}
		w.at = r.id
		old = old || r.old
		if r.old && r.free {
			*ids = append(*ids, r.id)
		} else {
			w.keep(r.id)
		}
	}
	return old && len(rows) == sweepPage
}

// keep says that these rows stay, for now.
func (w *sweep) keep(ids ...int64) {
	for _, id := range ids {
		if w.left == 0 || id < w.left {
			w.left = id
		}
	}
}

func (w *sweep) restart() {
	if w.left > 0 {
		w.at = w.left - 1
	} else if w.reused {
		w.at = 0
	}
	w.left = 0
}

// visit returns how to read pages of a query with a time, an id and a limit.
func (s *Store) visit(ctx context.Context, query string, before time.Time) func(after int64, rows int) ([]visited, error) {
	return func(after int64, rows int) (page []visited, err error) {
		err = s.read(ctx, query, []any{micros(before), after, rows}, func(scan scan) error {
			var v visited
			err := scan(&v.id, &v.old, &v.free)
			page = append(page, v)
			return err
		})
		return page, err
	}
}
