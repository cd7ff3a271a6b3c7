package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"time"

	moderncsqlite "modernc.org/sqlite"
)

// pageSize in bytes. Pictures are ten times larger, the rows that change most a
// hundred times smaller: larger pages suit the ones, smaller the others. Half and
// twice as much differed by less than the noise of the measurement.
const pageSize = 8192

// pragma is one setting of a connection.
type pragma struct {
	name, value string
	want        string // what reading it back gives; "" for what cannot or need not be read back
}

// connection is what a connection is for.
type connection struct {
	write   bool
	inspect bool          // it must not change any file of the database
	busy    time.Duration // how long it waits for a lock of another process
}

// pragmas returns the settings of every connection, in the order in which they
// have to be made: page_size and auto_vacuum count only before the file is
// first written, which turning on the WAL does.
func (c connection) pragmas() []pragma {
	busy := fmt.Sprint(c.busy.Milliseconds())
	all := []pragma{
		{name: "busy_timeout", value: busy, want: busy},
		{name: "trusted_schema", value: "OFF"},
		// What is kept to undo a savepoint would become a temporary file at 64 KiB.
		{name: "temp_store", value: "MEMORY", want: "2"},
	}
	if c.write {
		all = append(all,
			pragma{name: "page_size", value: fmt.Sprint(pageSize)},
			pragma{name: "auto_vacuum", value: "INCREMENTAL"},
			pragma{name: "journal_mode", value: "WAL", want: "wal"},
			pragma{name: "wal_autocheckpoint", value: "4000"},     // pages
			pragma{name: "journal_size_limit", value: "67108864"}, // bytes
			// KiB. A larger cache fills with rows that nobody reads again, for as long as the server runs, and makes
			// nothing faster: what is missing is in the kernel's.
			pragma{name: "cache_size", value: "-8192", want: "-8192"},
		)
	}
	all = append(all,
		pragma{name: "foreign_keys", value: "ON", want: "1"},
		// A commit returns when the WAL is on the disk. NORMAL would lose what
		// was acknowledged when power fails.
		pragma{name: "synchronous", value: "FULL", want: "2"},
		// On macOS fsync alone leaves the data in the disk's cache.
		pragma{name: "fullfsync", value: "ON"},
	)
	if !c.write {
		all = append(all, pragma{name: "query_only", value: "ON", want: "1"})
	}
	return all
}

// openDatabase returns a pool of connections to the database at path. Wrap, when
// it is not nil, stands between the driver and the check.
func openDatabase(path string, c connection, wrap func(driver.Connector) driver.Connector) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the path of the database: %w", err)
	}
	// As a URI, whatever the path holds is taken as it is.
	name := "file:" + (&url.URL{Path: absolute}).EscapedPath() + "?_defensive=1&_dqs=0"
	if c.inspect {
		name += "&mode=ro"
	}
	base, err := moderncsqlite.NewConnector(name)
	if err != nil {
		return nil, fmt.Errorf("make a connector to %s: %w", path, err)
	}
	if wrap != nil {
		base = wrap(base)
	}
	return sql.OpenDB(&checked{Connector: base, pragmas: c.pragmas()}), nil
}

// checked is a connector whose connections have all the settings, and are
// refused if reading a setting back gives something else: a commit over a
// connection that is not durable would be a broken promise that nobody sees.
type checked struct {
	driver.Connector
	pragmas []pragma
}

// Connect implements [driver.Connector].
func (c *checked) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	for _, p := range c.pragmas {
		if err := p.apply(ctx, conn); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

func (p pragma) apply(ctx context.Context, conn driver.Conn) error {
	executor, ok := conn.(driver.ExecerContext)
	if !ok {
		return fmt.Errorf("set up a connection: %T cannot execute statements", conn)
	}
	if _, err := executor.ExecContext(ctx, "PRAGMA "+p.name+" = "+p.value, nil); err != nil {
		return fmt.Errorf("set %s to %s: %w", p.name, p.value, err)
	}
	if p.want == "" {
		return nil
	}
	got, err := p.read(ctx, conn)
	if err != nil {
		return fmt.Errorf("read %s back: %w", p.name, err)
	}
	if got != p.want {
		return fmt.Errorf("refuse a database connection: %s was set to %s but reads back as %q, not %q",
			p.name, p.value, got, p.want)
	}
	return nil
}

func (p pragma) read(ctx context.Context, conn driver.Conn) (string, error) {
	querier, ok := conn.(driver.QueryerContext)
	if !ok {
		return "", fmt.Errorf("%T cannot query", conn)
	}
	rows, err := querier.QueryContext(ctx, "PRAGMA "+p.name, nil)
	if err != nil {
		return "", err
	}
	value := make([]driver.Value, max(1, len(rows.Columns())))
	err = rows.Next(value)
	if errors.Is(err, io.EOF) {
		err = errors.New("it gives no row")
	}
	return fmt.Sprint(value[0]), errors.Join(err, rows.Close())
}
