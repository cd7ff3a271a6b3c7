-- What is set up and asked while the program runs: more fields of what an
-- operator sets up, bans, tasks, and indexes for the listings of what was.

-- +goose Up

-- created_at of what is there already is when this ran: nobody noted it.
ALTER TABLE domain ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE domain ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE domain ADD COLUMN play_type INTEGER NOT NULL DEFAULT 0;
ALTER TABLE domain ADD COLUMN delay_live INTEGER NOT NULL DEFAULT 0;
ALTER TABLE domain ADD COLUMN mini_program INTEGER NOT NULL DEFAULT 0;
UPDATE domain SET created_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER);

ALTER TABLE snapshot_template ADD COLUMN porn_flag INTEGER NOT NULL DEFAULT 0;

-- What is kept for clients and has no effect: a JSON object without what is "".
ALTER TABLE callback_template ADD COLUMN kept TEXT NOT NULL DEFAULT '{}';

ALTER TABLE snapshot_rule ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE snapshot_rule ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
UPDATE snapshot_rule SET created_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER);
UPDATE snapshot_rule SET updated_at = created_at;
ALTER TABLE callback_rule ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE callback_rule ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
UPDATE callback_rule SET created_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER);
UPDATE callback_rule SET updated_at = created_at;

-- A rule names its template: what finds those that use one.
CREATE INDEX snapshot_rule_template ON snapshot_rule (template);
CREATE INDEX callback_rule_template ON callback_rule (template);

-- Streams that may not be pushed until a time.
CREATE TABLE ban (
    stream     INTEGER PRIMARY KEY REFERENCES stream (id),
    until_at   INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX ban_until ON ban (until_at);

-- Captures in a window of time.
CREATE TABLE task (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    stream     INTEGER NOT NULL REFERENCES stream (id),
    template   INTEGER NOT NULL, -- of a snapshot_template that may not exist
    start_at   INTEGER NOT NULL,
    end_at     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    stopped_at INTEGER           -- NULL: not stopped before its end
) STRICT;

-- Tasks that run or will run are few among all that ever were.
CREATE INDEX task_active ON task (end_at) WHERE stopped_at IS NULL;
CREATE INDEX task_stream ON task (stream, end_at) WHERE stopped_at IS NULL;

-- Pushes by their end: of all streams, and of one. One that is live ends after
-- all that have ended.
CREATE INDEX push_until ON push (coalesce(ended_at, 9223372036854775807), started_at);
CREATE INDEX push_stream ON push (stream, coalesce(ended_at, 9223372036854775807), started_at);

-- The attempts of a stream's events are found from the events.
CREATE INDEX stream_name ON stream (name);
CREATE INDEX event_stream_at ON event (stream, at);

-- How many shots were captured in the five minutes from at on, by the domain of
-- their stream. Counting them would read them all.
CREATE TABLE shot_count (
    at     INTEGER NOT NULL,
    domain TEXT    NOT NULL,
    shots  INTEGER NOT NULL,
    PRIMARY KEY (at, domain)
) STRICT, WITHOUT ROWID;
INSERT INTO shot_count (at, domain, shots)
    SELECT captured_at / 300000000 * 300000000, stream.domain, count(*)
    FROM shot JOIN event ON event.shot = shot.id JOIN stream ON stream.id = event.stream
    GROUP BY 1, 2;
