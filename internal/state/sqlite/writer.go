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
	redo  func(*tx) error // see [writer.soon]; nil: acknowledged when it is durable
	bytes int             // of the picture in it
	taken atomic.Bool
	done  chan error
}

// take gives the change either to the writer or back to its caller, who no
// longer wants it; the first to ask gets it.
func (c *change) take() bool { return c.taken.CompareAndSwap(false, true) }

// writer is the only connection that writes, and the goroutine that owns it. A
// commit waits for the disk, so while one is under way the changes that arrive
// are collected, and the next one makes them all durable together.
//
// Changes of which a crash may lose the last few (see soon) do not make it
// commit: they wait, done and visible to all later changes, for the next commit
// that somebody needs, at most tuning.linger. Readers have their own
// connections and do not see them, so whoever reads calls settle before.
type writer struct {
	db      *sql.DB
	tuning  tuning
	metrics *metrics
	logger  *slog.Logger

	queue     chan *change
	closing   chan struct{}
	closeOnce sync.Once
	stopped   chan struct{} // closed when run has returned
	unsettled atomic.Bool   // something was acknowledged and not committed yet

	// Owned by run.
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt
	open    *tx       // nil between transactions
	owed    []*change // acknowledged, to be committed: done in open, or lost with the one before
	failing bool      // the last transaction was lost
	// lastFailure is when a lost transaction was logged last.
	lastFailure time.Time
	shrinking   bool
}

// do runs a change and returns when it is durable, or has failed and left
// nothing. While it waits in the queue, ctx ends the wait and the change is
// never run; once it is begun, it is finished whatever becomes of ctx.
func (w *writer) do(ctx context.Context, bytes int, fn func(*tx) error) error {
	return w.await(ctx, &change{do: fn, bytes: bytes, done: make(chan error, 1)})
}

// soon runs a change and returns when it is done, as all later changes see it,
// or has failed and left nothing. It is durable with the next commit, at most
// tuning.linger later, and before any change that is done after it: a crash
// until then loses it. When a commit fails, redo is run in the next
// transaction, and again until it succeeds; it does what fn did, once more, and
// must not share with fn what the caller got. Context and queue are as for do.
func (w *writer) soon(ctx context.Context, fn, redo func(*tx) error) error {
	return w.await(ctx, &change{do: fn, redo: redo, done: make(chan error, 1)})
}

// settle returns when what was acknowledged is committed, so that readers see
// it. When it cannot be committed, they see what was there before.
func (w *writer) settle(ctx context.Context) {
	if w.unsettled.Load() {
		_ = w.do(ctx, 0, func(*tx) error { return nil }) // the writer logs why
	}
}

func (w *writer) await(ctx context.Context, c *change) error {
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
	linger := time.NewTimer(w.tuning.linger)
	defer linger.Stop()
	var waiting bool // what is done waits for its commit
	for {
		if waits := w.unsettled.Load(); waits && !waiting {
			linger.Reset(w.lingering())
			waiting = true
		} else if !waits {
			waiting = false
		}
		select {
		case first := <-w.queue:
			w.serve(w.gather(first))
		case <-linger.C:
			waiting = false
			w.commitOwed()
		case <-idle.C:
			idle.Reset(w.shrink())
		case <-w.closing:
			w.drain()
			return
		}
	}
}

// lingering is how long what is done waits for its commit.
func (w *writer) lingering() time.Duration {
	if w.failing {
		return max(w.tuning.linger, time.Second)
	}
	return w.tuning.linger
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
			w.serve(w.gather(first))
		default:
			w.commitOwed()
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

// serve runs the changes of a batch and tells each caller what became of its own.
func (w *writer) serve(batch []*change) {
	wanted := batch[:0]
	for _, c := range batch {
		if c.take() {
			wanted = append(wanted, c)
		}
	}
	if len(wanted) == 0 {
		return
	}
	waiting, results, err := w.execute(wanted)
	if err == nil && len(waiting) > 0 {
		err = w.commit()
	}
	if err != nil {
		w.failed(err, len(waiting))
	}
	for i, c := range waiting {
		if err != nil {
			c.done <- err
			continue
		}
		c.done <- results[i]
	}
}

// execute runs changes in the open transaction, acknowledges those that need not
// be durable, and returns the others with how each ended; or the error that
// undid all, of which waiting are then all whose callers still wait.
func (w *writer) execute(batch []*change) (waiting []*change, results []error, err error) {
	for i, c := range batch {
		own, lost := error(nil), w.begin()
		if lost == nil {
			own, lost = w.perform(c, len(waiting) > 0)
		}
		if lost != nil {
			return append(waiting, batch[i:]...), nil, w.abort(lost)
		}
		// While commits fail, what waits for one must not become more and more.
		if c.redo == nil || w.failing {
			waiting, results = append(waiting, c), append(results, own)
			continue
		}
		if own == nil {
			w.owed = append(w.owed, c)
			w.unsettled.Store(true)
		}
		c.done <- own
	}
	return waiting, results, nil
}

// perform runs a change in the open transaction. The first result is the change's
// own, which undid nothing else; the second says that the transaction is lost.
//
// After a savepoint SQLite copies each page that is changed, so there is one
// only to protect changes that cannot be done again.
func (w *writer) perform(c *change, protect bool) (own, lost error) {
	t := w.open
	t.refused = false
	if protect || t.careful {
		own, lost = t.runApart(c.do)
		w.noteRefused(t.refused && lost == nil, own)
		return own, lost
	}
	own = t.run(c.do)
	if own == nil {
		return nil, nil
	}
	w.noteRefused(t.refused, own)
	_ = w.abort(own)
	if err := w.begin(); err != nil {
		return own, err
	}
	w.open.careful = true // to do the same again and again would cost more than a savepoint
	return own, nil
}

// noteRefused makes a change visible that failed because the database did, a full
// disk for instance, and not because it is not allowed.
func (w *writer) noteRefused(refused bool, err error) {
	if refused {
		w.metrics.failedCommits.Inc()
		w.logger.Error("state change failed", "error", err)
	}
}

// commit makes the open transaction durable.
func (w *writer) commit() error {
	began := time.Now()
	if _, err := w.open.exec("COMMIT"); err != nil {
		return w.abort(fmt.Errorf("commit state: %w", err))
	}
	w.metrics.commitSeconds.Observe(time.Since(began).Seconds())
	w.metrics.batchSize.Observe(float64(w.open.changes))
	w.open, w.owed, w.failing = nil, nil, false
	w.unsettled.Store(false)
	return nil
}

// commitOwed commits what was acknowledged before it was durable.
func (w *writer) commitOwed() {
	if len(w.owed) == 0 {
		return
	}
	err := w.begin()
	if err == nil {
		err = w.commit()
	}
	if err != nil {
		w.failed(err, len(w.owed))
	}
}

// begin opens a transaction if none is open, and does in it again what was
// acknowledged and then lost.
func (w *writer) begin() error {
	if w.open != nil {
		return nil
	}
	if err := w.beginEmpty(); err != nil {
		return err
	}
	kept := w.owed[:0]
	for i, c := range w.owed {
		own, lost := w.open.runApart(c.redo)
		if lost != nil {
			w.owed = append(kept, w.owed[i:]...)
			return w.abort(lost)
		}
		if own != nil {
			// Somebody else had a say in between; the events concerned are sent again.
			w.logger.Warn("a change that a failed commit lost could not be done again", "error", own)
			continue
		}
		kept = append(kept, c)
	}
	w.owed = kept
	return nil
}

func (w *writer) beginEmpty() error {
	if w.conn != nil {
		t := &tx{conn: w.conn, stmts: w.stmts}
		if _, err := t.exec("BEGIN IMMEDIATE"); err == nil {
			w.open = t
			return nil
		}
		// Something is wrong with the connection; a new one starts clean.
		w.disconnect()
	}
	if err := w.connect(context.Background()); err != nil {
		return err
	}
	t := &tx{conn: w.conn, stmts: w.stmts}
	if _, err := t.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	w.open = t
	return nil
}

// abort undoes the transaction and returns the reason.
func (w *writer) abort(reason error) error {
	if w.open == nil {
		return reason
	}
	w.open.failed = nil
	// It fails when SQLite has rolled back by itself. If it fails otherwise,
	// the next begin notices and takes a new connection.
	_, _ = w.open.exec("ROLLBACK")
	w.open = nil
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
