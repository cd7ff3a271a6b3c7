-- What the ledger of deliveries is asked and told: pauses, requests, dropped and
-- removed pictures, mirrors, and indexes for its listings.

-- +goose Up

-- The second store that is to hold the pictures of a shot, until they are
-- stored. Most shots have none.
CREATE TABLE spool_mirror (
    shot   INTEGER PRIMARY KEY REFERENCES spool (shot) ON DELETE CASCADE,
    mirror TEXT    NOT NULL
) STRICT;

-- Shots whose pictures are neither in the spool nor in the store any more.
-- state: 1 dropped from the spool, 2 being removed for their age, 3 removed.
CREATE TABLE picture_gone (
    shot   INTEGER PRIMARY KEY REFERENCES shot (id) ON DELETE CASCADE,
    state  INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    reason TEXT    NOT NULL -- of a dropped one
) STRICT;

-- Both are few among the removed.
CREATE INDEX picture_dropped ON picture_gone (shot) WHERE state = 1;
CREATE INDEX picture_leaving ON picture_gone (shot) WHERE state = 2;

-- What is remembered of the request of an attempt, beside what it was made from.
CREATE TABLE attempt_request (
    attempt INTEGER PRIMARY KEY REFERENCES attempt (id) ON DELETE CASCADE,
    request TEXT    NOT NULL -- JSON
) STRICT;

-- NULL: not paused.
ALTER TABLE destination ADD COLUMN paused_at INTEGER;
ALTER TABLE destination ADD COLUMN pause_reason TEXT NOT NULL DEFAULT '';

-- The deliveries of a destination in a state, in the order of their ids: what
-- listings, replays of many and the release of leases read. Their numbers are in
-- destination.
DROP INDEX delivery_parked;
CREATE INDEX delivery_state ON delivery (destination, state);

-- The events of a stream in the order of their numbers, which is that of their
-- shots and of their deliveries, too: all three are made together.
DROP INDEX event_stream_shot;
CREATE INDEX event_stream ON event (stream);

-- Events that belong to no shot are few, and removed by themselves.
CREATE INDEX event_alone ON event (at) WHERE shot IS NULL;

-- Which events are of those five minutes: first and last, among which are others
-- when a clock was set. So a window of time is a range of ids, and shots and
-- events need no index by time.
ALTER TABLE shot_count ADD COLUMN first_event INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shot_count ADD COLUMN last_event INTEGER NOT NULL DEFAULT 0;
INSERT INTO shot_count (at, domain, shots, first_event, last_event)
    SELECT at / 300000000 * 300000000, stream.domain, 0, min(num), max(num)
    FROM event JOIN stream ON stream.id = event.stream WHERE true GROUP BY 1, 2
    ON CONFLICT (at, domain) DO UPDATE SET first_event = excluded.first_event, last_event = excluded.last_event;
