-- +goose Up
-- Readers who were stopped for reading of too many people within an hour.
CREATE TABLE audit_stop (
    id TEXT PRIMARY KEY,
    class TEXT NOT NULL,
    reader TEXT NOT NULL,
    at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    releaser TEXT NOT NULL,
    reason TEXT NOT NULL,
    released_at BIGINT NOT NULL,
    CHECK (releaser <> reader)
);
CREATE INDEX audit_stop_reader ON audit_stop (class, reader, released_at);
CREATE INDEX audit_read_reader ON audit_read (class, reader, session, at);
