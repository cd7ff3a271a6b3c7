// Package sqlite keeps the state in one SQLite file, for one process.
//
// What it promises, and how:
//   - A change is durable when its method returns: the WAL is flushed at every
//     commit (synchronous=FULL, read back on every connection). MarkStored,
//     Claim and Finish are the exception: they return when all later calls see
//     what they did, and are durable with the next commit, within 200 ms. What a
//     crash in between means, each of them says; no order is ever turned round.
//   - That is fast, since one writer commits the changes of all callers that
//     wait in one transaction, each in a savepoint of its own.
//   - Nobody else touches the file: the data folder is locked, so at start every
//     lease is that of a dead process and is released at once.
//   - What has to be known often (backlogs, the spool's size) is counted in the
//     same transactions, never by reading everything.
//
// The tables, and why they are as they are, are in migrations.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Store is the state in a SQLite file. It is safe for concurrent use.
type Store struct {
	lock       *folderLock
	writer     *writer
	readers    *sql.DB
	registerer prometheus.Registerer // nil until the metrics are registered
	// How far the methods that remove what is old went.
	pictures, agedShots, agedAttempts sweep

	closeOnce sync.Once
	closeErr  error
}

// tuning is what no operator needs to change, but tests do.
type tuning struct {
	maxBatch     int           // changes of one commit
	maxBytes     int           // of pictures in one commit, after which no more changes are added
	linger       time.Duration // until a commit that nobody waits for
	shrinkEvery  time.Duration // between two looks for unused pages
	shrinkPause  time.Duration // between two steps of giving them back
	stepPages    int           // given back per step
	reservePages int           // kept
	shrunk       func()        // called on the writer when all were given back
	busy         time.Duration // how long to wait for a lock that another process holds on the file
	check        time.Duration // for the look for damage before the opening
	fileSystem   func(folder string) (fileSystem, error)
	wrap         func(driver.Connector) driver.Connector
}

func defaultTuning() tuning {
	return tuning{
		maxBatch:     256,
		maxBytes:     16 << 20,
		linger:       200 * time.Millisecond,
		shrinkEvery:  time.Second,
		shrinkPause:  10 * time.Millisecond,
		stepPages:    128,
		reservePages: (32 << 20) / pageSize,
		shrunk:       func() {},
		busy:         10 * time.Second,
		check:        300 * time.Millisecond,
		fileSystem:   lookUpFileSystem,
	}
}

// Open opens the state in the file at config.Path, makes it when it is missing
// and migrates it when it is old. Errors that an operator can repair are of type
// [stillcast.Error] with the field "data_dir": a folder that cannot be written
// to, that is on a network file system, that another process uses, whose database
// is damaged, or that a newer program wrote. None of these is changed. Ctx is for
// the opening alone. The caller closes the store.
func Open(ctx context.Context, config Config, logger *slog.Logger, registerer prometheus.Registerer) (*Store, error) {
	return openTuned(ctx, config, logger, registerer, defaultTuning())
}

func openTuned(ctx context.Context, config Config, logger *slog.Logger, registerer prometheus.Registerer, tuned tuning) (*Store, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.Path == "" {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "path", "is empty; give the path of the database file")
	}
	config = config.withDefaults()
	lock, err := lockFolder(config.Path, tuned.fileSystem)
	if err != nil {
		return nil, err
	}
	s := &Store{lock: lock, agedAttempts: sweep{reused: true}}
	if err := inspect(ctx, config.Path, tuned); err != nil {
		return nil, errors.Join(err, s.abandon())
	}
	if err := s.connect(config, logger, tuned); err != nil {
		return nil, errors.Join(err, s.abandon())
	}
	if err := s.writer.metrics.register(registerer); err != nil {
		return nil, errors.Join(err, s.abandon())
	}
	s.registerer = registerer
	if err := s.prepare(ctx, logger); err != nil {
		abandoned := s.abandon()
		return nil, errors.Join(explainOpen(config.Path, err), abandoned)
	}
	go s.writer.run()
	logger.InfoContext(ctx, "state opened", "path", config.Path)
	return s, nil
}

func (s *Store) connect(config Config, logger *slog.Logger, tuned tuning) error {
	db, err := openDatabase(config.Path, connection{write: true, busy: tuned.busy}, tuned.wrap)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(-1) // a connection that is given up is closed
	s.writer = &writer{
		db:      db,
		tuning:  tuned,
		logger:  logger,
		queue:   make(chan *change, config.Queue),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
	}
	s.writer.metrics = newMetrics(func() int { return len(s.writer.queue) })
	s.readers, err = openDatabase(config.Path, connection{busy: tuned.busy}, tuned.wrap)
	if err != nil {
		return err
	}
	s.readers.SetMaxOpenConns(config.Readers)
	s.readers.SetMaxIdleConns(config.Readers)
	return nil
}

// prepare migrates the tables and takes back what a dead process had claimed.
// The writer's goroutine does not run yet.
func (s *Store) prepare(ctx context.Context, logger *slog.Logger) error {
	if err := migrate(ctx, s.writer.db, logger); err != nil {
		return err
	}
	var released int64
	release := &change{do: func(t *tx) (err error) {
		released, err = t.releaseLeases(time.Now())
		return err
	}}
	_, results, err := s.writer.execute([]*change{release})
	if err == nil {
		err = s.writer.commit()
	}
	if err = errors.Join(append(results, err)...); err != nil {
		return fmt.Errorf("release leases: %w", err)
	}
	if released > 0 {
		logger.WarnContext(ctx, "deliveries were under way when the program ended; they are tried again", "deliveries", released)
	}
	return nil
}

// Close finishes the changes that wait, refuses new ones with [ErrClosed] and
// lets other processes in. A second call returns what the first returned.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.writer.close()
		s.closeErr = s.abandon()
	})
	return s.closeErr
}

// abandon gives everything up but the writer's goroutine.
func (s *Store) abandon() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.writer != nil {
		// Last, so that it writes the WAL back and removes it.
		s.writer.disconnect()
		errs = append(errs, s.writer.db.Close())
	}
	if s.registerer != nil {
		s.writer.metrics.unregister(s.registerer)
	}
	errs = append(errs, s.lock.release())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close state: %w", err)
	}
	return nil
}

// change runs fn in a transaction, see [writer.do].
func (s *Store) change(ctx context.Context, verb string, fn func(*tx) error) error {
	return within(verb, s.writer.do(ctx, 0, fn))
}

// changeSoon runs fn in a transaction, see [writer.soon].
func (s *Store) changeSoon(ctx context.Context, verb string, fn, redo func(*tx) error) error {
	return within(verb, s.writer.soon(ctx, fn, redo))
}

// read calls row for each row that the query gives. It sees every change that
// was acknowledged.
func (s *Store) read(ctx context.Context, query string, args []any, row func(scan) error) error {
	s.writer.settle(ctx)
	rows, err := s.readers.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, row)
}

// snapshot calls fn with a view of what was acknowledged until now, in which
// nothing changes.
func (s *Store) snapshot(ctx context.Context, fn func(view) error) error {
	s.writer.settle(ctx)
	t, err := s.readers.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	// Nothing was written, so there is nothing to lose.
	defer func() { _ = t.Rollback() }()
	return fn(view{ctx: ctx, tx: t})
}

// view reads a snapshot.
type view struct {
	ctx context.Context //nolint:containedctx // of the one call that the view lives in
	tx  *sql.Tx
}

// query calls row for each row that the query gives.
func (v view) query(query string, args []any, row func(scan) error) error {
	rows, err := v.tx.QueryContext(v.ctx, query, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, row)
}

// numbers returns the first column of each row.
func (v view) numbers(query string, args ...any) ([]int64, error) {
	var list []int64
	err := v.query(query, args, func(scan scan) error {
		var n int64
		err := scan(&n)
		list = append(list, n)
		return err
	})
	return list, err
}

// within says what was being done, except of an error made for a person, which
// names its own field.
func within(verb string, err error) error {
	if err == nil || stillcast.CodeOf(err) != "" {
		return err
	}
	return fmt.Errorf("%s: %w", verb, err)
}

// micros and fromMicros convert times as the tables hold them.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(v int64) time.Time { return time.UnixMicro(v).UTC() }

// pageLimit returns how many rows a page has at most.
func pageLimit(wanted int) int {
	if wanted < 1 {
		return state.DefaultPage
	}
	return min(wanted, state.MaxPage)
}
