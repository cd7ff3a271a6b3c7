package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosed is returned by methods of a Store that is closed.
var ErrClosed = errors.New("state is closed")

// change is what one caller wants done in a transaction.
type change struct {
	do    func(*tx) error
	bytes int // of the picture in it
	taken atomic.Bool
	done  chan error
}

// take gives the change either to the writer or back to its caller, who no
// longer wants it; the first to ask gets it.
func (c *change) take() bool { return c.taken.CompareAndSwap(false, true) }

// writer is the only connection that writes, and the goroutine that owns it. A
// commit waits for the disk, so while one is under way the changes that arrive
// are collected, and the next one makes them all durable together.
type writer struct {
	db      *sql.DB
	tuning  tuning
	metrics *metrics
	logger  *slog.Logger

	queue     chan *change
	closing   chan struct{}
	closeOnce sync.Once
	stopped   chan struct{} // closed when run has returned

	// Owned by run.
	conn      *sql.Conn
	stmts     map[string]*sql.Stmt
	shrinking bool
}

// do runs a change and returns when it is durable, or has failed and left
// nothing. While it waits in the queue, ctx ends the wait and the change is
// never run; once it is begun, it is finished whatever becomes of ctx.
func (w *writer) do(ctx context.Context, bytes int, fn func(*tx) error) error {
	c := &change{do: fn, bytes: bytes, done: make(chan error, 1)}
	if err := w.enqueue(ctx, c); err != nil {
		return err
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		if c.take() {
			return fmt.Errorf("wait for the state's writer: %w", ctx.Err())
		}
	case <-w.stopped:
		// It was queued after the writer had looked for the last time.
		if c.take() {
			return ErrClosed
		}
	}
	return <-c.done
}

func (w *writer) enqueue(ctx context.Context, c *change) error {
	select {
	case <-w.closing:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("wait for the state's writer: %w", ctx.Err())
	default:
	}
	select {
	case w.queue <- c:
		return nil
	case <-w.closing:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("wait for the state's writer: %w", ctx.Err())
	}
}

// run does what is queued until close.
func (w *writer) run() {
	defer close(w.stopped)
	idle := time.NewTimer(w.tuning.shrinkEvery)
	defer idle.Stop()
	for {
		select {
		case first := <-w.queue:
			w.commit(w.gather(first))
		case <-idle.C:
			idle.Reset(w.shrink())
		case <-w.closing:
			w.drain()
			return
		}
	}
}

// close finishes what is queued and gives up the connection.
func (w *writer) close() {
	w.closeOnce.Do(func() { close(w.closing) })
	<-w.stopped
}

func (w *writer) drain() {
	for {
		select {
		case first := <-w.queue:
			w.commit(w.gather(first))
		default:
			w.disconnect()
			return
		}
	}
}

// gather collects what is queued behind first, within the limits of a batch.
func (w *writer) gather(first *change) []*change {
	batch, bytes := []*change{first}, first.bytes
	for len(batch) < w.tuning.maxBatch && bytes < w.tuning.maxBytes {
		select {
		case next := <-w.queue:
			batch = append(batch, next)
			bytes += next.bytes
		default:
			return batch
		}
	}
	return batch
}

// commit runs the changes of a batch in one transaction and tells each caller
// what became of its own.
func (w *writer) commit(batch []*change) {
	wanted := batch[:0]
	for _, c := range batch {
		if c.take() {
			wanted = append(wanted, c)
		}
	}
	if len(wanted) == 0 {
		return
	}
	w.metrics.batchSize.Observe(float64(len(wanted)))
	results, err := w.transaction(wanted)
	if err != nil {
		w.metrics.failedCommits.Inc()
		w.logger.Error("state commit failed", "error", err, "changes", len(wanted))
	}
	for i, c := range wanted {
		if err != nil {
			c.done <- err
			continue
		}
		c.done <- results[i]
	}
}

// transaction returns how each change ended, or the error that undid them all.
func (w *writer) transaction(batch []*change) ([]error, error) {
	t, err := w.begin()
	if err != nil {
		return nil, err
	}
	results := make([]error, len(batch))
	for i, c := range batch {
		if results[i], err = t.run(c.do); err != nil {
			return nil, w.abort(t, err)
		}
	}
	began := time.Now()
	if _, err := t.exec("COMMIT"); err != nil {
		return nil, w.abort(t, fmt.Errorf("commit state: %w", err))
	}
	w.metrics.commitSeconds.Observe(time.Since(began).Seconds())
	return results, nil
}

// run runs one change so that its failure undoes nothing but itself. The first
// result is the change's own; the second says that the transaction is lost.
func (t *tx) run(do func(*tx) error) (own, lost error) {
	if _, err := t.exec("SAVEPOINT change"); err != nil {
		return nil, fmt.Errorf("begin a change: %w", err)
	}
	own = do(t)
	if own == nil {
		own = t.failed
	}
	if own == nil {
		_, err := t.exec("RELEASE change")
		return nil, err
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

func (w *writer) begin() (*tx, error) {
	if w.conn != nil {
		t := &tx{conn: w.conn, stmts: w.stmts}
		if _, err := t.exec("BEGIN IMMEDIATE"); err == nil {
			return t, nil
		}
		// Something is wrong with the connection; a new one starts clean.
		w.disconnect()
	}
	if err := w.connect(context.Background()); err != nil {
		return nil, err
	}
	t := &tx{conn: w.conn, stmts: w.stmts}
	if _, err := t.exec("BEGIN IMMEDIATE"); err != nil {
		return nil, fmt.Errorf("begin a transaction: %w", err)
	}
	return t, nil
}

// abort undoes the transaction and returns the reason.
func (w *writer) abort(t *tx, reason error) error {
	t.failed = nil
	// It fails when SQLite has rolled back by itself. If it fails otherwise,
	// the next begin notices and takes a new connection.
	_, _ = t.exec("ROLLBACK")
	return reason
}

func (w *writer) connect(ctx context.Context) error {
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect the state's writer: %w", err)
	}
	w.conn, w.stmts = conn, make(map[string]*sql.Stmt)
	return nil
}

// disconnect closes the connection; the pool keeps no idle ones.
func (w *writer) disconnect() {
	if w.conn == nil {
		return
	}
	// In this order: the driver crashes on a statement of a closed connection.
	for _, stmt := range w.stmts {
		stmt.Close()
	}
	if err := w.conn.Close(); err != nil {
		w.logger.Warn("closing the state's writer failed", "error", err)
	}
	w.conn, w.stmts = nil, nil
}
