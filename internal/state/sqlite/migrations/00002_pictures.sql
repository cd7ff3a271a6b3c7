-- How shots are chosen and made, several pictures per shot, and what is known
-- of each. Large tables get no new columns: for each of them SQLite would read
-- all rows of a STRICT table.

-- +goose Up

-- How the template's shots are chosen and made: a JSON object without what is
-- zero, which means "the default". It is only ever read as a whole.
ALTER TABLE snapshot_template ADD COLUMN pictures TEXT NOT NULL DEFAULT '{}';

-- What is known of shots. Columns and not JSON: they are what shots will be
-- searched and counted by, and take 50 bytes instead of 250. Shots from before
-- this table have no row.
CREATE TABLE facts (
    shot         INTEGER PRIMARY KEY REFERENCES shot (id),
    format       TEXT    NOT NULL, -- of all its pictures
    accuracy     TEXT    NOT NULL,
    timestamp_ns INTEGER NOT NULL,
    age_ns       INTEGER NOT NULL,
    decode_ns    INTEGER NOT NULL,
    scale_ns     INTEGER NOT NULL,
    encode_ns    INTEGER NOT NULL,
    luma         REAL    NOT NULL,
    variance     REAL    NOT NULL,
    black        INTEGER NOT NULL,
    solid        INTEGER NOT NULL,
    hash         INTEGER NOT NULL, -- the 64 bits as a signed number
    distance     INTEGER NOT NULL, -- -1: no shot before
    duplicate    INTEGER NOT NULL
) STRICT;

-- Further sizes of a shot's picture, in the order of their ids. The bucket is
-- the shot's, here for the index. A key is either that of a shot or of a
-- rendition, which the statements that insert them see to.
CREATE TABLE rendition (
    id     INTEGER PRIMARY KEY,
    shot   INTEGER NOT NULL REFERENCES shot (id),
    bucket TEXT    NOT NULL,
    key    TEXT    NOT NULL,
    width  INTEGER NOT NULL,
    height INTEGER NOT NULL,
    size   INTEGER NOT NULL,
    UNIQUE (bucket, key)
) STRICT;

CREATE INDEX rendition_shot ON rendition (shot);

-- The renditions' pictures that are not stored yet. They come and go with that
-- of their shot: spool still has one row for each shot that is not stored.
-- spool_total counts both.
CREATE TABLE spool_rendition (
    rendition INTEGER PRIMARY KEY REFERENCES rendition (id),
    picture   BLOB NOT NULL
) STRICT;

-- It may be a WebP by now.
ALTER TABLE spool RENAME COLUMN jpeg TO picture;
