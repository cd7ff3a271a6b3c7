-- When the pictures of a shot were in their stores: how late each stage was.

-- +goose Up

-- Microseconds; NULL while they are not, and for shots from before.
ALTER TABLE shot ADD COLUMN stored_at INTEGER;
