-- Times are Unix microseconds in UTC (…_at and due), lengths of time are
-- nanoseconds (…_ns), truth is 0 or 1. Ids that leave this file are
-- AUTOINCREMENT: SQLite would otherwise give the number of a deleted row again.

-- +goose Up

-- Push domains. The keys stand here as they are: txSecret is computed from them.
CREATE TABLE domain (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT    NOT NULL UNIQUE,
    auth_disabled INTEGER NOT NULL,
    auth_key      TEXT    NOT NULL,
    backup_key    TEXT    NOT NULL,
    delta_ns      INTEGER NOT NULL
) STRICT;

-- What to capture. Zero and '' mean "the default", which may change with the program.
CREATE TABLE snapshot_template (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT    NOT NULL UNIQUE,
    description TEXT    NOT NULL,
    interval_ns INTEGER NOT NULL,
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    bucket      TEXT    NOT NULL,
    app_id      INTEGER NOT NULL,
    region      TEXT    NOT NULL,
    prefix      TEXT    NOT NULL,
    file_name   TEXT    NOT NULL,
    quality     INTEGER NOT NULL
) STRICT;

-- Which streams a snapshot template is for. '' for app or stream is the wildcard.
CREATE TABLE snapshot_rule (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    domain   TEXT    NOT NULL REFERENCES domain (name),
    app      TEXT    NOT NULL,
    stream   TEXT    NOT NULL,
    template INTEGER NOT NULL REFERENCES snapshot_template (id),
    UNIQUE (domain, app, stream)
) STRICT;

-- Where events go. '' for a URL means that its events are not sent.
CREATE TABLE callback_template (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    name             TEXT    NOT NULL UNIQUE,
    description      TEXT    NOT NULL,
    sign_key         TEXT    NOT NULL,
    snapshot_url     TEXT    NOT NULL,
    stream_begin_url TEXT    NOT NULL,
    stream_end_url   TEXT    NOT NULL
) STRICT;

-- Which streams a callback template is for. '' for app is the wildcard.
CREATE TABLE callback_rule (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    domain   TEXT    NOT NULL REFERENCES domain (name),
    app      TEXT    NOT NULL,
    template INTEGER NOT NULL REFERENCES callback_template (id),
    UNIQUE (domain, app)
) STRICT;

-- Streams by their three names, so that the large tables and their indexes
-- hold a small number instead of up to 765 bytes of text.
CREATE TABLE stream (
    id     INTEGER PRIMARY KEY,
    domain TEXT NOT NULL,
    app    TEXT NOT NULL,
    name   TEXT NOT NULL,
    UNIQUE (domain, app, name)
) STRICT;

-- Pushes. The columns from ended_at on are NULL until the push has ended.
CREATE TABLE push (
    num         INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    stream      INTEGER NOT NULL REFERENCES stream (id),
    domain      TEXT    NOT NULL, -- the registered one that took it; may be deleted since
    param       TEXT    NOT NULL,
    remote      TEXT    NOT NULL, -- ADDRESS:PORT, '' when it is not known
    node        TEXT    NOT NULL,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    end_code    INTEGER,
    end_message TEXT,
    width       INTEGER,
    height      INTEGER
) STRICT;

-- The pushes that a crash left open are few among all that ever were.
CREATE INDEX push_open ON push (num) WHERE ended_at IS NULL;

-- Shots. What a shot shares with its event (id, stream, push) stands in event.
CREATE TABLE shot (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket      TEXT    NOT NULL,
    region      TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    due_at      INTEGER NOT NULL,
    captured_at INTEGER NOT NULL,
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    UNIQUE (bucket, key) -- no picture ever overwrites another
) STRICT;

-- Pictures that are not stored yet: a shot is stored when it has no row here.
-- A table of its own, so that scans of shot never meet a picture.
CREATE TABLE spool (
    shot INTEGER PRIMARY KEY REFERENCES shot (id),
    jpeg BLOB NOT NULL
) STRICT;

-- The one row says what is in spool, which can only be counted by reading it.
CREATE TABLE spool_total (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    pictures INTEGER NOT NULL CHECK (pictures >= 0),
    bytes    INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;
INSERT INTO spool_total (id, pictures, bytes) VALUES (1, 0, 0);

-- Events, unsigned: signature and URL of the picture are made per attempt.
CREATE TABLE event (
    num    INTEGER PRIMARY KEY AUTOINCREMENT,
    id     TEXT    NOT NULL UNIQUE,
    type   INTEGER NOT NULL,
    stream INTEGER NOT NULL REFERENCES stream (id),
    push   TEXT    NOT NULL, -- id of a push whose row may be gone
    at     INTEGER NOT NULL,
    fields TEXT    NOT NULL, -- JSON object
    shot   INTEGER REFERENCES shot (id)
) STRICT;

-- From a shot to its event, of which there is one.
CREATE UNIQUE INDEX event_shot ON event (shot) WHERE shot IS NOT NULL;

-- The shots of one stream in the order of their ids.
CREATE INDEX event_stream_shot ON event (stream, shot) WHERE shot IS NOT NULL;

-- Destinations and, kept in the same transactions as delivery, how many of
-- their deliveries are in which state: counting a backlog would read it all.
CREATE TABLE destination (
    id         INTEGER PRIMARY KEY,
    template   INTEGER NOT NULL, -- callback_template.id, which may be deleted while something is owed
    event_type INTEGER NOT NULL,
    waiting    INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0),
    pending    INTEGER NOT NULL DEFAULT 0 CHECK (pending >= 0),
    claimed    INTEGER NOT NULL DEFAULT 0 CHECK (claimed >= 0),
    delivered  INTEGER NOT NULL DEFAULT 0 CHECK (delivered >= 0),
    parked     INTEGER NOT NULL DEFAULT 0 CHECK (parked >= 0),
    UNIQUE (template, event_type)
) STRICT;

-- The last sequence number given to a stream's events for a destination.
CREATE TABLE sequence (
    destination INTEGER NOT NULL REFERENCES destination (id),
    stream      INTEGER NOT NULL REFERENCES stream (id),
    last        INTEGER NOT NULL,
    PRIMARY KEY (destination, stream)
) STRICT, WITHOUT ROWID;

-- Deliveries. state: 0 waiting, 1 pending, 2 claimed, 3 delivered, 4 parked.
-- due is when it can be claimed: of a claimed one, when its lease runs out. So
-- a lost claim comes back by the same index and in the same order as a retry.
CREATE TABLE delivery (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    event       INTEGER NOT NULL REFERENCES event (num),
    destination INTEGER NOT NULL REFERENCES destination (id),
    sequence    INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    attempt     INTEGER NOT NULL DEFAULT 0, -- claims so far
    series      INTEGER NOT NULL DEFAULT 0, -- claims before the last replay
    due         INTEGER NOT NULL DEFAULT 0,
    at          INTEGER NOT NULL,           -- of the event, here for delivery_oldest
    UNIQUE (event, destination)
) STRICT;

-- The two lanes. Claims read the first few entries of one destination, however
-- long its backlog or that of the others. The id, which every index ends in,
-- orders those that are due together.
CREATE INDEX delivery_fresh ON delivery (destination, due) WHERE state = 1 AND attempt = 0;
CREATE INDEX delivery_retry ON delivery (destination, due) WHERE state IN (1, 2) AND attempt > 0;

-- The age of a destination's oldest undelivered event.
CREATE INDEX delivery_oldest ON delivery (destination, at) WHERE state IN (0, 1, 2);

-- Parked deliveries are listed and replayed; they are few among the delivered.
CREATE INDEX delivery_parked ON delivery (destination) WHERE state = 4;

-- Finished attempts.
CREATE TABLE attempt (
    id         INTEGER PRIMARY KEY,
    delivery   INTEGER NOT NULL REFERENCES delivery (id),
    attempt    INTEGER NOT NULL,
    outcome    INTEGER NOT NULL, -- 1 delivered, 2 retry, 3 parked
    retry_at   INTEGER NOT NULL, -- 0 unless the outcome is 2
    started_at INTEGER NOT NULL,
    took_ns    INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    error      TEXT    NOT NULL,
    reply      BLOB    NOT NULL, -- what the receiver sent, in whatever encoding
    UNIQUE (delivery, attempt)
) STRICT;
