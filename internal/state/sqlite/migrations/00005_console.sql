-- Who may log in to the console, and who is.

-- +goose Up

CREATE TABLE console_account (
    name       TEXT    PRIMARY KEY,
    role       TEXT    NOT NULL, -- "viewer" or "admin"
    password   TEXT    NOT NULL, -- a hash
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL  -- the password
) STRICT, WITHOUT ROWID;

CREATE TABLE console_session (
    id         TEXT    PRIMARY KEY, -- the hash of the cookie
    account    TEXT    NOT NULL REFERENCES console_account (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    address    TEXT    NOT NULL,
    agent      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX console_session_account ON console_session (account);
CREATE INDEX console_session_end ON console_session (expires_at);
